//! The clock of a host: it began at another time than the others', and runs faster or slower.

use std::time::Duration;

use steadfast::units::Time;

const MILLION: i128 = 1_000_000;

/// How a host's clock reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What it showed when the story began.
    pub(crate) origin: Duration,
    /// By how many millionths it is too fast.
    pub(crate) drift: i32,
}

impl Clock {
    /// What the host reads at a time of the world.
    pub(crate) fn local(self, world: Time) -> Time {
        let passed = i128::try_from(world.0.as_nanos()).expect("a short time");
        let passed = passed * (MILLION + i128::from(self.drift)) / MILLION;
        Time(self.origin + nanoseconds(passed))
    }

    /// The first time of the world at which the host reads `local` or later.
    pub(crate) fn world(self, local: Time) -> Time {
        let passed = i128::try_from(local.since(Time(self.origin)).as_nanos()).expect("a short time");
        let rate = MILLION + i128::from(self.drift);
        Time(nanoseconds((passed * MILLION + rate - 1) / rate))
    }
}

fn nanoseconds(count: i128) -> Duration {
    Duration::from_nanos(u64::try_from(count).expect("a short time"))
}

#[test]
fn a_deadline_is_reached_when_the_world_says_so_and_not_before() {
    for drift in [-2000, -1, 0, 1, 2000] {
        let clock = Clock { origin: Duration::from_secs(77), drift };
        for nanos in [0, 1, 999, 1_000_000_007, 59_999_999_999] {
            let local = Time(clock.origin + Duration::from_nanos(nanos));
            let world = clock.world(local);
            assert!(clock.local(world) >= local, "{drift} {nanos}");
            assert!(world == Time::default() || clock.local(world - Duration::from_nanos(2)) < local);
        }
    }
}
