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

mod member;

pub use self::member::{GroupAction, Member, Order};
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
    /// What is being seen to, and how many members have been looked at for it.
    step: Step,
    looked_at: usize,
    /// The member that announced its addresses, when the others are still to do so.
    announced: Option<usize>,
    now: Time,
}

/// What a group sees to, one after the other. An order for one step undoes nothing of those before it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Everybody has to know of the fault, and of the wait, of another; of two one is always another.
    Tell { faulty: Pair, pending: Pair },
    /// All have to go where one has gone.
    Move(Goal),
    /// All have to announce their addresses, if one has.
    Announce,
    /// Nothing is left.
    Settled,
}

/// Where the members have to go.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// Nowhere.
    Stay,
    /// All are MASTER or ready for it.
    Master,
    /// This member is no longer MASTER, or never was ready.
    Backup(usize),
}

/// The first two members of a kind.
type Pair = [Option<usize>; 2];

impl SyncGroup {
    /// A group of members with these names, none of which has started.
    pub fn new(members: impl IntoIterator<Item = String>) -> Self {
        Self {
            members: members.into_iter().map(|name| (name, Member::default())).collect(),
            status: GroupStatus::default(),
            moved: 0,
            step: Step::Settled,
            looked_at: 0,
            announced: None,
            now: Time::default(),
        }
    }

    /// The group with these members instead, as they are now; its own state is what it was. What the members are to one
    /// another now follows with [`Self::poll_action`].
    pub fn regroup(&self, now: Time, members: impl IntoIterator<Item = (String, Member)>) -> Self {
        let status = self.status.clone();
        let mut group = Self { members: members.into_iter().collect(), status, now, ..Self::new([]) };
        let goes_on = !group.any(|member| member.state == State::Stop);
        group.begin(if goes_on { group.tell() } else { Step::Announce });
        group
    }

    /// Whether neither the group nor any member has had a state yet.
    pub fn has_not_begun(&self) -> bool {
        self.status.state == State::Init && !self.any(|member| member.state != State::Init)
    }

    /// Something happened to a member, and this is what it is like now.
    pub fn handle_member(&mut self, now: Time, position: usize, member: Member) {
        if self.members[position].1 == member && self.announced.is_none() {
            return;
        }
        self.now = now;
        self.moved = position;
        self.members[position].1 = member;
        // A member that has stopped moves nobody, and nobody moves it.
        let goes_on = !self.any(|member| member.state == State::Stop);
        self.begin(if goes_on { self.tell() } else { Step::Announce });
    }

    /// A member has carried out an order, and this is what it is like now.
    pub fn handle_obeyed(&mut self, position: usize, member: Member) {
        self.members[position].1 = member;
    }

    /// A member has announced its addresses because of a router that should give way. Its [`Self::handle_member`]
    /// follows.
    pub fn handle_announced(&mut self, position: usize) {
        self.announced = Some(position);
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
        loop {
            if let Some((position, order)) = self.next_order() {
                return Some(GroupAction::Order(position, order));
            }
            match self.step {
                Step::Tell { .. } => self.begin(Step::Move(self.goal())),
                Step::Move(_) => self.begin(Step::Announce),
                Step::Announce => {
                    self.begin(Step::Settled);
                    self.announced = None;
                    return self.conclude().map(GroupAction::Transition);
                }
                Step::Settled => return None,
            }
        }
    }

