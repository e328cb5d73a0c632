//! Packets without their secrets, judged as before.

use crate::{
    checksum,
    vrrp::{
        Auth,
        auth::{
            header,
            reseal::{self, in_public},
        },
        ip::Header,
        ipv4,
        packet::{AUTH_DATA_LEN, FIXED_LEN, field},
    },
};

/// What stands in the place of anybody else's password.
const THEIRS: [u8; AUTH_DATA_LEN] = *b"unknown!";

/// What a router proves its packets with, and what stands in its place in a recording.
pub(super) struct Wiper {
    ours: Auth,
    public: Auth,
}

impl Wiper {
    /// For a router with this authentication.
    pub(super) fn new(auth: &Auth) -> Self {
        Self { ours: auth.clone(), public: in_public(auth) }
    }

    /// The packet with its authentication data replaced: a password by the public one when it is the router's own, by
    /// zeros when it is zero; a check value or a signature by one that the public key proves, when the router's own key did.
    /// A checksum that was right is right, one that was wrong is wrong.
    pub(super) fn wiped(&self, packet: &[u8]) -> Vec<u8> {
        let mut wiped = packet.to_vec();
        let trailer = if let Auth::Signed(_) = self.ours { reseal::trailer_len(packet) } else { 0 };
        let end = packet.len() - trailer;
        self.wipe_message(&mut wiped[..end]);
        reseal::reseal(packet, &mut wiped, &self.ours, &self.public);
        wiped
    }

    fn wipe_message(&self, packet: &mut [u8]) {
        let (version, length) = (packet.first().map_or(0, |first| first >> 4), ip_header_length(packet));
        let parsed = Header::parse(packet).map_or(length, |parsed| parsed.length);
        if version == 4
            && packet.get(ipv4::field::PROTOCOL) == Some(&header::PROTOCOL)
            && let Some(value) = packet.get_mut(length..).and_then(|rest| rest.get_mut(header::field::ICV))
        {
            value.fill(0);
        }
        let Some(message) = packet.get_mut(parsed..) else { return };
        // Version 3, and everything over IPv6, has no authentication data.
        if version == 6 || message.first().is_some_and(|first| first >> 4 == 3) {
            return;
        }
        let list = FIXED_LEN + 4 * usize::from(message.get(field::COUNT).copied().unwrap_or(0));
        match message.len().checked_sub(list) {
            // What is behind it is padding.
            Some(AUTH_DATA_LEN..) => self.replace_password(message, list),
            // Its parts do not fit together, so the password may be anywhere behind the fixed part.
            _ => message.iter_mut().skip(FIXED_LEN).for_each(|byte| *byte = 0),
        }
    }

    fn replace_password(&self, message: &mut [u8], at: usize) {
        let mut found = [0; AUTH_DATA_LEN];
        found.copy_from_slice(&message[at..at + AUTH_DATA_LEN]);
        let stands_in = match (&self.ours, &self.public) {
            (Auth::Pass(password), Auth::Pass(public)) if *password == found => *public,
            _ if found == [0; AUTH_DATA_LEN] => found,
            _ => THEIRS,
        };
        message[at..at + AUTH_DATA_LEN].copy_from_slice(&stands_in);
        message[at + AUTH_DATA_LEN..].fill(0);
        let stated = u16::from_be_bytes([message[field::CHECKSUM.start], message[field::CHECKSUM.start + 1]]);
        let updated = checksum::updated(stated, &found, &stands_in);
        message[field::CHECKSUM].copy_from_slice(&updated.to_be_bytes());
    }
}

/// Length of the IP header as its first byte tells it.
fn ip_header_length(packet: &[u8]) -> usize {
    match packet.first() {
        Some(first) if first >> 4 == 4 => usize::from(first & 0x0f) * 4,
        _ => 40,
    }
}
