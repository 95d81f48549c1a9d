use super::*;

#[test]
fn a_token_gives_back_any_name() {
    for name in ["", "a", "a/b c%", "\u{1f4be}\u{0}"] {
        assert_eq!(decode(&encode(name)).as_deref(), Some(name));
    }
}

#[test]
fn what_is_no_token_of_ours_is_none() {
    for text in ["", "!!", "AA", "a b", "_w", &URL_SAFE_NO_PAD.encode([FORM, 0xff])] {
        assert_eq!(decode(text), None, "{text}");
    }
}
