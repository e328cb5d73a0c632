//! A line of the source as it is shown: control characters blanked, every password the same stars.

use std::ops::Range;

use crate::config::{Span, keywords, secrets::MASK};

/// A line without its passwords, and where in it the place of a finding is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) text: String,
    /// As bytes of the text. What points into a password points at all of its stars: neither tells how long it is.
    pub(super) place: Range<usize>,
}

impl Masked {
    /// The line with stars for some of its bytes.
    pub(super) fn new(line: &str, mut hidden: Vec<Range<usize>>, span: &Span) -> Self {
        hidden.sort_unstable_by_key(|range| range.start);
        let byte = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let first = span.column.saturating_sub(1);
        let pointed = byte(first)..byte(first + span.length);
        let mut shown = Self { text: String::with_capacity(line.len()), place: 0..0 };
        let (mut at, mut place) = (0, (None, None));
        for range in hidden {
            if range.end <= at {
                continue;
            }
            let joined = at > 0 && range.start < at;
            if !joined {
                shown.visible(line, at..range.start, &pointed, &mut place);
                shown.text.push_str(MASK);
            }
            if pointed.start < range.end && pointed.end.max(pointed.start + 1) > range.start {
                place.0.get_or_insert(shown.text.len() - MASK.len());
                place.1 = Some(shown.text.len());
            }
            at = range.end;
        }
        shown.visible(line, at..line.len(), &pointed, &mut place);
        let end = shown.text.len();
        let from = place.0.unwrap_or(end);
        shown.place = from..place.1.unwrap_or(from).max(from);
        shown
    }

    /// Adds characters as they are, and notes where the place begins and ends in them.
    fn visible(
        &mut self,
        line: &str,
        bytes: Range<usize>,
        pointed: &Range<usize>,
        (from, to): &mut (Option<usize>, Option<usize>),
    ) {
        for (at, c) in line.get(bytes.clone()).unwrap_or_default().char_indices() {
            let at = bytes.start + at;
            if at >= pointed.start {
                from.get_or_insert(self.text.len());
            }
            self.text.push(if c.is_control() { ' ' } else { c });
            if at < pointed.end {
                *to = Some(self.text.len());
            }
        }
    }
}

/// The passwords of a line, as bytes.
///
/// Everything behind a word that announces a password is secret; so is, from a column on, every word that is none of the
/// language where the line stands in a block with passwords.
pub(super) fn secrets(line: &str, from: Option<usize>) -> Vec<Range<usize>> {
    let separates = |c: char| c.is_whitespace() || matches!(c, '"' | '{' | '}');
    let from =
        from.map(|column| line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at));
    let mut found = Vec::new();
    let (mut at, mut first) = (0, true);
    while let Some(start) = line[at..].find(|c| !separates(c)).map(|blanks| at + blanks) {
        let end = line[start..].find(separates).map_or(line.len(), |length| start + length);
        let word = &line[start..end];
        let known = !keywords::homes(word).is_empty() || matches!(word, "PASS" | "AH");
        if !known && from.is_some_and(|from| end > from) {
            found.push(start..end);
        }
        if keywords::resembles_secret(word) || first && keywords::takes_secret(word) {
            let rest = line[end..].trim();
            if !rest.is_empty() {
                let start = line.len() - line[end..].trim_start().len();
                found.push(start..start + rest.len());
            }
            return found;
        }
        at = end;
        first = false;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str, from: Option<usize>, column: usize, length: usize) -> (String, String) {
        let span = Span { column, length, ..Span::default() };
        let shown = Masked::new(line, secrets(line, from), &span);
        (shown.text.clone(), shown.text[shown.place].to_owned())
    }

    #[test]
    fn every_password_is_as_long_as_the_next() {
        for password in ["a", "geheim", "\"zwei worte\"", "{ x }", "ä ö ü # y"] {
            let line = format!("  auth_pass {password} ");
            let (text, place) = masked(&line, None, 13, password.chars().count());
            assert_eq!((&*text, &*place), ("  auth_pass ******** ", MASK), "{password}");
        }
    }

    #[test]
    fn a_place_keeps_its_words() {
        let line = "\tauth_type PASS geheim { auth_pas x }";
        assert_eq!(masked(line, None, 12, 4).1, "PASS");
        assert_eq!(masked(line, Some(1), 12, 4).1, "PASS");
        assert_eq!(
            masked(line, Some(1), 26, 8),
            (" auth_type PASS ******** { ******** ********".into(), MASK.into())
        );
        assert_eq!(
            masked("autentication { x", Some(15), 1, 13),
            ("autentication { ********".into(), "autentication".into())
        );
        assert_eq!(masked("auth_pass x", None, 12, 0).1, "");
        assert_eq!(masked("state", None, 1, 5).1, "state");
    }
}
