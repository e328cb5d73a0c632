//! Packets without their passwords, judged as before.

use crate::{
    checksum,
    vrrp::{
        Auth,
        auth::header,
        ip::Header,
        ipv4,
        packet::{AUTH_DATA_LEN, FIXED_LEN, field},
    },
};

/// What stands in the place of the router's own password.
pub(super) const OURS: [u8; AUTH_DATA_LEN] = *b"recorded";
/// What stands in the place of anybody else's.
const THEIRS: [u8; AUTH_DATA_LEN] = *b"unknown!";

/// The packet with its authentication data replaced: by [`OURS`] when it is the password in `auth`, by zeros when it is
/// zero. A checksum that was right is right, one that was wrong is wrong.
pub(super) fn wiped(packet: &[u8], auth: &Auth) -> Vec<u8> {
    let mut wiped = packet.to_vec();
    let (version, length) = (packet.first().map_or(0, |first| first >> 4), ip_header_length(packet));
    if version == 4
        && packet.get(ipv4::field::PROTOCOL) == Some(&header::PROTOCOL)
        && let Some(value) = wiped.get_mut(length..).and_then(|rest| rest.get_mut(header::field::ICV))
    {
        value.fill(0);
    }
    let length = Header::parse(packet).map_or(length, |parsed| parsed.length);
    let Some(message) = wiped.get_mut(length..) else { return wiped };
    // Version 3, and everything over IPv6, has no authentication data.
    if version == 6 || message.first().is_some_and(|first| first >> 4 == 3) {
        return wiped;
    }
    let list = FIXED_LEN + 4 * usize::from(message.get(field::COUNT).copied().unwrap_or(0));
    match message.len().checked_sub(list) {
        // What is behind it is padding.
        Some(AUTH_DATA_LEN..) => replace(message, list, auth),
        // Its parts do not fit together, so the password may be anywhere behind the fixed part.
        _ => message.iter_mut().skip(FIXED_LEN).for_each(|byte| *byte = 0),
    }
    wiped
}

/// Length of the IP header as its first byte tells it.
fn ip_header_length(packet: &[u8]) -> usize {
    match packet.first() {
        Some(first) if first >> 4 == 4 => usize::from(first & 0x0f) * 4,
        _ => 40,
    }
}

fn replace(message: &mut [u8], at: usize, auth: &Auth) {
    let mut found = [0; AUTH_DATA_LEN];
    found.copy_from_slice(&message[at..at + AUTH_DATA_LEN]);
    let stands_in = match auth {
        Auth::Pass(password) if *password == found => OURS,
        _ if found == [0; AUTH_DATA_LEN] => found,
        _ => THEIRS,
    };
    message[at..at + AUTH_DATA_LEN].copy_from_slice(&stands_in);
    message[at + AUTH_DATA_LEN..].fill(0);
    let stated = u16::from_be_bytes([message[field::CHECKSUM.start], message[field::CHECKSUM.start + 1]]);
    let updated = checksum::updated(stated, &found, &stands_in);
    message[field::CHECKSUM].copy_from_slice(&updated.to_be_bytes());
}
