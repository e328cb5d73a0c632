//! Builds the copies of an advertisement: one identification, one copy per destination.

use std::net::IpAddr;

use super::{
    Auth, Destination, OldChecksum, Outgoing, Settings,
    auth::{Guard, Seal, header, trailer},
    ip::{HOP_LIMIT, PROTOCOL},
    ipv4, ipv6,
    packet::{Advert, AuthType, Body, Centiseconds, FIXED_LEN, MAX_ADDRESSES},
};
use crate::units::{Family, Priority, Time, Version};

/// The hop limit of unicast copies over IPv6: the kernel's default, as keepalived leaves it. Over IPv4 it sends 255,
/// whatever the destination is.
const UNICAST_HOP_LIMIT: u8 = 64;

/// The length of the longest legal advertisement as an IP packet: 40 + 8 + 255 × 16 + 28 = 4,156 bytes, over IPv6 and signed.
/// The longest over IPv4, with all options, AH and authentication data, has 60 + 24 + 8 + 255 × 4 + 8 = 1,120.
pub const LONGEST_ADVERT: usize = ipv6::HEADER_LEN + FIXED_LEN + MAX_ADDRESSES * 16 + trailer::LEN;

/// The length of a router's advertisements as IP packets.
pub fn advert_len(settings: &Settings) -> usize {
    let header = match settings.family() {
        Family::V4 => ipv4::HEADER_LEN,
        Family::V6 => ipv6::HEADER_LEN,
    };
    let authentication = match settings.auth {
        Auth::None | Auth::Pass(_) => 0,
        Auth::Header(_) => header::LEN,
        Auth::Signed(_) => trailer::LEN,
    };
    header + authentication + Transmitter::new(settings).advert.wire_len()
}

/// The sender's side of an instance: what every advertisement has in common, and the IPv4 identification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transmitter {
    advert: Advert,
    destinations: Vec<IpAddr>,
    identification: u16,
    /// `unicast_ttl`.
    unicast_ttl: Option<u8>,
    form: Form,
}

/// What the checksum of version 3 over IPv4 covers beside the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The addresses of the packet (RFC 5798 §5.2.8).
    Usual,
    /// Nothing (RFC 9568 §5.2.8).
    MessageOnly,
    /// The source, and this group in place of the destination of a unicast packet.
    OldUnicast(IpAddr),
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
        let policy = &settings.policy;
        let form = match policy.old_checksum {
            _ if policy.v3_checksum_as_v2 && family == Family::V4 => Form::MessageOnly,
            OldChecksum::Always(group) => Form::OldUnicast(group),
            OldChecksum::Detected(_) | OldChecksum::Never => Form::Usual,
        };
        let advert = Advert { family, vrid, priority, addresses, body };
        Self { advert, destinations, identification: 0, unicast_ttl: policy.unicast_ttl, form }
    }

    /// Sends what these settings say from now on. Returns whether that is something else, or to somebody else.
    pub(super) fn follow(&mut self, settings: &Settings) -> bool {
        let mut next = Self { identification: self.identification, ..Self::new(settings) };
        next.advert.priority = self.advert.priority;
        // What was found out about the peer is still true.
        if let (Form::OldUnicast(_), OldChecksum::Detected(_)) = (self.form, settings.policy.old_checksum) {
            next.form = self.form;
        }
        let is_other = next != *self;
        *self = next;
        is_other
    }

    /// From now on unicast copies have the old checksum, unless they have none that covers addresses. Returns whether
    /// that is a change.
    pub(super) fn use_old_checksum(&mut self, group: IpAddr) -> bool {
        let usual = self.form == Form::Usual;
        if usual {
            self.form = Form::OldUnicast(group);
        }
        usual
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
        let hop_limit = match destination {
            _ if destination.is_multicast() => HOP_LIMIT,
            IpAddr::V4(_) => self.unicast_ttl.unwrap_or(HOP_LIMIT),
            IpAddr::V6(_) => self.unicast_ttl.unwrap_or(UNICAST_HOP_LIMIT),
        };
        let (header_len, mut packet) = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let before = ipv4::HEADER_LEN + seal.header_len();
                let mut packet = vec![0; before + message + trailer.len()];
                let header = ipv4::Header {
                    total_length: wire(packet.len()),
                    identification: self.identification,
                    ttl: hop_limit,
                    protocol: if let Seal::Header(_) = seal { header::PROTOCOL } else { PROTOCOL },
                    source,
                    destination,
                };
                header.emit(&mut packet);
                (before, packet)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut packet = vec![0; ipv6::HEADER_LEN + message + trailer.len()];
                let payload_length = wire(message + trailer.len());
                let header = ipv6::Header { payload_length, hop_limit, source, destination };
                header.emit(&mut packet);
                (ipv6::HEADER_LEN, packet)
            }
            _ => return None,
        };
        let (out, behind) = packet[header_len..].split_at_mut(message);
        behind.copy_from_slice(trailer);
        match self.form {
            Form::MessageOnly => self.advert.emit_without_pseudo_header(out),
            Form::OldUnicast(group) if !destination.is_multicast() => {
                self.advert.emit_before(trailer, source, group, out);
            }
            Form::Usual | Form::OldUnicast(_) => self.advert.emit_before(trailer, source, destination, out),
        }
        Some(Outgoing { destination, packet })
    }
}

/// The interval of version 2, in the seconds of its one byte.
pub(super) fn whole_seconds(settings: &Settings) -> u8 {
    u8::try_from(settings.advert_interval.as_secs()).unwrap_or(u8::MAX).max(1)
}
