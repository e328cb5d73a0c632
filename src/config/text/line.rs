//! Words.

use std::ops::Range;

use super::{Text, is_blank_byte, small};
use crate::config::Span;

/// Where a word is in its text, as bytes, its quotes included.
#[derive(Clone, Copy, Debug)]
struct Place {
    from: u32,
    to: u32,
}

impl Place {
    fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

/// One word of a line, quotes removed.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Word<'a> {
    pub(in crate::config) text: &'a str,
    line: &'a Text,
    place: Place,
}

impl Word<'_> {
    /// Where it stands, its quotes included.
    pub(in crate::config) fn span(&self) -> Span {
        self.line.span_of(self.place.range())
    }
}

/// A keyword with its words. The first two are known, which nearly all lines and questions come down to; further ones are
/// found anew each time.
#[derive(Clone, Debug)]
pub(in crate::config) struct Line {
    pub(in crate::config) text: Text,
    first: Place,
    /// Empty where there is none.
    second: Place,
}

impl Line {
    /// A text with one word at least. The error is the quote that is never closed, where nothing stands before it.
    pub(in crate::config) fn new(text: Text) -> Result<Self, Option<Span>> {
        let string = text.as_str();
        match place(string, 0) {
            Some(Ok(first)) => {
                let second = place(string, first.to as usize).and_then(Result::ok);
                Ok(Self { first, second: second.unwrap_or(Place { from: first.to, to: first.to }), text })
            }
            Some(Err(at)) => Err(Some(text.span_of(at..string.len()))),
            None => Err(None),
        }
    }

    /// The first word, which is the keyword or the subject of the line.
    pub(in crate::config) fn first(&self) -> Word<'_> {
        self.at(self.text.as_str(), self.first)
    }

    /// A word by its number, the first being 0.
    pub(in crate::config) fn word(&self, number: usize) -> Option<Word<'_>> {
        match number {
            0 => Some(self.first()),
            1 => self.second().map(|place| self.at(self.text.as_str(), place)),
            _ => self.words(number).next(),
        }
    }

    fn second(&self) -> Option<Place> {
        (self.second.from < self.second.to).then_some(self.second)
    }

    /// The words from a number on.
    pub(in crate::config) fn words(&self, from: usize) -> impl Iterator<Item = Word<'_>> + Clone {
        let string = self.text.as_str();
        let next = move |last: &Place| place(string, last.to as usize)?.ok();
        let (start, further) = if from == 0 { (Some(self.first), 0) } else { (self.second(), from - 1) };
        std::iter::successors(start, next).skip(further).map(move |place| self.at(string, place))
    }

    /// The quote that is never closed.
    pub(in crate::config) fn open_quote(&self) -> Option<Span> {
        let string = self.text.as_str();
        let mut at = self.second.to as usize;
        loop {
            match place(string, at)? {
                Ok(place) => at = place.to as usize,
                Err(quote) => return Some(self.text.span_of(quote..string.len())),
            }
        }
    }

    fn at<'a>(&'a self, string: &'a str, place: Place) -> Word<'a> {
        let Range { start, end } = place.range();
        let quote = usize::from(string.as_bytes()[start] == b'"');
        Word { text: &string[start + quote..end - quote], line: &self.text, place }
    }
}

/// The next word from a byte on: blanks and `"` separate, `"…"` is one word. The error is where a quote begins that is
/// never closed; what follows it is no word.
fn place(string: &str, from: usize) -> Option<Result<Place, usize>> {
    let bytes = string.as_bytes();
    let at = from + bytes.get(from..)?.iter().position(|byte| !is_blank_byte(*byte))?;
    let length = if bytes[at] == b'"' {
        match bytes[at + 1..].iter().position(|byte| *byte == b'"') {
            Some(length) => length + 2,
            None => return Some(Err(at)),
        }
    } else {
        let ends = |byte: &u8| is_blank_byte(*byte) || *byte == b'"';
        bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at)
    };
    Some(Ok(Place { from: small(at), to: small(at + length) }))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::text, *};

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
}
