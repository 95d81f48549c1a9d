//! What clients get while no replica of the metadata can lead.

use std::time::Duration;
use std::time::Instant;

use crate::harness::server::Server;

/// It may come back, so clients are to try again: 503 on every way, and never "there is no such thing".
#[test]
#[allow(clippy::disallowed_methods, reason = "a disk that loses things")]
fn while_nobody_leads_every_answer_is_503() {
    let server = Server::with(1, |_| {});
    let client = server.client_with_bucket("bucket");
    assert_eq!(client.put("/bucket/small", "x").status, 200);
    assert_eq!(client.put("/bucket/large", vec![7; 300_000]).status, 200);
    std::fs::rename(server.volume(0).join("meta"), server.volume(0).with_extension("lost")).unwrap();
    let begun = Instant::now();
    while client.put("/bucket/probe", "y").status != 503 || client.get("/bucket/small").status != 503 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody has noticed");
        std::thread::sleep(Duration::from_millis(50));
    }
    let asked = [
        ("GET", "/"),
        ("GET", "/bucket/small"),
        ("GET", "/bucket/large"),
        ("GET", "/bucket/none"),
        ("GET", "/bucket?list-type=2"),
        ("PUT", "/bucket/new"),
        ("DELETE", "/bucket/small"),
        ("PUT", "/another"),
        ("POST", "/bucket/large?uploads"),
    ];
    for _ in 0..3 {
        for (method, target) in asked {
            let reply = client.ask(method, target).send();
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (503, "ServiceUnavailable"),
                "{method} {target}"
            );
        }
        assert_eq!(client.head("/bucket/small").status, 503);
    }
}
