//! Comments.

use super::{Marks, Text, trimmed};
use crate::config::Span;

/// What a comment may begin with, and what keeps one from beginning.
static MARKS: Marks = Marks::new(b"#!\"\\");

/// What the mark that ended a line was, if it was not the line's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::config) struct Stripped {
    /// The line ended in a `\` outside quotes.
    pub(in crate::config) continued: bool,
    /// A `#` or `!` in the middle of a word began the comment.
    pub(in crate::config) cut_word: Option<(char, Span)>,
    /// From the quote that is never closed.
    pub(in crate::config) open_quote: Option<Span>,
}

impl Text {
    /// Removes the comment and outer blanks. Only double quotes protect: elsewhere a `#` or `!` ends the line, even
    /// inside a word, and `\#` and `\!` stand for the character itself. A `\"` neither opens nor closes a quote.
    pub(in crate::config) fn strip(&mut self) -> Stripped {
        self.strip_from(0)
    }

    /// As [`Self::strip`], when everything before a byte has been stripped already.
    pub(in crate::config) fn strip_from(&mut self, first: usize) -> Stripped {
        let mut stripped = Stripped::default();
        let mut backslashes = Vec::new();
        let string = self.as_str();
        let bytes = string.as_bytes();
        let (mut quoted, mut quote, mut at) = (false, 0, 0);
        let mut end = bytes.len();
        while let Some(found) = bytes.get(at..).and_then(|rest| MARKS.find(rest)) {
            at += found;
            let next = bytes.get(at + 1).copied();
            match bytes[at] {
                b'"' => {
                    quoted = !quoted;
                    quote = at;
                }
                b'#' | b'!' if !quoted && at >= first => {
                    let joined = |side: Option<&u8>| {
                        side.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
                    };
                    let inside =
                        joined(at.checked_sub(1).map(|before| &bytes[before])) && joined(next.as_ref());
                    stripped.cut_word = inside.then(|| (char::from(bytes[at]), self.span_of(at..at + 1)));
                    end = at;
                    break;
                }
                b'\\' => match next {
                    None => {
                        stripped.continued = true;
                        end = at;
                        break;
                    }
                    Some(next) => {
                        if !quoted && matches!(next, b'#' | b'!') && at >= first {
                            backslashes.push(at);
                        }
                        at += 1;
                    }
                },
                _ => {}
            }
            at += 1;
        }
        let mut kept = trimmed(&bytes[..end]);
        stripped.open_quote = quoted.then(|| self.span_of(quote..kept.end));
        if !backslashes.is_empty() {
            *self = self.without(&backslashes);
            kept.end -= backslashes.len();
        }
        self.shorten(kept);
        stripped
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::text;

    fn stripped(line: &str) -> String {
        let mut text = text(line);
        text.strip();
        text.as_str().to_owned()
    }

    #[test]
    fn a_comment_begins_even_inside_a_word() {
        assert_eq!(stripped("  auth_pass k@l!ve1 "), "auth_pass k@l");
        assert_eq!(stripped("a # b"), "a");
        assert_eq!(stripped(r#"auth_pass "k@l!ve1" # x"#), r#"auth_pass "k@l!ve1""#);
        assert_eq!(stripped(r"auth_pass k@l\!ve1"), "auth_pass k@l!ve1");
        assert_eq!(stripped(r"\#\!x \# ! c"), "#!x #");
        assert_eq!(stripped(r"a \x b"), r"a \x b");
        assert_eq!(stripped(r#"a "b\" # c" # d"#), r#"a "b\" # c""#);
        assert_eq!(stripped("# whole line"), "");
    }

    #[test]
    fn a_cut_word_is_noticed_and_a_plain_comment_is_not() {
        let cut = |line: &str| text(line).strip().cut_word.map(|(mark, span)| (mark, span.column));
        assert_eq!(cut("auth_pass k@l!ve1"), Some(('!', 14)));
        assert_eq!(cut("auth_pass kä!ve1"), Some(('!', 13)));
        assert_eq!(cut("interface eth0 #comment"), None);
        assert_eq!(cut("} # x"), None);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_noticed() {
        let open = |line: &str| text(line).strip().open_quote.map(|span| (span.column, span.length));
        assert_eq!(open(r#"$X="a b"#), Some((4, 4)));
        assert_eq!(open(r#"$X=a"b" "c # d"#), Some((9, 6)));
        for closed in [r#"$X="a""#, r#"$X=\"a"#, r#"x # "a"#] {
            assert_eq!(open(closed), None, "{closed}");
        }
    }

    #[test]
    fn a_backslash_at_the_end_continues() {
        let mut line = text(r"$X= \");
        assert!(line.strip().continued);
        assert_eq!(line.as_str(), "$X=");
    }
}
