//! SNMPv3 messages (RFC 3412 §6, RFC 3414 §2.4).

use rasn::ber;
use rasn_snmp::v3::{self, HeaderData, ScopedPduData, USMSecurityParameters};

use super::{
    ber::{Malformed, OCTET_STRING, Reader, SEQUENCE},
    encode,
    pdu::Pdu,
    size,
    usm::{Engine, User},
};

/// msgFlags.
const SIGNED: u8 = 1;
const ENCRYPTED: u8 = 2;
const REPORTABLE: u8 = 4;
/// msgSecurityModel of [`super::usm`].
const USM: i32 = 3;
/// The least that everybody must be able to take (RFC 3412 §6).
const LEAST_SIZE: i32 = 484;

/// How much a message is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// noAuthNoPriv.
    Plain,
    /// authNoPriv.
    Signed,
    /// authPriv.
    Private,
}

/// A message as it arrived; its scoped PDU may be encrypted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) id: i32,
    /// The largest message that its sender takes.
    pub(crate) max_size: usize,
    pub(crate) level: Level,
    /// Whether a Report is wanted.
    pub(crate) reportable: bool,
    pub(crate) engine: &'a [u8],
    /// Boots and time of the engine, as the sender knows them.
    pub(crate) moment: (i32, i32),
    pub(crate) user: &'a [u8],
    pub(crate) signature: &'a [u8],
    /// The whole message before the signature and after it.
    pub(crate) around_signature: (&'a [u8], &'a [u8]),
    pub(crate) salt: &'a [u8],
    /// The content of the scoped PDU, or what it is encrypted to.
    data: &'a [u8],
}

/// What a message cannot be read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Malformed,
    /// Another security model.
    OtherModel,
    /// Flags that contradict each other.
    Invalid,
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A scoped PDU, readable.
#[derive(Clone, Debug)]
pub(crate) struct Scoped {
    pub(crate) engine: Vec<u8>,
    pub(crate) context: Vec<u8>,
    pub(crate) pdu: Pdu,
}

impl<'a> Incoming<'a> {
    /// Reads what follows the version in a `datagram`.
    pub(crate) fn read(datagram: &'a [u8], mut reader: Reader<'a>) -> Result<Self, Unreadable> {
        let mut header = reader.sequence("msgGlobalData")?;
        let id = header.integer("msgID")?;
        let max_size = header.integer("msgMaxSize")?;
        let flags = header.octets("msgFlags")?;
        let model = header.integer("msgSecurityModel")?;
        header.end("msgGlobalData")?;
        let (&[flags], true) = (flags, id >= 0 && max_size >= LEAST_SIZE) else {
            return Err(Unreadable::Malformed);
        };
        if model != USM {
            return Err(Unreadable::OtherModel);
        }
        let level = match (flags & SIGNED != 0, flags & ENCRYPTED != 0) {
            (false, false) => Level::Plain,
            (true, false) => Level::Signed,
            (true, true) => Level::Private,
            (false, true) => return Err(Unreadable::Invalid),
        };
        let mut whole = Reader::new(reader.octets("msgSecurityParameters")?);
        let mut usm = whole.sequence("security parameters")?;
        whole.end("security parameters")?;
        let engine = usm.octets("msgAuthoritativeEngineID")?;
        let moment = (usm.integer("boots")?, usm.integer("time")?);
        let user = usm.octets("msgUserName")?;
        let signature = usm.octets("msgAuthenticationParameters")?;
        let salt = usm.octets("msgPrivacyParameters")?;
        usm.end("security parameters")?;
        let kind = if level == Level::Private { OCTET_STRING } else { SEQUENCE };
        let data = reader.content(kind, "msgData")?;
        reader.end("message")?;
        // It is a part of the datagram.
        let before = signature.as_ptr().addr() - datagram.as_ptr().addr();
        let (before, rest) = datagram.split_at_checked(before).ok_or(Unreadable::Malformed)?;
        let after = rest.get(signature.len()..).ok_or(Unreadable::Malformed)?;
        let max_size = usize::try_from(max_size).unwrap_or_default();
        let reportable = flags & REPORTABLE != 0;
        let around_signature = (before, after);
        Ok(Self {
            id,
            max_size,
            level,
            reportable,
            engine,
            moment,
            user,
            signature,
            around_signature,
            salt,
            data,
        })
    }

    /// The scoped PDU, if it is in the clear.
    pub(crate) fn plain(&self) -> Option<Scoped> {
        (self.level != Level::Private).then(|| Scoped::read(Reader::new(self.data)).ok()).flatten()
    }

