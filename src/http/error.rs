//! What went wrong, as the client sees it: every stage's refusal becomes an [`Error`], and one function writes its
//! document (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).

use crate::auth::AuthError;
use crate::base::RequestId;
use crate::s3::xml::write::Writer;

pub use crate::ops::Error;

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        Self { code: error.code, message: error.message, extra: error.extra }
    }
}

/// The error document. `resource` is the path as the client sent it.
pub fn document(error: &Error, resource: &str, request: RequestId, host: &str) -> Vec<u8> {
    let mut writer = Writer::bare(512);
    writer.open("Error").text("Code", error.code.as_str()).text("Message", &error.message);
    for (element, text) in &error.extra {
        writer.text(element, text);
    }
    writer.text("Resource", resource).text("RequestId", &request.to_string()).text("HostId", host);
    writer.finish("Error")
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
