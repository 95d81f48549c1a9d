//! Two thousand connections at once.

use std::time::Duration;

use holdall::http::limits::Limits;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

#[test]
fn two_thousand_connections_are_served() {
    holdall::sys::machine::raise_open_files();
    let dummy = Dummy::with(Limits { workers: 2, ..Limits::default() });
    let mut all: Vec<Raw> = (0..2000).map(|_| Raw::connect(dummy.address)).collect();
    for round in 0..2 {
        for raw in &mut all {
            raw.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabcde");
        }
        for raw in &mut all {
            assert_eq!(raw.reply().text(), "abcde", "round {round}");
        }
    }
    assert_eq!(dummy.metrics.connections.get(), 2000);
    drop(all);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(dummy.metrics.connections.get(), 0);
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let dummy = Dummy::with(Limits { connections_max: 16, ..Limits::default() });
    let mut first: Vec<Raw> = (0..16).map(|_| Raw::connect(dummy.address)).collect();
    for raw in &mut first {
        raw.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
        assert_eq!(raw.reply().status, 204);
    }
    let mut late = Raw::connect(dummy.address);
    late.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    late.stays_silent(Duration::from_millis(300));
    first.clear();
    assert_eq!(late.reply().status, 204);
}
