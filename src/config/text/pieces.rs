//! Braces.

use super::{Text, is_blank};
use crate::config::Span;

/// What braces leave of a line.
#[derive(Debug)]
pub(in crate::config) enum Piece {
    /// `{`
    Open(Span),
    /// `}`
    Close(Span),
    /// Anything else.
    Words(Text),
}

impl Text {
    /// Braces outside double quotes stand alone: hands over the pieces before, between and after them, none blank.
    pub(in crate::config) fn split_braces(self, mut take: impl FnMut(Piece)) {
        let string = self.as_str();
        let Some(brace) = string.bytes().position(|byte| matches!(byte, b'{' | b'}')) else {
            return take(Piece::Words(self));
        };
        let (mut quoted, mut start) = (false, 0);
        let mut at = if string[..brace].contains('"') { 0 } else { brace };
        while let Some(found) =
            string.as_bytes()[at..].iter().position(|byte| matches!(byte, b'"' | b'{' | b'}'))
        {
            at += found;
            let byte = string.as_bytes()[at];
            if byte == b'"' {
                quoted = !quoted;
            } else if !quoted {
                if !string[start..at].chars().all(is_blank) {
                    take(Piece::Words(self.part(start..at)));
                }
                let place = self.span_of(at..at + 1);
                take(if byte == b'{' { Piece::Open(place) } else { Piece::Close(place) });
                start = at + 1;
            }
            at += 1;
        }
        if start == 0 {
            take(Piece::Words(self));
        } else if !string[start..].chars().all(is_blank) {
            take(Piece::Words(self.part(start..string.len())));
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
                    Piece::Open(place) => format!("{{{}", place.column),
                    Piece::Close(place) => format!("}}{}", place.column),
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
