use proptest::prelude::*;

use super::*;

fn whole(framing: &Framing, bytes: &[u8]) -> (usize, Result<(), Broken>, Framing) {
    let mut framing = framing.clone();
    let (taken, sound) = framing.follow(bytes);
    (taken, sound, framing)
}

#[test]
fn a_length_ends_where_it_says() {
    let (taken, sound, after) = whole(&Framing::Length(3), b"abcdef");
    assert_eq!((taken, sound, after), (3, Ok(()), Framing::Complete));
    let (taken, _, after) = whole(&Framing::Length(10), b"abcdef");
    assert_eq!((taken, after.left()), (6, Some(4)));
    assert_eq!(whole(&Framing::Complete, b"GET").0, 0);
}

#[test]
fn chunks_end_behind_the_last() {
    for body in [
        "0\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "A;name=\"value\"\r\n0123456789\r\n000\r\n\r\n",
        "1\r\na\r\n0\r\nx: 1\r\ny: 2\r\n\r\n",
    ] {
        let bytes = [body.as_bytes(), b"GET / HTTP/1.1"].concat();
        assert_eq!(whole(&Framing::chunked(), &bytes), (body.len(), Ok(()), Framing::Complete), "{body:?}");
    }
}

#[test]
fn broken_chunks_are_found_at_the_first_bad_byte() {
    for (body, good) in [
        ("\r\n", 0),
        ("x\r\n", 0),
        (" 1\r\n", 0),
        ("+1\r\n", 0),
        ("0x1\r\n", 1),
        ("1\n", 1),
        ("1 \r\n", 1),
        ("1\r\nab", 4),
        ("1\r\na\n", 4),
        ("1\r\na\r\r", 5),
        ("0\r\n\n", 3),
        ("1;a\nb\r\n", 3),
        ("fffffffffffffffff\r\n", 15),
    ] {
        let (taken, sound, _) = whole(&Framing::chunked(), body.as_bytes());
        assert_eq!((taken, sound), (good, Err(Broken)), "{body:?}");
    }
}

#[test]
fn endless_asides_are_broken() {
    let extension = format!("1;{}", "x".repeat(5000));
    assert_eq!(whole(&Framing::chunked(), extension.as_bytes()).1, Err(Broken));
    let trailer = format!("0\r\n{}", "a: b\r\n".repeat(1000));
    assert_eq!(whole(&Framing::chunked(), trailer.as_bytes()).1, Err(Broken));
}

proptest! {
    /// However a body is cut into reads, it ends at the same byte.
    #[test]
    fn pieces_do_not_matter(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
        behind in prop::collection::vec(any::<u8>(), 0..20),
        piece in 1_usize..30,
    ) {
        let mut body = Vec::new();
        for chunk in &chunks {
            body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            body.extend(chunk);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n\r\n");
        let bytes = [body.clone(), behind].concat();
        let mut framing = Framing::chunked();
        let mut taken = 0;
        for piece in bytes.chunks(piece) {
            let (count, sound) = framing.follow(piece);
            prop_assert_eq!(sound, Ok(()));
            taken += count;
        }
        prop_assert_eq!(taken, body.len());
        prop_assert_eq!(framing, Framing::Complete);
    }

    /// Anything at all is followed without a panic, and never beyond what is there.
    #[test]
    fn garbage_is_followed_safely(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (taken, _, _) = whole(&Framing::chunked(), &bytes);
        prop_assert!(taken <= bytes.len());
    }
}
