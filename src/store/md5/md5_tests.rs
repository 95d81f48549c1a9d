#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use md5::Digest as _;

use super::*;

fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (seed * 31 + at * 7 + at / 251) as u8).collect()
}

fn expected(bytes: &[u8]) -> Md5Digest {
    md5::Md5::digest(bytes).into()
}

#[test]
fn one_message_has_its_digest_at_every_length_and_cut() {
    for length in 0..200 {
        let message = bytes(length, length);
        for cut in 0..=length {
            let mut md5 = Md5::new();
            md5.update(&message[..cut]);
            md5.update(&message[cut..]);
            assert_eq!(md5.finish(), expected(&message), "{length} bytes in two, of {cut} first");
        }
    }
}

#[test]
fn many_messages_have_the_digests_that_each_has_alone() {
    for count in 1..40 {
        // Lengths that differ, whole blocks and not, some empty; in two steps.
        let messages: Vec<Vec<u8>> =
            (0..count).map(|number| bytes(number, (number * number * 37 + count * 64) % 5000)).collect();
        let mut running = vec![Md5::new(); count];
        let cut = |message: &Vec<u8>| message.len() * (count % 5) / 5;
        update_many(running.iter_mut().zip(messages.iter().map(|message| &message[..cut(message)])));
        update_many(running.iter_mut().zip(messages.iter().map(|message| &message[cut(message)..])));
        for (md5, message) in running.into_iter().zip(&messages) {
            assert_eq!(md5.finish(), expected(message), "of {count}, {} bytes", message.len());
        }
    }
}

#[test]
fn the_digests_of_the_standard() {
    // RFC 1321, appendix A.5.
    for (text, digest) in [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ] {
        let mut md5 = Md5::new();
        md5.update(text.as_bytes());
        assert_eq!(hex::encode(md5.finish()), digest);
    }
}
