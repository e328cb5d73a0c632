//! The eighteen PDUs (RFC 2741 §6.2).

use super::header::{HEADER_LEN, Header, PduType};
use super::reader::Reader;
use super::writer::Writer;
use super::{ByteOrder, CloseReason, ErrorCode, InvalidPdu};
use crate::oid::Oid;
use crate::value::{Value, VarBind};

/// The most VarBinds or SearchRanges accepted in one PDU. A range takes 8 bytes on the wire and many times
/// that in memory; net-snmp's 64 KiB PDUs hold at most 8,192 of them.
pub const MAX_ITEMS: usize = 8192;

/// One PDU: header, optional context, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdu {
    /// The header; its `kind` and `has_context` are set from `body` and `context` when writing.
    pub header: Header,
    /// The SNMP context; net-snmp sends an empty one and means the default.
    pub context: Option<Vec<u8>>,
    /// The rest.
    pub body: Body,
}

/// What a PDU carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the RFC's own names")]
pub enum Body {
    Open(Open),
    Close(Close),
    Register(Register),
    Unregister(Unregister),
    Get(Vec<SearchRange>),
    GetNext(Vec<SearchRange>),
    GetBulk(GetBulk),
    TestSet(Vec<VarBind>),
    CommitSet,
    UndoSet,
    CleanupSet,
    Notify(Vec<VarBind>),
    Ping,
    IndexAllocate(Vec<VarBind>),
    IndexDeallocate(Vec<VarBind>),
    AddAgentCaps { id: Oid, description: Vec<u8> },
    RemoveAgentCaps { id: Oid },
    Response(Response),
}

/// Asks for a session (§6.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Seconds the master should wait for answers; 0 for its default.
    pub timeout: u8,
    /// Who the subagent is; may be null.
    pub id: Oid,
    /// The same for people, a DisplayString.
    pub description: Vec<u8>,
}

/// Ends a session (§6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// Why.
    pub reason: CloseReason,
}

/// Claims a region of the MIB (§6.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Seconds; 0 for the session's.
    pub timeout: u8,
    /// 1 to 255, 127 by default; the smaller one is served.
    pub priority: u8,
    /// The region.
    pub subtree: Oid,
    /// The 1-based place of the sub-identifier that is a range, and the range's upper bound.
    pub range: Option<(u8, u32)>,
}

/// Gives a region back (§6.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unregister {
    /// As registered.
    pub priority: u8,
    /// As registered.
    pub subtree: Oid,
    /// As registered.
    pub range: Option<(u8, u32)>,
}

/// From where to where to look (§5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRange {
    /// The wanted name (Get), or the one to go on from (GetNext).
    pub start: Oid,
    /// Whether `start` itself may be the answer of a GetNext.
    pub include: bool,
    /// The first name that is no answer any more; null for no limit.
    pub end: Oid,
}

/// Several GetNexts in one (§6.2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBulk {
    /// How many of the first ranges are asked once.
    pub non_repeaters: u16,
    /// How often the others are.
    pub max_repetitions: u16,
    /// The ranges.
    pub ranges: Vec<SearchRange>,
}

/// The answer to any other PDU (§6.2.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The master's sysUpTime in hundredths of a second; a subagent sends 0.
    pub sys_up_time: u32,
    /// What went wrong.
    pub error: ErrorCode,
    /// The 1-based place of the VarBind that went wrong, 0 for none.
    pub index: u16,
    /// The answers, in the order of the ranges asked.
    pub varbinds: Vec<VarBind>,
}

/// The fixed part of a Response, all that a subagent needs of the master's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHead {
    /// The master's sysUpTime in hundredths of a second.
    pub sys_up_time: u32,
    /// What went wrong.
    pub error: ErrorCode,
    /// Where.
    pub index: u16,
}

