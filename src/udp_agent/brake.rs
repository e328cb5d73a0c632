//! How often who has proved nothing gets an answer: so many a second from one place, and so many from all.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    net::IpAddr,
    time::Duration,
};

/// Places are told apart as far as there is room for them: a flood from many does not fill memory.
const PLACES: usize = 256;
/// A discovery is one question. This many at once from one place…
const BURST: u32 = 50;
/// …and then this many a second.
const PACE: u32 = 20;
/// The same for all places together.
const BURST_OF_ALL: u32 = 500;
const PACE_OF_ALL: u32 = 250;

/// Answers that may be given.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    filled: Duration,
}

impl Bucket {
    /// Takes one, of those that have come in since the last time.
    fn take(&mut self, now: Duration, burst: u32, pace: u32) -> bool {
        let more = now.saturating_sub(self.filled).as_millis() * u128::from(pace) / 1000;
        if more > 0 {
            self.left = self.left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)).min(burst);
            self.filled = now;
        }
        let any = self.left > 0;
        self.left = self.left.saturating_sub(1);
        any
    }
}

/// Counts them.
#[derive(Debug)]
pub(super) struct Brake {
    places: Vec<Bucket>,
    all: Bucket,
    seed: u64,
}

impl Brake {
    /// Which addresses share a place follows from `seed`, which nobody else should know.
    pub(super) fn new(seed: u64) -> Self {
        let bucket = |left| Bucket { left, filled: Duration::ZERO };
        Self { places: vec![bucket(BURST); PLACES], all: bucket(BURST_OF_ALL), seed }
    }

    /// Whether one more answer may go there.
    pub(super) fn lets(&mut self, now: Duration, to: IpAddr) -> bool {
        let mut hash = DefaultHasher::new();
        self.seed.hash(&mut hash);
        match to {
            IpAddr::V4(address) => address.hash(&mut hash),
            // Whoever has one address of a /64 has all of them.
            IpAddr::V6(address) => (address.to_bits() >> 64).hash(&mut hash),
        }
        let place = usize::try_from(hash.finish() % PLACES as u64).unwrap_or_default();
        let here = self.places.get_mut(place).is_some_and(|bucket| bucket.take(now, BURST, PACE));
        here && self.all.take(now, BURST_OF_ALL, PACE_OF_ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_few_answers_and_others_go_on() {
        let mut brake = Brake::new(5);
        let [flood, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse::<IpAddr>().unwrap());
        let at = Duration::from_secs(1000);
        let answered =
            (0..100_000_u64).filter(|n| brake.lets(at + Duration::from_micros(n * 10), flood)).count();
        assert!((60..=80).contains(&answered), "{answered} in a second");
        assert!(brake.lets(at + Duration::from_secs(1), other));
        let many = (0..100_000_u32)
            .filter(|n| brake.lets(at + Duration::from_secs(2), std::net::Ipv4Addr::from_bits(*n).into()));
        assert!(many.count() <= 750);
    }
}
