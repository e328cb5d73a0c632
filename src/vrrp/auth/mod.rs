//! Authentication of advertisements: what an instance proves its own with, and judges others' by.
//!
//! [`header`] is the IP authentication header of `auth_type AH`, [`trailer`] and [`signature`] are `auth_hmac`. A [`Guard`] is
//! the state of one instance: what an attacker may not be able to say twice has to be remembered. The room decides, and never
//! sends or counts: the transmitter and [`validate`](super::validate) ask it.

pub mod header;
mod replay;
pub(crate) mod reseal;
pub mod signature;
pub mod trailer;

use std::net::IpAddr;

use subtle::ConstantTimeEq as _;

use self::{header::Association, signature::Signer};
use super::{
    Auth,
    ip::Header,
    packet::{AuthType, View},
    validate::Reject,
};
use crate::{
    registry::SignatureStatus,
    units::{Time, Utc, Version},
};

/// The authentication of one instance.
#[derive(Clone, Debug)]
pub struct Guard {
    kind: Kind,
    /// What the wall clock showed at a moment.
    clock: (Time, Utc),
}

#[derive(Clone, Debug)]
enum Kind {
    /// None.
    Open,
    /// `auth_type PASS`.
    Password(Auth),
    /// `auth_type AH`.
    Header(Box<Association>),
    /// `auth_hmac`.
    Signature(Box<Signer>),
}

/// What one advertisement is sealed with; all of its copies share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// Nothing beside the message.
    None,
    /// An authentication header with this sequence number.
    Header(u32),
    /// This trailer.
    Trailer([u8; trailer::LEN]),
}

impl Seal {
    /// Bytes between the IP header and the message.
    pub(super) fn header_len(&self) -> usize {
        match self {
            Self::None | Self::Trailer(_) => 0,
            Self::Header(_) => header::LEN,
        }
    }

    /// Bytes behind the message.
    pub(super) fn trailer(&self) -> &[u8] {
        match self {
            Self::None | Self::Header(_) => &[],
            Self::Trailer(trailer) => trailer,
        }
    }
}

impl Guard {
    /// The authentication that the configuration asks for, before the first packet.
    pub fn new(auth: &Auth) -> Self {
        let kind = match auth {
            Auth::None => Kind::Open,
            Auth::Pass(_) => Kind::Password(auth.clone()),
            Auth::Header(password) => Kind::Header(Box::new(Association::new(password))),
            Auth::Signed(signatures) => Kind::Signature(Box::new(Signer::new(signatures))),
        };
        Self { kind, clock: (Time::default(), Utc::default()) }
    }

    /// It knows what the wall clock shows from another one.
    pub(super) fn at_the_time_of(self, other: &Self) -> Self {
        Self { clock: other.clock, ..self }
    }

    /// What the wall clock shows `now`. Asked for again when it may have been set.
    pub fn set_clock(&mut self, now: Time, utc: Utc) {
        self.clock = (now, utc);
    }

    fn utc(&self, now: Time) -> Utc {
        let (then, utc) = self.clock;
        Utc(utc.0 + now.since(then))
    }

    /// What an advertisement is sealed with, of which `message` has everything but the checksum.
    pub(super) fn seal(&mut self, now: Time, source: IpAddr, message: impl FnOnce() -> Vec<u8>) -> Seal {
        let utc = self.utc(now);
        match &mut self.kind {
            Kind::Open | Kind::Password(_) => Seal::None,
            Kind::Header(association) => Seal::Header(association.next()),
            Kind::Signature(signer) => signer.sign(utc, source, &message()).map_or(Seal::None, Seal::Trailer),
        }
    }

    /// Puts the authentication header into a copy, a whole IPv4 packet with room for it.
    pub(super) fn close(&self, seal: &Seal, packet: &mut [u8]) {
        if let (Kind::Header(association), Seal::Header(sequence)) = (&self.kind, seal) {
            association.close(*sequence, packet);
        }
    }

    /// The instance becomes MASTER.
    pub(super) fn mastership_begins(&mut self) {
        if let Kind::Header(association) = &mut self.kind {
            association.mastership_begins();
        }
    }

    /// A worse master was heard, which has to believe what is sent next.
    pub(super) fn overtake(&mut self) {
        if let Kind::Header(association) = &mut self.kind {
            association.overtake();
        }
    }

    /// Whether an authentication header is there if and only if one is asked for.
    pub(super) fn check_presence(&self, header: &Header) -> Result<(), Reject> {
        match (&self.kind, header.authentication.is_some()) {
            (Kind::Header(_), false) => Err(Reject::NoHeader),
            (Kind::Open | Kind::Password(_) | Kind::Signature(_), true) => Err(Reject::UnexpectedHeader),
            _ => Ok(()),
        }
    }

    /// The trailer behind a message that ends at `end`: it is one when it has exactly the length.
    pub(super) fn trailer<'a>(&self, packet: &'a [u8], end: usize) -> Option<&'a [u8; trailer::LEN]> {
        let signed = matches!(self.kind, Kind::Signature(_));
        packet.get(end..).filter(|_| signed)?.try_into().ok()
    }

    /// Whether everybody who may be believed has to be configured.
    pub(super) fn knows_its_peers(&self) -> bool {
        matches!(self.kind, Kind::Signature(_))
    }

    /// Judges the trailer of a message, or that there is none.
    pub(super) fn judge_trailer(
        &mut self,
        now: Time,
        source: IpAddr,
        message: &[u8],
        trailer: Option<&[u8; trailer::LEN]>,
    ) -> Result<(), Reject> {
        let utc = self.utc(now);
        let Kind::Signature(signer) = &mut self.kind else { return Ok(()) };
        signer.judge(utc, source, message, trailer).map_err(Reject::Signature)
    }

    /// The sequence number of the authentication header last sent or accepted. Also a packet that is not believed may move
    /// it, if it was made with the key.
    pub(super) fn header_sequence(&self) -> Option<u32> {
        match &self.kind {
            Kind::Header(association) => Some(association.sequence()),
            _ => None,
        }
    }

    /// The packet judged last is believed.
    pub(super) fn believe(&mut self) {
        if let Kind::Signature(signer) = &mut self.kind {
            signer.believe();
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
        match (&mut self.kind, view.auth_data()) {
            (Kind::Open | Kind::Signature(_), _) => Ok(()),
            (Kind::Password(Auth::Pass(password)), Some(data)) if password.ct_eq(data).into() => Ok(()),
            // Over IPv6 there is no place for a password.
            (Kind::Password(_), _) => Err(Reject::Password),
            (Kind::Header(association), _) => association.judge(header, packet),
        }
    }

    /// What the message of version 2 says of its authentication.
    fn auth_type(&self) -> AuthType {
        match self.kind {
            Kind::Open | Kind::Signature(_) => AuthType::None,
            Kind::Password(_) => AuthType::Password,
            Kind::Header(_) => AuthType::Header,
        }
    }

    /// How the advertisement believed last was signed.
    pub(super) fn signature(&self) -> Option<SignatureStatus> {
        match &self.kind {
            Kind::Signature(signer) => signer.status(),
            _ => None,
        }
    }

    /// By how many seconds the clock of the sender believed last is behind ours, when that is more than half of what is
    /// allowed, which comes second.
    pub(super) fn alarming_age(&self) -> Option<(i32, u16)> {
        match &self.kind {
            Kind::Signature(signer) => signer.alarming_age(),
            _ => None,
        }
    }
}