impl Pdu {
    /// Reads one PDU that fills `bytes`.
    ///
    /// # Errors
    /// [`InvalidPdu`], which names the field.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidPdu> {
        let (header, len) = Header::read(bytes)?;
        let mut reader = Reader::new(bytes, header.order);
        reader.take(HEADER_LEN, "header")?;
        let payload = reader.take(len, "payload")?;
        reader.all("PDU")?;
        Self::read_payload(header, payload)
    }

    /// Reads the payload that follows `header`.
    ///
    /// # Errors
    /// [`InvalidPdu`], which names the field.
    pub fn read_payload(header: Header, payload: &[u8]) -> Result<Self, InvalidPdu> {
        let mut reader = Reader::new(payload, header.order);
        let context = header.read_context(&mut reader)?;
        let body = Body::read(header.kind, reader)?;
        Ok(Self { header, context, body })
    }

    /// Appends the PDU to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let mut writer = Writer::new(out, self.header.order);
        let header =
            Header { kind: self.body.kind(), has_context: self.context.is_some(), ..self.header.clone() };
        header.write(&mut writer);
        if let Some(context) = &self.context {
            writer.octets(context);
        }
        self.body.write(&mut writer);
        let payload = writer.len() - start - HEADER_LEN;
        writer.patch_u32(start + HEADER_LEN - 4, u32::try_from(payload).unwrap_or(u32::MAX));
    }

    /// The PDU's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

impl Header {
    fn read_context(&self, reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, InvalidPdu> {
        self.has_context.then(|| reader.octets("context").map(<[u8]>::to_vec)).transpose()
    }
}

impl ResponseHead {
    /// Reads the fixed part of the Response whose header is `header`; whatever follows it is left alone
    /// (net-snmp echoes the VarBinds of what it answers).
    ///
    /// # Errors
    /// [`InvalidPdu::Missing`] when the payload is shorter than that.
    pub fn read(header: &Header, payload: &[u8]) -> Result<Self, InvalidPdu> {
        let mut reader = Reader::new(payload, header.order);
        header.read_context(&mut reader)?;
        Self::read_fields(&mut reader)
    }

    fn read_fields(reader: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        Ok(Self {
            sys_up_time: reader.u32("res.sysUpTime")?,
            error: ErrorCode::from(reader.u16("res.error")?),
            index: reader.u16("res.index")?,
        })
    }
}

impl Body {
    /// The PDU type this body belongs to.
    #[must_use]
    pub fn kind(&self) -> PduType {
        match self {
            Self::Open(_) => PduType::Open,
            Self::Close(_) => PduType::Close,
            Self::Register(_) => PduType::Register,
            Self::Unregister(_) => PduType::Unregister,
            Self::Get(_) => PduType::Get,
            Self::GetNext(_) => PduType::GetNext,
            Self::GetBulk(_) => PduType::GetBulk,
            Self::TestSet(_) => PduType::TestSet,
            Self::CommitSet => PduType::CommitSet,
            Self::UndoSet => PduType::UndoSet,
            Self::CleanupSet => PduType::CleanupSet,
            Self::Notify(_) => PduType::Notify,
            Self::Ping => PduType::Ping,
            Self::IndexAllocate(_) => PduType::IndexAllocate,
            Self::IndexDeallocate(_) => PduType::IndexDeallocate,
            Self::AddAgentCaps { .. } => PduType::AddAgentCaps,
            Self::RemoveAgentCaps { .. } => PduType::RemoveAgentCaps,
            Self::Response(_) => PduType::Response,
        }
    }

    /// Reads the whole of `reader` as the body of a `kind`.
    fn read(kind: PduType, mut reader: Reader<'_>) -> Result<Self, InvalidPdu> {
        let r = &mut reader;
        let (body, what) = match kind {
            PduType::Open => (Self::Open(Open::read(r)?), "Open"),
            PduType::Close => (Self::Close(Close::read(r)?), "Close"),
            PduType::Register => (Self::Register(Register::read(r)?), "Register"),
            PduType::Unregister => (Self::Unregister(Unregister::read(r)?), "Unregister"),
            PduType::Get => (Self::Get(read_ranges(r)?), "Get"),
            PduType::GetNext => (Self::GetNext(read_ranges(r)?), "GetNext"),
            PduType::GetBulk => (Self::GetBulk(GetBulk::read(r)?), "GetBulk"),
            PduType::TestSet => (Self::TestSet(read_varbinds(r)?), "TestSet"),
            PduType::CommitSet => (Self::CommitSet, "CommitSet"),
            PduType::UndoSet => (Self::UndoSet, "UndoSet"),
            PduType::CleanupSet => (Self::CleanupSet, "CleanupSet"),
            PduType::Notify => (Self::Notify(read_varbinds(r)?), "Notify"),
            PduType::Ping => (Self::Ping, "Ping"),
            PduType::IndexAllocate => (Self::IndexAllocate(read_varbinds(r)?), "IndexAllocate"),
            PduType::IndexDeallocate => (Self::IndexDeallocate(read_varbinds(r)?), "IndexDeallocate"),
            PduType::AddAgentCaps => {
                let (id, _) = r.oid("a.id")?;
                (Self::AddAgentCaps { id, description: r.octets("a.descr")?.to_vec() }, "AddAgentCaps")
            }
            PduType::RemoveAgentCaps => (Self::RemoveAgentCaps { id: r.oid("a.id")?.0 }, "RemoveAgentCaps"),
            PduType::Response => (Self::Response(Response::read(r)?), "Response"),
            PduType::Unknown(number) => return Err(InvalidPdu::PduType(number)),
        };
        reader.all(what)?;
        Ok(body)
    }

