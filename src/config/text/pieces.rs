//! Braces.

use super::{Marks, Text, is_blank_byte};

/// Braces, and what makes them mean nothing.
static MARKS: Marks = Marks::new(b"{}\"");

/// What braces leave of a line.
#[derive(Debug)]
pub(in crate::config) enum Piece {
    /// `{`
    Open(Text),
    /// `}`
    Close(Text),
    /// Anything else.
    Words(Text),
}

impl Text {
    /// Braces outside double quotes stand alone: hands over the pieces before, between and after them, none blank.
    pub(in crate::config) fn split_braces(self, mut take: impl FnMut(Piece)) {
        let bytes = self.as_str().as_bytes();
        let is_blank = |bytes: &[u8]| bytes.iter().copied().all(is_blank_byte);
        let (mut quoted, mut start, mut at) = (false, 0, 0);
        while let Some(found) = MARKS.find(&bytes[at..]) {
            at += found;
            let byte = bytes[at];
            if byte == b'"' {
                quoted = !quoted;
            } else if !quoted {
                if !is_blank(&bytes[start..at]) {
                    take(Piece::Words(self.part(start..at)));
                }
                let place = self.part(at..at + 1);
                take(if byte == b'{' { Piece::Open(place) } else { Piece::Close(place) });
                start = at + 1;
            }
            at += 1;
        }
        if start == 0 {
            take(Piece::Words(self));
        } else if !is_blank(&bytes[start..]) {
            take(Piece::Words(self.part(start..bytes.len())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::text, *};

    #[test]
    fn braces_stand_alone_outside_quotes() {
        let split = |line: &str| {
            let mut pieces = Vec::new();
            text(line).split_braces(|piece| {
                pieces.push(match piece {
                    Piece::Open(place) => format!("{{{}", place.span().column),
                    Piece::Close(place) => format!("}}{}", place.span().column),
                    Piece::Words(text) => text.as_str().to_owned(),
                });
            });
            pieces
        };
        assert_eq!(split("key { a 1 }"), ["key ", "{5", " a 1 ", "}11"]);
        assert_eq!(split(r#"script "a { b }""#), [r#"script "a { b }""#]);
        assert_eq!(split(r#"script "a { b" {"#), [r#"script "a { b" "#, "{16"]);
        assert_eq!(split("}}"), ["}1", "}2"]);
    }
}
