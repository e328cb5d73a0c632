//! Text that remembers where in which file each character stood, and its division into words.
//!
//! Comments are stripped, parameters are replaced and lines are split before anybody looks for keywords, so a
//! column cannot be recovered later: the text carries its own. Nearly every line is one unbroken piece of its file,
//! and then one number is enough; only a line that was put together has a column for each byte.

use std::{ops::Range, sync::Arc};

use crate::config::Span;

/// Where the bytes of a text came from; columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Columns {
    /// ASCII that stood together, from this column on.
    From(u32),
    /// One for each byte.
    Each(Box<[u32]>),
}

/// A line or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    string: String,
    columns: Columns,
}

/// Where a word is in its text, as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The word itself begins so far behind `from` and ends so far before `to`: 1 inside quotes, else 0.
    quote: u32,
    from: u32,
    to: u32,
}

/// One word of a line, quotes removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    line: &'a Text,
    place: Place,
}

impl Word<'_> {
    /// Where it stands, its quotes included.
    pub(super) fn span(&self) -> Span {
        self.line.span_of(range(self.place))
    }
}

/// What the mark that ended a line was, if it was not the line's end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stripped {
    /// The line ended in a `\` outside quotes.
    pub(super) continued: bool,
    /// A `#` or `!` in the middle of a word began the comment.
    pub(super) cut_word: Option<(char, Span)>,
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn range(place: Place) -> Range<usize> {
    place.from as usize..place.to as usize
}

impl Text {
    /// A physical line.
    pub(super) fn new(file: &Arc<str>, line: usize, text: &str) -> Self {
        let columns = if text.is_ascii() {
            Columns::From(1)
        } else {
            let each = (1..).zip(text.chars()).flat_map(|(at, c)| std::iter::repeat_n(at, c.len_utf8()));
            Columns::Each(each.collect())
        };
        Self { file: Arc::clone(file), line: small(line), string: text.to_owned(), columns }
    }

    /// Characters that come from elsewhere, as if all stood at one place.
    pub(super) fn standing_in(&self, string: &str) -> Self {
        let columns = Columns::Each(vec![self.column(0); string.len()].into());
        Self { file: Arc::clone(&self.file), line: self.line, string: string.to_owned(), columns }
    }

    /// The characters alone.
    pub(super) fn as_str(&self) -> &str {
        &self.string
    }

    pub(super) fn is_empty(&self) -> bool {
        self.string.is_empty()
    }

    /// The column of a byte; behind the last one it goes on counting.
    fn column(&self, at: usize) -> u32 {
        match &self.columns {
            Columns::From(first) => first + small(at),
            Columns::Each(each) => {
                each.get(at).copied().unwrap_or_else(|| each.last().map_or(1, |last| last + 1))
            }
        }
    }

    /// The part of the file that these bytes came from.
    pub(super) fn span_of(&self, bytes: Range<usize>) -> Span {
        let column = self.column(bytes.start) as usize;
        let end = bytes.end.checked_sub(1).filter(|last| *last >= bytes.start);
        let end = end.map_or(column, |last| self.column(last) as usize + 1);
        Span {
            file: Arc::clone(&self.file),
            line: self.line as usize,
            column,
            length: end.saturating_sub(column),
        }
    }

    /// The part of the file this came from.
    pub(super) fn span(&self) -> Span {
        self.span_of(0..self.string.len())
    }

    /// The part of the text between two bytes, which are ends of characters.
    fn part(&self, bytes: Range<usize>) -> Self {
        let columns = match &self.columns {
            Columns::From(first) => Columns::From(first + small(bytes.start)),
            Columns::Each(each) => Columns::Each(each[bytes.clone()].into()),
        };
        let string = self.string[bytes].to_owned();
        Self { file: Arc::clone(&self.file), line: self.line, string, columns }
    }

    /// Cuts both ends off.
    fn shorten(&mut self, bytes: Range<usize>) {
        match &mut self.columns {
            Columns::From(first) => *first += small(bytes.start),
            Columns::Each(each) => *each = each[bytes.clone()].into(),
        }
        self.string.truncate(bytes.end);
        self.string.drain(..bytes.start);
    }

    /// The first word as far as the next blank; quotes mean nothing here.
    pub(super) fn first_word(&self) -> &str {
        self.string.split(is_blank).next().unwrap_or_default()
    }

