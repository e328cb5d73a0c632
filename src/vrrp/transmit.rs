//! Builds the copies of an advertisement: one identification, one copy per destination.

use std::net::Ipv4Addr;

use super::{
    Auth, Destination, Outgoing, Settings,
    ipv4::{HEADER_LEN, Header, TTL},
    packet::{Advert, AuthType, Body, Centiseconds, MAX_ADDRESSES},
};
use crate::units::{Priority, Version};

/// The sender's side of an instance: what every advertisement has in common, and the IPv4 identification.
#[derive(Clone, Debug)]
pub(super) struct Transmitter {
    advert: Advert,
    destinations: Vec<Ipv4Addr>,
    identification: u16,
}

impl Transmitter {
    pub(super) fn new(settings: &Settings) -> Self {
        let body = match settings.version {
            Version::V2 => {
                let (auth_type, auth_data) = match settings.auth {
                    Auth::None => (AuthType::None, [0; 8]),
                    Auth::Pass(password) => (AuthType::Password, password),
                };
                Body::V2 { interval: whole_seconds(settings), auth_type, auth_data }
            }
            Version::V3 => Body::V3 { interval: Centiseconds::from_duration(settings.advert_interval) },
        };
        let addresses = settings.addresses.iter().copied().take(MAX_ADDRESSES).collect();
        let destinations = match &settings.destination {
            Destination::Multicast(group) => vec![*group],
            Destination::Unicast(peers) => peers.clone(),
        };
        let advert = Advert { vrid: settings.vrid, priority: settings.priority, addresses, body };
        Self { advert, destinations, identification: 0 }
    }

    /// All copies of one advertisement. They share an identification, which counts from 1 and leaves out 0.
    pub(super) fn advert(&mut self, source: Ipv4Addr, priority: Priority) -> Vec<Outgoing> {
        self.identification = self.identification.checked_add(1).unwrap_or(1);
        self.advert.priority = priority;
        self.destinations.iter().map(|destination| self.copy(source, *destination)).collect()
    }

    fn copy(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Outgoing {
        let length = HEADER_LEN + self.advert.wire_len();
        let header = Header {
            // 20 + 8 + 255 addresses + 8 is far below 2^16.
            total_length: u16::try_from(length).unwrap_or(u16::MAX),
            identification: self.identification,
            ttl: TTL,
            source,
            destination,
        };
        let mut packet = vec![0; length];
        header.emit(&mut packet);
        self.advert.emit(source, destination, &mut packet[HEADER_LEN..]);
        Outgoing { destination, packet }
    }
}

/// The interval of version 2, in the seconds of its one byte.
pub(super) fn whole_seconds(settings: &Settings) -> u8 {
    u8::try_from(settings.advert_interval.as_secs()).unwrap_or(u8::MAX).max(1)
}
