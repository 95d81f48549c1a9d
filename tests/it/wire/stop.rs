//! Stopping: running requests end, idle connections are closed.

use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use holdall::http::limits::Limits;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

const GET: &str = "GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n";

#[test]
fn running_requests_end_and_idle_connections_close() {
    let mut dummy = Dummy::start();
    let address = dummy.address;
    let mut idle = Raw::connect(address);
    idle.send(GET);
    assert_eq!(idle.reply().status, 204);
    let mut fresh = Raw::connect(address);
    let mut running = Raw::connect(address);
    running.send("GET /sleep/1200 HTTP/1.1\r\nhost: h\r\n\r\n");
    let mut sending = Raw::connect(address);
    sending.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabcde");
    std::thread::sleep(Duration::from_millis(200));

    let begun = Instant::now();
    let stopping = std::thread::spawn(move || {
        dummy.stop();
        assert!(!dummy.is_held(), "a worker holds on to the application");
    });
    assert!(idle.closes(Duration::from_secs(2)));
    assert!(fresh.closes(Duration::from_secs(2)));
    sending.send("fghij");
    let reply = sending.reply();
    assert_eq!((reply.text().as_str(), reply.header("connection")), ("abcdefghij", Some("close")));
    let reply = running.reply();
    assert_eq!((reply.text().as_str(), reply.header("connection")), ("slept", Some("close")));
    assert!(running.closes(Duration::from_secs(2)));
    stopping.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert!(TcpStream::connect(address).is_err(), "it still listens");
}

#[test]
fn the_grace_ends() {
    let mut dummy = Dummy::with(Limits { shutdown_grace: Duration::from_secs(1), ..Limits::default() });
    let mut running = Raw::connect(dummy.address);
    running.send("GET /sleep/60000 HTTP/1.1\r\nhost: h\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    dummy.stop();
    assert!(!dummy.is_held(), "a worker holds on to the application");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(running.closes(Duration::from_secs(2)));
}
