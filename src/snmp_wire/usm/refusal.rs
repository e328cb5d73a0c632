//! What the authoritative engine makes of a message, and what it says to one that is no good (RFC 3414 §3.2, RFC 3412 §7.1 (3)).

use agentx::{Oid, Value, VarBind};

use super::{
    super::{
        pdu::{Kind, Pdu},
        v3::{Incoming, Level, Scoped},
    },
    Engine, User,
};

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownEngine,
    UnknownUser,
    UnsupportedLevel,
    WrongDigest,
    NotInTime,
    Undecipherable,
    /// There is no PDU in it.
    Malformed,
    UnknownHandler,
    UnknownContext,
}

/// Reads a message for `engine`, where it is `time`, which says that it is from `user`, if there is one of that name.
pub(crate) fn open(
    engine: &Engine,
    time: u32,
    user: Option<&User>,
    incoming: &Incoming<'_>,
) -> Result<Scoped, Refusal> {
    if engine.id.is_empty() || incoming.engine != engine.id {
        return Err(Refusal::UnknownEngine);
    }
    let user = user.ok_or(Refusal::UnknownUser)?;
    if incoming.level > user.level() {
        return Err(Refusal::UnsupportedLevel);
    }
    if incoming.level > Level::Plain {
        if !user.has_signed(incoming) {
            return Err(Refusal::WrongDigest);
        }
        if !engine.is_timely(time, incoming.moment) {
            return Err(Refusal::NotInTime);
        }
    }
    let is_hidden = incoming.level == Level::Private;
    incoming.open(user).ok_or(if is_hidden { Refusal::Undecipherable } else { Refusal::Malformed })
}

impl Refusal {
    /// The object that counts it, which a Report of it carries; nobody is told of what is no message.
    pub(crate) const fn counter(self) -> &'static [u32] {
        match self {
            Self::UnsupportedLevel => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0],
            Self::NotInTime => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0],
            Self::UnknownUser => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0],
            Self::UnknownEngine => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0],
            Self::WrongDigest => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0],
            Self::Undecipherable => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0],
            Self::UnknownHandler => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0],
            Self::UnknownContext => &[1, 3, 6, 1, 6, 3, 12, 1, 5, 0],
            Self::Malformed => &[],
        }
    }

    /// The one that a Report tells of.
    pub(crate) fn told_by(report: &Pdu) -> Option<Self> {
        let all = [
            Self::UnsupportedLevel,
            Self::NotInTime,
            Self::UnknownUser,
            Self::UnknownEngine,
            Self::WrongDigest,
            Self::Undecipherable,
            Self::UnknownHandler,
            Self::UnknownContext,
        ];
        let name = &report.varbinds.first()?.name;
        all.into_iter().find(|refusal| name.subids() == refusal.counter())
    }

    /// How the Report is protected: who is late hears the time with a signature (RFC 3414 §3.2 (7)).
    pub(crate) fn level(self, asked: Level) -> Level {
        match self {
            Self::NotInTime => Level::Signed,
            Self::UnknownHandler | Self::UnknownContext => asked,
            _ => Level::Plain,
        }
    }

    /// The Report, with how often it has been so; `None` when nobody is to hear.
    pub(crate) fn report(self, incoming: &Incoming<'_>, count: u32) -> Option<Pdu> {
        if !incoming.reportable || self == Self::Malformed {
            return None;
        }
        let varbinds = vec![VarBind::new(Oid::try_from(self.counter()).ok()?, Value::Counter32(count))];
        let request_id = incoming.plain().map_or(0, |scoped| scoped.pdu.request_id);
        Some(Pdu::new(Kind::Report, request_id, varbinds))
    }
}
