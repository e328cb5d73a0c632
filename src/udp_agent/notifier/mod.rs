//! Notifications to one receiver: one at a time, in their order, each until it is sent or, an inform, until the receiver has
//! acknowledged it (RFC 3413 §3.3, RFC 3416 §4.2.6 and §4.2.7).
//!
//! | file | what |
//! |---|---|
//! | `say` | the messages: a trap of each version, an inform, a question for the receiver's engine |
//! | `hear` | what the receiver says of them |
//! | `v1` | the notification as SNMPv1 has it (RFC 3584 §3.2) |

mod hear;
mod say;
mod v1;

use std::{fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use agentx::Notification;
use zeroize::Zeroizing;

use crate::snmp_wire::{Credentials, Engine, Passwords, Peer, User};

/// Who is away is not asked more often than that, nor less often: it hears of what it missed soon after it is back.
const RARELY: Duration = Duration::from_secs(15);
/// From one trap to the next. Nobody says that a trap has not arrived, and a receiver's socket holds some hundred of them: an
/// hour that comes at once would be lost in it.
const PACE: Duration = Duration::from_millis(2);
/// How often one message may be said anew because of a Report before it waits for its time like every other: twice is what
/// a receiver asks for that has to be discovered, or has begun anew.
const MOST_TURNS: u32 = 3;
/// From here on numbers begin anew: the numbers of one notification are in one piece.
const LAST_ID: i32 = 0x7fff_0000;

/// Whom to tell, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The version, and who we are there.
    pub protocol: Protocol,
    /// Whether the receiver is to acknowledge. SNMPv1 has no such thing.
    pub inform: bool,
    /// How long an acknowledgement is waited for.
    pub timeout: Duration,
    /// How often an inform is repeated at this pace, before the receiver counts as away and is asked less often.
    pub retries: u32,
}

/// A version of the protocol.
#[derive(Clone, PartialEq, Eq)]
pub enum Protocol {
    /// SNMPv1 with this community.
    V1(Zeroizing<String>),
    /// SNMPv2c with this community.
    V2c(Zeroizing<String>),
    /// SNMPv3 as this user in this context.
    V3(Credentials, String),
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1(_) => "V1",
            Self::V2c(_) => "V2c",
            Self::V3(..) => "V3",
        })
    }
}

/// Who tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Our own engine: its time is that of traps.
    pub engine: Arc<Engine>,
    /// When sysUpTime and snmpEngineTime were 0.
    pub began: Duration,
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The trap has been sent.
    Sent,
    /// The receiver has it.
    Acknowledged,
    /// The receiver does not take it, and would not the next time: error-status.
    Refused(i32),
    /// It has a value that this version cannot say.
    Unsayable,
}

/// What keeps a receiver from hearing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer.
    Silent,
    /// It does not know the user.
    UnknownUser,
    /// Its user signs or encrypts otherwise.
    UnsupportedLevel,
    /// Its user has another password, or another way to sign.
    WrongDigest,
    /// Its user has another password, or another way to encrypt.
    Undecipherable,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the receiver does not acknowledge",
            Self::UnknownUser => "the receiver does not know the user: write the same usm_user there",
            Self::UnsupportedLevel => "the receiver's user does not sign or encrypt like ours: write the same usm_user there",
            Self::WrongDigest => "the receiver's user has another password or protocol to sign with: write the same usm_user there",
            Self::Undecipherable => "the receiver's user has another password or protocol to encrypt with: write the same usm_user there",
        })
    }
}

/// How much has been said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often a notification was sent.
    pub sent: u64,
    /// How often that was one that had been sent before.
    pub repeated: u64,
}

/// The notifications of one receiver, without socket and clock; time is since the beginning of the clock that its owner goes by.
///
/// [`Self::notify`] gives it one whenever it [`is_free`](Self::is_free). [`Self::poll_transmit`] has what to send, and
/// [`Self::handle_sent`] hears whether that was possible; [`Self::handle`] takes what comes back, [`Self::poll_timeout`] says
/// when to ask again, and [`Self::poll_done`] what became of it.
pub struct Notifier {
    target: Target,
    origin: Origin,
    /// Where we send from, for SNMPv1.
    address: Ipv4Addr,
    keys: Passwords,
    /// The user with keys for our engine: who sends traps in SNMPv3.
    user: Option<User>,
    /// Whom informs of SNMPv3 go to, once it is known.
    peer: Option<Peer>,
    current: Option<Current>,
    done: Option<(u64, Outcome)>,
    /// The next trap not before.
    paced_until: Duration,
    last_id: i32,
    /// Of the last message that was encrypted.
    salt: u64,
    counts: Counts,
    trouble: Option<Trouble>,
}

