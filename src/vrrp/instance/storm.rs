//! A brake on takeovers that others hasten.
//!
//! Whoever can put packets on the link can make a router without `auth_hmac` change its state: a high priority makes a
//! MASTER give way, and priority 0, or a short interval, makes it MASTER again within moments. Each round moves addresses,
//! announces them and runs scripts, so that a few packets a second would keep the host busy for good.
//!
//! What can hasten a takeover is believed a few times in a row. After that a takeover waits until nobody has claimed the
//! mastership for the master down interval of the router's *own* interval. A takeover that comes after such a silence is
//! never held back, whatever has happened before: that is the one which must not be late.

use std::{net::Ipv4Addr, time::Duration};

use super::{Instance, Level, Matter, Timer};
use crate::{
    registry::Counter,
    units::{Allowance, Time, master_down_interval},
};

/// Hastened takeovers in a row, as when somebody restarts the other routers one after the other.
const BURST: u32 = 10;
/// From one to the next after that.
const PACE: Duration = Duration::from_secs(10);

/// What is known of hastened takeovers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storm {
    /// How many may still be hastened.
    allowance: Allowance,
    /// When somebody claimed the mastership last, or this router gave it up.
    claimed: Time,
}

impl Default for Storm {
    fn default() -> Self {
        Self { allowance: Allowance::new(BURST, PACE), claimed: Time::default() }
    }
}

impl Storm {
    /// Somebody else is master now.
    pub(super) fn claimed(&mut self, now: Time) {
        self.claimed = now;
    }
}

impl Instance {
    /// The master down timer has expired: whether the takeover has to wait, and then the timer is set anew.
    pub(super) fn is_held_back(&mut self, now: Time) -> bool {
        let own = self.settings.advert_interval;
        let adverts = self.settings.down_timer_adverts;
        let silence = master_down_interval(self.settings.version, adverts, self.skew_priority(), own);
        let regular = self.storm.claimed + silence;
        if now >= regular || self.storm.allowance.take(now) {
            return false;
        }
        self.timers.set(Timer::MasterDown, regular);
        self.counters.add(Counter::TakeoverHeldBack);
        let sender = self.master.map_or(Ipv4Addr::UNSPECIFIED.into(), |master| master.address);
        self.log_limited(
            now,
            (Level::Warning, false),
            (sender, Matter::Storm),
            format_args!(
                "others have hastened more than {BURST} takeovers in a row: it takes over after {} ms of silence only",
                silence.as_millis()
            ),
        );
        true
    }
}