    fn write(&self, w: &mut Writer<'_>) {
        match self {
            Self::Open(open) => open.write(w),
            Self::Close(close) => {
                w.u8(close.reason.into());
                w.zeros(3);
            }
            Self::Register(register) => register.write(w),
            Self::Unregister(unregister) => unregister.write(w),
            Self::Get(ranges) | Self::GetNext(ranges) => write_ranges(w, ranges),
            Self::GetBulk(bulk) => {
                w.u16(bulk.non_repeaters);
                w.u16(bulk.max_repetitions);
                write_ranges(w, &bulk.ranges);
            }
            Self::TestSet(varbinds)
            | Self::Notify(varbinds)
            | Self::IndexAllocate(varbinds)
            | Self::IndexDeallocate(varbinds) => write_varbinds(w, varbinds),
            Self::CommitSet | Self::UndoSet | Self::CleanupSet | Self::Ping => {}
            Self::AddAgentCaps { id, description } => {
                w.oid(id, false);
                w.octets(description);
            }
            Self::RemoveAgentCaps { id } => w.oid(id, false),
            Self::Response(response) => {
                w.u32(response.sys_up_time);
                w.u16(response.error.into());
                w.u16(response.index);
                write_varbinds(w, &response.varbinds);
            }
        }
    }
}

impl Open {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        let timeout = r.u8("o.timeout")?;
        r.take(3, "o.reserved")?;
        let (id, _) = r.oid("o.id")?;
        Ok(Self { timeout, id, description: r.octets("o.descr")?.to_vec() })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.timeout);
        w.zeros(3);
        w.oid(&self.id, false);
        w.octets(&self.description);
    }
}

impl Close {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        let reason = CloseReason::from(r.u8("c.reason")?);
        r.take(3, "c.reserved")?;
        Ok(Self { reason })
    }
}

impl Register {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        let timeout = r.u8("r.timeout")?;
        let priority = r.u8("r.priority")?;
        let (subtree, range) = read_region(r)?;
        Ok(Self { timeout, priority, subtree, range })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.timeout);
        w.u8(self.priority);
        write_region(w, &self.subtree, self.range);
    }
}

impl Unregister {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        r.u8("u.reserved")?;
        let priority = r.u8("u.priority")?;
        let (subtree, range) = read_region(r)?;
        Ok(Self { priority, subtree, range })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.u8(0);
        w.u8(self.priority);
        write_region(w, &self.subtree, self.range);
    }
}

fn read_region(r: &mut Reader<'_>) -> Result<(Oid, Option<(u8, u32)>), InvalidPdu> {
    let range_subid = r.u8("range_subid")?;
    r.u8("reserved")?;
    let (subtree, _) = r.oid("subtree")?;
    let range = match range_subid {
        0 => None,
        place => Some((place, r.u32("upper_bound")?)),
    };
    Ok((subtree, range))
}

fn write_region(w: &mut Writer<'_>, subtree: &Oid, range: Option<(u8, u32)>) {
    w.u8(range.map_or(0, |(place, _)| place));
    w.u8(0);
    w.oid(subtree, false);
    if let Some((_, upper_bound)) = range {
        w.u32(upper_bound);
    }
}

impl GetBulk {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        Ok(Self {
            non_repeaters: r.u16("g.non_repeaters")?,
            max_repetitions: r.u16("g.max_repetitions")?,
            ranges: read_ranges(r)?,
        })
    }
}

