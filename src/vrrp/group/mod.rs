//! The machine of a sync group: virtual routers that change state together.
//!
//! ```text
//!   one member in FAULT                 all in FAULT, until the last fault is gone
//!   all ready for MASTER, or there      all MASTER
//!   one leaves MASTER                   all BACKUP
//! ```
//!
//! The group neither hears advertisements nor runs timers. It looks at its members, compares what is with what has to
//! be, and orders one thing at a time until they agree; only then does it have a new state itself. So the stream shows
//! the member that moved, then the others, then the group, as keepalived does.
//!
//! A member whose master down interval is over is *ready*: alone it would be MASTER now. It stays so until it hears a
//! master that it would not preempt. Members that prefer different routers therefore wait for one another, which
//! [`GroupStatus`] shows.

use crate::{
    registry::{Change, GroupStatus, Reason, State},
    units::{Priority, Time},
};

/// A sync group.
///
/// Deterministic, as [`Instance`](super::Instance) is:
///
/// * inputs `handle_*(now, …)` say how a member is;
/// * output `poll_action`, until it returns `None`, after every input. An order is carried out with
///   [`Instance::handle_order`](super::Instance::handle_order), and what comes of it told with [`Self::handle_obeyed`]
///   before the next action is asked for.
/// * the getter `status`: what the registry shows.
#[derive(Debug)]
pub struct SyncGroup {
    members: Vec<(String, Member)>,
    status: GroupStatus,
    /// The member that something happened to last: the others follow it.
    moved: usize,
    /// Everybody but this member is to announce its addresses; how far that has come.
    announcing: Option<(usize, usize)>,
    now: Time,
}

/// What a group sees of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its state.
    pub state: State,
    /// Started, but still in INIT: a script has no result yet.
    pub is_waiting: bool,
    /// It would be MASTER if it were alone.
    pub ready: bool,
    /// An owner among owners.
    pub begins_as_master: bool,
    /// A fault of its own.
    pub fault: Option<Reason>,
    /// A script of its own has no result yet.
    pub pending: bool,
    /// It knows that another member is in FAULT.
    pub told_of_fault: bool,
    /// It knows that another member waits for a script.
    pub told_to_wait: bool,
    /// Why it is in its state.
    pub reason: Option<Reason>,
}

/// What a group orders a member to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Become MASTER, when ready.
    Master,
    /// Leave MASTER: another member did.
    Backup(Reason),
    /// Another member is in FAULT, or (`None`) no other member is any more.
    Fault(Option<Reason>),
    /// Whether another member waits for the first result of a script.
    Wait(bool),
    /// Announce the addresses, when MASTER: another member heard a router that should give way.
    Announce,
}

/// What a group wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupAction {
    /// Hand the order to the member of that position.
    Order(usize, Order),
    /// Publish a change of the group's state.
    Transition(Change),
}

impl SyncGroup {
    /// A group of members with these names, none of which has started.
    pub fn new(members: impl IntoIterator<Item = String>) -> Self {
        Self {
            members: members.into_iter().map(|name| (name, Member::default())).collect(),
            status: GroupStatus::default(),
            moved: 0,
            announcing: None,
            now: Time::default(),
        }
    }

    /// Something happened to a member, and this is what it is like now.
    pub fn handle_member(&mut self, now: Time, position: usize, member: Member) {
        self.now = now;
        self.moved = position;
        self.members[position].1 = member;
    }

    /// A member has carried out an order, and this is what it is like now.
    pub fn handle_obeyed(&mut self, position: usize, member: Member) {
        self.members[position].1 = member;
    }

    /// A member has announced its addresses because of a router that should give way.
    pub fn handle_announced(&mut self, position: usize) {
        self.announcing = Some((position, 0));
    }

    /// The members are about to start, and everything that keeps one from it is known: the group goes first, unless it
    /// has to wait and see.
    pub fn handle_start(&mut self, now: Time) -> Option<Change> {
        self.now = now;
        if self.any(|member| member.begins_as_master || member.fault.is_some() || member.pending) {
            return None;
        }
        Some(self.enter(State::Backup, Reason::Started))
    }

    /// The next thing to be done.
    pub fn poll_action(&mut self) -> Option<GroupAction> {
        if let Some((position, order)) = self.next_order() {
            return Some(GroupAction::Order(position, order));
        }
        if let Some(position) = self.next_announcer() {
            return Some(GroupAction::Order(position, Order::Announce));
        }
        self.status.held_back_by = self.holds_back();
        let state = self.common_state().filter(|state| *state != self.status.state)?;
        let reason = self.reason_of(state);
        Some(GroupAction::Transition(self.enter(state, reason)))
    }

