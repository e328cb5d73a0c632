//! The machine of one virtual router: RFC 9568 §6.4 with keepalived's FAULT state.
//!
//! ```text
//!            handle_start            master down interval over
//!   INIT ───────────────► BACKUP ────────────────────────────► MASTER
//!     │  owner at once        ▲  ◄──────────────────────────────  │
//!     │ fault                 │   better advertisement            │
//!     ▼             all gone  │ fault                       fault │
//!   FAULT ◄───────────────────┴───────────────────────────────────┘
//! ```
//!
//! This file holds the machine, its inputs and its outputs; what a BACKUP and what a MASTER does with an
//! advertisement stands in `backup` and `master`.

mod backup;
mod contest;
mod fault;
mod intervention;
mod master;
mod member;
mod reload;
mod resume;
mod setting;
mod storm;
mod words;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use self::{
    contest::Telling,
    master::{Answers, OtherOwner},
    storm::Storm,
};
pub use self::{fault::Fault, reload::Reload};
use super::{
    Action, Destination, Level, Log, Membership, Outgoing, Settings,
    auth::Guard,
    ip::Header,
    report::{Limiter, Matter},
    restore::Restorer,
    timers::{Timer, Timers, next_period},
    transmit::Transmitter,
    validate::{self, Accepted, AddressList, Reject},
};
use crate::{
    config::tracking::Tracker,
    registry::{
        Change, Contest, ContestEnd, Counter, Counters, InstanceStatus, Ordered, Peer, Reason, Standing,
        State,
    },
    units::{Priority, Time, Utc, Version, master_down_interval},
};

/// Every change of state there is.
const LEGAL: [(State, State); 12] = [
    (State::Init, State::Backup),
    // An owner at its start.
    (State::Init, State::Master),
    (State::Init, State::Fault),
    (State::Init, State::Stop),
    (State::Backup, State::Master),
    (State::Backup, State::Fault),
    (State::Backup, State::Stop),
    (State::Master, State::Backup),
    (State::Master, State::Fault),
    (State::Master, State::Stop),
    (State::Fault, State::Backup),
    (State::Fault, State::Stop),
];

/// One virtual router.
///
/// Deterministic: no socket, no clock, no log of its own. Its methods are of three kinds:
///
/// * inputs `handle_*(now, …)`: what happened. `now` must never go backwards.
/// * outputs `poll_action` (until it returns `None`, after every input) and `poll_timeout` (when to call
///   `handle_timeout` at the latest; calling it early does nothing).
/// * the getter `status`: what the registry shows.
#[derive(Debug)]
pub struct Instance {
    settings: Settings,
    counters: Arc<Counters>,
    state: State,
    started: bool,
    since: Time,
    reason: Option<Reason>,
    /// What keeps the router from taking part, and why.
    faults: BTreeMap<Fault, Reason>,
    /// What the router works towards, as the peer shows it in its MIB.
    wanted: State,
    /// What orders have switched.
    ordered: Ordered,
    /// What operators want.
    interventions: Vec<Standing>,
    /// What each tracker adds to the priority.
    weights: BTreeMap<Tracker, i32>,
    /// Effective priority.
    priority: Priority,
    /// An owner that lowered itself to 254 because another owner does not give way.
    conceded: bool,
    /// Source of our advertisements, as far as it is known.
    source: Option<IpAddr>,
    /// The master last heard, while BACKUP.
    master: Option<Peer>,
    /// Master_Adver_Interval: in version 2 always ours, in version 3 that of the master last accepted.
    master_interval: Duration,
    /// Why this router will be MASTER when the master down timer expires.
    takeover: Reason,
    /// Until when a master of lower priority is tolerated (`preempt_delay`), once one was heard.
    tolerate_until: Option<Time>,
    /// Another owner of the addresses that does not give way.
    other_owner: Option<OtherOwner>,
    /// Until when the router neither says nor hears anything.
    quiet_until: Time,
    /// Until when the mastership of the process before may be gone on with.
    resume_until: Option<Time>,
    /// Another router that advertises as master while this one is.
    contest: Option<Contest>,
    telling: Telling,
    /// A member of a sync group that would be MASTER, were it alone.
    ready: bool,
    answers: Answers,
    /// Every address is there.
    addresses_set: bool,
    /// The first burst of gratuitous ARP of this mastership has been sent.
    announced: bool,
    restorer: Restorer,
    storm: Storm,
    limiter: Limiter,
    /// See [`Self::poll_rejected`].
    rejected: Option<(IpAddr, Counter)>,
    guard: Guard,
    transmitter: Transmitter,
    timers: Timers,
    actions: VecDeque<Action>,
}