/// The notification that is on its way.
#[derive(Debug)]
struct Current {
    notification: Notification,
    /// request-id, and the first of the msgIDs that it is sent under.
    first_id: i32,
    /// How often it was its time.
    tries: u32,
    /// How often it was said anew since then.
    turns: u32,
    /// When it is said, or said again.
    due: Duration,
    /// It is due because of what the receiver said.
    is_turn: bool,
    /// What was made last is the notification itself, and no question for the engine.
    is_said: bool,
    /// It has been sent before.
    is_repeated: bool,
}

impl Notifier {
    /// Nothing is on its way yet. The seed is for what nobody should foresee.
    pub fn new(target: Target, origin: Origin, seed: u64) -> Self {
        let mut keys = Passwords::default();
        let user = match &target.protocol {
            Protocol::V3(credentials, _) if !target.inform => {
                Some(credentials.user(&origin.engine, &mut keys))
            }
            _ => None,
        };
        Self {
            target,
            origin,
            address: Ipv4Addr::UNSPECIFIED,
            keys,
            user,
            peer: None,
            current: None,
            done: None,
            paced_until: Duration::ZERO,
            last_id: i32::try_from(seed >> 34).unwrap_or_default(),
            salt: seed,
            counts: Counts::default(),
            trouble: None,
        }
    }

    /// Whether it takes the next notification.
    pub fn is_free(&self) -> bool {
        self.current.is_none() && self.done.is_none()
    }

    /// What has been said.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What keeps the receiver from hearing anything, if anything does.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// From where it is sent.
    pub fn set_address(&mut self, address: Ipv4Addr) {
        self.address = address;
    }

    /// The next notification, when it [`is_free`](Self::is_free).
    pub fn notify(&mut self, now: Duration, notification: Notification) {
        if self.last_id >= LAST_ID {
            self.last_id = 0;
        }
        self.current = Some(Current {
            notification,
            first_id: self.last_id + 1,
            tries: 0,
            turns: 0,
            due: now.max(self.paced_until),
            is_turn: false,
            is_said: false,
            is_repeated: false,
        });
    }

    /// When there is something to send again.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.current.as_ref().map(|current| current.due)
    }

    /// What has become of the notification, once.
    pub fn poll_done(&mut self) -> Option<(u64, Outcome)> {
        self.done.take()
    }

    /// What is to be sent now, if anything.
    pub fn poll_transmit(&mut self, now: Duration) -> Option<Vec<u8>> {
        let current = self.current.as_mut().filter(|current| current.due <= now)?;
        if !std::mem::take(&mut current.is_turn) {
            (current.tries, current.turns) = (current.tries.saturating_add(1), 0);
            let is_away = self.target.inform && current.tries > self.target.retries.saturating_add(1);
            if is_away {
                self.trouble.get_or_insert(Trouble::Silent);
                // It may be another one by now, or have forgotten its time.
                self.peer = None;
            }
        }
        current.due = now + pause(&self.target, current.tries);
        self.last_id += 1;
        let message = self.message(now);
        if message.is_none() {
            self.finish(Outcome::Unsayable);
        }
        message
    }

    /// What [`Self::poll_transmit`] has said last was sent, or could not be and is said again later.
    pub fn handle_sent(&mut self, now: Duration, sent: bool) {
        let Some(current) = self.current.as_mut().filter(|current| sent && current.is_said) else { return };
        self.counts.sent += 1;
        self.counts.repeated += u64::from(std::mem::replace(&mut current.is_repeated, true));
        if !self.target.inform {
            self.paced_until = now + PACE;
            self.finish(Outcome::Sent);
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(current) = self.current.take() {
            self.done = Some((current.notification.id, outcome));
        }
    }
}

/// How long it is waited for an acknowledgement after so many tries.
fn pause(target: &Target, tries: u32) -> Duration {
    let doublings = tries.saturating_sub(target.retries.saturating_add(1)).min(16);
    target.timeout.saturating_mul(1 << doublings).min(RARELY.max(target.timeout))
}
