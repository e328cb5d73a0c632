//! An answer as it comes in: its status, and the MD5 of its body. Neither is more than a few bytes of it kept.

use std::fmt;

use md5::{Digest as _, Md5};

use crate::regex::Search;

/// The longest header that is read: no server has one near it.
const LONGEST_HEADER: usize = 64 << 10;
/// The longest body: who sends more has no end.
const LONGEST_BODY: u64 = 256 << 20;

/// An answer of a server, read piece by piece.
#[derive(Clone, Default)]
pub struct Response {
    header: Vec<u8>,
    /// What the header came to, when it is complete.
    head: Option<Head>,
    md5: Md5,
    /// Bytes of the body so far.
    length: u64,
    search: Option<Search>,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    status: Option<u16>,
    /// `Content-Length`, in this capitalisation alone.
    announced: Option<u64>,
}

/// Why an answer is not read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// The header does not end.
    #[error("its header does not end within {LONGEST_HEADER} bytes")]
    Header,
    /// The body does not end.
    #[error("it does not end within {LONGEST_BODY} bytes")]
    Body,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// One in which something is searched for.
    pub(super) fn searched(search: Option<Search>) -> Self {
        Self { search, ..Self::default() }
    }

    /// More of it has come.
    ///
    /// # Errors
    /// When there is too much of it.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.head.is_some() {
            return self.take_body(bytes);
        }
        // The blank line may be cut in two.
        let looked_at = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(bytes);
        let Some(end) = memchr::memmem::find(&self.header[looked_at..], b"\r\n\r\n") else {
            return if self.header.len() > LONGEST_HEADER { Err(TooLong::Header) } else { Ok(()) };
        };
        let end = looked_at + end;
        let body = self.header.split_off(end + 4);
        self.header.truncate(end);
        self.head = Some(Head { status: status(&self.header), announced: announced(&self.header) });
        self.header = Vec::new();
        self.take_body(&body)
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let limit = self.head.and_then(|head| head.announced).unwrap_or(u64::MAX);
        let room = usize::try_from(limit.saturating_sub(self.length)).unwrap_or(usize::MAX);
        self.md5.update(&bytes[..bytes.len().min(room)]);
        self.search.iter_mut().for_each(|search| search.handle_bytes(bytes));
        self.length += bytes.len() as u64;
        if self.length > LONGEST_BODY { Err(TooLong::Body) } else { Ok(()) }
    }

    /// Its status; `Some(None)` when its first line has none, `None` as long as there is no header.
    pub fn status(&self) -> Option<Option<u16>> {
        self.head.map(|head| head.status)
    }

    /// Whether what was searched for is in the body, now that that has ended; `None` where nothing was.
    pub(super) fn has_match(&self) -> Option<bool> {
        self.search.clone().map(Search::finish)
    }

    /// The MD5 of the body, up to the length that the header says.
    pub fn digest(&self) -> [u8; 16] {
        self.md5.clone().finalize().into()
    }
}

/// Three digits behind the first blank, and a blank behind them.
fn status(header: &[u8]) -> Option<u16> {
    let line = header.split(|byte| *byte == b'\r').next()?;
    let blank = memchr::memchr(b' ', line)?;
    match line.get(blank + 1..blank + 5)? {
        [digits @ .., b' '] if digits.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(digits).ok()?.parse().ok()
        }
        _ => None,
    }
}

fn announced(header: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(header, b"Content-Length:")?;
    let text = header[at..].split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(text).ok()?.split_once(':')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Response {
        let mut response = Response::default();
        response.handle_bytes(text.as_bytes()).unwrap();
        response
    }

    fn md5(body: &str) -> [u8; 16] {
        Md5::digest(body.as_bytes()).into()
    }

    #[test]
    fn a_status_is_three_digits_between_blanks() {
        for (line, expected) in [
            ("HTTP/1.0 200 OK", Some(200)),
            ("HTTP/1.1 200 ", Some(200)),
            ("ICY 404 x", Some(404)),
            ("HTTP/1.1 200", None),
            ("HTTP/1.1  200 OK", None),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/1.1", None),
            ("", None),
        ] {
            assert_eq!(read(&format!("{line}\r\n\r\n")).status(), Some(expected), "{line}");
        }
        for unfinished in ["HTTP/1.0 200 OK\n\nhello", "HTTP/1.0 200 OK\r\nFoo: bar\r\n", "hello", ""] {
            assert_eq!(read(unfinished).status(), None, "{unfinished}");
        }
    }

    #[test]
    fn a_digest_is_of_the_body_as_far_as_the_header_says() {
        let digest =
            |header: &str, body: &str| read(&format!("HTTP/1.0 200 OK\r\n{header}\r\n{body}")).digest();
        assert_eq!(digest("", "hello"), md5("hello"));
        assert_eq!(digest("Content-Length: 5\r\n", "helloEXTRA"), md5("hello"));
        assert_eq!(digest("content-length: 5\r\n", "helloEXTRA"), md5("helloEXTRA"));
        assert_eq!(digest("Content-Length: 10\r\n", "hello"), md5("hello"));
        assert_eq!(digest("", ""), md5(""));
        assert_eq!(digest("Content-Length: no\r\n", "hello"), md5("hello"));
    }

    #[test]
    fn what_has_no_end_is_not_read_on() {
        let mut response = Response::default();
        let piece = [b'x'; 4096];
        let ended = (0..100).find_map(|_| response.handle_bytes(&piece).err());
        assert_eq!(ended, Some(TooLong::Header));
        let mut response = read("HTTP/1.0 200 OK\r\n\r\n");
        response.length = LONGEST_BODY;
        assert_eq!(response.handle_bytes(b"x"), Err(TooLong::Body));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_it_is_cut(cuts in proptest::collection::vec(1..9_usize, 0..40)) {
            let text = b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 7\r\n\r\nhello, world";
            let mut response = Response::default();
            let mut rest = &text[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                response.handle_bytes(piece).unwrap();
                rest = after;
            }
            response.handle_bytes(rest).unwrap();
            prop_assert_eq!((response.status(), response.digest()), (Some(Some(301)), md5("hello, ")));
        }
    }
}
