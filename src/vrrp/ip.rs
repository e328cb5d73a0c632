//! The IP header of a received packet, of either family, as far as VRRP looks at it.

use std::net::IpAddr;

use thiserror::Error;

use super::{
    auth::header::{self, AuthHeader},
    ipv4, ipv6,
};
use crate::units::Family;

/// VRRP's protocol number and next header (RFC 9568 §5.1.1.4 (5.1.1.4-1), §5.1.2.4).
pub const PROTOCOL: u8 = 112;

/// TTL and hop limit of an advertisement, sent and required (RFC 9568 §5.1.1.3 (5.1.1.3-1), §5.1.2.3 (5.1.2.3-1), §7.1 (7.1-0)).
pub const HOP_LIMIT: u8 = 255;

/// Type of service and traffic class: precedence "internetwork control", which keepalived sends too.
pub const TRAFFIC_CLASS: u8 = 0xc0;

/// Why bytes are not an IP header with VRRP behind it. The sockets never deliver such a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidHeader {
    /// The packet ends inside the header.
    #[error("IP header cut off after {0} bytes")]
    Truncated(usize),
    /// The version is not the family's.
    #[error("IP version {0}")]
    Version(u8),
    /// An IPv4 header claims fewer than five words.
    #[error("IPv4 header length of {0} words, at least 5 needed")]
    HeaderLength(u8),
    /// The payload is not VRRP.
    #[error("IP protocol {0}, not 112")]
    Protocol(u8),
    /// An authentication header of another length than ours has.
    #[error("authentication header of {0} words, must be 4")]
    AuthLength(u8),
}

/// What both families have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of what is before the message: the header itself, options included, and the authentication header.
    pub length: usize,
    /// Length of header and payload as the header says.
    pub total_length: usize,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Who sent it.
    pub source: IpAddr,
    /// Where it went: a group or one of our addresses. Of the source's family.
    pub destination: IpAddr,
    /// The authentication header between the two, over IPv4 only.
    pub authentication: Option<AuthHeader>,
}

impl Header {
    /// Reads the header of a received VRRP packet, and an authentication header behind it.
    ///
    /// # Errors
    /// [`InvalidHeader`] when there is no whole IP header with VRRP behind it.
    pub fn parse(packet: &[u8]) -> Result<Self, InvalidHeader> {
        match packet.first().map(|byte| byte >> 4) {
            None => Err(InvalidHeader::Truncated(0)),
            Some(4) => {
                let (header, length) = ipv4::Header::parse(packet)?;
                let is_authenticated = header.protocol == header::PROTOCOL;
                let authentication =
                    is_authenticated.then(|| AuthHeader::parse(&packet[length..])).transpose()?;
                Ok(Self {
                    length: length + authentication.map_or(0, |_| header::LEN),
                    total_length: usize::from(header.total_length),
                    hop_limit: header.ttl,
                    source: header.source.into(),
                    destination: header.destination.into(),
                    authentication,
                })
            }
            Some(6) => {
                let header = ipv6::Header::parse(packet)?;
                Ok(Self {
                    length: ipv6::HEADER_LEN,
                    total_length: ipv6::HEADER_LEN + usize::from(header.payload_length),
                    hop_limit: header.hop_limit,
                    source: header.source.into(),
                    destination: header.destination.into(),
                    authentication: None,
                })
            }
            Some(version) => Err(InvalidHeader::Version(version)),
        }
    }

    /// The family of both addresses.
    pub fn family(&self) -> Family {
        Family::of(self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_which_header_it_is() {
        assert_eq!(Header::parse(&[]), Err(InvalidHeader::Truncated(0)));
        assert_eq!(Header::parse(&[0x45]), Err(InvalidHeader::Truncated(1)));
        assert_eq!(Header::parse(&[0x60; 39]), Err(InvalidHeader::Truncated(39)));
        assert_eq!(Header::parse(&[0x50; 40]), Err(InvalidHeader::Version(5)));
    }
}
