//! Words without effect yet that matter most: with them a router takes over, or sends packets, otherwise than its file
//! asks for. A start warns of them; of the other words without effect it only takes note.

/// What is different without the word; `None` when neither failover nor the way of packets depends on it.
pub(super) fn without(word: &str) -> Option<&'static str> {
    WEIGHTY.iter().find(|(words, _)| words.contains(&word)).map(|(_, consequence)| *consequence)
}

const WEIGHTY: &[(&[&str], &str)] = &[
    (&["track_bfd"], "what happens there neither moves the priority nor the addresses"),
    (&["BFD_CHECK"], "its server is never taken to be down by it"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keywords;

    #[test]
    fn every_word_is_still_without_effect_in_a_block_that_has_it() {
        let mut idle = Vec::new();
        keywords::visit(keywords::ROOT, &mut |block| {
            idle.extend(block.all().filter(|word| !word.works()).map(|word| word.name));
        });
        let working: Vec<_> =
            WEIGHTY.iter().flat_map(|(words, _)| *words).filter(|word| !idle.contains(word)).collect();
        assert!(working.is_empty(), "these have an effect by now: {working:?}");
    }
}