    /// Without the first `count` bytes and the blanks after them.
    pub(super) fn after(&self, count: usize) -> Self {
        let rest = self.string.get(count..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        self.part(self.string.len() - rest.len() + blanks..self.string.len())
    }

    /// With other characters for some bytes; whatever points into them points at all of what they replace.
    pub(super) fn replace(&self, bytes: Range<usize>, with: &str) -> Self {
        let (first, last) = (self.column(bytes.start), self.column(bytes.end.saturating_sub(1)));
        let mut columns: Vec<u32> = (0..bytes.start).map(|at| self.column(at)).collect();
        columns.extend(std::iter::repeat_n(first, with.len()));
        if let Some(end) = columns.last_mut().filter(|_| !with.is_empty()) {
            *end = last;
        }
        columns.extend((bytes.end..self.string.len()).map(|at| self.column(at)));
        let string = [&self.string[..bytes.start], with, &self.string[bytes.end..]].concat();
        Self { file: Arc::clone(&self.file), line: self.line, string, columns: Columns::Each(columns.into()) }
    }

    /// Without the characters that `unwanted` picks; ASCII only.
    pub(super) fn without(&self, unwanted: u8) -> Self {
        let kept = |at: &usize| self.string.as_bytes()[*at] != unwanted;
        let columns = (0..self.string.len()).filter(kept).map(|at| self.column(at)).collect();
        let string = self.string.replace(char::from(unwanted), "");
        Self { file: Arc::clone(&self.file), line: self.line, string, columns: Columns::Each(columns) }
    }

    /// Removes the comment and outer blanks. Only double quotes protect: elsewhere a `#` or `!` ends the line, even
    /// inside a word, and `\#` and `\!` stand for the character itself.
    pub(super) fn strip(&mut self) -> Stripped {
        self.strip_from(0)
    }

    /// As [`Self::strip`], when everything before a byte has been stripped already.
    pub(super) fn strip_from(&mut self, first: usize) -> Stripped {
        let mut stripped = Stripped::default();
        let mut unescaped = Vec::new();
        let bytes = self.string.as_bytes();
        let (mut quoted, mut at) = (false, 0);
        let mut end = bytes.len();
        while at < bytes.len() {
            let next = bytes.get(at + 1).copied();
            match bytes[at] {
                b'"' => quoted = !quoted,
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
                b'\\' if !quoted => match next {
                    None => {
                        stripped.continued = true;
                        end = at;
                        break;
                    }
                    Some(next) => {
                        if matches!(next, b'#' | b'!') && at >= first {
                            unescaped.push(at);
                        }
                        at += 1;
                    }
                },
                _ => {}
            }
            at += 1;
        }
        let kept = self.string[..end].trim_end_matches(is_blank).len();
        let start = kept - self.string[..kept].trim_start_matches(is_blank).len();
        for &backslash in unescaped.iter().rev() {
            *self = self.replace(backslash..backslash + 1, "");
        }
        self.shorten(start..kept - unescaped.len());
        stripped
    }

    /// Braces outside double quotes stand alone: hands over the pieces before, between and after them, none blank.
    pub(super) fn split_braces(mut self, mut take: impl FnMut(Piece)) {
        let (mut quoted, mut start) = (false, 0);
        // Most blocks are opened at the end of their keyword's line.
        if let Some(before) = self.string.strip_suffix('{')
            && !before.contains(['"', '{', '}'])
            && !before.is_empty()
        {
            let at = before.len();
            let place = self.span_of(at..at + 1);
            self.shorten(0..at);
            take(Piece::Words(self));
            return take(Piece::Open(place));
        }
        for (at, byte) in self.string.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'{' | b'}' if !quoted => {
                    if !self.string[start..at].chars().all(is_blank) {
                        take(Piece::Words(self.part(start..at)));
                    }
                    let place = self.span_of(at..at + 1);
                    take(if byte == b'{' { Piece::Open(place) } else { Piece::Close(place) });
                    start = at + 1;
                }
                _ => {}
            }
        }
        if start == 0 {
            take(Piece::Words(self));
        } else if !self.string[start..].chars().all(is_blank) {
            take(Piece::Words(self.part(start..self.string.len())));
        }
    }

    /// The next word from a byte on: blanks and `"` separate, `"…"` is one word. The error is where a quote begins that
    /// is never closed; what follows it is no word.
    fn place(&self, from: usize) -> Option<Result<Place, usize>> {
        let bytes = self.string.as_bytes();
        let at = from + bytes.get(from..)?.iter().position(|byte| !is_blank(char::from(*byte)))?;
        let quote = u32::from(bytes[at] == b'"');
        let length = if quote == 1 {
            match bytes[at + 1..].iter().position(|byte| *byte == b'"') {
                Some(length) => length + 2,
                None => return Some(Err(at)),
            }
        } else {
            let ends = |byte: &u8| is_blank(char::from(*byte)) || *byte == b'"';
            bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at)
        };
        Some(Ok(Place { quote, from: small(at), to: small(at + length) }))
    }
}

