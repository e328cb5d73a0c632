//! What must always hold, watched from outside: after every input to an instance the watch compares what it did with what
//! it may do, by a small model of its own that knows the rules but none of the machine's code.

mod belief;
mod claim;
mod moves;
mod owners;
mod rates;
mod together;
mod waiting;

use std::{collections::BTreeMap, net::IpAddr};

use steadfast::{
    config::tracking::Tracker,
    registry::{InstanceStatus, Reason, State},
    units::{Priority, Time},
    vrrp::{Action, Fault, Input, Order, Settings, Source},
};

pub(crate) use self::{
    belief::Belief,
    claim::{Claim, header_length},
};
use self::{claim::Heard, owners::Quarrel, rates::Rates, waiting::Waiting};

/// Makes the enumeration and the list of all of it from one text, so that no rule can be left out of the list.
macro_rules! invariants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The rules, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Invariant {
            $($(#[$doc])* $name,)*
        }

        impl Invariant {
            /// Every rule.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}
invariants! {
    /// A packet that is damaged, or not to be believed, has no effect.
    Garbage,
    /// Every change of state has a cause that allows it, and a reason that is true.
    Cause,
    /// Becoming MASTER is an advertisement, the transition, the addresses, in this order.
    Order,
    /// The virtual addresses are held by exactly the masters.
    Addresses,
    /// The effective priority is what was configured plus what the trackers add, within its limits.
    Priority,
    /// A MASTER that hears a better router gives way.
    GivesWay,
    /// Whoever does not preempt leaves a living master alone.
    NoPreempt,
    /// A router takes over when its master is silent, not earlier.
    TooEarly,
    /// A router takes over when its master is silent, not later.
    Silence,
    /// Priority 0 is answered within the skew time.
    Skew,
    /// Who stops being master for good says so with priority 0.
    Release,
    /// A MASTER advertises every interval.
    AdvertGap,
    /// No more advertisements than one and an answer each interval.
    AdvertRate,
    /// No more gratuitous ARP than the bursts that are configured.
    GarpRate,
    /// A router is in FAULT while something is wrong, and only then.
    Fault,
    /// Members of a sync group are MASTER together, and in FAULT together.
    Group,
    /// On a healthy network there is one master for each virtual router and partition, within the bound.
    OneMaster,
    /// It has the highest priority, where all preempt.
    Best,
    /// On a healthy network nothing changes any more.
    Flap,
    /// A master has announced its addresses.
    Announced,
}

/// A rule that did not hold, and how.
pub(crate) type Violation = (Invariant, String);

/// What was handed in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// A packet; `None` for one that is damaged or not to be believed.
    Packet(Option<Claim>),
    Timeout,
    Start,
    /// Something that says whether the router can take part.
    Condition,
    Weight,
    /// A manager; the settings of the step are those that hold from now on.
    Setting,
    Clock,
    Installed,
    Removed,
    Command(Command),
    Shutdown {
        release: bool,
    },
}

/// The orders of a sync group, without their reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Master,
    Backup,
    Fault,
    NoFault,
    Announce,
}

/// An input and what came of it.
pub(crate) struct Step<'a> {
    /// By the host's clock.
    pub(crate) now: Time,
    /// Until when the host was or is held up, by its clock.
    pub(crate) stalled_until: Time,
    pub(crate) cause: Cause,
    pub(crate) actions: &'a [Action],
    pub(crate) status: InstanceStatus,
    /// It would be MASTER if it were alone.
    pub(crate) ready: bool,
    pub(crate) settings: &'a Settings,
    pub(crate) source: IpAddr,
}

/// What is known from outside of an instance.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    state: State,
    is_started: bool,
    ready: bool,
    /// What is wrong with it, and why.
    faults: BTreeMap<Fault, Reason>,
    /// Its sync group has told it of the fault of another member.
    knows_fault: bool,
    weights: BTreeMap<Tracker, i32>,
    priority: Option<Priority>,
    belief: Belief,
    quarrel: Quarrel,
    /// It sends from a configured address, whether or not that is there.
    sends_anyway: bool,
    /// Until when it neither says nor hears anything.
    quiet_until: Time,
    packet: Option<Claim>,
    heard: Heard,
    waiting: Waiting,
    /// How often it has taken over, or was ready to.
    takeovers: u32,
    rates: Rates,
}

impl Watch {
    /// Its state, as its transitions tell it.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The watch of a router that has not started.
    pub(crate) fn new(settings: &Settings) -> Self {
        let sends_anyway = settings.source.is_some() && !settings.track_source;
        Self { belief: Belief::new(settings), sends_anyway, ..Self::default() }
    }

    /// Notes the packet that is handed in next to the router of that address; `None` for a damaged one. Returns whether it is an intact one that is not to
    /// be believed.
    pub(crate) fn note_packet(&mut self, now: Time, source: IpAddr, packet: Option<&[u8]>) -> bool {
        let hears = matches!(self.state, State::Backup | State::Master) && now >= self.quiet_until;
        let heard = packet.filter(|_| hears);
        let proven = heard.filter(|packet| self.belief.proves(now, packet));
        if let (Some(packet), None, State::Master, Some(priority)) =
            (heard, proven, self.state, self.priority)
        {
            self.belief.note_doubted((priority, source), packet);
        }
        self.packet = proven.filter(|_| !self.belief.ignores_all).map(Claim::of);
        heard.is_some() && self.packet.is_none()
    }

