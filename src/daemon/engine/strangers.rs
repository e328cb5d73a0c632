//! Virtual routers that are heard on an interface and are not configured there (`log_unknown_vrids`).
//!
//! Who sends for a number that nobody uses here may send for all of them, as fast as it likes: each number gets a line a
//! minute on each interface.

use std::{collections::HashMap, time::Duration};

use crate::{units::Time, vrrp::Addressee};

/// From one line about a virtual router to the next.
const PACE: Duration = Duration::from_secs(60);

/// What was heard, by interface and VRID: no more than 256 for each interface that routers use.
#[derive(Debug, Default)]
pub(super) struct Strangers(HashMap<String, HashMap<u8, Stranger>>);

/// A virtual router of others.
#[derive(Debug)]
struct Stranger {
    said: Time,
    /// Packets since the last line.
    left_out: u64,
}

impl Strangers {
    /// A packet for a virtual router that is nobody's here: what to say of it, if anything.
    pub(super) fn note(&mut self, now: Time, interface: &str, addressee: &Addressee) -> Option<String> {
        let Addressee { vrid, source, .. } = addressee;
        // Most packets find the name there.
        if !self.0.contains_key(interface) {
            self.0.insert(interface.to_owned(), HashMap::new());
        }
        let known = self.0.get_mut(interface)?;
        let count = match known.get_mut(vrid) {
            Some(stranger) if now.since(stranger.said) < PACE => {
                stranger.left_out += 1;
                return None;
            }
            Some(stranger) => stranger.left_out,
            None => 0,
        };
        known.insert(*vrid, Stranger { said: now, left_out: 0 });
        let more = if count == 0 { String::new() } else { format!(", after {count} more") };
        Some(format!(
            "Unknown VRID({vrid}) received on interface({interface}) from {source}{more}. ignoring..."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_unknown_routers_gets_a_line_a_minute_for_each() {
        let mut strangers = Strangers::default();
        let start = Time::from_secs(100);
        let mut lines = |at: Time, packets: u32| {
            let addressee = |number: u32| Addressee {
                vrid: u8::try_from(number % 256).unwrap(),
                source: [10, 9, 0, 3].into(),
                destination: [224, 0, 0, 18].into(),
            };
            let said = (0..packets).filter_map(|number| strangers.note(at, "eth0", &addressee(number)));
            said.collect::<Vec<_>>()
        };
        assert_eq!(lines(start, 10_000).len(), 256);
        assert_eq!(lines(start + Duration::from_secs(59), 10_000), [""; 0]);
        let later = lines(start + PACE, 256);
        assert_eq!(later.len(), 256);
        // 39 of the first ten thousand and 40 of the second.
        let text = "Unknown VRID(0) received on interface(eth0) from 10.9.0.3, after 79 more. ignoring...";
        assert_eq!(later.first().map(String::as_str), Some(text));
    }
}
