use super::*;

#[test]
fn a_document_is_what_s3_would_send() {
    let mut writer = Writer::document("R", 64);
    writer.text("Key", "a&<b>\"\u{1}é").number("Size", 12).boolean("IsTruncated", false).optional("No", None);
    writer.date("LastModified", Timestamp::from_millis(1_369_353_600_123));
    let text = String::from_utf8(writer.finish("R")).unwrap_or_default();
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Key>a&amp;&lt;b&gt;&quot;&#x1;é</Key><Size>12</Size>\
         <IsTruncated>false</IsTruncated><LastModified>2013-05-24T00:00:00.123Z</LastModified></R>"
    );
}
