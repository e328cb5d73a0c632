//! No change of state without a cause that allows it, and a reason that is true.

use std::time::Duration;

use steadfast::{
    registry::{Change, Reason, State},
    units::Priority,
    vrrp::{Action, Membership},
};

use super::{
    Cause, Claim, Command, Heard, Invariant, Step, Violation, Watch, claim::message, preempts, waiting::skew,
};

impl Watch {
    /// Follows the transitions of a step.
    pub(super) fn check_moves(
        &mut self,
        step: &Step<'_>,
        priority_before: Option<Priority>,
    ) -> Result<(), Violation> {
        let before = self.state;
        let Some(priority) = priority_before else { return self.follow(step) };
        if let (State::Master, Cause::Packet(Some(claim))) = (before, step.cause) {
            let yields = step.actions.iter().any(|action| is_move(action, State::Backup));
            let better = is_better(step, claim, priority) || self.quarrel.concedes;
            if yields != better {
                let text = format!("priority {priority} heard {claim:?}, gave way: {yields}");
                return Err((Invariant::GivesWay, text));
            }
        }
        self.follow(step)
    }

    fn follow(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for (place, action) in step.actions.iter().enumerate() {
            let Action::Transition(change) = action else { continue };
            if !change.is_move() {
                continue;
            }
            if change.from != self.state || !self.allows(step, change) {
                let Change { from, to, reason, .. } = change;
                let text = format!("{from} to {to} ({reason}) by {:?}, was {}", step.cause, self.state);
                return Err((Invariant::Cause, text));
            }
            if change.to == State::Master {
                check_order(&step.actions[..place], step.actions.get(place + 1))?;
                if !matches!(step.cause, Cause::Command(Command::Master)) && change.from == State::Backup {
                    self.check_early(step)?;
                }
            }
            if change.from == State::Master {
                check_release(step, change, place)?;
            }
            self.state = change.to;
        }
        Ok(())
    }

    /// Whether a cause allows a change, and whether its reason is true.
    fn allows(&self, step: &Step<'_>, change: &Change) -> bool {
        use Cause::{Command as By, Condition, Packet, Shutdown, Start, Timeout};
        let is_alone = step.settings.membership == Membership::Alone;
        let begins = self.is_started && !self.is_held();
        let told = match step.cause {
            By(command) => Some(command),
            _ => None,
        };
        match (change.from, change.to) {
            (_, State::Stop) => matches!(step.cause, Shutdown { .. }) && change.reason == Reason::Shutdown,
            (State::Init | State::Fault, State::Backup) => {
                matches!(step.cause, Start | Condition) && begins || told == Some(Command::NoFault)
            }
            (State::Init, State::Master) => {
                let owner = step.settings.is_owner() && step.settings.start_as_master;
                let may = matches!(step.cause, Start | Condition) && begins || told == Some(Command::NoFault);
                owner && may && step.settings.membership != Membership::Member
            }
            (_, State::Fault) => match told {
                Some(command) => command == Command::Fault && matches!(change.reason, Reason::Member { .. }),
                None if matches!(change.reason, Reason::Member { .. }) => self.knows_fault,
                None => {
                    let is_known = self.faults.values().any(|reason| *reason == change.reason);
                    let no_address =
                        matches!(change.reason, Reason::NoAddress { .. } | Reason::SourceMissing { .. });
                    self.fault().is_some() && (is_known || no_address)
                }
            },
            (State::Backup, State::Master) => {
                let may = if is_alone {
                    matches!(step.cause, Timeout)
                } else {
                    told == Some(Command::Master) && self.ready
                };
                may && self.explains(step, &change.reason)
            }
            (State::Master, State::Backup) => match step.cause {
                Packet(Some(claim)) => matches!(&change.reason,
                    Reason::HigherPriority { master, .. } | Reason::HigherAddress { master }
                        if *master == claim.source),
                By(Command::Backup) => matches!(change.reason, Reason::Member { .. } | Reason::Started),
                Timeout => matches!(change.reason, Reason::Stalled { late } if is_replaced(step, late)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether the reason to become MASTER is what was heard last.
    fn explains(&self, step: &Step<'_>, reason: &Reason) -> bool {
        match (self.heard, reason) {
            (Heard::Nobody, Reason::NoMaster) => true,
            (Heard::Nobody, Reason::AddressOwner) => step.settings.is_owner(),
            (Heard::Followed(one) | Heard::Lower(one, _), Reason::MasterDown { master })
            | (Heard::Released(one), Reason::MasterReleased { master }) => one == *master,
            (Heard::Lower(one, theirs), Reason::Preempted { master, priority }) => {
                (one, theirs) == (*master, *priority)
            }
            _ => false,
        }
    }
}

/// `timer_expired_backup`: whether a router that was stalled has been replaced and does not want its mastership back.
fn is_replaced(step: &Step<'_>, late: Duration) -> bool {
    let Step { settings, .. } = *step;
    let Some(backup) = settings.policy.timer_expired_backup else { return false };
    let interval = settings.advert_interval;
    !preempts(settings) && late > interval * settings.down_timer_adverts + skew(settings, backup, interval)
}

fn is_move(action: &Action, to: State) -> bool {
    matches!(action, Action::Transition(change) if change.is_move() && change.to == to)
}

/// Whether a MASTER with this priority has to give way (RFC 9568 §6.4.3).
fn is_better(step: &Step<'_>, claim: Claim, priority: Priority) -> bool {
    claim.priority != Priority::RELEASE
        && (claim.priority, claim.source) > (priority, step.source)
        && claim.source != step.source
}

/// RFC 9568 §6.4.2 (6.4.2-7): the advertisement, then the addresses.
fn check_order(before: &[Action], next: Option<&Action>) -> Result<(), Violation> {
    let is_advert = |action: &Action| matches!(action, Action::Send(_));
    if before.last().is_some_and(is_advert) && matches!(next, Some(Action::InstallAddresses)) {
        return Ok(());
    }
    Err((Invariant::Order, format!("{before:?}, MASTER, {next:?}")))
}

/// RFC 9568 §6.4.3 (6.4.3-8): who stops or fails says so.
fn check_release(step: &Step<'_>, change: &Change, place: usize) -> Result<(), Violation> {
    let leaves = match change.to {
        State::Fault => true,
        State::Stop => matches!(step.cause, Cause::Shutdown { release: true }),
        _ => false,
    };
    let releases = |action: &Action| match action {
        Action::Send(copies) => copies.iter().all(|copy| message(&copy.packet)[2] == Priority::RELEASE.0),
        _ => false,
    };
    if leaves == step.actions[..place].iter().any(releases) {
        return Ok(());
    }
    Err((Invariant::Release, format!("MASTER to {}: {:?}", change.to, step.actions)))
}
