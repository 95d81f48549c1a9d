use super::*;

#[test]
fn tags_survive_their_text_with_and_without_quotes() {
    let plain = ETag::plain([0xab; 16]);
    assert_eq!(plain.to_string(), "ab".repeat(16));
    assert_eq!(format!("\"{plain}\"").parse(), Ok(plain));
    let multipart = ETag::multipart([[1; 16], [2; 16]].into_iter());
    assert!(multipart.to_string().ends_with("-2"));
    assert_eq!(multipart.to_string().parse(), Ok(multipart));
}

#[test]
fn foreign_tags_are_recognised() {
    for text in ["", "*", "\"", "abc", "zz", &"ab".repeat(17), "abababababababababababababababab-x"] {
        assert_eq!(text.parse::<ETag>(), Err(ForeignETag), "{text}");
    }
}
