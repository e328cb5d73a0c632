//! How much a MASTER says: its advertisements without a gap, and no more than it may.

use std::time::Duration;

use steadfast::{registry::State, units::Time, vrrp::Action};

use super::{Cause, Invariant, Step, Violation, Watch};

/// What a timer may be late by.
const TOLERANCE: Duration = Duration::from_micros(1);

/// What was said since the router became MASTER.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    since: Time,
    last_advert: Time,
    adverts: u32,
    /// Gratuitous ARP messages for each address.
    announced: u32,
    /// How often the addresses were set, each time with its bursts.
    installs: u32,
}

impl Watch {
    pub(super) fn check_rates(&mut self, step: &Step<'_>, before: State) -> Result<(), Violation> {
        if before != State::Master && self.state == State::Master {
            self.rates = Rates { since: step.now, last_advert: step.now, ..Rates::default() };
        }
        let rates = &mut self.rates;
        let was_on_time = step.now <= due(rates, step);
        if matches!(step.cause, Cause::Installed) {
            rates.installs += 1;
        }
        for action in step.actions {
            match action {
                Action::Send(_) => {
                    rates.adverts += 1;
                    rates.last_advert = step.now;
                }
                Action::Announce { repeat } => rates.announced += repeat,
                _ => {}
            }
        }
        if self.state != State::Master {
            return Ok(());
        }
        if !was_on_time {
            return Err((
                Invariant::AdvertGap,
                format!("{:?} since its last advertisement", due(rates, step)),
            ));
        }
        let passed = step.now.since(rates.since);
        let interval = step.settings.advert_interval;
        let intervals = u32::try_from(passed.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
        if rates.adverts > 2 * intervals + 2 {
            let text = format!("{} advertisements in {intervals} intervals", rates.adverts);
            return Err((Invariant::AdvertRate, text));
        }
        let garp = step.settings.garp;
        let seconds = u32::try_from(passed.as_secs()).unwrap_or(u32::MAX);
        // The bursts at the start and after a repair, two a second against worse routers, and the refresh.
        let refreshes = passed.as_nanos().checked_div(garp.refresh.as_nanos()).map_or(0, |count| count + 1);
        let refreshes = u32::try_from(refreshes).unwrap_or(u32::MAX);
        let allowed = 2 * garp.repeat * (rates.installs + 1)
            + 2 * garp.lower_prio_repeat * (seconds + 2)
            + garp.refresh_repeat * refreshes;
        if rates.announced > allowed {
            let text = format!("{} announcements in {seconds} s, {allowed} allowed", rates.announced);
            return Err((Invariant::GarpRate, text));
        }
        Ok(())
    }

    /// Whether a master that has been one for long enough has announced its addresses, and still advertises.
    pub(crate) fn check_says_enough(&self, now: Time, interval: Duration) -> Result<(), Violation> {
        if self.state != State::Master {
            return Ok(());
        }
        if now.since(self.rates.last_advert) > interval + TOLERANCE {
            return Err((Invariant::AdvertGap, "fell silent".into()));
        }
        let lasts = now.since(self.rates.since) > Duration::from_secs(3);
        if lasts && self.rates.announced == 0 {
            return Err((Invariant::Announced, "no gratuitous ARP".into()));
        }
        Ok(())
    }
}

/// When the next advertisement is due at the latest.
fn due(rates: &Rates, step: &Step<'_>) -> Time {
    (rates.last_advert + step.settings.advert_interval).max(step.stalled_until) + TOLERANCE
}
