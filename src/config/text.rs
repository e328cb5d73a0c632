//! Text that remembers where in which file each character stood, and its division into words.
//!
//! Comments are stripped, parameters are replaced and lines are split before anybody looks for keywords, so a
//! column cannot be recovered later: every character carries its own.

use std::sync::Arc;

use crate::config::Span;

/// A character and the column it came from, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) char: char,
    pub(super) column: usize,
}

/// A line or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) file: Arc<str>,
    pub(super) line: usize,
    pub(super) chars: Vec<Placed>,
}

/// One word of a line, quotes removed.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

/// What the mark that ended a line was, if it was not the line's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stripped {
    /// The line ended in a `\` outside quotes.
    pub(super) continued: bool,
    /// A `#` or `!` in the middle of a word began the comment: its index before stripping.
    pub(super) cut_word: Option<Placed>,
}

impl Text {
    /// A physical line.
    pub(super) fn new(file: &Arc<str>, line: usize, text: &str) -> Self {
        let chars = text.chars().enumerate().map(|(at, char)| Placed { char, column: at + 1 }).collect();
        Self { file: Arc::clone(file), line, chars }
    }

    /// The same place with other characters.
    pub(super) fn with(&self, chars: &[Placed]) -> Self {
        Self { file: Arc::clone(&self.file), line: self.line, chars: chars.to_vec() }
    }

    /// The characters alone.
    pub(super) fn string(&self) -> String {
        self.chars.iter().map(|placed| placed.char).collect()
    }

    /// The part of the file that `chars` came from.
    pub(super) fn span_of(&self, chars: &[Placed]) -> Span {
        let column = chars.first().map_or(1, |first| first.column);
        let end = chars.last().map_or(column, |last| last.column + 1);
        Span { file: Arc::clone(&self.file), line: self.line, column, length: end.saturating_sub(column) }
    }

    /// The part of the file this came from.
    pub(super) fn span(&self) -> Span {
        self.span_of(&self.chars)
    }

    /// The first word as far as the next blank; quotes mean nothing here.
    pub(super) fn first_word(&self) -> String {
        self.chars.iter().map(|placed| placed.char).take_while(|c| !is_blank(*c)).collect()
    }

    /// Without the first `count` characters and the blanks after them.
    pub(super) fn after(&self, count: usize) -> Self {
        let rest = self.chars.get(count..).unwrap_or_default();
        let blanks = rest.iter().take_while(|placed| is_blank(placed.char)).count();
        self.with(&rest[blanks..])
    }

    /// Removes the comment and outer blanks. Only double quotes protect: elsewhere a `#` or `!` ends the line, even
    /// inside a word, and `\#` and `\!` stand for the character itself.
    pub(super) fn strip(&mut self) -> Stripped {
        let mut stripped = Stripped::default();
        let mut kept: Vec<Placed> = Vec::with_capacity(self.chars.len());
        let mut quoted = false;
        let mut at = 0;
        while let Some(&placed) = self.chars.get(at) {
            let next = self.chars.get(at + 1).copied();
            at += 1;
            match (placed.char, next) {
                ('"', _) => quoted = !quoted,
                ('#' | '!', next) if !quoted => {
                    let joined = |side: Option<Placed>| side.is_some_and(|p| p.char.is_alphanumeric());
                    stripped.cut_word = (joined(kept.last().copied()) && joined(next)).then_some(placed);
                    break;
                }
                ('\\', None) if !quoted => {
                    stripped.continued = true;
                    break;
                }
                ('\\', Some(next)) if !quoted => {
                    at += 1;
                    if !matches!(next.char, '#' | '!') {
                        kept.push(placed);
                    }
                    kept.push(next);
                    continue;
                }
                _ => {}
            }
            kept.push(placed);
        }
        let start = kept.iter().take_while(|placed| is_blank(placed.char)).count();
        let end = kept.iter().rposition(|placed| !is_blank(placed.char)).map_or(start, |last| last + 1);
        self.chars = kept[start..end.max(start)].to_vec();
        stripped
    }

