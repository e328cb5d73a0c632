//! The passwords that parameters stand for, and how they are hidden in what is said.

use std::ops::Range;

/// What stands in place of a secret, however long it is.
pub(super) const MASK: &str = "********";

/// Passwords, sorted, so that all of them are looked for in one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Secrets(Vec<String>);

impl FromIterator<String> for Secrets {
    fn from_iter<T: IntoIterator<Item = String>>(secrets: T) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        secrets.sort_unstable();
        secrets.dedup();
        Self(secrets)
    }
}

impl Secrets {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    /// A text with [`MASK`] for every secret of at least so many bytes.
    pub(super) fn mask(&self, text: &str, least: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let mut shown = 0;
        for hidden in self.found(text, least) {
            out.push_str(&text[shown..hidden.start]);
            out.push_str(MASK);
            shown = hidden.end;
        }
        out.push_str(&text[shown..]);
        out
    }

    /// Where secrets of at least so many bytes stand in a text, as bytes, in order.
    ///
    /// The cost is that of the text and the longest secret, however many there are.
    pub(super) fn found(&self, text: &str, least: usize) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (at, _) in text.char_indices() {
            let length = self.longest(&text.as_bytes()[at..], least);
            match found.last_mut().filter(|last| at < last.end) {
                // Secrets may overlap; every character of each is hidden.
                Some(last) => last.end = last.end.max(at + length),
                None if length > 0 => found.push(at..at + length),
                None => {}
            }
        }
        found
    }

    /// The length of the longest secret of at least so many bytes that the text begins with; 0 for none.
    fn longest(&self, text: &[u8], least: usize) -> usize {
        let mut among = &self.0[..];
        let mut longest = 0;
        for (depth, byte) in text.iter().enumerate() {
            // All of them begin with what was compared so far; the shortest is the first.
            let from = among.partition_point(|secret| secret.as_bytes().get(depth) < Some(byte));
            let to = among.partition_point(|secret| secret.as_bytes().get(depth) <= Some(byte));
            among = &among[from..to];
            let Some(first) = among.first() else { break };
            if first.len() == depth + 1 && first.len() >= least {
                longest = first.len();
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_whatever_their_length() {
        let secrets: Secrets = ["ab", "abcd", "cdé", "x", ""].map(str::to_owned).into_iter().collect();
        assert_eq!(secrets.mask("ab abc abcd", 0), format!("{MASK} {MASK}c {MASK}"));
        assert_eq!(secrets.mask("abcdé ax", 0), format!("{MASK} a{MASK}"), "they may overlap");
        assert_eq!(secrets.mask("ab abcd x", 3), format!("ab {MASK} x"));
        assert_eq!(Secrets::default().mask("ab", 0), "ab");
    }
}
