//! What an advertisement says, read from its bytes with nothing but their places (RFC 9568 §5.1, RFC 3768 §5.1).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use steadfast::units::Priority;

/// The protocol of an authentication header, and its length with an HMAC-MD5-96 (RFC 2402 §2).
const AUTHENTICATION: u8 = 51;
const AUTHENTICATION_LENGTH: usize = 24;

/// What an intact packet says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) source: IpAddr,
    pub(crate) priority: Priority,
    pub(crate) interval: Duration,
}

impl Claim {
    pub(crate) fn of(packet: &[u8]) -> Self {
        let message = message(packet);
        let source = if packet[0] >> 4 == 6 {
            let octets: [u8; 16] = packet[8..24].try_into().expect("an IPv6 header");
            IpAddr::from(Ipv6Addr::from(octets))
        } else {
            let octets: [u8; 4] = packet[12..16].try_into().expect("an IPv4 header");
            IpAddr::from(Ipv4Addr::from(octets))
        };
        let interval = if message[0] >> 4 == 2 {
            Duration::from_secs(message[5].into())
        } else {
            Duration::from_millis(10) * u32::from(u16::from_be_bytes([message[4] & 0x0f, message[5]]))
        };
        Self { source, priority: Priority(message[2]), interval }
    }
}

/// Length of the IP header in front of an advertisement, as they are sent.
pub(crate) fn header_length(packet: &[u8]) -> usize {
    if packet[0] >> 4 == 6 { 40 } else { 20 }
}

/// An advertisement without the headers in front of it.
pub(crate) fn message(packet: &[u8]) -> &[u8] {
    let authentication =
        if packet[0] >> 4 == 4 && packet[9] == AUTHENTICATION { AUTHENTICATION_LENGTH } else { 0 };
    &packet[header_length(packet) + authentication..]
}

/// What a BACKUP heard last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nobody.
    #[default]
    Nobody,
    /// A master to follow.
    Followed(IpAddr),
    /// A master of lower priority; whether it was tolerated cannot be told from outside.
    Lower(IpAddr, Priority),
    /// A master that released its mastership.
    Released(IpAddr),
}