    /// The scoped PDU, whoever has to decrypt it. What comes of another key is no BER.
    pub(crate) fn open(&self, user: &User) -> Option<Scoped> {
        if self.level != Level::Private {
            return self.plain();
        }
        let moment = (u32::try_from(self.moment.0).ok()?, u32::try_from(self.moment.1).ok()?);
        let data = user.decrypt(moment, self.salt, self.data)?;
        // DES's padding may follow.
        Scoped::read(Reader::new(&data).sequence("scopedPDU").ok()?).ok()
    }
}

impl Scoped {
    fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let engine = reader.octets("contextEngineID")?.to_vec();
        let context = reader.octets("contextName")?.to_vec();
        Ok(Self { engine, context, pdu: Pdu::read(reader)? })
    }
}

/// Everything about an outgoing message but its content.
pub(crate) struct Envelope<'a> {
    pub(crate) id: i32,
    /// The engine whose time counts: that of who answers, or tells without wanting to hear.
    pub(crate) engine: &'a Engine,
    /// snmpEngineTime there.
    pub(crate) time: u32,
    /// The engine whose objects it is about.
    pub(crate) context_engine: &'a [u8],
    /// Who it is signed and encrypted for; nobody, with this name, where there is none.
    pub(crate) user: Result<&'a User, &'a [u8]>,
    pub(crate) level: Level,
    pub(crate) context: &'a [u8],
    /// Never the same twice.
    pub(crate) salt: u64,
}

impl Envelope<'_> {
    /// The message. It is made once: the signature takes the place of zeroes that were there for it.
    pub(crate) fn seal(&self, pdu: &Pdu) -> Option<Vec<u8>> {
        let data = encode::pdu(pdu)?;
        let engine_id = self.context_engine.to_vec().into();
        let scoped = v3::ScopedPdu { engine_id, name: self.context.to_vec().into(), data };
        let (user, name) = match self.user {
            Ok(user) => (Some(user), user.name()),
            Err(name) => (None, name),
        };
        let user = user.filter(|_| self.level > Level::Plain);
        let (scoped_data, salt) = match user {
            Some(user) if self.level == Level::Private => {
                let plain = ber::encode(&scoped).ok()?;
                let (hidden, salt) = user.encrypt((self.engine.boots, self.time), self.salt, plain)?;
                (ScopedPduData::EncryptedPdu(hidden.into()), salt.to_vec())
            }
            _ => (ScopedPduData::CleartextPdu(scoped), Vec::new()),
        };
        let length = user.map_or(0, User::signature_length);
        let salt_length = salt.len();
        let parameters = ber::encode(&USMSecurityParameters {
            authoritative_engine_id: self.engine.id.clone().into(),
            authoritative_engine_boots: self.engine.boots.into(),
            authoritative_engine_time: self.time.into(),
            user_name: name.to_vec().into(),
            authentication_parameters: vec![0; length].into(),
            privacy_parameters: salt.into(),
        });
        let protection = match self.level {
            Level::Plain => 0,
            Level::Signed => SIGNED,
            Level::Private => SIGNED | ENCRYPTED,
        };
        let flags = protection | if pdu.kind.is_confirmed() { REPORTABLE } else { 0 };
        let parameters = parameters.ok()?;
        let global_data = HeaderData {
            message_id: self.id.into(),
            max_size: u32::try_from(super::MAX_MESSAGE).unwrap_or(u32::MAX).into(),
            flags: vec![flags].into(),
            security_model: USM.into(),
        };
        let before = VERSION_LENGTH + ber::encode(&global_data).ok()?.len() + size::element(parameters.len());
        let (version, security_parameters) = (3.into(), parameters.into());
        let message = v3::Message { version, global_data, security_parameters, scoped_data };
        let mut message = ber::encode(&message).ok()?;
        if let Some(user) = user {
            let signature = user.sign(&message);
            // Of the parameters the salt with its header is the last, and the signature the one before.
            let end = (header_length(&message)? + before).checked_sub(SALT_HEADER + salt_length)?;
            message.get_mut(end.checked_sub(length)?..end)?.copy_from_slice(&signature);
        }
        Some(message)
    }
}

/// Bytes of msgVersion.
const VERSION_LENGTH: usize = 3;
/// Bytes before the content of msgPrivacyParameters.
const SALT_HEADER: usize = 2;

/// Bytes before the content of an element.
fn header_length(element: &[u8]) -> Option<usize> {
    let first = element.get(1)?;
    Some(if first & 0x80 == 0 { 2 } else { 2 + usize::from(first & 0x7f) })
}
