//! Lines of a text by their numbers.

use memchr::memchr_iter;

/// One line in so many has its place noted: a large file with few findings costs little.
const STEP: usize = 64;

/// Where the lines of a text are.
pub(super) struct LineIndex<'a> {
    text: &'a str,
    /// Where the first line and every [`STEP`]th after it begins, as a byte.
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let begins = memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        Self { text, starts: std::iter::once(0).chain(begins).step_by(STEP).collect() }
    }

    /// A line, counted from 1, without the line feed that ends it.
    pub(super) fn line(&self, number: usize) -> Option<&'a str> {
        let index = number.checked_sub(1)?;
        let from = *self.starts.get(index / STEP)?;
        self.text[from..].split('\n').nth(index % STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_number() {
        for text in ["", "a", "a\n", "\n\n", &"x\n".repeat(3 * STEP), &"long\nä\n".repeat(STEP)] {
            let index = LineIndex::new(text);
            let lines: Vec<_> = text.split('\n').collect();
            let found: Vec<_> = (1..=lines.len()).map_while(|number| index.line(number)).collect();
            assert_eq!(found, lines);
            assert_eq!((index.line(0), index.line(lines.len() + 1)), (None, None));
        }
    }
}
