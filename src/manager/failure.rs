//! What can go wrong, and the way out.

use std::io;

use agentx::Oid;

use crate::{mib::Unknown, snmp_wire::Refusal};

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("version 3 needs a user: write -u NAME, with -A PASSWORD and -X PASSWORD as the agent has them")]
    NoUser,
    #[error("messages that are signed need a password: write -A PASSWORD, or -l noAuthNoPriv")]
    NoAuthPassword,
    #[error("messages that are encrypted need another password: write -X PASSWORD, or -l authNoPriv")]
    NoPrivPassword,
    #[error("a password of SNMPv3 has 8 characters or more: write a longer one")]
    ShortPassword,
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("{agent} is not known: {why}; write an address, or a name that this host can look up")]
    UnknownAgent { agent: String, why: io::Error },
    #[error("{agent} cannot be asked: {why}")]
    Socket { agent: String, why: io::Error },
    #[error("nobody answers SNMP at {0}: start snmpd there, or add snmp_agent to the daemon's configuration")]
    Nobody(String),
    #[error(
        "{agent} has not answered (attempts: {tries}): check the community (-c), that it may be used from here, and the way there"
    )]
    Silent { agent: String, tries: u32 },
    #[error("{0}")]
    Report(&'static str),
    #[error("the agent refuses {object}: {error}")]
    Refused { object: String, error: String },
    #[error(
        "the agent goes back from {0} to {1}, and this walk would have no end: ask it with --max-repetitions 0, or tell its maker"
    )]
    Backwards(Oid, Oid),
    #[error("the question cannot be written: an object has 2 to 128 numbers, the first of them 0, 1 or 2")]
    Unsayable,
    #[error("{0} is no address to listen at: write one as 0.0.0.0:162 or [::]:1162")]
    NoAddress(String),
    #[error("nothing can be heard at {address}: {why}; {help}")]
    Listen { address: String, why: io::Error, help: &'static str },
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Report(match refusal {
            Refusal::UnknownUser => {
                "the agent knows no user of this name here: check -u, and from where it may be used"
            }
            Refusal::WrongDigest => "the agent does not believe the signature: check -a and -A",
            Refusal::Undecipherable => "the agent cannot decrypt the question: check -x and -X",
            Refusal::UnsupportedLevel => {
                "the agent has no passwords for this user at this level: write a lower one behind -l"
            }
            Refusal::NotInTime => "the agent's time and starts do not fit what it has said before: ask again",
            Refusal::UnknownEngine => "the agent is another engine than it said: ask again",
            Refusal::UnknownContext => "the agent has no context of this name: check -n",
            Refusal::UnknownHandler | Refusal::Malformed => {
                "the agent has no objects for this engine: ask it for its own"
            }
        })
    }
}

/// What the numbers of error-status are called (RFC 3416 §3).
const ERRORS: [&str; 19] = [
    "noError",
    "tooBig",
    "noSuchName",
    "badValue",
    "readOnly",
    "genErr",
    "noAccess",
    "wrongType",
    "wrongLength",
    "wrongEncoding",
    "wrongValue",
    "noCreation",
    "inconsistentValue",
    "resourceUnavailable",
    "commitFailed",
    "undoFailed",
    "authorizationError",
    "notWritable",
    "inconsistentName",
];

impl Failure {
    /// An answer with an error.
    pub(super) fn refused(error: i32, object: Option<String>) -> Self {
        let known = usize::try_from(error).ok().and_then(|number| ERRORS.get(number));
        let error = known.map_or_else(|| format!("error {error}"), |name| format!("{name} ({error})"));
        Self::Refused { object: object.unwrap_or_else(|| "the question".to_owned()), error }
    }
}