impl Instance {
    /// A virtual router in state INIT. `counters` are those of its row in the registry.
    pub fn new(settings: Settings, counters: Arc<Counters>) -> Self {
        let settings = settings.settled();
        Self {
            counters,
            state: State::Init,
            started: false,
            since: Time::default(),
            reason: None,
            faults: BTreeMap::new(),
            wanted: if settings.start_as_master { State::Master } else { State::Backup },
            ordered: Ordered::default(),
            interventions: Vec::new(),
            weights: BTreeMap::new(),
            priority: settings.priority,
            conceded: false,
            source: settings.source,
            master: None,
            master_interval: settings.advert_interval,
            takeover: Reason::NoMaster,
            tolerate_until: None,
            other_owner: None,
            quiet_until: Time::default(),
            resume_until: None,
            contest: None,
            telling: Telling::default(),
            ready: false,
            answers: Answers::default(),
            addresses_set: false,
            announced: false,
            restorer: Restorer::default(),
            storm: Storm::default(),
            limiter: Limiter::default(),
            rejected: None,
            guard: Guard::new(&settings.auth),
            transmitter: Transmitter::new(&settings),
            timers: Timers::default(),
            actions: VecDeque::new(),
            settings,
        }
    }

    /// Leaves INIT: to FAULT, BACKUP or, as an owner with `state MASTER`, MASTER at once (RFC 9568 §6.4.1).
    ///
    /// Source, weights and faults reported before decide which. Addresses left over from an earlier run are
    /// the driver's business: it removes them before this call.
    pub fn handle_start(&mut self, now: Time) {
        if self.state != State::Init || self.started {
            return;
        }
        self.started = true;
        self.since = now;
        let is_explained =
            [Fault::Address, Fault::Tentative].iter().any(|fault| self.faults.contains_key(fault));
        if self.source.is_none() && !is_explained {
            self.faults.insert(Fault::Address, self.no_address());
        }
        self.follow_faults(now);
    }

    /// What the wall clock shows. Only with `auth_hmac` it matters: then tell it before the start, and before every input
    /// after which it may have been set.
    pub fn handle_clock(&mut self, now: Time, utc: Utc) {
        self.guard.set_clock(now, utc);
    }

    /// One IP packet for our VRID and of our family, as read from a socket, header included.
    pub fn handle_packet(&mut self, now: Time, packet: &[u8]) {
        self.accept_packet(now, packet);
    }

    /// As [`Self::handle_packet`]. Returns whether it had an effect, as an advertisement that counts or on what is sent next;
    /// all others have none but on counters and log lines.
    pub fn accept_packet(&mut self, now: Time, packet: &[u8]) -> bool {
        // RFC 9568 §6.4.1 (6.4.1-3): not processed, and not counted, before a start or in FAULT.
        if !matches!(self.state, State::Backup | State::Master) {
            return false;
        }
        let sequence = self.guard.header_sequence();
        let verdict = self.judge(now, packet);
        let Some(verdict) = verdict else { return false };
        validate::count(&verdict, &self.counters);
        let is_accepted = verdict.is_ok();
        match verdict {
            Ok(advert) if self.source == Some(advert.source) => self.complain_of_our_address(now, &advert),
            Ok(advert) => {
                self.follow_checksum(&advert);
                self.note_differences(now, &advert);
                self.note_clock(now, advert.source);
                match self.state {
                    State::Master => self.heard_as_master(now, &advert),
                    _ => self.heard_as_backup(now, &advert),
                }
            }
            // RFC 9568 §7.1 (7.1-6): no effect on the machine, no timer restarted.
            Err(reject) => {
                self.fall_out_of_step(packet, &reject);
                self.complain_of_packet(now, packet, &reject);
            }
        }
        is_accepted || self.guard.header_sequence() != sequence
    }

