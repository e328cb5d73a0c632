//! What each sender was last heard to say, so that nothing counts twice.
//!
//! Only advertisements whose HMAC is right get here, so nobody without a key can fill or empty the table.

use std::net::IpAddr;

use super::trailer::Sequence;

/// Senders that are remembered; of more, those heard last. A virtual router has few of them. (keepalived remembers four of a
/// group, but what is forgotten can be said again.)
const SENDERS: usize = 32;

/// The last sequence of each sender, the sender heard last first.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<(IpAddr, Sequence)>);

impl Marks {
    /// The last sequence of a sender.
    pub(super) fn of(&self, sender: IpAddr) -> Option<Sequence> {
        self.0.iter().find(|(known, _)| *known == sender).map(|(_, last)| *last)
    }

    /// Notes a sequence.
    pub(super) fn note(&mut self, sender: IpAddr, sequence: Sequence) {
        self.0.retain(|(known, _)| *known != sender);
        self.0.insert(0, (sender, sequence));
        self.0.truncate(SENDERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_heard_longest_ago_is_forgotten_first() {
        let sender = |last: usize| IpAddr::from([10, 9, 0, u8::try_from(last).unwrap()]);
        let mut marks = Marks::default();
        for last in 0..SENDERS {
            marks.note(sender(last), Sequence(1));
        }
        marks.note(sender(0), Sequence(2));
        marks.note(sender(SENDERS), Sequence(1));
        assert_eq!(marks.of(sender(0)), Some(Sequence(2)));
        assert_eq!(marks.of(sender(1)), None);
        assert_eq!(marks.of(sender(2)), Some(Sequence(1)));
    }
}
