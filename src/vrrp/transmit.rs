//! Builds the copies of an advertisement: one identification, one copy per destination.

use std::net::IpAddr;

use super::{
    Auth, Destination, Outgoing, Settings,
    auth::{Guard, Seal, header},
    ip::{HOP_LIMIT, PROTOCOL},
    ipv4, ipv6,
    packet::{Advert, AuthType, Body, Centiseconds, MAX_ADDRESSES},
};
use crate::units::{Family, Priority, Time, Version};

/// The hop limit of unicast copies over IPv6: the kernel's default, as keepalived leaves it. Over IPv4 it sends 255,
/// whatever the destination is.
const UNICAST_HOP_LIMIT: u8 = 64;

/// The sender's side of an instance: what every advertisement has in common, and the IPv4 identification.
#[derive(Clone, Debug)]
pub(super) struct Transmitter {
    advert: Advert,
    destinations: Vec<IpAddr>,
    identification: u16,
}

impl Transmitter {
    pub(super) fn new(settings: &Settings) -> Self {
        let body = match settings.version {
            Version::V2 => {
                let (auth_type, auth_data) = match settings.auth {
                    Auth::None | Auth::Signed(_) => (AuthType::None, [0; 8]),
                    Auth::Pass(password) => (AuthType::Password, password),
                    Auth::Header(_) => (AuthType::Header, [0; 8]),
                };
                Body::V2 { interval: whole_seconds(settings), auth_type, auth_data }
            }
            Version::V3 => Body::V3 { interval: Centiseconds::from_duration(settings.advert_interval) },
        };
        let destinations = match &settings.destination {
            Destination::Multicast(group) => vec![*group],
            Destination::Unicast(peers) => peers.clone(),
        };
        let (vrid, priority, family) = (settings.vrid, settings.priority, settings.family());
        // RFC 9568 §5.2.9 (5.2.9-2).
        let of_family = settings.addresses.iter().copied().filter(|address| Family::of(*address) == family);
        let addresses = of_family.take(MAX_ADDRESSES).collect();
        Self { advert: Advert { family, vrid, priority, addresses, body }, destinations, identification: 0 }
    }

    /// All copies of one advertisement (RFC 9568 §7.2 (7.2-1, 7.2-4)). They share an identification, which counts from 1
    /// and leaves out 0.
    pub(super) fn advert(
        &mut self,
        guard: &mut Guard,
        now: Time,
        source: IpAddr,
        priority: Priority,
    ) -> Vec<Outgoing> {
        self.identification = self.identification.checked_add(1).unwrap_or(1);
        self.advert.priority = priority;
        let seal = guard.seal(now, source, || self.advert.without_checksum());
        let copy = |destination: &IpAddr| {
            let mut copy = self.copy(&seal, source, *destination)?;
            guard.close(&seal, &mut copy.packet);
            Some(copy)
        };
        self.destinations.iter().filter_map(copy).collect()
    }

    /// `None` for a destination of another family than the source's, which no packet reaches.
    fn copy(&self, seal: &Seal, source: IpAddr, destination: IpAddr) -> Option<Outgoing> {
        let (message, trailer) = (self.advert.wire_len(), seal.trailer());
        // 40 + 8 + 255 * 16 is far below 2^16.
        let wire = |length| u16::try_from(length).unwrap_or(u16::MAX);
        let (header_len, mut packet) = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let before = ipv4::HEADER_LEN + seal.header_len();
                let mut packet = vec![0; before + message + trailer.len()];
                let header = ipv4::Header {
                    total_length: wire(packet.len()),
                    identification: self.identification,
                    ttl: HOP_LIMIT,
                    protocol: if let Seal::Header(_) = seal { header::PROTOCOL } else { PROTOCOL },
                    source,
                    destination,
                };
                header.emit(&mut packet);
                (before, packet)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut packet = vec![0; ipv6::HEADER_LEN + message + trailer.len()];
                let hop_limit = if destination.is_multicast() { HOP_LIMIT } else { UNICAST_HOP_LIMIT };
                let payload_length = wire(message + trailer.len());
                let header = ipv6::Header { payload_length, hop_limit, source, destination };
                header.emit(&mut packet);
                (ipv6::HEADER_LEN, packet)
            }
            _ => return None,
        };
        let (out, behind) = packet[header_len..].split_at_mut(message);
        behind.copy_from_slice(trailer);
        self.advert.emit_before(trailer, source, destination, out);
        Some(Outgoing { destination, packet })
    }
}

/// The interval of version 2, in the seconds of its one byte.
pub(super) fn whole_seconds(settings: &Settings) -> u8 {
    u8::try_from(settings.advert_interval.as_secs()).unwrap_or(u8::MAX).max(1)
}
