//! Mails that wait to be delivered, and when that is tried: a machine without I/O.

use std::{collections::VecDeque, time::Duration};

use super::letter::Letter;
use crate::units::Time;

/// Mails that may wait; the oldest gives way to the newest. A mail server that is away for long is told of the last
/// changes, not of every one.
const MOST: usize = 1000;
/// Mails delivered over one connection.
const AT_ONCE: usize = 50;
/// From the first failure to the next attempt; each wait after that is twice as long.
const SOONEST: Duration = Duration::from_secs(1);
/// The longest wait.
const LATEST: Duration = Duration::from_mins(5);

/// The mails in the order in which they are to arrive.
#[derive(Debug)]
pub(super) struct Postbox {
    waiting: VecDeque<Letter>,
    /// On their way.
    sent: Vec<Letter>,
    wait: Duration,
    /// Not before, after a failure.
    next: Option<Time>,
}

impl Default for Postbox {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), sent: Vec::new(), wait: SOONEST, next: None }
    }
}

impl Postbox {
    /// A mail to deliver. Returns whether another one had to give way.
    pub(super) fn handle_letter(&mut self, letter: Letter) -> bool {
        let full = self.waiting.len() >= MOST;
        if full {
            self.waiting.pop_front();
        }
        self.waiting.push_back(letter);
        full
    }

    /// So many of those on their way have reached the server, which accepted or refused them; or the attempt failed.
    pub(super) fn handle_delivered(&mut self, now: Time, taken: usize, failed: bool) {
        for letter in self.sent.drain(..).skip(taken).rev() {
            self.waiting.push_front(letter);
        }
        if failed {
            self.next = Some(now + self.wait);
            self.wait = (self.wait * 2).min(LATEST);
        } else {
            (self.next, self.wait) = (None, SOONEST);
        }
    }

    /// The mails to deliver now, over one connection; nothing while others are on their way.
    pub(super) fn poll_letters(&mut self, now: Time) -> Option<Vec<Letter>> {
        if self.waiting.is_empty() || !self.sent.is_empty() || self.next.is_some_and(|next| now < next) {
            return None;
        }
        self.next = None;
        self.sent = self.waiting.drain(..self.waiting.len().min(AT_ONCE)).collect();
        Some(self.sent.clone())
    }

    /// When to ask for mails again; `None` while there are none, or some are on their way.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.next.filter(|_| self.sent.is_empty() && !self.waiting.is_empty())
    }

    /// Forgets that an attempt has failed: there will be no later one.
    pub(super) fn hurry(&mut self) {
        self.next = None;
    }

    /// How many wait or are on their way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(seq: u64) -> Letter {
        Letter { seq, ..Letter::default() }
    }

    fn at(seconds: u64) -> Time {
        Time::from_secs(seconds)
    }

    fn numbers(letters: Option<Vec<Letter>>) -> Vec<u64> {
        letters.unwrap_or_default().iter().map(|letter| letter.seq).collect()
    }

    #[test]
    fn what_was_not_taken_is_tried_again_in_order_and_later_each_time() {
        let mut postbox = Postbox::default();
        for seq in 1..=3 {
            postbox.handle_letter(letter(seq));
        }
        assert_eq!(numbers(postbox.poll_letters(at(0))), [1, 2, 3]);
        assert_eq!((postbox.poll_letters(at(0)), postbox.poll_timeout()), (None, None));
        postbox.handle_letter(letter(4));
        postbox.handle_delivered(at(10), 1, true);
        let mut waits = Vec::new();
        let mut now = at(10);
        for _ in 0..11 {
            let next = postbox.poll_timeout().unwrap();
            waits.push(next.since(now).as_secs());
            now = next;
            assert_eq!(numbers(postbox.poll_letters(now)), [2, 3, 4]);
            postbox.handle_delivered(now, 0, true);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        postbox.hurry();
        assert_eq!(numbers(postbox.poll_letters(now)), [2, 3, 4]);
        postbox.handle_delivered(now, 3, false);
        assert_eq!((postbox.len(), postbox.poll_timeout()), (0, None));
    }

    #[test]
    fn the_oldest_mail_gives_way_and_a_connection_carries_fifty() {
        let mut postbox = Postbox::default();
        let lost = (1..=1010).filter(|seq| postbox.handle_letter(letter(*seq))).count();
        assert_eq!((lost, postbox.len()), (10, 1000));
        assert_eq!(numbers(postbox.poll_letters(at(0))), (11..61).collect::<Vec<_>>());
        postbox.handle_delivered(at(0), 50, false);
        assert_eq!(numbers(postbox.poll_letters(at(0)))[0], 61);
    }
}
