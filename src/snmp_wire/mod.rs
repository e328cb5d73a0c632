//! SNMP on the wire, in all three versions: messages, their PDUs, who they are from, and what nobody else reads. No socket and
//! no clock; whoever asks, answers or tells of something is in another room.
//!
//! | file | what |
//! |---|---|
//! | `ber` | a cursor over a datagram: elements as asn1-rs reads them, each inside its own window |
//! | `message`, `v3`, `pdu`, `trap` | messages of all three versions and their PDUs: borrowed until the values |
//! | `encode`, `size` | the same way back, with rasn-snmp, and how large that will be |
//! | `usm` | SNMPv3: users, their keys and ciphers, what comes too late, and what is said to that |

mod ber;
mod encode;
mod message;
mod pdu;
mod size;
mod trap;
mod usm;
mod v3;

pub use self::usm::{Credentials, Engine, Passwords, User};
pub(crate) use self::{
    ber::Reader,
    encode::oid,
    message::{Message, Version},
    pdu::{Kind, Pdu},
    size::{AROUND, varbind as varbind_size},
    trap::TrapV1,
    usm::{Peer, Refusal, open},
    v3::{Envelope, Incoming, Level, Scoped, Unreadable},
};

/// The largest datagram that UDP over IPv4 carries: what is sent is never larger, whatever the other side could take.
pub const MAX_MESSAGE: usize = 65_507;
