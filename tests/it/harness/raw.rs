//! A client that sends exactly the bytes it is told to, and reads one reply at a time.

use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

/// No honest reply takes longer on a loopback.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection.
pub struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Of the status line.
    pub status: u16,
    /// Names in lower case, in wire order.
    pub headers: Vec<(String, String)>,
    /// Without its framing.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The code of an S3 error document.
    pub fn code(&self) -> String {
        let text = self.text();
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        code.map(|(code, _)| code.to_owned()).unwrap_or_else(|| panic!("no error document: {self:?}"))
    }
}

impl Raw {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Connects, sends and reads one reply.
    pub fn ask(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Reply {
        let mut raw = Self::connect(address);
        raw.send(bytes);
        raw.reply()
    }

    /// Sends, and fails when the server takes no more.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends as far as the server takes it.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends byte by byte with a pause after each, until the server takes no more.
    pub fn drip(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) {
        for byte in bytes.as_ref() {
            if self.stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(pause);
        }
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next reply.
    pub fn reply(&mut self) -> Reply {
        self.read_reply(true)
    }

    /// The next reply, which is to a HEAD request.
    pub fn reply_to_head(&mut self) -> Reply {
        self.read_reply(false)
    }

    /// Whether the server closes the connection, without another byte, within `within`.
    pub fn closes(&mut self, within: Duration) -> bool {
        assert_eq!(String::from_utf8_lossy(&self.unread), "", "bytes behind the last reply");
        self.stream.set_read_timeout(Some(within)).unwrap();
        let read = self.stream.read(&mut [0; 1]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match read {
            Ok(0) => true,
            Ok(_) => panic!("a byte behind the last reply"),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Asserts that nothing arrives for `span`, and that the connection stays open.
    pub fn stays_silent(&mut self, span: Duration) {
        assert!(self.unread.is_empty());
        let begun = Instant::now();
        self.stream.set_read_timeout(Some(span)).unwrap();
        let read = self.stream.read(&mut [0; 1]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let error = read.expect_err("the server sent something, or closed");
        assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
        assert!(begun.elapsed() >= span / 2);
    }

    /// The socket, for what is not offered here.
    pub const fn socket(&self) -> &TcpStream {
        &self.stream
    }

    fn read_reply(&mut self, with_body: bool) -> Reply {
        let head = self.read_head();
        let text = String::from_utf8(head).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        let bodiless = !with_body || status < 200 || status == 204 || status == 304;
        if bodiless {
            return reply;
        }
        reply.body = if reply.header("transfer-encoding") == Some("chunked") {
            self.read_chunks()
        } else {
            match reply.header("content-length").map(|length| length.parse().unwrap()) {
                Some(length) => self.read_exactly(length),
                None => self.read_to_end(),
            }
        };
        reply
    }

    fn read_head(&mut self) -> Vec<u8> {
        loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                return self.unread.drain(..at + 4).collect();
            }
            assert!(self.fill(), "closed within a head: {:?}", String::from_utf8_lossy(&self.unread));
        }
    }

    fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.fill(), "closed within a body");
        }
        self.unread.drain(..length).collect()
    }

    fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                    break self.unread.drain(..at + 2).collect::<Vec<_>>();
                }
                assert!(self.fill(), "closed within a chunk size");
            };
            let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            body.extend(self.read_exactly(size));
            assert_eq!(self.read_exactly(2), b"\r\n");
            if size == 0 {
                return body;
            }
        }
    }

    fn read_to_end(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.unread)
    }

    fn fill(&mut self) -> bool {
        let mut piece = [0; 16 << 10];
        let read = self.stream.read(&mut piece).unwrap();
        self.unread.extend_from_slice(&piece[..read]);
        read > 0
    }
}