    /// Whether nothing is to be done: the status is what it was.
    pub fn is_settled(&self) -> bool {
        matches!(self.step, Step::Settled)
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

    fn begin(&mut self, step: Step) {
        self.step = step;
        self.looked_at = 0;
    }

    fn enter(&mut self, to: State, reason: Reason) -> Change {
        let from = std::mem::replace(&mut self.status.state, to);
        self.status.since = self.now;
        self.status.reason = Some(reason.clone());
        // Priority 0 is what keepalived tells of a group.
        Change { from, to, reason, priority: Priority(0) }
    }

    /// The first thing in which a member is not as the step demands. The one that moved comes first, then the others in
    /// their order.
    fn next_order(&mut self) -> Option<(usize, Order)> {
        while self.looked_at < self.members.len() {
            let position = match self.looked_at {
                0 => self.moved,
                next if next <= self.moved => next - 1,
                next => next,
            };
            let demand = self.demand(position);
            // A member may have to be told more than once; that it announces cannot be seen in it.
            if demand.is_none() || demand == Some(Order::Announce) {
                self.looked_at += 1;
            }
            if let Some(order) = demand {
                return Some((position, order));
            }
        }
        None
    }

    /// What a member has to do for the step, if anything.
    fn demand(&self, position: usize) -> Option<Order> {
        let member = &self.members[position].1;
        match self.step {
            Step::Tell { faulty, pending } => {
                let other = faulty.into_iter().flatten().find(|other| *other != position);
                let wait = pending.into_iter().flatten().any(|other| other != position);
                // What is missing is said before what has come back, or a member would leave FAULT in between.
                if wait && !member.told_to_wait {
                    Some(Order::Wait(true))
                } else if !self.knows_fault(member, other) {
                    Some(Order::Fault(other.and_then(|other| self.fault(other))))
                } else {
                    (!wait && member.told_to_wait).then_some(Order::Wait(false))
                }
            }
            Step::Move(Goal::Master) => (member.state == State::Backup).then_some(Order::Master),
            Step::Move(Goal::Backup(fell)) => {
                (member.state == State::Master).then(|| Order::Backup(self.follows(fell)))
            }
            Step::Announce => {
                self.announced.is_some_and(|source| source != position).then_some(Order::Announce)
            }
            Step::Move(Goal::Stay) | Step::Settled => None,
        }
    }

    fn tell(&self) -> Step {
        Step::Tell {
            faulty: self.first_two(|member| member.fault.is_some()),
            pending: self.first_two(|member| member.pending),
        }
    }

    /// Whether a member was told of the fault of `other`, or that there is none.
    fn knows_fault(&self, member: &Member, other: Option<usize>) -> bool {
        match (&member.told_of_fault, other) {
            (None, None) => true,
            (Some(Reason::Member { member, reason }), Some(other)) => {
                let (name, other) = &self.members[other];
                member == name && other.fault.as_ref() == Some(&**reason)
            }
            _ => false,
        }
    }

    fn goal(&self) -> Goal {
        let falls = |member: &Member| member.state == State::Backup && !member.ready;
        if self.any(|member| !matches!(member.state, State::Backup | State::Master)) {
            return Goal::Stay;
        }
        let moved = Some(self.moved).filter(|moved| falls(&self.members[*moved].1));
        match moved.or_else(|| self.first_two(falls)[0]) {
            Some(fell) => Goal::Backup(fell),
            None => Goal::Master,
        }
    }

    /// The state that the group is in now, if it is another one.
    fn conclude(&mut self) -> Option<Change> {
        self.status.held_back_by = self.holds_back();
        let state = self.common_state().filter(|state| *state != self.status.state)?;
        let reason = match state {
            State::Stop => Reason::Shutdown,
            State::Fault => {
                let [first, _] = self.first_two(|member| member.fault.is_some());
                first.and_then(|first| self.fault(first)).unwrap_or(Reason::Started)
            }
            _ => self.follows(self.moved),
        };
        Some(self.enter(state, reason))
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

    /// The reason to follow a member.
    fn follows(&self, position: usize) -> Reason {
        let (name, member) = &self.members[position];
        match &member.reason {
            Some(
                reason @ (Reason::Member { .. } | Reason::Started | Reason::AddressOwner | Reason::Resumed),
            ) => reason.clone(),
            Some(reason) => because(name, reason),
            None => Reason::Started,
        }
    }

    /// A member's fault, as the others are told of it.
    fn fault(&self, position: usize) -> Option<Reason> {
        let (name, member) = &self.members[position];
        member.fault.as_ref().map(|reason| because(name, reason))
    }

    /// Who keeps a member that is ready from becoming MASTER.
    fn holds_back(&self) -> Option<String> {
        if !self.any(|member| member.ready) {
            return None;
        }
        let [holds, _] = self.first_two(|member| member.state == State::Backup && !member.ready);
        holds.map(|holds| self.members[holds].0.clone())
    }

    fn any(&self, holds: impl Fn(&Member) -> bool) -> bool {
        self.members.iter().any(|(_, member)| holds(member))
    }

    fn first_two(&self, holds: impl Fn(&Member) -> bool) -> Pair {
        let mut found = self.members.iter().enumerate().filter(|(_, (_, member))| holds(member));
        std::array::from_fn(|_| found.next().map(|(position, _)| position))
    }
}

fn because(member: &str, reason: &Reason) -> Reason {
    Reason::Member { member: member.to_owned(), reason: Box::new(reason.clone()) }
}

#[cfg(test)]
mod tests;
