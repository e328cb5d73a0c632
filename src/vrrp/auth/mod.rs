//! Authentication of advertisements: what an instance proves its own with, and judges others' by.
//!
//! [`header`] is the IP authentication header of `auth_type AH`. A [`Guard`] is the state of one instance: what an
//! attacker may not be able to say twice has to be remembered. The room decides, and never sends or counts: the
//! transmitter and [`validate`](super::validate) ask it.

pub mod header;

use subtle::ConstantTimeEq as _;

use self::header::Association;
use super::{
    Auth,
    ip::Header,
    packet::{AuthType, View},
    validate::Reject,
};
use crate::units::Version;

/// The authentication of one instance.
#[derive(Clone, Debug)]
pub struct Guard(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// None.
    Open,
    /// `auth_type PASS`.
    Password(Auth),
    /// `auth_type AH`.
    Header(Box<Association>),
}

/// What one advertisement is sealed with; all of its copies share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// Nothing beside the message.
    None,
    /// An authentication header with this sequence number.
    Header(u32),
}

impl Seal {
    /// Bytes between the IP header and the message.
    pub(super) fn header_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Header(_) => header::LEN,
        }
    }
}

impl Guard {
    /// The authentication that the configuration asks for, before the first packet.
    pub fn new(auth: &Auth) -> Self {
        Self(match auth {
            Auth::None => Kind::Open,
            Auth::Pass(_) => Kind::Password(auth.clone()),
            Auth::Header(password) => Kind::Header(Box::new(Association::new(password))),
        })
    }

    /// What the next advertisement is sealed with.
    pub(super) fn seal(&mut self) -> Seal {
        match &mut self.0 {
            Kind::Open | Kind::Password(_) => Seal::None,
            Kind::Header(association) => Seal::Header(association.next()),
        }
    }

    /// Seals a copy, a whole IPv4 packet whose message is in place and that has room for the header before it.
    pub(super) fn close(&self, seal: Seal, packet: &mut [u8]) {
        if let (Kind::Header(association), Seal::Header(sequence)) = (&self.0, seal) {
            association.close(sequence, packet);
        }
    }

    /// The instance becomes MASTER.
    pub(super) fn mastership_begins(&mut self) {
        if let Kind::Header(association) = &mut self.0 {
            association.mastership_begins();
        }
    }

    /// Whether an authentication header is there if and only if one is asked for.
    pub(super) fn check_presence(&self, header: &Header) -> Result<(), Reject> {
        match (&self.0, header.authentication.is_some()) {
            (Kind::Header(_), false) => Err(Reject::NoHeader),
            (Kind::Open | Kind::Password(_), true) => Err(Reject::UnexpectedHeader),
            _ => Ok(()),
        }
    }

    /// Judges what version 2 says in the message itself (RFC 2338 §5.3.6 and §7.1) and in its authentication
    /// header. The packet ends with the message.
    pub(super) fn judge(&mut self, view: &View<'_>, header: &Header, packet: &[u8]) -> Result<(), Reject> {
        if view.version() != Version::V2.number() {
            return Ok(());
        }
        let found = view.auth_type();
        if let AuthType::Unknown(number) = found {
            return Err(Reject::UnknownAuthType(number));
        }
        let ours = self.auth_type();
        if found != ours {
            return Err(Reject::AuthType { ours, found });
        }
        match (&mut self.0, view.auth_data()) {
            (Kind::Open, _) => Ok(()),
            (Kind::Password(Auth::Pass(password)), Some(data)) if password.ct_eq(data).into() => Ok(()),
            // Over IPv6 there is no place for a password.
            (Kind::Password(_), _) => Err(Reject::Password),
            (Kind::Header(association), _) => association.judge(header, packet),
        }
    }

    /// What the message of version 2 says of its authentication.
    pub(super) fn auth_type(&self) -> AuthType {
        match self.0 {
            Kind::Open => AuthType::None,
            Kind::Password(_) => AuthType::Password,
            Kind::Header(_) => AuthType::Header,
        }
    }
}
