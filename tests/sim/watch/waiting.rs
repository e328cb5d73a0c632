//! When a BACKUP has to take over, and when it must not yet: RFC 9568 §6.1 and §6.4.2 once more, from outside.

use std::time::Duration;

use steadfast::{
    registry::State,
    units::{Priority, Time, Version},
    vrrp::Settings,
};

use super::{Cause, Claim, Command, Heard, Invariant, Step, Violation, Watch, preempts, tolerates};

/// What a timer and its rounding may be off by.
const TOLERANCE: Duration = Duration::from_micros(1);

/// After so many takeovers others can no longer hasten one: it comes when our own interval's silence is over.
const PATIENCE: u32 = 10;

/// The time in which a BACKUP takes over.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    earliest: Time,
    latest: Time,
    /// When its master has been silent for the master down interval of our own interval.
    silent: Time,
    /// The shortest and the longest interval that its master may have.
    intervals: (Duration, Duration),
    released: bool,
}

impl Waiting {
    /// From now, for the master down interval.
    fn whole(now: Time, settings: &Settings, priority: Priority, interval: Duration) -> Self {
        let after = |interval: Duration| {
            now + interval * settings.down_timer_adverts + skew(settings, priority, interval)
        };
        let (at, silent) = (after(interval), after(settings.advert_interval));
        Self { earliest: at, latest: at, silent, intervals: (interval, interval), released: false }
    }

    /// A master that may or may not be followed.
    fn perhaps(&mut self, other: Self) {
        self.earliest = self.earliest.min(other.earliest);
        self.latest = self.latest.max(other.latest);
        self.silent = self.silent.max(other.silent);
        let (shortest, longest) = self.intervals;
        self.intervals = (shortest.min(other.intervals.0), longest.max(other.intervals.1));
        self.released = false;
    }

    fn release(&mut self, now: Time, settings: &Settings, priority: Priority) {
        self.earliest = self.earliest.min(now + skew(settings, priority, self.intervals.0));
        self.latest = self.latest.min(now + skew(settings, priority, self.intervals.1));
        self.released = true;
    }

    /// The priority, and with it the skew, is another one now.
    fn shift(&mut self, now: Time, settings: &Settings, from: Priority, to: Priority) {
        let (shortest, longest) = self.intervals;
        let moved = |at: Time, interval| {
            (at + skew(settings, to, interval) - skew(settings, from, interval)).max(now)
        };
        self.earliest = moved(self.earliest, shortest).min(moved(self.earliest, longest));
        self.latest = moved(self.latest, shortest).max(moved(self.latest, longest));
        self.silent = moved(self.silent, settings.advert_interval);
    }
}

/// Skew_Time (RFC 9568 §6.1, RFC 3768 §6.1).
pub(super) fn skew(settings: &Settings, priority: Priority, interval: Duration) -> Duration {
    // An owner's is that of an owner even when it has conceded.
    let priority = if settings.is_owner() { Priority::OWNER } else { priority };
    let whole = if settings.version == Version::V2 { Duration::from_secs(1) } else { interval };
    whole * (256 - u32::from(priority.0)) / 256
}

impl Watch {
    /// Takes in what the step means for a router that waits.
    pub(super) fn hear(&mut self, step: &Step<'_>, before: State, priority_before: Option<Priority>) {
        if self.state != State::Backup {
            self.heard = Heard::Nobody;
            return;
        }
        let Some(priority) = self.priority else { return };
        let claim = if let Cause::Packet(claim) = step.cause { claim } else { None };
        if before != State::Backup {
            let interval = claim.map_or(step.settings.advert_interval, |claim| claim.interval);
            self.heard = claim.map_or(Heard::Nobody, |claim| Heard::Followed(claim.source));
            let begin = step.now.max(self.quiet_until);
            self.waiting = Waiting::whole(begin, step.settings, priority, interval);
            if is_owner_among_owners(step) {
                self.waiting.earliest = begin;
            }
            return;
        }
        if let (Some(from), Cause::Weight | Cause::Setting) = (priority_before, step.cause) {
            self.waiting.shift(step.now, step.settings, from, priority);
        }
        if let Some(claim) = claim {
            self.hear_claim(step, claim, priority);
        }
    }

    fn hear_claim(&mut self, step: &Step<'_>, claim: Claim, priority: Priority) {
        let Step { now, settings, .. } = *step;
        let whole = || Waiting::whole(now, settings, priority, claim.interval);
        if claim.priority == Priority::RELEASE {
            self.heard = Heard::Released(claim.source);
            self.waiting.release(now, settings, priority);
        } else if claim.priority >= priority || !preempts(settings) {
            self.heard = Heard::Followed(claim.source);
            self.waiting = whole();
        } else {
            self.heard = Heard::Lower(claim.source, claim.priority);
            if tolerates(settings) {
                self.waiting.perhaps(whole());
            }
        }
    }

    /// When it has to take over at the latest.
    fn limit(&self) -> Time {
        let Waiting { latest, silent, .. } = self.waiting;
        if self.takeovers < PATIENCE { latest } else { latest.max(silent) }
    }

    /// A router that is still BACKUP must not be late.
    pub(super) fn check_late(&self, step: &Step<'_>) -> Result<(), Violation> {
        let limit = self.limit().max(step.stalled_until) + TOLERANCE;
        if self.state != State::Backup || self.ready || step.now <= limit {
            return Ok(());
        }
        let rule = if self.waiting.released { Invariant::Skew } else { Invariant::Silence };
        Err((rule, format!("still waits {:?} after it had to take over", step.now.since(limit))))
    }

    /// Nobody else can be asked how long a router waited that is still BACKUP at the end of a story.
    pub(crate) fn check_late_at(&self, now: Time) -> Result<(), Violation> {
        if self.state == State::Backup && !self.ready && now > self.limit() + TOLERANCE {
            return Err((Invariant::Silence, "waits for ever".into()));
        }
        Ok(())
    }

    /// A member that is ready now was not ready too early.
    pub(super) fn check_ready(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        let was_ready = std::mem::replace(&mut self.ready, step.ready);
        if !was_ready && step.ready && self.state == State::Backup {
            return self.check_early(step);
        }
        Ok(())
    }

    /// A router that takes over now has waited long enough.
    pub(super) fn check_early(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        self.takeovers += 1;
        if step.now + TOLERANCE >= self.waiting.earliest {
            return Ok(());
        }
        let early = self.waiting.earliest.since(step.now);
        let rule = if preempts(step.settings) { Invariant::TooEarly } else { Invariant::NoPreempt };
        Err((rule, format!("takes over {early:?} too early, heard {:?}", self.heard)))
    }
}

/// A member of a group of owners is ready as soon as it begins.
fn is_owner_among_owners(step: &Step<'_>) -> bool {
    step.settings.is_owner()
        && step.settings.start_as_master
        && !matches!(step.cause, Cause::Command(Command::Backup) | Cause::Packet(_))
}
