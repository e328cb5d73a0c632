//! What single words of the configuration make of a router: the places where it does otherwise than usual.

use std::time::Duration;

use super::{Instance, Level, Timer};
use crate::{
    registry::Reason,
    units::{Priority, Time},
    vrrp::{
        packet::Coverage,
        validate::{self, Accepted, AddressList, Reject},
    },
};

impl Instance {
    /// `vrrp_startup_delay` and `vrrp_delay_after_boot`: the router keeps quiet until then. Before the start.
    pub fn handle_delay(&mut self, until: Time) {
        if !self.started {
            self.quiet_until = until;
        }
    }

    /// How long the router has to keep quiet still, if it has to.
    pub(super) fn quiet_for(&self, now: Time) -> Option<Duration> {
        (now < self.quiet_until).then(|| self.quiet_until.since(now))
    }

    /// Whether nothing delays the start.
    pub(super) fn begins_at_once(&self) -> bool {
        self.quiet_until == Time::default()
    }

    /// Begins as BACKUP, for which everything is put off: an owner becomes MASTER when the delay is over, anybody else
    /// waits for the master down interval from then on.
    pub(super) fn begin_quietly(&mut self, now: Time, delay: Duration, starts_as_master: bool) {
        self.become_backup(now, Reason::StartDelayed { delay });
        if starts_as_master {
            self.takeover = Reason::AddressOwner;
            self.timers.set(Timer::MasterDown, self.quiet_until);
        }
    }

    /// What a packet is worth; `None` when it is not even looked at, nor counted.
    pub(super) fn judge(&mut self, now: Time, packet: &[u8]) -> Option<Result<Accepted, Reject>> {
        if self.quiet_for(now).is_some() {
            return None;
        }
        let stands_aside = self.stands_aside();
        let mut verdict = validate::validate(&self.settings, &mut self.guard, now, packet);
        let policy = &self.settings.policy;
        if let Ok(advert) = &mut verdict {
            // RFC 9568 §7.1 (7.1-7). An owner that has conceded is none.
            if policy.owner_ignore_adverts && self.priority == Priority::OWNER && !stands_aside {
                return None;
            }
            let is_known = self.master.is_some_and(|master| master.address == advert.source);
            if policy.skip_check_adv_addr && is_known && matches!(advert.addresses, AddressList::Lacks(_)) {
                advert.addresses = AddressList::Same;
            }
        }
        Some(verdict)
    }

    /// Sends the checksum that a peer sends, where the configuration leaves that open.
    pub(super) fn follow_checksum(&mut self, advert: &Accepted) {
        if advert.checksum != Coverage::OldUnicast {
            return;
        }
        let group = self.settings.policy.old_checksum.group();
        if group.is_some_and(|group| self.transmitter.use_old_checksum(group)) {
            self.log(Level::Info, false, format_args!("Setting unicast VRRPv3 checksum to old version"));
        }
    }

    /// `timer_expired_backup`: the advertisement that was `due` is so late that another router has taken over, and
    /// `nopreempt` says that it shall keep the addresses.
    pub(super) fn resign(&mut self, now: Time, due: Time) {
        self.leave_master();
        self.become_backup(now, Reason::Stalled { late: now.since(due) });
    }
}