    /// What is true of the group now. One that waits for the first result of a script is shown in FAULT, as its members
    /// are.
    pub fn status(&self) -> GroupStatus {
        let is_waiting = self.status.state == State::Init && self.any(|member| member.is_waiting);
        GroupStatus {
            state: if is_waiting { State::Fault } else { self.status.state },
            ..self.status.clone()
        }
    }

    fn enter(&mut self, to: State, reason: Reason) -> Change {
        let from = std::mem::replace(&mut self.status.state, to);
        self.status.since = self.now;
        self.status.reason = Some(reason.clone());
        // Priority 0 is what keepalived tells of a group.
        Change { from, to, reason, priority: Priority(0) }
    }

    /// The first thing in which a member is not as the others demand.
    fn next_order(&self) -> Option<(usize, Order)> {
        if self.any(|member| member.state == State::Stop) {
            return None;
        }
        self.tell_of_faults().or_else(|| self.tell_to_move())
    }

    fn tell_of_faults(&self) -> Option<(usize, Order)> {
        self.positions().find_map(|position| {
            let member = &self.members[position].1;
            let fault = self.fault_elsewhere(position);
            if fault.is_some() != member.told_of_fault {
                return Some((position, Order::Fault(fault)));
            }
            let others = || self.members.iter().enumerate().filter(|(other, _)| *other != position);
            let wait = others().any(|(_, (_, other))| other.pending);
            (wait != member.told_to_wait).then_some((position, Order::Wait(wait)))
        })
    }

    fn tell_to_move(&self) -> Option<(usize, Order)> {
        if self.any(|member| !matches!(member.state, State::Backup | State::Master)) {
            return None;
        }
        let first = |state| self.positions().find(|position| self.members[*position].1.state == state);
        let backup = first(State::Backup)?;
        if !self.any(|member| member.state == State::Backup && !member.ready) {
            return Some((backup, Order::Master));
        }
        let fell = self.positions().find(|position| {
            let member = &self.members[*position].1;
            member.state == State::Backup && !member.ready
        })?;
        Some((first(State::Master)?, Order::Backup(self.follows(fell))))
    }

    /// Who has still to announce its addresses.
    fn next_announcer(&mut self) -> Option<usize> {
        let (source, next) = self.announcing.as_mut()?;
        if next == source {
            *next += 1;
        }
        let position = *next;
        *next += 1;
        if position >= self.members.len() {
            self.announcing = None;
            return None;
        }
        Some(position)
    }

    /// The state that all members have; `None` while some have not started or have something to wait for.
    fn common_state(&self) -> Option<State> {
        let all = |state| !self.any(|member| member.state != state);
        if all(State::Master) {
            Some(State::Master)
        } else if all(State::Stop) {
            Some(State::Stop)
        } else if self.any(|member| matches!(member.state, State::Init | State::Stop)) {
            None
        } else if self.any(|member| member.state == State::Fault) {
            Some(State::Fault)
        } else {
            Some(State::Backup)
        }
    }

    /// Why the group is in a state: because of the member that moved first.
    fn reason_of(&self, state: State) -> Reason {
        match state {
            State::Stop => Reason::Shutdown,
            State::Fault => self.fault_elsewhere(usize::MAX).unwrap_or(Reason::Started),
            _ => self.follows(self.moved),
        }
    }

    /// The reason to follow a member.
    fn follows(&self, position: usize) -> Reason {
        let (name, member) = &self.members[position];
        match &member.reason {
            Some(reason @ (Reason::Member { .. } | Reason::Started | Reason::AddressOwner)) => reason.clone(),
            Some(reason) => because(name, reason),
            None => Reason::Started,
        }
    }

    /// The fault of another member than this one.
    fn fault_elsewhere(&self, position: usize) -> Option<Reason> {
        let mut others = self.members.iter().enumerate().filter(|(other, _)| *other != position);
        others.find_map(|(_, (name, member))| Some(because(name, member.fault.as_ref()?)))
    }

    /// Who keeps a member that is ready from becoming MASTER.
    fn holds_back(&self) -> Option<String> {
        let holds = |(_, member): &&(String, Member)| member.state == State::Backup && !member.ready;
        let someone_is_ready = self.any(|member| member.ready);
        someone_is_ready.then(|| self.members.iter().find(holds).map(|(name, _)| name.clone())).flatten()
    }

    fn any(&self, holds: impl Fn(&Member) -> bool) -> bool {
        self.members.iter().any(|(_, member)| holds(member))
    }

    /// Every position: of the member that moved, then of the others in their order.
    fn positions(&self) -> impl Iterator<Item = usize> {
        let moved = self.moved;
        std::iter::once(moved).chain((0..self.members.len()).filter(move |position| *position != moved))
    }
}

fn because(member: &str, reason: &Reason) -> Reason {
    Reason::Member { member: member.to_owned(), reason: Box::new(reason.clone()) }
}

#[cfg(test)]
mod tests;
