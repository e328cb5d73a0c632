//! What the machine wants done, in the order in which it must be done.

use std::{fmt, net::IpAddr};

use crate::registry::Change;

/// One thing for the driver to carry out. What the network sees is carried out in order; a driver may leave
/// transitions and log lines for the end, in their own order. None of them sends a router advertisement, in any state (RFC
/// 9568 §6.4.2 (6.4.2-3)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send all copies of one advertisement.
    Send(Vec<Outgoing>),
    /// Put every virtual address (excluded ones too) that is missing on its device, then answer with
    /// [`Instance::handle_addresses_installed`](super::Instance::handle_addresses_installed). From then on the kernel
    /// answers for them and takes their packets (RFC 9568 §6.4.3 (6.4.3-1, 6.4.3-2, 6.4.3-6)). Virtual routes and rules
    /// follow the addresses; a MASTER does not wait for them.
    InstallAddresses,
    /// Remove the virtual rules, routes and addresses that were installed, in this order, and forget announcements still
    /// to be sent: nobody answers for them here any more (RFC 9568 §6.4.2 (6.4.2-1, 6.4.2-2, 6.4.2-5)).
    WithdrawAddresses,
    /// Send gratuitous ARP or unsolicited neighbour advertisements for every virtual address (excluded ones too) that
    /// is set: all addresses once, then all again, `repeat` times.
    Announce {
        /// How many messages each address gets.
        repeat: u32,
    },
    /// Send one such announcement for each virtual address that is on another interface than advertisements leave by,
    /// as far as `garp_extra_if` asks for it.
    AnnounceElsewhere,
    /// Send one such announcement for the source address of advertisements, so that unicast peers reach us at once.
    AnnounceSource,
    /// A router that should give way was answered with an announcement: have the other members of the sync group
    /// announce theirs too.
    AnnounceGroup,
    /// Publish a change of state, or an event in one (see [`Change::is_move`]).
    Transition(Change),
    /// Write a line to the log.
    Log(Log),
}

/// One copy of an advertisement.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where it goes: a group or a unicast peer.
    pub destination: IpAddr,
    /// The IP packet, header included; the kernel fills in the checksum of an IPv4 header.
    pub packet: Vec<u8>,
}

/// Never prints the bytes, which may hold a password.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("destination", &self.destination)
            .field("length", &self.packet.len())
            .finish_non_exhaustive()
    }
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How much it matters.
    pub level: Level,
    /// Written only with `--log-detail`.
    pub detail: bool,
    /// A received packet is the cause, so that others decide how many such lines there are.
    pub provoked: bool,
    /// The line, with the instance's name in parentheses first.
    pub text: String,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The protocol at work.
    Info,
    /// Something that an operator should mend.
    Warning,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_bytes_of_a_packet() {
        let destination = IpAddr::from([224, 0, 0, 18]);
        let copy = Outgoing { destination, packet: b"s3cret99".to_vec() };
        assert_eq!(
            format!("{:?}", Action::Send(vec![copy])),
            "Send([Outgoing { destination: 224.0.0.18, length: 8, .. }])"
        );
    }
}
