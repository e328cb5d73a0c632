//! What a rule looks at and does: expressions, evaluated in order until one does not match.

use crate::kernel::attributes::Attributes;

/// Where expressions leave values for each other (NFT_REG_1 and NFT_REG_2, 16 bytes each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// The first.
    One = 1,
    /// The second.
    Two = 2,
}

/// Where the bytes of a packet are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The IPv4 or IPv6 header.
    Network = 1,
    /// The header after it, extension headers skipped.
    Transport = 2,
}

/// What is known of a packet beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// The index of the interface it came by, in the host's byte order.
    InputInterface = 4,
    /// The index of the interface it leaves by, in the host's byte order.
    OutputInterface = 5,
    /// The protocol after the IP header, one byte.
    Protocol = 16,
    /// The kind of the interface it leaves by ("macvlan"), 16 bytes.
    OutputKind = 27,
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Loads bytes of the packet.
    Load(Header, u32, u32, Register),
    /// Loads what is known of it.
    Know(Meta, Register),
    /// Goes on only if the register holds these bytes.
    Is(Register, Vec<u8>),
    /// Goes on only if the set of that name holds the register's value.
    IsIn(Register, &'static str),
    /// Goes on only if the map of that name holds the register's value, with what it is mapped to.
    Map(Register, &'static str, Register),
    /// Sends a copy to the address in the first register by the interface in the second.
    Copy(Register, Register),
    /// Counts packets and bytes.
    Count,
    /// Replaces the register's value by those bits of it that the mask has.
    Mask(Register, Vec<u8>),
    /// Decides, and ends the rule.
    Decide(Verdict),
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is thrown away.
    Drop,
    /// It passes this chain and all that it was sent to it by.
    Accept,
    /// Another chain decides, and this one has no more to say.
    Goto(&'static str),
}

impl Verdict {
    /// NF_DROP, NF_ACCEPT, NFT_GOTO.
    const fn code(self) -> u32 {
        match self {
            Self::Drop => 0,
            Self::Accept => 1,
            Self::Goto(_) => u32::MAX - 3,
        }
    }
}

/// NFTA_LIST_ELEM.
const ELEMENT: u16 = 1;

impl Expression {
    /// Appends it to the list of a rule's expressions.
    pub(super) fn write(&self, list: &mut Attributes) {
        match self {
            Self::Load(header, offset, length, to) => step(list, "payload", |data| {
                data.be32(1, *to as u32).be32(2, *header as u32).be32(3, *offset).be32(4, *length);
            }),
            Self::Know(meta, to) => step(list, "meta", |data| {
                data.be32(2, *meta as u32).be32(1, *to as u32);
            }),
            // The operation 0 is "equal".
            Self::Is(register, value) => step(list, "cmp", |data| {
                data.be32(1, *register as u32).be32(2, 0).nest(3, |inside| {
                    inside.bytes(1, value);
                });
            }),
            Self::IsIn(register, set) => step(list, "lookup", |data| {
                data.be32(2, *register as u32).text(1, set);
            }),
            Self::Map(register, map, to) => step(list, "lookup", |data| {
                data.be32(2, *register as u32).be32(3, *to as u32).text(1, map);
            }),
            Self::Copy(address, device) => step(list, "dup", |data| {
                data.be32(1, *address as u32).be32(2, *device as u32);
            }),
            Self::Count => step(list, "counter", |_| {}),
            // value AND mask XOR 0.
            Self::Mask(register, mask) => step(list, "bitwise", |data| {
                let length = u32::try_from(mask.len()).unwrap_or(u32::MAX);
                data.be32(1, *register as u32).be32(2, *register as u32).be32(3, length);
                for (kind, bytes) in [(4, mask), (5, &vec![0; mask.len()])] {
                    data.nest(kind, |inside| {
                        inside.bytes(1, bytes);
                    });
                }
            }),
            // The verdict register is 0.
            Self::Decide(verdict) => step(list, "immediate", |data| {
                data.be32(1, 0).nest(2, |value| {
                    value.nest(2, |inside| {
                        inside.be32(1, verdict.code());
                        if let Verdict::Goto(chain) = verdict {
                            inside.text(2, chain);
                        }
                    });
                });
            }),
        }
    }
}

fn step(list: &mut Attributes, name: &str, fill: impl FnOnce(&mut Attributes)) {
    list.nest(ELEMENT, |expression| {
        expression.text(1, name).nest(2, fill);
    });
}
