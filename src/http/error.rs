//! What went wrong, as the client sees it: one type for every stage, one place that writes the document
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).

use std::borrow::Cow;
use std::fmt;

use crate::base::RequestId;
use crate::s3::error_code::ErrorCode;
use crate::s3::xml::write::Writer;

/// A refusal, with everything its document says beside the resource and the request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The code; it fixes the status.
    pub code: ErrorCode,
    /// For a human.
    pub message: Cow<'static, str>,
    /// Further elements of the document, such as `ArgumentName`.
    pub extra: Vec<(&'static str, String)>,
}

impl Error {
    /// A refusal with its own words.
    pub fn with(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), extra: Vec::new() }
    }

    /// A refusal with the words of the table.
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message()), extra: Vec::new() }
    }

    /// `InvalidArgument` about one header, field or parameter.
    pub fn invalid_argument(name: &str, value: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::with(ErrorCode::InvalidArgument, message)
            .element("ArgumentName", name)
            .element("ArgumentValue", value)
    }

    /// `NotImplemented` about one header or parameter.
    pub fn not_implemented(what: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotImplemented).element("Header", what)
    }

    /// The same with one more element.
    #[must_use]
    pub fn element(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.extra.push((element, text.into()));
        self
    }

    /// The error document. `resource` is the path as the client sent it.
    pub fn document(&self, resource: &str, request: RequestId, host: &str) -> Vec<u8> {
        let mut writer = Writer::bare(512);
        writer.open("Error").text("Code", self.code.as_str()).text("Message", &self.message);
        for (element, text) in &self.extra {
            writer.text(element, text);
        }
        writer.text("Resource", resource).text("RequestId", &request.to_string()).text("HostId", host);
        writer.finish("Error")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