    /// Braces outside double quotes stand alone: the pieces before, between and after them, none empty.
    pub(super) fn split_braces(&self) -> Vec<Self> {
        let mut pieces = Vec::new();
        let mut quoted = false;
        let mut start = 0;
        for (at, placed) in self.chars.iter().enumerate() {
            match placed.char {
                '"' => quoted = !quoted,
                '{' | '}' if !quoted => {
                    pieces.push(&self.chars[start..at]);
                    pieces.push(&self.chars[at..=at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        pieces.push(&self.chars[start..]);
        let blank = |piece: &&[Placed]| piece.iter().all(|placed| is_blank(placed.char));
        pieces.into_iter().filter(|piece| !blank(piece)).map(|piece| self.with(piece)).collect()
    }

    /// The words: blanks and `"` separate, `"…"` is one word. The second result is the quote that is never closed;
    /// what follows it is no word.
    pub(super) fn words(&self) -> (Vec<Word>, Option<Span>) {
        let mut words = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let rest = &self.chars[at..];
            if is_blank(rest[0].char) {
                at += 1;
            } else if rest[0].char == '"' {
                let Some(length) = rest[1..].iter().position(|placed| placed.char == '"') else {
                    return (words, Some(self.span_of(rest)));
                };
                words.push(self.word(&rest[1..=length], &rest[..length + 2]));
                at += length + 2;
            } else {
                let ends = |placed: &Placed| is_blank(placed.char) || placed.char == '"';
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                words.push(self.word(&rest[..length], &rest[..length]));
                at += length;
            }
        }
        (words, None)
    }

    fn word(&self, chars: &[Placed], place: &[Placed]) -> Word {
        Word { text: chars.iter().map(|placed| placed.char).collect(), span: self.span_of(place) }
    }
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0b' | '\x0c' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Text {
        Text::new(&"x".into(), 1, line)
    }

    fn stripped(line: &str) -> String {
        let mut text = text(line);
        text.strip();
        text.string()
    }

    #[test]
    fn a_comment_begins_even_inside_a_word() {
        assert_eq!(stripped("  auth_pass k@l!ve1 "), "auth_pass k@l");
        assert_eq!(stripped("a # b"), "a");
        assert_eq!(stripped(r#"auth_pass "k@l!ve1" # x"#), r#"auth_pass "k@l!ve1""#);
        assert_eq!(stripped(r"auth_pass k@l\!ve1"), "auth_pass k@l!ve1");
        assert_eq!(stripped(r"a \x b"), r"a \x b");
        assert_eq!(stripped("# whole line"), "");
    }

    #[test]
    fn a_cut_word_is_noticed_and_a_plain_comment_is_not() {
        let cut = |line: &str| text(line).strip().cut_word.map(|placed| placed.column);
        assert_eq!(cut("auth_pass k@l!ve1"), Some(14));
        assert_eq!(cut("interface eth0 #comment"), None);
        assert_eq!(cut("} # x"), None);
    }

    #[test]
    fn a_backslash_at_the_end_continues() {
        let mut line = text(r"$X= \");
        assert!(line.strip().continued);
        assert_eq!(line.string(), "$X=");
    }

    #[test]
    fn braces_stand_alone_outside_quotes() {
        let split = |line: &str| text(line).split_braces().iter().map(Text::string).collect::<Vec<_>>();
        assert_eq!(split("key { a 1 }"), ["key ", "{", " a 1 ", "}"]);
        assert_eq!(split(r#"script "a { b }""#), [r#"script "a { b }""#]);
        assert_eq!(split("}}"), ["}", "}"]);
    }

    #[test]
    fn a_quoted_word_is_one_word_and_ends_the_one_before() {
        let words = |line: &str| text(line).words().0.into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(words(r#"a "b c" d"#), ["a", "b c", "d"]);
        assert_eq!(words(r#"a"b""#), ["a", "b"]);
        assert_eq!(words(r#"a """#), ["a", ""]);
        let (found, open) = text(r#"advert_int "1"#).words();
        assert_eq!((found.len(), open.map(|span| span.column)), (1, Some(12)));
    }
}
