//! Where a word stands in its table, found by its spelling. Made at compile time.

/// Slots of an index: twice the words of the largest block, so that a word is nearly always in its first slot.
const SLOTS: usize = 512;

/// The numbers of words by a digest of their spelling; words of one digest stand in the slots behind one another.
#[derive(Debug)]
pub(super) struct Index([u8; SLOTS]);

/// A slot without a word.
const FREE: u8 = u8::MAX;

impl Index {
    pub(super) const fn new() -> Self {
        Self([FREE; SLOTS])
    }

    /// Notes a word by its number. More words than fit end the build.
    #[expect(clippy::cast_possible_truncation, reason = "the assertion before it says that it fits")]
    pub(super) const fn insert(&mut self, word: &str, number: usize) {
        assert!(number < FREE as usize && number < SLOTS / 2);
        let mut slot = digest(word.as_bytes());
        while self.0[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        self.0[slot] = number as u8;
    }

    /// The numbers that may be the word's.
    pub(super) fn places(&self, word: &str) -> impl Iterator<Item = usize> {
        let first = digest(word.as_bytes());
        let slots = (0..SLOTS).map(move |step| self.0[(first + step) % SLOTS]);
        slots.take_while(|number| *number != FREE).map(usize::from)
    }
}

/// A slot from the length and four characters: enough to tell nearly all words of a block apart.
const fn digest(word: &[u8]) -> usize {
    let length = word.len();
    if length == 0 {
        return 0;
    }
    let (first, last) = (word[0] as usize, word[length - 1] as usize);
    let (middle, third) = (word[length / 2] as usize, word[length / 3] as usize);
    (length + first * 7 + middle * 31 + third * 61 + last * 131) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::super::{ROOT, visit};

    #[test]
    fn every_word_is_found_and_no_other() {
        visit(ROOT, &mut |block| {
            for keyword in block.all() {
                let found = block.keyword(keyword.name).map(|found| found.name);
                assert_eq!(found, Some(keyword.name), "{}", block.name);
                assert!(
                    block
                        .keyword(&format!("{}x", keyword.name))
                        .is_none_or(|other| other.name != keyword.name)
                );
            }
            assert!(block.keyword("").is_none() && block.keyword("no such word").is_none());
        });
    }
}