    /// Whom it believes.
    pub(crate) fn belief(&self) -> &Belief {
        &self.belief
    }

    /// What an input that is to be handed in means.
    pub(crate) fn cause(&mut self, now: Time, input: &Input) -> Cause {
        match input {
            Input::Start => {
                self.is_started = true;
                Cause::Start
            }
            Input::Packet(_) => Cause::Packet(self.packet.take()),
            Input::Timeout => Cause::Timeout,
            // No process is killed here.
            Input::Interruption(_) => Cause::Condition,
            Input::Delay(until) => {
                self.quiet_until = *until;
                Cause::Condition
            }
            Input::Source(source) => {
                self.faults.remove(&Fault::Address);
                self.faults.remove(&Fault::Tentative);
                match source {
                    Source::Address(_) => None,
                    Source::Tentative(_) => self.faults.insert(Fault::Tentative, Reason::Started),
                    Source::Missing if self.sends_anyway => None,
                    Source::Missing | Source::Duplicate(_) => {
                        self.faults.insert(Fault::Address, Reason::Started)
                    }
                };
                Cause::Condition
            }
            Input::Fault(fault, reason) => {
                match reason {
                    Some(reason) => self.faults.insert(*fault, reason.clone()),
                    None => self.faults.remove(fault),
                };
                Cause::Condition
            }
            Input::Weight(tracker, contribution) => {
                self.weights.insert(*tracker, *contribution);
                Cause::Weight
            }
            Input::AddressesInstalled(_) => Cause::Installed,
            Input::AddressRemoved(_) | Input::RoutingRemoved(_) => Cause::Removed,
            Input::Clock(utc) => {
                self.belief.set_clock(now, *utc);
                Cause::Clock
            }
            Input::Order(order) => Cause::Command(match order {
                Order::Fault(told) if self.knows(told.is_some()) => Command::Fault,
                Order::Master => Command::Master,
                Order::Backup(_) => Command::Backup,
                Order::Wait(true) => Command::Fault,
                Order::Fault(_) | Order::Wait(false) => Command::NoFault,
                Order::Announce => Command::Announce,
            }),
            // No story has a reload, nor an operator.
            Input::Setting(_)
            | Input::Reload(_)
            | Input::Removal(_)
            | Input::Intervention(_)
            | Input::Relenting(..) => Cause::Setting,
            Input::Shutdown(release) => Cause::Shutdown { release: *release },
        }
    }

    /// Whether it knows now that another member is in FAULT.
    fn knows(&mut self, of_a_fault: bool) -> bool {
        self.knows_fault = of_a_fault;
        of_a_fault
    }

    /// Whether what came of an input is as it must be.
    pub(crate) fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        if let Cause::Packet(None) = step.cause
            && let Some(action) = step.actions.iter().find(|action| !matches!(action, Action::Log(_)))
        {
            return Err((Invariant::Garbage, format!("a packet not to be believed led to {action:?}")));
        }
        let before = self.state;
        let priority_before = self.priority;
        self.priority = step.status.effective_priority;
        self.quarrel.follow(step, before);
        self.check_priority(step)?;
        self.check_late(step)?;
        self.check_moves(step, priority_before)?;
        self.note_sequence(step, before);
        self.hear(step, before, priority_before);
        self.check_ready(step)?;
        self.check_rates(step, before)
    }

    fn check_priority(&self, step: &Step<'_>) -> Result<(), Violation> {
        let configured = step.settings.priority;
        let sum = (i32::from(configured.0) + self.weights.values().sum::<i32>()).clamp(1, 254);
        let expected = match (configured, self.quarrel.has_conceded) {
            (Priority::OWNER, false) => 255,
            (Priority::OWNER, true) => 254,
            _ => sum,
        };
        let found = step.status.effective_priority.map(|priority| i32::from(priority.0));
        if found == Some(expected) {
            return Ok(());
        }
        Err((Invariant::Priority, format!("effective priority {found:?} instead of {expected}")))
    }

    /// Takes note of what the router has said, which others must not say again.
    fn note_sequence(&mut self, step: &Step<'_>, before: State) {
        if let (State::Master, State::Master, Cause::Packet(Some(claim))) = (before, self.state, step.cause)
            && claim.priority != Priority::RELEASE
        {
            self.belief.note_worse();
        }
        for action in step.actions {
            if let Action::Send(copies) = action
                && let Some(copy) = copies.first()
            {
                self.belief.note_sent(&copy.packet);
            }
        }
    }

    /// The router's faults that put it into FAULT.
    fn fault(&self) -> Option<&Fault> {
        self.faults.keys().find(|fault| !is_silent(**fault))
    }

    /// Whether there is anything that keeps the router from taking part.
    pub(crate) fn is_held(&self) -> bool {
        !self.faults.is_empty()
    }
}

/// Whether a fault holds a router that has not begun where it is, and does nothing to one that takes part.
fn is_silent(fault: Fault) -> bool {
    matches!(fault, Fault::Pending(_) | Fault::Tentative | Fault::AwaitingSocket | Fault::GroupPending)
}

/// Whether a router takes over from a lower master, as the machine understands its settings (RFC 9568 §6.1).
fn preempts(settings: &Settings) -> bool {
    settings.preempt || settings.is_owner() || settings.start_as_master
}

/// Whether it may tolerate a lower master for a while.
fn tolerates(settings: &Settings) -> bool {
    settings.preempt && !settings.start_as_master && !settings.preempt_delay.is_zero()
}
