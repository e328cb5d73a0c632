//! The same packets under other keys: what a recording keeps in place of the true ones.
//!
//! A packet that proves itself with the router's key proves itself with the other one afterwards, one that does not does not.
//! Everything else that authentication looks at (sequences, clocks, numbers of keys) is in the packet and stays there, so
//! whoever has the other keys judges every packet as the router did.

use super::{header, header::Association, signature, trailer};
use crate::{
    config::{Signatures, SigningKey},
    vrrp::{
        Auth,
        ip::Header,
        packet::{View, field},
    },
};

/// Bytes of keys that anybody may know, in place of those that nobody may.
const PUBLIC: [u8; 32] = *b"recorded: no key of any router!!";

/// What a router would be configured with if its keys were public.
pub(crate) fn in_public(auth: &Auth) -> Auth {
    let mut password = [0; 8];
    password.copy_from_slice(&PUBLIC[..8]);
    match auth {
        Auth::None => Auth::None,
        Auth::Pass(_) => Auth::Pass(password),
        Auth::Header(_) => Auth::Header(password),
        Auth::Signed(signatures) => {
            let key = |id| SigningKey::new(id, PUBLIC.to_vec().into());
            let keys = signatures.keys.iter().filter_map(|known| key(known.id)).collect();
            Auth::Signed(Box::new(Signatures { keys, ..(**signatures).clone() }))
        }
    }
}

/// Where the message of a packet begins and ends; `None` when it does not have one as long as it says.
fn message(packet: &[u8]) -> Option<(Header, usize)> {
    let header = Header::parse(packet).ok()?;
    let view = View::new(header.family(), packet.get(header.length..)?).ok()?;
    let end = header.length + view.expected_len();
    (end <= packet.len()).then_some((header, end))
}

/// The length of the trailer that a router which signs finds behind a message, if it finds one.
pub(crate) fn trailer_len(packet: &[u8]) -> usize {
    let behind = message(packet).map(|(_, end)| packet.len() - end);
    behind.filter(|length| *length == trailer::LEN).unwrap_or(0)
}

/// Proves a packet with the keys `to` if it was proven with those of `from` before it was changed otherwise: `original` is as
/// it was, `packet` what is to be proven, with every part in the same place.
pub(crate) fn reseal(original: &[u8], packet: &mut [u8], from: &Auth, to: &Auth) {
    match (from, to) {
        (Auth::Header(from), Auth::Header(to)) => reseal_header(original, packet, from, to),
        (Auth::Signed(from), Auth::Signed(to)) => reseal_trailer(original, packet, from, to),
        _ => {}
    }
}

fn reseal_header(original: &[u8], packet: &mut [u8], from: &[u8; 8], to: &[u8; 8]) {
    let Some((header, end)) = message(original).filter(|(header, _)| header.authentication.is_some()) else {
        return;
    };
    let is_proven = Association::new(from).proves(&header, &original[..end]);
    let Some(mut icv) = Association::new(to).check_value(&packet[..end]) else { return };
    if !is_proven {
        icv.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let at = header.length - header::LEN;
    packet[at..][header::field::ICV].copy_from_slice(&icv);
}

fn reseal_trailer(original: &[u8], packet: &mut [u8], from: &Signatures, to: &Signatures) {
    let Some((header, end)) = message(original) else { return };
    let Ok(before) = <[u8; trailer::LEN]>::try_from(&original[end..]) else { return };
    let (source, begin) = (header.source, header.length);
    let is_proven = signature::proves(from, source, &original[begin..end], &before);
    let mut after = before;
    signature::replace(to, source, &packet[begin..end], &mut after);
    if !is_proven {
        after[trailer::HEAD_LEN..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    packet[end..].copy_from_slice(&after);
    if source.is_ipv6() {
        // There the checksum covers the trailer.
        let (found, checksum) = (&mut packet[begin..], field::CHECKSUM);
        let stated = u16::from_be_bytes([found[checksum.start], found[checksum.start + 1]]);
        found[checksum].copy_from_slice(&crate::checksum::updated(stated, &before, &after).to_be_bytes());
    }
}
