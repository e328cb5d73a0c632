//! Packets without their passwords, judged as before.

use crate::vrrp::{Auth, ip::Header};

/// What stands in the place of the router's own password.
pub(super) const OURS: [u8; 8] = *b"recorded";
/// What stands in the place of anybody else's.
const THEIRS: [u8; 8] = *b"unknown!";

/// Length of the fixed part of a message; the addresses are behind it.
const FIXED: usize = 8;
const COUNT: usize = 3;
const CHECKSUM: std::ops::Range<usize> = 6..8;
/// Protocol number of the IP authentication header, and where that has its check value.
const AUTHENTICATION_HEADER: u8 = 51;
const CHECK_VALUE: std::ops::Range<usize> = 12..24;

/// The packet with its authentication data replaced: by [`OURS`] when it is the password in `auth`, by zeros when it is
/// zero. A checksum that was right is right, one that was wrong is wrong.
pub(super) fn wiped(packet: &[u8], auth: &Auth) -> Vec<u8> {
    let mut wiped = packet.to_vec();
    let (version, header) = (packet.first().map_or(0, |first| first >> 4), ip_header_length(packet));
    if version == 4
        && packet.get(9) == Some(&AUTHENTICATION_HEADER)
        && let Some(value) = wiped.get_mut(header..).and_then(|rest| rest.get_mut(CHECK_VALUE))
    {
        value.fill(0);
    }
    let header = Header::parse(packet).map_or(header, |parsed| parsed.length);
    let Some(message) = wiped.get_mut(header..) else { return wiped };
    // Version 3, and everything over IPv6, has no authentication data.
    if version == 6 || message.first().is_some_and(|first| first >> 4 == 3) {
        return wiped;
    }
    let list = FIXED + 4 * usize::from(message.get(COUNT).copied().unwrap_or(0));
    match message.len().checked_sub(list) {
        // What is behind it is padding.
        Some(8..) => replace(message, list, auth),
        // Its parts do not fit together, so the password may be anywhere behind the fixed part.
        _ => message.iter_mut().skip(FIXED).for_each(|byte| *byte = 0),
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
    let mut found = [0; 8];
    found.copy_from_slice(&message[at..at + 8]);
    let stands_in = match auth {
        Auth::Pass(password) if *password == found => OURS,
        _ if found == [0; 8] => found,
        _ => THEIRS,
    };
    message[at..at + 8].copy_from_slice(&stands_in);
    message[at + 8..].fill(0);
    // RFC 1624 §3: the sum without the old words and with the new ones.
    let mut sum = !u16::from_be_bytes([message[CHECKSUM][0], message[CHECKSUM][1]]);
    for (old, new) in found.chunks_exact(2).zip(stands_in.chunks_exact(2)) {
        sum = add(sum, !u16::from_be_bytes([old[0], old[1]]));
        sum = add(sum, u16::from_be_bytes([new[0], new[1]]));
    }
    message[CHECKSUM].copy_from_slice(&(!sum).to_be_bytes());
}

/// One's complement.
fn add(one: u16, other: u16) -> u16 {
    let (sum, carry) = one.overflowing_add(other);
    sum + u16::from(carry)
}
