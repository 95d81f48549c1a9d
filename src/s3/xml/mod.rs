//! XML in and out; the one home of quick-xml.

pub mod read;
pub mod write;
