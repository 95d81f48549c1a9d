//! However a conversation is cut into packets, every request is answered once, in order, with its own body.

use std::time::Duration;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

/// A small generator: the same conversation for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn bytes(&mut self, bound: usize) -> Vec<u8> {
        let length = self.below(bound);
        // Bodies that look like requests are the ones to get wrong.
        let text = b"\r\n\r\nGET /hidden HTTP/1.1\r\nhost: h\r\n\r\n0\r\n\r\n";
        (0..length).map(|at| text[(at + length) % text.len()]).collect()
    }
}

/// What the reply must be.
enum Expected {
    Body(Vec<u8>),
    Head(usize),
    Refusal,
}

fn request(dice: &mut Dice, wire: &mut Vec<u8>) -> Expected {
    let more = "x-amz-meta-a: b\r\n".repeat(dice.below(3) * 60);
    match dice.below(5) {
        0 => {
            let size = dice.below(300_000);
            wire.extend(format!("GET /large/{size} HTTP/1.1\r\nhost: h\r\n{more}\r\n").into_bytes());
            Expected::Body(vec![b'x'; size])
        }
        1 => {
            let size = dice.below(300_000);
            wire.extend(format!("HEAD /large/{size} HTTP/1.1\r\nhost: h\r\n{more}\r\n").into_bytes());
            Expected::Head(size)
        }
        2 => {
            let body = dice.bytes(40_000);
            let head = format!("PUT /a HTTP/1.1\r\nhost: h\r\n{more}content-length: {}\r\n\r\n", body.len());
            wire.extend(head.into_bytes());
            wire.extend(&body);
            Expected::Body(body)
        }
        3 => {
            let body = dice.bytes(40_000);
            wire.extend(
                format!("PUT /a HTTP/1.1\r\nhost: h\r\n{more}transfer-encoding: chunked\r\n\r\n")
                    .into_bytes(),
            );
            let size = dice.below(5_000) + 1;
            for chunk in body.chunks(size) {
                wire.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                wire.extend(chunk);
                wire.extend(b"\r\n");
            }
            wire.extend(b"0\r\n\r\n");
            Expected::Body(body)
        }
        _ => {
            let body = dice.bytes(40_000);
            let head =
                format!("PUT /refuse HTTP/1.1\r\nhost: h\r\n{more}content-length: {}\r\n\r\n", body.len());
            wire.extend(head.into_bytes());
            wire.extend(&body);
            Expected::Refusal
        }
    }
}

#[test]
fn packets_do_not_matter() {
    let dummy = Dummy::start();
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let mut wire = Vec::new();
        let expected: Vec<_> = (0..20).map(|_| request(&mut dice, &mut wire)).collect();
        let before = dummy.seen();
        let mut raw = Raw::connect(dummy.address);
        let mut writer = raw.socket().try_clone().unwrap();
        let sending = std::thread::spawn(move || {
            let mut rest = wire.as_slice();
            let largest = [1, 100, 5_000, 100_000][dice.below(4)];
            while !rest.is_empty() {
                // Single bytes only at the beginning: they are slow.
                let size = if wire.len() - rest.len() > 2_000 {
                    1_000 + dice.below(30_000)
                } else {
                    1 + dice.below(largest)
                };
                let (piece, behind) = rest.split_at(size.min(rest.len()));
                std::io::Write::write_all(&mut writer, piece).unwrap();
                rest = behind;
                if dice.below(8) == 0 {
                    std::thread::sleep(Duration::from_micros(300));
                }
            }
        });
        for (number, expected) in expected.iter().enumerate() {
            match expected {
                Expected::Body(body) => {
                    let reply = raw.reply();
                    assert_eq!(reply.status, 200, "seed {seed}, request {number}");
                    assert!(reply.body == *body, "seed {seed}, request {number}");
                }
                Expected::Head(size) => {
                    let reply = raw.reply_to_head();
                    assert_eq!(
                        reply.header("content-length"),
                        Some(size.to_string().as_str()),
                        "seed {seed}, {number}"
                    );
                }
                Expected::Refusal => assert_eq!(raw.reply().status, 403, "seed {seed}, request {number}"),
            }
        }
        sending.join().unwrap();
        assert_eq!(dummy.seen() - before, expected.len(), "seed {seed}");
    }
}
