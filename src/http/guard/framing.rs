//! Where the body of a request ends (RFC 9112 sections 6 and 7.1).
//!
//! Followed byte by byte beside actix's own decoder, and never more lenient than it, so that no byte behind the
//! end can be read as a second request before the first is answered.

/// Chunk extensions and trailers of a body, in bytes each: nobody in S3 sends any.
const ASIDE_BYTES_MAX: u32 = 1024;

/// What is still to come of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Framing {
    /// Nothing: what follows is the next request.
    Complete,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunks),
}

/// Where in the chunked coding the next byte stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    size: u64,
    /// Bytes of extensions and trailers so far.
    aside: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    SizeFirst,
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    LineStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
}

/// The framing is broken: nothing behind this point has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

impl Framing {
    /// A chunked body from its first byte.
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks { at: At::SizeFirst, size: 0, aside: 0 })
    }

    /// How many of `bytes` belong to the body, which is then that much nearer to its end. When broken, the
    /// number of good bytes before the break comes with it.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> (usize, Result<(), Broken>) {
        let (taken, sound) = match self {
            Self::Complete => (0, Ok(())),
            Self::Length(left) => {
                let taken = (bytes.len() as u64).min(*left);
                *left -= taken;
                (taken as usize, Ok(()))
            }
            Self::Chunked(chunks) => chunks.follow(bytes),
        };
        if matches!(self, Self::Length(0) | Self::Chunked(Chunks { at: At::End, .. })) {
            *self = Self::Complete;
        }
        (taken, sound)
    }

    /// Bytes still to come, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Complete => Some(0),
            Self::Length(left) => Some(*left),
            Self::Chunked(_) => None,
        }
    }
}

impl Chunks {
    fn follow(&mut self, bytes: &[u8]) -> (usize, Result<(), Broken>) {
        let mut taken = 0;
        while taken < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                let skipped = ((bytes.len() - taken) as u64).min(self.size);
                self.size -= skipped;
                taken += skipped as usize;
                if self.size == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            match self.step(bytes[taken]) {
                Ok(next) => self.at = next,
                Err(broken) => return (taken, Err(broken)),
            }
            taken += 1;
        }
        (taken, Ok(()))
    }

    fn step(&mut self, byte: u8) -> Result<At, Broken> {
        Ok(match (self.at, byte) {
            (At::SizeFirst, _) => {
                self.size = digit(byte)?;
                At::Size
            }
            (At::Size, b'\r') => At::SizeLf,
            (At::Size, b';') => self.beside(At::Extension)?,
            (At::Size, _) => {
                // A sixteenth digit would overflow sooner than any body could end.
                if self.size >> 56 != 0 {
                    return Err(Broken);
                }
                self.size = self.size << 4 | digit(byte)?;
                At::Size
            }
            (At::Extension, b'\r') => At::SizeLf,
            (At::Extension, b'\t' | b' '..=b'~') => self.beside(At::Extension)?,
            (At::SizeLf, b'\n') if self.size > 0 => At::Data,
            (At::SizeLf, b'\n') => At::LineStart,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::SizeFirst,
            (At::LineStart, b'\r') => At::EndLf,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::LineStart | At::Trailer, b'\t' | b' '..=b'~') => self.beside(At::Trailer)?,
            (At::TrailerLf, b'\n') => At::LineStart,
            (At::EndLf, b'\n') => At::End,
            _ => return Err(Broken),
        })
    }

    fn beside(&mut self, next: At) -> Result<At, Broken> {
        self.aside += 1;
        if self.aside > ASIDE_BYTES_MAX { Err(Broken) } else { Ok(next) }
    }
}

fn digit(byte: u8) -> Result<u64, Broken> {
    (byte as char).to_digit(16).map(u64::from).ok_or(Broken)
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
