//! Text that remembers where in which file each character stood, and its division into words.
//!
//! Comments are stripped, parameters are replaced and lines are split before anybody looks for keywords, so a
//! column cannot be recovered later: the text carries its own. Nearly every text stands in its file as it is, and
//! then it is a place there, which costs nothing to copy; only one that was put together has characters of its own,
//! with a column for each byte.
//!
//! `strip` takes comments away, `pieces` stands braces alone, `line` finds words.

mod line;
mod pieces;
mod source;
mod strip;

use std::{ops::Range, rc::Rc, sync::Arc};

pub(super) use self::{
    line::{Line, Word},
    pieces::Piece,
    source::Source,
};
use crate::config::Span;

/// A line or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Text {
    source: Rc<Source>,
    line: u32,
    characters: Characters,
}

#[derive(Clone, Debug)]
enum Characters {
    /// These bytes of the file, the first of which stands in this column.
    There { from: u32, to: u32, column: u32 },
    /// Put together.
    Own(Box<Own>),
}

#[derive(Clone, Debug)]
struct Own {
    string: String,
    /// One for each byte.
    columns: Vec<u32>,
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Text {
    /// A physical line: these bytes of its file.
    pub(super) fn new(source: &Rc<Source>, line: usize, bytes: Range<usize>) -> Self {
        let characters = Characters::There { from: small(bytes.start), to: small(bytes.end), column: 1 };
        Self { source: Rc::clone(source), line: small(line), characters }
    }

    fn own(&self, string: String, columns: Vec<u32>) -> Self {
        let characters = Characters::Own(Box::new(Own { string, columns }));
        Self { source: Rc::clone(&self.source), line: self.line, characters }
    }

    /// Characters that come from elsewhere, as if all stood at one place.
    pub(super) fn standing_in(&self, string: &str) -> Self {
        self.own(string.to_owned(), vec![self.column(0); string.len()])
    }

    /// The characters alone.
    pub(super) fn as_str(&self) -> &str {
        match &self.characters {
            Characters::There { from, to, .. } => self.source.part(*from as usize..*to as usize),
            Characters::Own(own) => &own.string,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The file it came from.
    pub(super) fn file(&self) -> &Arc<str> {
        &self.source.name
    }

    /// Its line there, counted from 1.
    pub(super) fn line_number(&self) -> usize {
        self.line as usize
    }

    /// Whether both came from the same line of the same file.
    pub(super) fn is_at(&self, place: &Span) -> bool {
        self.line as usize == place.line && self.source.name == place.file
    }

    /// The column of a byte, counted in characters from 1; behind the last one it goes on counting.
    fn column(&self, at: usize) -> u32 {
        match &self.characters {
            Characters::There { column, .. } if self.source.is_ascii => column + small(at),
            Characters::There { column, .. } => {
                let bytes = self.as_str().as_bytes();
                let through = bytes.get(..=at).unwrap_or(bytes);
                let begun = through.iter().filter(|byte| begins_character(**byte)).count();
                column + small(if at < bytes.len() { begun.saturating_sub(1) } else { begun })
            }
            Characters::Own(own) => {
                let behind = || own.columns.last().map_or(1, |last| last + 1);
                own.columns.get(at).copied().unwrap_or_else(behind)
            }
        }
    }

    /// The part of the file that these bytes came from.
    pub(super) fn span_of(&self, bytes: Range<usize>) -> Span {
        let column = self.column(bytes.start) as usize;
        let end = bytes.end.checked_sub(1).filter(|last| *last >= bytes.start);
        let end = end.map_or(column, |last| self.column(last) as usize + 1);
        Span {
            file: self.source.name.clone(),
            line: self.line as usize,
            column,
            length: end.saturating_sub(column),
        }
    }

    /// The part of the file this came from.
    pub(super) fn span(&self) -> Span {
        self.span_of(0..self.as_str().len())
    }

    /// The part of the text between two bytes, which are ends of characters.
    fn part(&self, bytes: Range<usize>) -> Self {
        match &self.characters {
            Characters::There { .. } => {
                let mut part = self.clone();
                part.shorten(bytes);
                part
            }
            Characters::Own(own) => self.own(own.string[bytes.clone()].to_owned(), own.columns[bytes].into()),
        }
    }

    /// Cuts both ends off.
    fn shorten(&mut self, bytes: Range<usize>) {
        let first = self.column(bytes.start);
        match &mut self.characters {
            Characters::There { from, to, column } => {
                *to = *from + small(bytes.end);
                *from += small(bytes.start);
                *column = first;
            }
            Characters::Own(own) => {
                own.string.truncate(bytes.end);
                own.string.drain(..bytes.start);
                own.columns.truncate(bytes.end);
                own.columns.drain(..bytes.start);
            }
        }
    }

    /// Removes the carriage return that may end a physical line.
    pub(super) fn trim_return(&mut self) {
        let string = self.as_str();
        if string.ends_with('\r') {
            self.shorten(0..string.len() - 1);
        }
    }

    /// The first word as far as the next blank; quotes mean nothing here.
    pub(super) fn first_word(&self) -> &str {
        self.as_str().split(is_blank).next().unwrap_or_default()
    }

    /// Without the first `count` bytes and the blanks after them.
    pub(super) fn after(&self, count: usize) -> Self {
        let string = self.as_str();
        let rest = string.get(count..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        self.part(string.len() - rest.len() + blanks..string.len())
    }

    /// With other characters for some bytes; whatever points into them points at all of what they replace.
    pub(super) fn replace(&self, bytes: Range<usize>, with: &str) -> Self {
        let string = self.as_str();
        let (first, last) = (self.column(bytes.start), self.column(bytes.end.saturating_sub(1)));
        let mut columns = Vec::with_capacity(string.len() - bytes.len() + with.len());
        self.columns(0..bytes.start, &mut columns);
        columns.extend(std::iter::repeat_n(first, with.len()));
        if let Some(end) = columns.last_mut().filter(|_| !with.is_empty()) {
            *end = last;
        }
        self.columns(bytes.end..string.len(), &mut columns);
        self.own([&string[..bytes.start], with, &string[bytes.end..]].concat(), columns)
    }

    /// Without the characters at these bytes, in rising order; ASCII only.
    fn without(&self, unwanted: &[usize]) -> Self {
        let string = self.as_str();
        let mut kept = String::with_capacity(string.len());
        let mut columns = Vec::with_capacity(string.len());
        let mut from = 0;
        for at in unwanted.iter().copied().chain([string.len()]) {
            kept.push_str(&string[from..at]);
            self.columns(from..at, &mut columns);
            from = at + 1;
        }
        self.own(kept, columns)
    }

    /// Whether words and braces are all it has: no comment, quote, escape, parameter, conditional or sequence. Nearly every
    /// line is so.
    pub(super) fn is_plain(&self) -> bool {
        static MARKS: Marks = Marks::new(b"#!\"\\$@~");
        MARKS.find(self.as_str().as_bytes()).is_none()
    }

    /// Removes outer blanks.
    pub(super) fn trim(&mut self) {
        let kept = trimmed(self.as_str().as_bytes());
        self.shorten(kept);
    }

    /// Whether it may have NUL characters.
    pub(super) fn may_have_nul(&self) -> bool {
        self.source.has_nul
    }

    /// Without NUL characters.
    pub(super) fn without_nul(&self) -> Self {
        let found: Vec<_> = self.as_str().match_indices('\0').map(|(at, _)| at).collect();
        self.without(&found)
    }

    /// The columns of some bytes.
    fn columns(&self, bytes: Range<usize>, into: &mut Vec<u32>) {
        match &self.characters {
            Characters::There { .. } => {
                let mut next = self.column(bytes.start);
                for byte in &self.as_str().as_bytes()[bytes] {
                    next += u32::from(begins_character(*byte));
                    into.push(next - 1);
                }
            }
            Characters::Own(own) => into.extend_from_slice(&own.columns[bytes]),
        }
    }
}

/// Whether a byte of UTF-8 is the first of its character.
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0b' | '\x0c' | '\r')
}

fn is_blank_byte(byte: u8) -> bool {
    is_blank(char::from(byte))
}

/// Where the characters between outer blanks are.
fn trimmed(bytes: &[u8]) -> Range<usize> {
    let is_there = |byte: &u8| !is_blank_byte(*byte);
    let to = bytes.iter().rposition(is_there).map_or(0, |last| last + 1);
    bytes[..to].iter().position(is_there).unwrap_or(0)..to
}

/// Bytes that mean something, to be looked for all at once.
struct Marks([bool; 256]);

impl Marks {
    const fn new(marks: &[u8]) -> Self {
        let mut is_one = [false; 256];
        let mut next = 0;
        while next < marks.len() {
            is_one[marks[next] as usize] = true;
            next += 1;
        }
        Self(is_one)
    }

    /// The first of them.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| self.0[usize::from(*byte)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn text(line: &str) -> Text {
        let source = Rc::new(Source::new("x".into(), line.to_owned()));
        Text::new(&source, 1, 0..line.len())
    }

    #[test]
    fn columns_count_characters_and_survive_every_change() {
        let mut line = text("  ä \\#b $X y");
        line.strip();
        assert_eq!(line.as_str(), "ä #b $X y");
        let at = line.as_str().find('$').unwrap();
        let line = Line::new(line.replace(at..at + 2, "value")).unwrap();
        let columns: Vec<_> = line.words(0).map(|word| (word.span().column, word.span().length)).collect();
        assert_eq!(columns, [(3, 1), (6, 2), (9, 2), (12, 1)]);
    }

    #[test]
    fn columns_of_a_place_in_its_file_count_characters_too() {
        let line = Line::new(text("aé ü€x z").after(0)).unwrap();
        let columns: Vec<_> = line.words(0).map(|word| (word.span().column, word.span().length)).collect();
        assert_eq!(columns, [(1, 2), (4, 3), (8, 1)]);
        let last = line.word(2).unwrap();
        assert_eq!((last.text, line.text.span().length), ("z", 8));
        assert_eq!(text("a\0é\0b").without_nul().span().length, 5);
    }
}