impl Response {
    fn read(r: &mut Reader<'_>) -> Result<Self, InvalidPdu> {
        let head = ResponseHead::read_fields(r)?;
        let ResponseHead { sys_up_time, error, index } = head;
        Ok(Self { sys_up_time, error, index, varbinds: read_varbinds(r)? })
    }
}

fn read_ranges(r: &mut Reader<'_>) -> Result<Vec<SearchRange>, InvalidPdu> {
    let mut ranges = Vec::new();
    while !r.is_empty() {
        if ranges.len() == MAX_ITEMS {
            return Err(InvalidPdu::TooMany("SearchRangeList"));
        }
        let (start, include) = r.oid("range.start")?;
        let (end, _) = r.oid("range.end")?;
        ranges.push(SearchRange { start, include, end });
    }
    Ok(ranges)
}

fn write_ranges(w: &mut Writer<'_>, ranges: &[SearchRange]) {
    for range in ranges {
        w.oid(&range.start, range.include);
        w.oid(&range.end, false);
    }
}

fn read_varbinds(r: &mut Reader<'_>) -> Result<Vec<VarBind>, InvalidPdu> {
    let mut varbinds = Vec::new();
    while !r.is_empty() {
        if varbinds.len() == MAX_ITEMS {
            return Err(InvalidPdu::TooMany("VarBindList"));
        }
        let kind = r.u16("v.type")?;
        r.u16("v.reserved")?;
        let (name, _) = r.oid("v.name")?;
        varbinds.push(VarBind { name, value: read_value(kind, r)? });
    }
    Ok(varbinds)
}

fn read_value(kind: u16, r: &mut Reader<'_>) -> Result<Value, InvalidPdu> {
    Ok(match kind {
        2 => Value::Integer(r.u32("v.data")?.cast_signed()),
        4 => Value::OctetString(r.octets("v.data")?.to_vec()),
        5 => Value::Null,
        6 => Value::ObjectIdentifier(r.oid("v.data")?.0),
        64 => {
            let bytes = r.octets("v.data")?;
            Value::IpAddress(bytes.try_into().map_err(|_| InvalidPdu::IpAddressLength(bytes.len()))?)
        }
        65 => Value::Counter32(r.u32("v.data")?),
        66 => Value::Gauge32(r.u32("v.data")?),
        67 => Value::TimeTicks(r.u32("v.data")?),
        68 => Value::Opaque(r.octets("v.data")?.to_vec()),
        70 => Value::Counter64(r.u64("v.data")?),
        128 => Value::NoSuchObject,
        129 => Value::NoSuchInstance,
        130 => Value::EndOfMibView,
        unknown => return Err(InvalidPdu::VarBindType(unknown)),
    })
}

fn write_varbinds(w: &mut Writer<'_>, varbinds: &[VarBind]) {
    for VarBind { name, value } in varbinds {
        w.u16(value_type(value));
        w.u16(0);
        w.oid(name, false);
        match value {
            Value::Integer(number) => w.u32(number.cast_unsigned()),
            Value::OctetString(bytes) | Value::Opaque(bytes) => w.octets(bytes),
            Value::ObjectIdentifier(oid) => w.oid(oid, false),
            Value::IpAddress(bytes) => w.octets(bytes),
            Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => w.u32(*number),
            Value::Counter64(number) => w.u64(*number),
            Value::Null | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => {}
        }
    }
}

fn value_type(value: &Value) -> u16 {
    match value {
        Value::Integer(_) => 2,
        Value::OctetString(_) => 4,
        Value::Null => 5,
        Value::ObjectIdentifier(_) => 6,
        Value::IpAddress(_) => 64,
        Value::Counter32(_) => 65,
        Value::Gauge32(_) => 66,
        Value::TimeTicks(_) => 67,
        Value::Opaque(_) => 68,
        Value::Counter64(_) => 70,
        Value::NoSuchObject => 128,
        Value::NoSuchInstance => 129,
        Value::EndOfMibView => 130,
    }
}

impl Header {
    /// A header for a PDU of our own; `kind` and context are filled in by [`Pdu::write`].
    #[must_use]
    pub fn new(kind: PduType, order: ByteOrder) -> Self {
        Self {
            kind,
            flags: super::Flags::default(),
            has_context: false,
            order,
            session_id: 0,
            transaction_id: 0,
            packet_id: 0,
        }
    }
}
