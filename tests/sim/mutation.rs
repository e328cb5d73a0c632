//! Machines with a broken rule, and a broken network: what the watch must notice. The machine itself is whole; its inputs and
//! its actions are bent on their way.

use steadfast::{
    config::{AntiReplay, SignatureMode},
    registry::{Reason, State},
    units::Priority,
    vrrp::{Action, Auth, Input, Order, Settings},
};

use crate::watch::{Cause, Claim, Invariant};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Believes packets that were damaged.
    AnswersGarbage,
    /// Believes what was signed long ago.
    LivesInThePast,
    /// Believes who does not sign.
    TrustsAnybody,
    /// Says that somebody else was the reason.
    BlamesAnother,
    /// Changes to FAULT are told, but have no effect on the machine.
    IgnoresFaults,
    /// Sets its addresses before it says that it is MASTER.
    AddressesFirst,
    /// Leaves its addresses where they are.
    KeepsAddresses,
    /// Counts what the trackers add with the wrong sign.
    MisreadsTrackers,
    /// Has a higher priority than it was configured with.
    Exaggerates,
    /// As MASTER it does not hear who is better.
    Stubborn,
    /// Preempts although it must not.
    Preempts,
    /// Takes a master for dead after one advertisement that it misses.
    Impatient,
    /// As MASTER it never notices that the time is over.
    Sleeps,
    /// Does not hear priority 0.
    DeafToReleases,
    /// Leaves without a word.
    LeavesSilently,
    /// Says when it becomes MASTER so, and then nothing any more.
    FallsSilent,
    /// Advertises four times each time.
    Babbles,
    /// Announces whatever happens.
    Announces,
    /// Never announces its addresses.
    NeverAnnounces,
    /// Does not follow the others of its sync group.
    DisobeysGroup,
    /// Waits for ever in BACKUP.
    Shy,
    /// Hears nobody.
    Deaf,
    /// The network loses everything when it is said to be healthy.
    NetworkGone,
    /// Never preempts.
    TooModest,
    /// Takes over whenever its skew time is over.
    Restless,
}

/// Each broken rule with the rule of the watch that notices it.
pub(crate) const TABLE: [(Mutation, Invariant); 25] = [
    (Mutation::AnswersGarbage, Invariant::Garbage),
    (Mutation::LivesInThePast, Invariant::Garbage),
    (Mutation::TrustsAnybody, Invariant::Garbage),
    (Mutation::BlamesAnother, Invariant::Cause),
    (Mutation::IgnoresFaults, Invariant::Fault),
    (Mutation::AddressesFirst, Invariant::Order),
    (Mutation::KeepsAddresses, Invariant::Addresses),
    (Mutation::MisreadsTrackers, Invariant::Priority),
    (Mutation::Exaggerates, Invariant::Priority),
    (Mutation::Stubborn, Invariant::GivesWay),
    (Mutation::Preempts, Invariant::NoPreempt),
    (Mutation::Impatient, Invariant::TooEarly),
    (Mutation::Shy, Invariant::Silence),
    (Mutation::DeafToReleases, Invariant::Skew),
    (Mutation::LeavesSilently, Invariant::Release),
    (Mutation::Sleeps, Invariant::AdvertGap),
    (Mutation::FallsSilent, Invariant::AdvertGap),
    (Mutation::Babbles, Invariant::AdvertRate),
    (Mutation::Announces, Invariant::GarpRate),
    (Mutation::NeverAnnounces, Invariant::Announced),
    (Mutation::DisobeysGroup, Invariant::Group),
    (Mutation::Deaf, Invariant::OneMaster),
    (Mutation::NetworkGone, Invariant::OneMaster),
    (Mutation::TooModest, Invariant::Best),
    (Mutation::Restless, Invariant::Flap),
];

impl Mutation {
    /// Whether only the look at the whole network at the end is to notice it: the watch of each router, which would
    /// be faster, is left out.
    pub(crate) fn is_seen_from_above(self) -> bool {
        matches!(self, Self::Deaf | Self::NetworkGone | Self::TooModest | Self::Restless)
    }

    /// What the machine is configured with.
    pub(crate) fn settings(self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Auth::Signed(signatures) = &mut settings.auth {
            match self {
                Self::LivesInThePast => signatures.anti_replay = AntiReplay::Time { window: 300 },
                Self::TrustsAnybody if signatures.mode == SignatureMode::Enforce => {
                    signatures.mode = SignatureMode::Permissive;
                }
                _ => {}
            }
        }
        match self {
            Self::Preempts => settings.preempt = true,
            Self::TooModest if !settings.start_as_master => settings.preempt = false,
            Self::Impatient => settings.down_timer_adverts = 1,
            Self::Restless => settings.down_timer_adverts = 0,
            Self::Exaggerates if !settings.is_owner() => {
                settings.priority = Priority(settings.priority.0.saturating_add(1).min(254));
            }
            _ => {}
        }
        settings
    }

    /// What the machine hears of an input.
    pub(crate) fn input(self, input: Input, cause: &Cause, state: State) -> Option<Input> {
        let release = matches!(cause, Cause::Packet(Some(Claim { priority: Priority::RELEASE, .. })));
        let packet = matches!(cause, Cause::Packet(Some(_)));
        match (self, input) {
            (Self::IgnoresFaults, Input::Fault(_, Some(Reason::InterfaceDown { .. }))) => None,
            (Self::MisreadsTrackers, Input::Weight(tracker, sum)) => Some(Input::Weight(tracker, -sum)),
            (Self::Stubborn, Input::Packet(_)) if packet && state == State::Master => None,
            (Self::DeafToReleases, Input::Packet(_)) if release => None,
            (Self::Deaf, Input::Packet(_)) => None,
            (Self::DisobeysGroup, Input::Order(Order::Backup(_))) => None,
            (Self::Sleeps, Input::Timeout) if state == State::Master => None,
            (Self::Shy, Input::Timeout) if state == State::Backup => None,
            (_, input) => Some(input),
        }
    }

    /// What becomes of an action, after an input.
    pub(crate) fn action(self, action: Action, cause: &Cause) -> Vec<Action> {
        let garbage = matches!(cause, Cause::Packet(None));
        match (self, action) {
            (Self::AnswersGarbage, log @ Action::Log(_)) if garbage => {
                vec![log, Action::Announce { repeat: 1 }]
            }
            (Self::BlamesAnother, Action::Transition(mut change)) if change.is_move() => {
                if let Reason::MasterDown { master } = &mut change.reason {
                    *master = [192, 0, 2, 1].into();
                }
                vec![Action::Transition(change)]
            }
            (Self::AddressesFirst, Action::Transition(change)) if change.to == State::Master => {
                vec![Action::InstallAddresses, Action::Transition(change)]
            }
            (Self::KeepsAddresses, Action::WithdrawAddresses)
            | (Self::NeverAnnounces, Action::Announce { .. }) => Vec::new(),
            (Self::LeavesSilently, Action::Send(_)) if !matches!(cause, Cause::Timeout) => Vec::new(),
            (Self::FallsSilent, Action::Send(_)) if matches!(cause, Cause::Timeout) => Vec::new(),
            (Self::Babbles, Action::Send(copies)) => vec![Action::Send(copies); 4],
            (Self::Announces, advert @ Action::Send(_)) => vec![Action::Announce { repeat: 20 }, advert],
            (_, action) => vec![action],
        }
    }
}
