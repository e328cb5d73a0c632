//! Two routers that are both configured as owner of the addresses: of them, too, the higher address wins. One that has it,
//! and is not given way to, lowers itself to 254 in the end, as keepalived does, so that one of them is master.

use std::{net::IpAddr, time::Duration};

use steadfast::{
    registry::State,
    units::{Priority, Time},
};

use super::{Cause, Step};

/// What an owner knows of another one.
#[derive(Debug, Default)]
pub(super) struct Quarrel {
    /// How long the other may take to give way, and how long it may be silent after that.
    patience: Option<(Time, Duration)>,
    /// It has lowered itself.
    pub(super) has_conceded: bool,
    /// Below this router.
    master: Option<IpAddr>,
    /// It has to give way in this step, although it is not worse.
    pub(super) concedes: bool,
}

impl Quarrel {
    /// Takes in a step of a router that was in a state before.
    pub(super) fn follow(&mut self, step: &Step<'_>, before: State) {
        self.concedes = false;
        match (before, step.cause) {
            (State::Master, Cause::Packet(Some(claim)))
                if step.settings.is_owner()
                    && claim.priority == Priority::OWNER
                    && claim.source < step.source =>
            {
                self.contest(step.now, step.settings.advert_interval, (claim.source, claim.interval));
            }
            (State::Backup, Cause::Packet(Some(claim))) => {
                self.has_conceded &= claim.priority == Priority::OWNER && self.master == Some(claim.source);
            }
            _ => {}
        }
        match step.status.state {
            State::Master => self.has_conceded = false,
            State::Backup => self.patience = None,
            _ => (self.patience, self.master) = (None, None),
        }
    }

    /// A MASTER hears another owner that should give way.
    fn contest(&mut self, now: Time, own: Duration, (source, theirs): (IpAddr, Duration)) {
        let longer = own.max(theirs);
        match self.patience {
            Some((ends, _)) if now < ends => {}
            Some((ends, memory)) if now < ends + memory => {
                (self.concedes, self.has_conceded, self.master) = (true, true, Some(source));
            }
            _ => self.patience = Some((now + own * 2 + longer * 12 / 10, longer * 3)),
        }
    }
}
