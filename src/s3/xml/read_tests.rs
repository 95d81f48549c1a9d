#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn what_clients_send_in_many_shapes_is_one_tree() {
    let shapes = [
        "<D><K>a&amp;b</K><Q>true</Q></D>",
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<D xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" a='1'>\
         <K>a&#38;b</K><!-- no --><Q>true</Q></D>\r\n",
        "<s3:D xmlns:s3=\"x\"><s3:K><![CDATA[a&b]]></s3:K><s3:Q>true</s3:Q></s3:D>",
    ];
    for shape in shapes {
        let root = parse(shape.as_bytes()).unwrap();
        assert_eq!(
            (root.name.as_str(), root.text_of("K"), root.text_of("Q")),
            ("D", Some("a&b"), Some("true"))
        );
    }
}

#[test]
fn what_is_no_document_of_ours_is_malformed() {
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
    for text in
        ["", "x", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&nope;</a>", "<a>&#xd800;</a>", &deep, bomb]
    {
        assert_eq!(parse(text.as_bytes()), Err(Malformed), "{text}");
    }
    assert_eq!(parse(b"<a>\xff</a>"), Err(Malformed));
}