/// What braces leave of a line.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// `{`
    Open(Span),
    /// `}`
    Close(Span),
    /// Anything else.
    Words(Text),
}

/// A keyword with its words. They are found anew each time: lines are short, and there are many.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: Text,
    first: Place,
}

impl Line {
    /// A text with one word at least. The error is the quote that is never closed, where nothing stands before it.
    pub(super) fn new(text: Text) -> Result<Self, Option<Span>> {
        match text.place(0) {
            Some(Ok(first)) => Ok(Self { text, first }),
            Some(Err(at)) => Err(Some(text.span_of(at..text.string.len()))),
            None => Err(None),
        }
    }

    /// The first word, which is the keyword or the subject of the line.
    pub(super) fn first(&self) -> Word<'_> {
        self.at(self.first)
    }

    /// A word by its number, the first being 0.
    pub(super) fn word(&self, number: usize) -> Option<Word<'_>> {
        self.words(number).next()
    }

    /// The words from a number on.
    pub(super) fn words(&self, from: usize) -> impl Iterator<Item = Word<'_>> {
        let next = |place: &Place| self.text.place(place.to as usize)?.ok();
        std::iter::successors(Some(self.first), next).skip(from).map(|place| self.at(place))
    }

    /// The quote that is never closed.
    pub(super) fn open_quote(&self) -> Option<Span> {
        let mut at = self.first.to as usize;
        loop {
            match self.text.place(at)? {
                Ok(place) => at = place.to as usize,
                Err(quote) => return Some(self.text.span_of(quote..self.text.string.len())),
            }
        }
    }

    fn at(&self, place: Place) -> Word<'_> {
        let quote = place.quote as usize;
        let inner = range(place);
        Word { text: &self.text.string[inner.start + quote..inner.end - quote], line: &self.text, place }
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
        text.string
    }

    #[test]
    fn a_comment_begins_even_inside_a_word() {
        assert_eq!(stripped("  auth_pass k@l!ve1 "), "auth_pass k@l");
        assert_eq!(stripped("a # b"), "a");
        assert_eq!(stripped(r#"auth_pass "k@l!ve1" # x"#), r#"auth_pass "k@l!ve1""#);
        assert_eq!(stripped(r"auth_pass k@l\!ve1"), "auth_pass k@l!ve1");
        assert_eq!(stripped(r"\#\!x \# ! c"), "#!x #");
        assert_eq!(stripped(r"a \x b"), r"a \x b");
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
    fn a_backslash_at_the_end_continues() {
        let mut line = text(r"$X= \");
        assert!(line.strip().continued);
        assert_eq!(line.string, "$X=");
    }

    #[test]
    fn braces_stand_alone_outside_quotes() {
        let split = |line: &str| {
            let mut pieces = Vec::new();
            text(line).split_braces(|piece| {
                pieces.push(match piece {
                    Piece::Open(place) => format!("{{{}", place.column),
                    Piece::Close(place) => format!("}}{}", place.column),
                    Piece::Words(text) => text.string,
                });
            });
            pieces
        };
        assert_eq!(split("key { a 1 }"), ["key ", "{5", " a 1 ", "}11"]);
        assert_eq!(split(r#"script "a { b }""#), [r#"script "a { b }""#]);
        assert_eq!(split("}}"), ["}1", "}2"]);
    }

    #[test]
    fn a_quoted_word_is_one_word_and_ends_the_one_before() {
        let words = |line: &str| {
            let line = Line::new(text(line)).unwrap();
            line.words(0).map(|word| word.text.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words(r#"a "b c" d"#), ["a", "b c", "d"]);
        assert_eq!(words(r#"a"b""#), ["a", "b"]);
        assert_eq!(words(r#"a """#), ["a", ""]);
        let line = Line::new(text(r#"advert_int "1"#)).unwrap();
        assert_eq!((line.words(0).count(), line.open_quote().map(|span| span.column)), (1, Some(12)));
    }

    #[test]
    fn columns_count_characters_and_survive_every_change() {
        let mut line = text("  ä \\#b $X y");
        line.strip();
        assert_eq!(line.string, "ä #b $X y");
        let at = line.string.find('$').unwrap();
        let line = Line::new(line.replace(at..at + 2, "value")).unwrap();
        let columns: Vec<_> = line.words(0).map(|word| (word.span().column, word.span().length)).collect();
        assert_eq!(columns, [(3, 1), (6, 2), (9, 2), (12, 1)]);
    }
}
