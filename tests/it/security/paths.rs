//! A key is bytes, never a path: what is authorized is what is read and written.

use crate::harness::server::Server;

#[test]
fn nothing_climbs_out_of_a_bucket() {
    let server = Server::start();
    let client = server.client_with_bucket("own");
    assert_eq!(client.put("/victim", "").status, 200);
    assert_eq!(client.put("/victim/k", "secret").status, 200);
    let targets = [
        "/own/../victim/k",
        "/own/./../victim/k",
        "/own/%2e%2e/victim/k",
        "/own/..%2fvictim%2fk",
        "/own/%2e%2e%2fvictim%2fk",
        "/own/%252e%252e/victim/k",
        "/own//../victim/k",
        "/own/..%5cvictim%5ck",
        "/own/pub/../../victim/k",
    ];
    for target in targets {
        let reply = client.get(target);
        assert!(reply.status == 404 || reply.status == 400, "{target}: {reply:?}");
        assert!(!reply.text().contains("secret"), "{target}");
        let written = client.put(target, target);
        assert!(written.status == 200 || written.status == 400, "{target}: {written:?}");
        if written.status == 200 {
            assert_eq!(client.get(target).text(), target, "{target}");
            // Another spelling of the same key comes later.
            assert_eq!(client.delete(target).status, 204, "{target}");
        }
        let source =
            client.ask("PUT", "/own/copy").header("x-amz-copy-source", "/own/%2e%2e%2fvictim%2fk%00").send();
        assert!((400..500).contains(&source.status), "{source:?}");
    }
    assert_eq!(client.get("/victim/k").body, b"secret");
    let listing = client.get("/victim?list-type=2").text();
    assert_eq!(listing.matches("<Key>").count(), 1, "{listing}");
}

#[test]
fn a_copy_source_does_not_climb() {
    let server = Server::start();
    let client = server.client_with_bucket("own");
    assert_eq!(client.put("/victim", "").status, 200);
    assert_eq!(client.put("/victim/k", "secret").status, 200);
    for source in ["/own/../victim/k", "own/%2e%2e/victim/k", "/own/..%2fvictim%2fk"] {
        let reply = client.ask("PUT", "/own/copy").header("x-amz-copy-source", source).send();
        assert!((400..500).contains(&reply.status), "{source}: {reply:?}");
        assert_eq!(client.head("/own/copy").status, 404, "{source}");
    }
}

#[test]
fn keys_that_look_alike_are_different() {
    let server = Server::start();
    let client = server.client_with_bucket("own");
    let keys = [
        "a", "a/", "a/b", "a//b", "%2Fa", ".", "..", "a/.", "a/..", "A", "a%20b", "a+b", "a%2Bb2", "e%CC%81",
        "%C3%A9",
    ];
    for key in keys {
        assert_eq!(client.put(&format!("/own/{key}"), key).status, 200, "{key}");
    }
    for key in keys {
        assert_eq!(client.get(&format!("/own/{key}")).text(), key);
    }
    let listing = client.get("/own?list-type=2").text();
    assert_eq!(listing.matches("<Key>").count(), keys.len(), "{listing}");
}
