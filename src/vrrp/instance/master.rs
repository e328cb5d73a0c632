//! What a MASTER does: hold the addresses, and judge who else claims to be master (RFC 9568 §6.4.3).

use std::{net::IpAddr, time::Duration};

use super::{Instance, Level, Matter, Timer};
use crate::{
    registry::{ContestEnd, Counter, Reason, State},
    units::{Priority, Time},
    vrrp::{
        Action, Holding,
        election::{Rival, rival},
        ip::Header,
        packet::View,
        restore::{Pace, RETRY},
        validate::{Accepted, Reject},
    },
};

/// Another router that is configured as owner of our addresses and has the lower source address: it should give
/// way, and gets until `patience_ends` to do so.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherOwner {
    patience_ends: Time,
    /// How long it may be silent and still be the same quarrel.
    memory: Duration,
}

/// The shortest time between two bursts of gratuitous ARP that worse routers are answered with at once.
const MIN_BURST_INTERVAL: Duration = Duration::from_secs(1);

/// How far other routers have been answered, so that a flood of them is not answered with one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answers {
    /// An advertisement was sent in answer since the last regular one.
    advertised: bool,
    /// When the last burst of gratuitous ARP was sent in answer.
    announced: Option<Time>,
}

impl Answers {
    /// A regular advertisement is sent.
    pub(super) fn may_advertise_again(&mut self) {
        self.advertised = false;
    }
}

impl Instance {
    /// Enters MASTER: advertisement, transition, addresses, in this order (RFC 9568 §6.4.2 (6.4.2-7)).
    pub(super) fn become_master(&mut self, now: Time, reason: Reason) {
        self.timers.stop_all();
        self.resume_until = None;
        self.master = None;
        self.ready = false;
        if self.conceded {
            self.conceded = false;
            self.update_priority(now);
        }
        self.counters.add(Counter::BecomeMaster);
        self.guard.mastership_begins();
        self.send_advert(now, self.priority);
        self.timers.set(Timer::Advert, now + self.settings.advert_interval);
        self.change(now, State::Master, reason);
        self.actions.push_back(Action::InstallAddresses);
        let own = self.settings.advert_interval;
        if self.master_interval != own {
            let old = std::mem::replace(&mut self.master_interval, own).as_millis();
            let own = own.as_millis();
            self.log(
                Level::Info,
                true,
                format_args!("changing advert interval from {old}ms to locally configured {own}ms"),
            );
        }
    }

    /// Leaves MASTER: stops what only a MASTER does and has the addresses removed. The caller says where to.
    pub(super) fn leave_master(&mut self) {
        self.end_contest(ContestEnd::Left);
        self.timers.stop_all();
        self.counters.add(Counter::ReleaseMaster);
        self.addresses_set = false;
        self.announced = false;
        self.other_owner = None;
        self.answers = Answers::default();
        self.restorer = Default::default();
        self.actions.push_back(Action::WithdrawAddresses);
    }

    /// Tells the backups to take over after their skew (RFC 9568 §6.4.3 (6.4.3-8)).
    pub(super) fn release(&mut self, now: Time) {
        self.send_advert(now, Priority::RELEASE);
        self.log(Level::Info, false, format_args!("sent 0 priority"));
    }

    /// An advertisement was heard while MASTER.
    pub(super) fn heard_as_master(&mut self, now: Time, advert: &Accepted) {
        let Some(source) = self.source else { return };
        let (sender, theirs, ours) = (advert.source, advert.priority, self.priority);
        match rival((ours, source), (theirs, sender)) {
            // RFC 9568 §6.4.3 (6.4.3-10).
            Rival::Released => {
                self.answer_with_advert(now);
                self.rival_released(now, sender);
            }
            Rival::Worse if theirs == Priority::OWNER => self.contest_ownership(now, advert),
            Rival::Worse => {
                self.complain(
                    now,
                    (sender, Matter::NewElection),
                    format_args!(
                        "Received advert from {sender} with lower priority {theirs}, ours {ours}, \
                         forcing new election"
                    ),
                );
                self.answer_worse(now);
                self.note_rival(now, advert);
            }
            // RFC 9568 §6.4.3 (6.4.3-11).
            Rival::HigherPriority => {
                self.inform(
                    now,
                    (sender, Matter::GaveWay),
                    format_args!(
                        "Master received advert from {sender} with higher priority {theirs}, ours {ours}"
                    ),
                );
                self.give_way(now, advert, Reason::HigherPriority { master: sender, priority: theirs });
            }
            Rival::HigherAddress => {
                if theirs == Priority::OWNER {
                    self.complain_of_two_owners(now, sender);
                }
                self.inform(
                    now,
                    (sender, Matter::GaveWay),
                    format_args!(
                        "Master received advert from {sender} with same priority {theirs} but higher IP \
                         address than ours"
                    ),
                );
                self.give_way(now, advert, Reason::HigherAddress { master: sender });
            }
        }
    }

