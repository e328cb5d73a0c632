//! SETs of SNMPv3 that come a second time: for as long as its time is right a message can be said again by anybody who has heard
//! it (RFC 3414 §1.2), and to raise a priority twice is not to raise it once.

use std::{collections::VecDeque, time::Duration};

/// For so long a message is in time at most: from as long before our time as after it.
const LASTING: Duration = Duration::from_secs(300);
/// How many are remembered. Who has more to say than that in five minutes may change things anyway.
const MOST: usize = 256;

/// SETs that were carried out, by their signatures, and what was answered.
#[derive(Debug, Default)]
pub(super) struct Repeats(VecDeque<(Duration, Vec<u8>, Vec<u8>)>);

impl Repeats {
    /// What was answered to a message with this signature, if there was one.
    pub(super) fn answer(&mut self, now: Duration, signature: &[u8]) -> Option<Vec<u8>> {
        while self.0.front().is_some_and(|(at, ..)| now.saturating_sub(*at) > LASTING) {
            self.0.pop_front();
        }
        self.0.iter().find(|(_, of, _)| of == signature).map(|(.., answer)| answer.clone())
    }

    /// This was answered.
    pub(super) fn keep(&mut self, now: Duration, signature: &[u8], answer: &[u8]) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, signature.to_vec(), answer.to_vec()));
    }
}
