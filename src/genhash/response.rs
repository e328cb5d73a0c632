//! An HTTP/1.x response as a machine without I/O: bytes in, header and body out.

/// The longest header: what servers send has a few hundred bytes.
const LONGEST_HEADER: usize = 64 << 10;
/// The end of the header.
const END: &[u8] = b"\r\n\r\n";

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// The whole header, with the empty line at its end.
    Header(&'a [u8]),
    /// Some of the body, as it is sent: chunks are not taken apart, as keepalived's checks do not.
    Body(&'a [u8]),
}

/// The header does not end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header of the answer is longer than {} KiB", LONGEST_HEADER >> 10)]
pub(super) struct TooLong;

/// A response as far as it has come.
#[derive(Debug)]
pub(super) enum Response {
    /// In the header.
    Header(Vec<u8>),
    /// In the body, of which so many bytes are to come; `None` where the end of the connection is its end.
    Body(Option<u64>),
}

impl Default for Response {
    fn default() -> Self {
        Self::Header(Vec::new())
    }
}

impl Response {
    /// Takes what was read.
    pub(super) fn handle_bytes<E: From<TooLong>>(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Header(header) => {
                let looked_at = header.len().saturating_sub(END.len() - 1);
                header.extend_from_slice(bytes);
                let Some(found) = header[looked_at..].windows(END.len()).position(|window| window == END)
                else {
                    return if header.len() > LONGEST_HEADER { Err(TooLong.into()) } else { Ok(()) };
                };
                let body = header.split_off(looked_at + found + END.len());
                let header = std::mem::take(header);
                take(Part::Header(&header))?;
                *self = Self::Body(content_length(&header));
                if body.is_empty() { Ok(()) } else { self.handle_bytes(&body, take) }
            }
            Self::Body(left) => {
                let here = left
                    .map_or(bytes.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
                *left = left.map(|left| left - here as u64);
                if here > 0 { take(Part::Body(&bytes[..here])) } else { Ok(()) }
            }
        }
    }

    /// Whether nothing more is to come.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Self::Body(Some(0)))
    }

    /// Whether the end of the connection is the end of a page; else how many bytes of one are missing, if a page has begun.
    pub(super) fn end(&self) -> Result<(), Option<u64>> {
        match self {
            Self::Header(_) => Err(None),
            Self::Body(None | Some(0)) => Ok(()),
            Self::Body(left) => Err(*left),
        }
    }
}

/// Content-Length, when there is one that is a number (RFC 9112 §6.2).
fn content_length(header: &[u8]) -> Option<u64> {
    let header = String::from_utf8_lossy(header);
    let value = header.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    })?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<(String, String, bool), TooLong> {
        let mut response = Response::default();
        let (mut header, mut body) = (Vec::new(), Vec::new());
        for piece in pieces {
            response.handle_bytes(piece, &mut |part| {
                match part {
                    Part::Header(bytes) => header.extend_from_slice(bytes),
                    Part::Body(bytes) => body.extend_from_slice(bytes),
                }
                Ok::<_, TooLong>(())
            })?;
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ok((text(header), text(body), response.is_complete()))
    }

    #[test]
    fn a_header_ends_at_the_empty_line_wherever_reads_end() {
        let whole = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc";
        for cut in 0..whole.len() {
            let (header, body, complete) = read(&[&whole[..cut], &whole[cut..]]).unwrap();
            assert_eq!((header.len(), body.as_str(), complete), (25, "abc", false), "cut at {cut}");
        }
    }

    #[test]
    fn the_body_ends_where_its_length_says() {
        let (_, body, complete) =
            read(&[b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\nab", b"cdef"]).unwrap();
        assert_eq!((body.as_str(), complete), ("abc", true));
        let (_, body, complete) = read(&[b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]).unwrap();
        assert_eq!((body.as_str(), complete), ("abc", false));
        assert!(read(&[b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"]).unwrap().2);
    }

    #[test]
    fn what_is_no_header_is_none() {
        assert_eq!(read(&[b"HTTP/1.0 200 OK\n\nabc"]).unwrap().0, "");
        let endless = vec![b'x'; LONGEST_HEADER];
        assert_eq!(read(&[&endless, b"y"]), Err(TooLong));
    }
}