    /// The answer to [`Action::InstallAddresses`]: what is not there now. Starts the bursts of gratuitous ARP;
    /// addresses that are missing are tried again, and do not keep the others from being announced.
    pub fn handle_addresses_installed(&mut self, now: Time, missing: &[Holding]) {
        if self.state != State::Master {
            return;
        }
        self.addresses_set = !missing.iter().any(|held| matches!(held, Holding::Address(_)));
        if self.addresses_set {
            self.timers.stop(Timer::InstallRetry);
        } else {
            self.retry_install(now);
        }
        let repair = self.restorer.tried(missing);
        for _ in 0..repair.restored {
            self.counters.add(Counter::AddressRestored);
        }
        // Those that could be set are announced at once, not only when the last one is; an attempt that brings none, or a
        // route only, says nothing new.
        if !self.announced || repair.brought_an_address {
            self.announced = true;
            self.actions.push_back(Action::Announce { repeat: self.settings.garp.repeat });
            self.schedule_bursts(now);
        }
    }

    /// Another program removed a virtual address. It is put back in place, without a change of mastership.
    pub fn handle_address_removed(&mut self, now: Time, address: IpAddr) {
        if self.state == State::Master {
            self.addresses_set = false;
            self.restore(now, &Holding::Address(address));
        }
    }

    /// Another program removed a virtual route or rule, which is told in words. It is put back in the same way.
    pub fn handle_routing_removed(&mut self, now: Time, entry: String) {
        if self.state == State::Master {
            self.restore(now, &Holding::Routing(entry));
        }
    }

    fn restore(&mut self, now: Time, what: &Holding) {
        let removed = |again| Reason::Removed { what: what.to_string(), again };
        match self.restorer.removed(now, what) {
            Pace::AtOnce => {
                self.tell(removed(false));
                self.actions.push_back(Action::InstallAddresses);
            }
            Pace::StormBegins => {
                self.tell(removed(true));
                self.retry_install(now);
            }
            Pace::Storm => self.retry_install(now),
        }
    }

    /// Sends gratuitous ARP or neighbour advertisements, once the addresses have been tried (RFC 9568 §8.1.2 (8.1.2-2,
    /// 8.1.2-4), §8.2.2 (8.2.2-6)). The driver leaves out each that is not there.
    pub(super) fn announce(&mut self, repeat: u32) {
        if self.announced && repeat > 0 {
            self.actions.push_back(Action::Announce { repeat });
        }
    }

    /// The same where no advertisement tells switches where the addresses are.
    pub(super) fn announce_elsewhere(&mut self) {
        if self.announced {
            self.actions.push_back(Action::AnnounceElsewhere);
        }
    }

    fn schedule_bursts(&mut self, now: Time) {
        let garp = self.settings.garp;
        if !garp.delay.is_zero() {
            self.timers.set(Timer::GarpBurst, now + garp.delay);
        }
        if !garp.refresh.is_zero() && self.timers.get(Timer::GarpRefresh).is_none() {
            self.timers.set(Timer::GarpRefresh, now + garp.delay + garp.refresh);
        }
        if !garp.extra.is_zero() && self.timers.get(Timer::GarpExtra).is_none() {
            self.timers.set(Timer::GarpExtra, now + garp.extra);
        }
    }

    fn retry_install(&mut self, now: Time) {
        if self.timers.get(Timer::InstallRetry).is_none() {
            self.timers.set(Timer::InstallRetry, now + RETRY);
        }
    }

    /// The first router that asks for an advertisement gets one at once, all others before the next regular one
    /// have to wait for that.
    ///
    /// Only an advertisement that is really sent moves the timer: the peer lets any received packet do it, so
    /// that a flood of rejected packets silences it.
    fn answer_with_advert(&mut self, now: Time) {
        if self.answers.advertised {
            return;
        }
        self.answers.advertised = true;
        self.send_advert(now, self.priority);
        self.timers.set(Timer::Advert, now + self.settings.advert_interval);
    }

