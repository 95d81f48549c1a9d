use super::*;

#[test]
fn a_document_tells_code_message_and_what_it_is_about() {
    let error = Error::invalid_argument("max-keys", "-1", "must be <positive>");
    let text = String::from_utf8(document(&error, "/b/k&", RequestId(26), "host")).unwrap_or_default();
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>InvalidArgument</Code><Message>must be &lt;positive&gt;</Message>\
         <ArgumentName>max-keys</ArgumentName><ArgumentValue>-1</ArgumentValue>\
         <Resource>/b/k&amp;</Resource><RequestId>000000000000001A</RequestId><HostId>host</HostId></Error>"
    );
}