    /// Carries out what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((timer, due)) = self.timers.expire(now) {
            match timer {
                // An operator's maintenance: the end of it sets the timer anew.
                Timer::MasterDown if self.is_in_maintenance() => {}
                Timer::MasterDown if self.is_held_back(now) => {}
                // RFC 9568 §6.4.2 (6.4.2-7).
                Timer::MasterDown => self.take_over(now),
                // RFC 9568 §6.4.3 (6.4.3-9).
                Timer::Advert if self.settings.is_replaced(now.since(due)) => self.resign(now, due),
                Timer::Advert => {
                    self.answers.may_advertise_again();
                    self.send_advert(now, self.priority);
                    self.timers.set(Timer::Advert, next_period(due, self.settings.advert_interval, now));
                }
                Timer::GarpBurst => self.announce(self.settings.garp.repeat),
                Timer::GarpRefresh => {
                    self.announce(self.settings.garp.refresh_repeat);
                    self.timers.set(Timer::GarpRefresh, next_period(due, self.settings.garp.refresh, now));
                }
                Timer::GarpExtra => {
                    self.announce_elsewhere();
                    self.timers.set(Timer::GarpExtra, next_period(due, self.settings.garp.extra, now));
                }
                Timer::GarpLowerPriority => self.announce(self.settings.garp.lower_prio_repeat),
                Timer::InstallRetry => self.actions.push_back(Action::InstallAddresses),
                Timer::ContestOver => self.rival_silent(now),
                Timer::ResumeOver => self.give_up_resumption(),
            }
        }
    }

    /// A tracker's `contribution` to the priority, 0 when it has none. It shows in the next advertisements of a
    /// MASTER and moves the timer of a BACKUP. An owner's priority never changes (RFC 9568 §5.2.4).
    pub fn handle_weight(&mut self, now: Time, tracker: Tracker, contribution: i32) {
        self.weights.insert(tracker, contribution);
        self.update_priority(now);
    }

    /// The end. A MASTER releases its mastership with priority 0 and removes its addresses, unless `release` is
    /// false (`--dont-release-vrrp`). Nothing happens afterwards, whatever is handed in.
    pub fn handle_shutdown(&mut self, now: Time, release: bool) {
        if self.state == State::Stop {
            return;
        }
        if self.state == State::Master {
            if release {
                // RFC 9568 §6.4.3 (6.4.3-8); whoever is not MASTER says nothing, §6.4.2 (6.4.2-6).
                self.release(now);
                self.leave_master();
            } else {
                self.end_contest(ContestEnd::Left);
                self.counters.add(Counter::ReleaseMaster);
            }
        }
        if release {
            self.give_up_resumption();
        }
        self.timers.stop_all();
        self.ready = false;
        self.change(now, State::Stop, Reason::Shutdown);
    }

    /// The next thing to be done.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The copies of an advertisement, if to send them is all that is to be done: a MASTER's usual round.
    pub fn poll_advert(&mut self) -> Option<Vec<Outgoing>> {
        let is_all = self.actions.len() == 1;
        match self.actions.pop_front()? {
            Action::Send(copies) if is_all => Some(copies),
            other => {
                self.actions.push_front(other);
                None
            }
        }
    }

    /// Who sent the packet that was rejected last, and how that was counted. Told once.
    pub fn poll_rejected(&mut self) -> Option<(IpAddr, Counter)> {
        self.rejected.take()
    }

    /// When [`Self::handle_timeout`] must be called; `None` while nothing is awaited.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// What is true of the instance now.
    pub fn status(&self) -> InstanceStatus {
        InstanceStatus {
            state: self.shown_state(),
            wanted: self.wanted,
            base_priority: Some(self.settings.priority),
            ordered: self.ordered,
            effective_priority: Some(self.priority),
            addresses_set: self.addresses_set,
            since: self.since,
            reason: self.reason.clone(),
            source: self.source,
            master: self.master,
            adopted_interval: self.adopted_interval(),
            contest: self.contest,
            signature: self.guard.signature(),
            faults: self.shown_faults(),
            contributions: self.weights.iter().map(|(t, w)| (*t, *w)).filter(|(_, w)| *w != 0).collect(),
            tolerates_until: self.tolerate_until,
            interventions: self.interventions.clone(),
        }
    }

    /// Whether the state is MASTER.
    pub fn is_master(&self) -> bool {
        self.state == State::Master
    }

    /// What outputs show: a router that waits for the first result of a script or for its address is shown in FAULT,
    /// silently.
    fn shown_state(&self) -> State {
        if self.is_waiting() { State::Fault } else { self.state }
    }

    /// The first state in which the router takes part.
    fn begin(&mut self, now: Time) {
        let starts_as_master =
            self.settings.is_owner() && self.settings.start_as_master && !self.stands_aside();
        if let Some(delay) = self.quiet_for(now) {
            return self.begin_quietly(now, delay, starts_as_master);
        }
        if starts_as_master && self.settings.membership != Membership::Member {
            // RFC 9568 §6.4.1 (6.4.1-1).
            self.become_master(now, Reason::AddressOwner);
            return;
        }
        // RFC 9568 §6.4.1 (6.4.1-2).
        self.become_backup(now, Reason::Started);
        if starts_as_master {
            self.takeover = Reason::AddressOwner;
            self.take_over(now);
        }
    }

    /// Becomes MASTER when it is alone; a member of a sync group waits until all are ready, or until a master is heard.
    fn take_over(&mut self, now: Time) {
        if !self.is_member() {
            return self.become_master(now, self.takeover.clone());
        }
        self.timers.stop(Timer::MasterDown);
        self.ready = true;
        self.wanted = State::Master;
    }

    /// Changes the state and has it published. The caller has done what leaving the old state takes.
    fn change(&mut self, now: Time, to: State, reason: Reason) {
        debug_assert!(LEGAL.contains(&(self.state, to)), "{} to {to}", self.state);
        let change = Change { from: self.state, to, reason: reason.clone(), priority: self.priority };
        self.actions.push_back(Action::Transition(change));
        self.state = to;
        if to != State::Backup || self.wanted == State::Fault {
            self.wanted = to;
        }
        self.since = now;
        self.reason = Some(reason);
    }

    /// Sends one advertisement: all of its copies count as one.
    fn send_advert(&mut self, now: Time, priority: Priority) {
        let Some(source) = self.source else { return };
        let copies = self.transmitter.advert(&mut self.guard, now, source, priority);
        self.actions.push_back(Action::Send(copies));
        self.counters.add(Counter::AdvertSent);
        if priority == Priority::RELEASE {
            self.counters.add(Counter::PriorityZeroSent);
        }
    }

    fn master_down_interval(&self) -> Duration {
        master_down_interval(
            self.settings.version,
            self.settings.down_timer_adverts,
            self.skew_priority(),
            self.master_interval,
        )
    }

    /// The priority that the skew is made from: an owner's even when it has conceded. Who stands aside goes last.
    fn skew_priority(&self) -> Priority {
        if self.stands_aside() {
            return Priority(1);
        }
        if self.settings.is_owner() { Priority::OWNER } else { self.priority }
    }

    /// Recomputes the effective priority from the configured one, the trackers and a concession.
    fn update_priority(&mut self, now: Time) {
        let sum = self
            .weights
            .values()
            .fold(i32::from(self.settings.priority.0) + self.adjustment(), |a, b| a.saturating_add(*b));
        let priority = match (self.settings.is_owner(), self.conceded) {
            (true, false) => Priority::OWNER,
            (true, true) => Priority::MAX_NON_OWNER,
            // RFC 9568 §5.2.4 (5.2.4-2): clamped, so that it fits.
            (false, _) => Priority(u8::try_from(sum.clamp(1, 254)).unwrap_or(1)),
        };
        if priority == self.priority {
            return;
        }
        let before = self.master_down_interval();
        let old = std::mem::replace(&mut self.priority, priority);
        if let Some(at) = self.timers.get(Timer::MasterDown) {
            let shifted = at + self.master_down_interval() - before;
            self.timers.set(Timer::MasterDown, shifted.max(now));
        }
        if self.state != State::Stop {
            self.tell(Reason::Priority { from: old, to: priority });
        }
    }

    /// Takes over the interval of the master just accepted (RFC 9568 §6.4.2 (6.4.2-9)).
    fn adopt_interval(&mut self, now: Time, advert: &Accepted) {
        if self.settings.version == Version::V2 || advert.interval == self.master_interval {
            return;
        }
        let old = std::mem::replace(&mut self.master_interval, advert.interval).as_millis();
        let new = advert.interval.as_millis();
        self.detail(
            now,
            (advert.source, Matter::NewInterval),
            format_args!("advertisement interval updated from {old}ms to {new}ms by master"),
        );
        if advert.interval != self.settings.advert_interval {
            let (sender, down) = (advert.source, self.master_down_interval().as_millis());
            self.complain(
                now,
                (sender, Matter::AdoptedInterval),
                format_args!(
                    "goes by the interval of {sender}, {new}ms: its silence is noticed after {down}ms"
                ),
            );
        }
    }

    /// The interval of the master that a BACKUP goes by, if it is not its own.
    fn adopted_interval(&self) -> Option<Duration> {
        let is_adopted = self.state == State::Backup && self.master_interval != self.settings.advert_interval;
        is_adopted.then_some(self.master_interval)
    }

    /// Logs what is odd about an advertisement that is used all the same (RFC 9568 §7.1 (7.1-8, 7.1-9, 7.1-11)).
    fn note_differences(&mut self, now: Time, advert: &Accepted) {
        let sender = advert.source;
        match advert.addresses {
            AddressList::Same => {}
            AddressList::Count { ours, theirs } => self.complain(
                now,
                (sender, Matter::AddressList),
                format_args!("advertisement from {sender} has {theirs} addresses, we have {ours}"),
            ),
            AddressList::Lacks(address) => self.complain(
                now,
                (sender, Matter::AddressList),
                format_args!("advertisement from {sender} does not have our address {address}"),
            ),
        }
        if advert.interval != self.settings.advert_interval {
            let (theirs, ours) = (advert.interval.as_millis(), self.settings.advert_interval.as_millis());
            self.complain(
                now,
                (sender, Matter::OtherInterval),
                format_args!("router {sender} advertises every {theirs}ms, we are configured for {ours}ms"),
            );
        }
    }

    /// Logs that the sender of an advertisement that was believed has a clock that soon may be too wrong.
    fn note_clock(&mut self, now: Time, sender: IpAddr) {
        let Some((age, window)) = self.guard.alarming_age() else { return };
        let ahead = if age < 0 { "ahead of" } else { "behind" };
        let seconds = age.unsigned_abs();
        self.complain(
            now,
            (sender, Matter::Clock),
            format_args!("the clock of {sender} is {seconds} s {ahead} ours, {window} s are allowed"),
        );
    }

    fn complain_of_packet(&mut self, now: Time, packet: &[u8], reject: &Reject) {
        let sender = Header::parse(packet).map_or(Ipv4Addr::UNSPECIFIED.into(), |header| header.source);
        self.rejected = reject.counter().map(|counter| (sender, counter));
        self.complain(
            now,
            (sender, Matter::from(reject)),
            format_args!("packet from {sender} rejected: {reject}"),
        );
    }

    /// An advertisement from our own source address: somebody else has it, or the network sends ours back to us.
    /// In neither case does it say anything about another master.
    fn complain_of_our_address(&mut self, now: Time, advert: &Accepted) {
        let about = (advert.source, Matter::OurAddress);
        let rest = "received from remote host with our IP address.";
        if advert.priority == self.priority {
            self.complain(now, about, format_args!("WARNING - equal priority advert {rest}"));
        } else {
            let theirs = advert.priority;
            self.complain(now, about, format_args!("WARNING - advert of priority {theirs} {rest}"));
        }
    }

    /// Logs a warning about a sender, unless it is one of many.
    fn complain(&mut self, now: Time, about: (IpAddr, Matter), text: fmt::Arguments<'_>) {
        self.log_limited(now, (Level::Warning, false), about, text);
    }

    /// Logs what a sender has brought about, unless it is one of many.
    fn inform(&mut self, now: Time, about: (IpAddr, Matter), text: fmt::Arguments<'_>) {
        self.log_limited(now, (Level::Info, false), about, text);
    }

    /// Logs a detail about a sender, unless it is one of many.
    fn detail(&mut self, now: Time, about: (IpAddr, Matter), text: fmt::Arguments<'_>) {
        self.log_limited(now, (Level::Info, true), about, text);
    }

    fn log_limited(
        &mut self,
        now: Time,
        (level, detail): (Level, bool),
        (sender, matter): (IpAddr, Matter),
        text: fmt::Arguments<'_>,
    ) {
        match self.limiter.admit(now, sender, matter) {
            None => {}
            Some(0) => self.write(level, (detail, true), text),
            Some(more) => {
                self.write(
                    level,
                    (detail, true),
                    format_args!("{text} ({more} more since the last such line)"),
                );
            }
        }
    }

    fn log(&mut self, level: Level, detail: bool, text: fmt::Arguments<'_>) {
        self.write(level, (detail, false), text);
    }

    fn write(&mut self, level: Level, (detail, provoked): (bool, bool), text: fmt::Arguments<'_>) {
        let text = format!("({}) {text}", self.settings.name);
        self.actions.push_back(Action::Log(Log { level, detail, provoked, text }));
    }

    fn is_unicast(&self) -> bool {
        matches!(self.settings.destination, Destination::Unicast(_))
    }
}

#[cfg(test)]
mod tests;
