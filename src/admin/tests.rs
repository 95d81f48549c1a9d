#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::*;

/// A listener that is ready while the flag is set.
fn listen() -> (SocketAddr, Arc<AtomicBool>, Admin) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_ready = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_ready);
    let ready =
        move || if asked.load(Ordering::Relaxed) { Ok(()) } else { Err("the disk is gone".to_owned()) };
    let shown = Shown { metrics: Arc::new(Metrics::new().unwrap()), ready: Box::new(ready) };
    (address, is_ready, start(listener, shown).unwrap())
}

fn ask(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn stop(admin: Admin) {
    actix_rt::System::new().block_on(admin.stop()).unwrap();
}

#[test]
fn health_says_what_it_is_asked() {
    let (address, is_ready, admin) = listen();
    let live = ask(address, "GET /health/live");
    assert!(live.starts_with("HTTP/1.1 200") && live.contains(r#""status":"live""#), "{live}");
    assert!(ask(address, "GET /health/ready").starts_with("HTTP/1.1 200"));
    is_ready.store(false, Ordering::Relaxed);
    let refused = ask(address, "GET /health/ready");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("the disk is gone"), "{refused}");
    assert!(ask(address, "GET /health/live").starts_with("HTTP/1.1 200"));
    stop(admin);
}

#[test]
fn metrics_are_in_the_text_format() {
    let (address, _, admin) = listen();
    let metrics = ask(address, "GET /metrics");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    for name in ["holdall_connections 0", "process_resident_memory_bytes ", "process_open_fds "] {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name}\n{metrics}");
    }
    stop(admin);
}

#[test]
fn there_is_nothing_else() {
    let (address, _, admin) = listen();
    for path in
        ["/", "/health", "/health/ready/", "/metrics/x", "/bucket/key", "/debug/vars", "/minio/admin/v3/info"]
    {
        let answer = ask(address, &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains(r#""error":"not found""#), "{answer}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert!(ask(address, &format!("{method} /metrics")).starts_with("HTTP/1.1 405"));
    }
    let head = ask(address, "HEAD /health/live");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    stop(admin);
}