    /// Tells a worse router, and the switches it may have confused, who is master (RFC 9568 §6.4.3 (6.4.3-12)).
    fn answer_worse(&mut self, now: Time) {
        self.guard.overtake();
        if !self.settings.policy.lower_prio_no_advert {
            self.answer_with_advert(now);
        }
        if self.announce_again(now) && self.is_member() {
            self.actions.push_back(Action::AnnounceGroup);
        }
    }

    /// Announces the addresses because another router may have done so. Not at once when that was done a moment ago.
    pub(super) fn announce_again(&mut self, now: Time) -> bool {
        let is_early = self.answers.announced.is_some_and(|last| now.since(last) < MIN_BURST_INTERVAL);
        // The burst that is still awaited comes after whatever the worse router tells the switches now.
        if is_early || self.timers.get(Timer::GarpLowerPriority).is_some() || !self.announced {
            return false;
        }
        let garp = self.settings.garp;
        self.answers.announced = Some(now);
        self.announce(garp.lower_prio_repeat);
        if garp.lower_prio_repeat > 0 && !garp.lower_prio_delay.is_zero() {
            self.timers.set(Timer::GarpLowerPriority, now + garp.lower_prio_delay);
        }
        garp.lower_prio_repeat > 0
    }

    /// Announces the addresses after the last word of another router; in a moment, when the last burst was just now.
    pub(super) fn announce_after_contest(&mut self, now: Time) {
        let soon = self.answers.announced.map(|last| last + MIN_BURST_INTERVAL).filter(|soon| now < *soon);
        match soon.filter(|_| self.timers.get(Timer::GarpLowerPriority).is_none()) {
            Some(soon) => self.timers.set(Timer::GarpLowerPriority, soon),
            None => {
                self.announce_again(now);
            }
        }
    }

    /// With `auth_type AH` two routers that became MASTER at the same moment may count in step: what one sends has the number
    /// that the other has just used, and neither believes the other. The better one leaves a number out. Said again by
    /// somebody without the key, an advertisement brings that about twice at most.
    pub(super) fn fall_out_of_step(&mut self, packet: &[u8], reject: &Reject) {
        let Reject::Sequence { found, last } = *reject else { return };
        let (State::Master, Some(source), Ok(header)) = (self.state, self.source, Header::parse(packet))
        else {
            return;
        };
        let Ok(view) = View::new(header.family(), &packet[header.length..]) else { return };
        let is_worse = rival((self.priority, source), (view.priority(), header.source)) == Rival::Worse;
        if is_worse && header.source != source && found >= last.saturating_sub(1) {
            self.guard.overtake();
        }
    }

    fn give_way(&mut self, now: Time, advert: &Accepted, reason: Reason) {
        if self.settings.policy.higher_prio_send_advert {
            self.send_advert(now, self.priority);
        }
        self.leave_master();
        self.become_backup_of(now, advert, reason);
    }

    /// Two owners: the other one has the lower address and should give way. When it still advertises after two
    /// more advertisements of ours and 1.2 of the longer interval, we lower ourselves to 254 and give way.
    fn contest_ownership(&mut self, now: Time, advert: &Accepted) {
        self.complain_of_two_owners(now, advert.source);
        let own = self.settings.advert_interval;
        let longer = own.max(advert.interval);
        match self.other_owner {
            Some(other) if now >= other.patience_ends && now < other.patience_ends + other.memory => {
                self.conceded = true;
                self.update_priority(now);
                let reason = Reason::HigherPriority { master: advert.source, priority: advert.priority };
                self.give_way(now, advert, reason);
                return;
            }
            Some(other) if now < other.patience_ends => {}
            _ => {
                let patience_ends = now + own * 2 + longer * 12 / 10;
                self.other_owner = Some(OtherOwner { patience_ends, memory: longer * 3 });
            }
        }
        self.answer_worse(now);
        self.note_rival(now, advert);
    }

    /// RFC 9568 §7.1 (7.1-12), §8.3.2 (8.3.2-2).
    fn complain_of_two_owners(&mut self, now: Time, other: IpAddr) {
        self.complain(
            now,
            (other, Matter::TwoOwners),
            format_args!(
                "CONFIGURATION ERROR: {other} also has priority 255, only one router may own the addresses"
            ),
        );
    }
}
