//! A server that speaks just enough S3 for the workloads, in memory, for tests.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// What is stored: bodies by path, the bucket itself under its own.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) objects: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Requests that were answered with 503 instead of being done: every `n`th, when not 0.
    pub(super) refuse_every: Cell<u64>,
    requests: Cell<u64>,
}

impl Fake {
    /// Listens on loopback; gives the address.
    pub(super) async fn listen(self: &Rc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = Rc::clone(&fake);
                tokio::task::spawn_local(async move { fake.serve(stream).await });
            }
        });
        url
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut inbox = Vec::new();
        while let Some((head, body)) = read_request(&mut stream, &mut inbox).await {
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            self.requests.set(self.requests.get() + 1);
            let refuse = self.refuse_every.get();
            let (status, reply) = match refuse > 0 && self.requests.get().is_multiple_of(refuse) {
                true => (503, b"<Error><Code>SlowDown</Code></Error>".to_vec()),
                false => self.answer(method, target, body),
            };
            let head =
                format!("HTTP/1.1 {status} X\r\netag: \"e\"\r\ncontent-length: {}\r\n\r\n", reply.len());
            let body = if method == "HEAD" { Vec::new() } else { reply };
            if stream.write_all(&[head.into_bytes(), body].concat()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, method: &str, target: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut objects = self.objects.borrow_mut();
        match (method, query) {
            ("GET", query) if query.contains("list-type=2") => (200, list(&objects, path, query)),
            ("POST", "uploads=") => (
                200,
                b"<InitiateMultipartUploadResult><UploadId>u=1</UploadId></InitiateMultipartUploadResult>"
                    .into(),
            ),
            ("POST", _) if body.starts_with(b"<CompleteMultipartUpload><Part><PartNumber>1<") => {
                (200, b"<CompleteMultipartUploadResult/>".to_vec())
            }
            ("PUT", query) if query.starts_with("partNumber=") => {
                assert!(query.ends_with("uploadId=u%3D1"), "{query}");
                objects.entry(path.to_owned()).or_default().extend(body);
                (200, Vec::new())
            }
            ("PUT", _) => {
                objects.insert(path.to_owned(), body);
                (200, Vec::new())
            }
            ("DELETE", _) => {
                objects.remove(path);
                (204, Vec::new())
            }
            ("GET" | "HEAD", _) => match objects.get(path) {
                Some(body) => (200, body.clone()),
                None => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            },
            _ => (400, Vec::new()),
        }
    }
}

fn list(objects: &BTreeMap<String, Vec<u8>>, bucket: &str, query: &str) -> Vec<u8> {
    let of = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
        percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned()
    };
    let prefix = format!("{bucket}/{}", of("prefix="));
    let from = of("continuation-token=").replace('&', "");
    let mut keys = objects.keys().filter(|path| path.starts_with(&prefix) && **path > from);
    let page: Vec<&String> = keys.by_ref().take(1000).collect();
    let mut text = format!("<ListBucketResult><IsTruncated>{}</IsTruncated>", keys.next().is_some());
    for path in &page {
        text += &format!("<Contents><Key>{}</Key></Contents>", &path[bucket.len() + 1..]);
    }
    let token = page.last().map_or(String::new(), |last| format!("{last}&amp;"));
    text += &format!("<NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>");
    text.into_bytes()
}

async fn read_request(stream: &mut TcpStream, inbox: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = inbox.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&inbox[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            while inbox.len() < end + 4 + length {
                if stream.read_buf(inbox).await.ok()? == 0 {
                    return None;
                }
            }
            let body = inbox[end + 4..end + 4 + length].to_vec();
            inbox.drain(..end + 4 + length);
            return Some((head, body));
        }
        if stream.read_buf(inbox).await.ok()? == 0 {
            return None;
        }
    }
}
