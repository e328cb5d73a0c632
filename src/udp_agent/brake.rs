//! How often who has proved nothing gets an answer: so many a second from one place, and so many from all.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    net::IpAddr,
    time::Duration,
};

use crate::units::{Allowance, Time};

/// Places are told apart as far as there is room for them: a flood from many does not fill memory.
const PLACES: usize = 256;
/// A discovery is one question. This many at once from one place…
const BURST: u32 = 50;
/// …and then one more after each of these: 20 a second.
const PACE: Duration = Duration::from_millis(50);
/// The same for all places together: 250 a second.
const BURST_OF_ALL: u32 = 500;
const PACE_OF_ALL: Duration = Duration::from_millis(4);

/// Counts them.
#[derive(Debug)]
pub(super) struct Brake {
    places: Vec<Allowance>,
    all: Allowance,
    seed: u64,
}

impl Brake {
    /// Which addresses share a place follows from `seed`, which nobody else should know.
    pub(super) fn new(seed: u64) -> Self {
        let (here, all) = (Allowance::new(BURST, PACE), Allowance::new(BURST_OF_ALL, PACE_OF_ALL));
        Self { places: vec![here; PLACES], all, seed }
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
        let here = self.places.get_mut(place).is_some_and(|here| here.take(Time(now)));
        here && self.all.take(Time(now))
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
