//! Reads the documents of requests into a tree of names and texts.
//!
//! Strangers send them, so: no document type (hence no entities of their own), bounded depth, bounded number of
//! elements. Namespaces, attributes, comments, byte-order marks and line ends are of no consequence, as for AWS.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Deeper than any document of S3.
const DEPTH_MAX: usize = 16;
/// More elements than a DeleteObjects of 1,000 keys or a CompleteMultipartUpload of 10,000 parts can have.
const ELEMENTS_MAX: usize = 120_000;

/// The document is not well-formed XML of the bounded kind we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document is not well-formed")]
pub struct Malformed;

/// An element: its local name, its text, its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without namespace prefix.
    pub name: String,
    /// Text directly inside, entities resolved; surrounding white space kept.
    pub text: String,
    /// Elements inside, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Parses a document; returns its root.
pub fn parse(document: &[u8]) -> Result<Element, Malformed> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let text = std::str::from_utf8(document).map_err(|_| Malformed)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|_| Malformed)? {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX || root.is_some() {
                    return Err(Malformed);
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(empty) => {
                elements += 1;
                if elements > ELEMENTS_MAX || root.is_some() {
                    return Err(Malformed);
                }
                let element = Element { name: empty.local_name().as_ref().to_owned(), ..Element::default() };
                place(element, &mut open, &mut root);
            }
            Event::End(_) => {
                let element = open.pop().ok_or(Malformed)?;
                place(element, &mut open, &mut root);
            }
            Event::Text(part) => append(&mut open, &part)?,
            Event::CData(part) => append(&mut open, &part)?,
            Event::GeneralRef(reference) => {
                let resolved = resolve(&reference)?;
                append(&mut open, resolved.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(Malformed),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or(Malformed),
            Event::Eof => return Err(Malformed),
        }
    }
}

fn place(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

/// Text outside the root is white space or an error.
fn append(open: &mut [Element], text: &str) -> Result<(), Malformed> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Malformed),
    }
    Ok(())
}

/// The five entities of XML and numeric references; there are no others without a document type.
fn resolve(reference: &str) -> Result<char, Malformed> {
    let number = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => reference.strip_prefix('#').ok_or(Malformed)?,
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.map_err(|_| Malformed)?).ok_or(Malformed)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
