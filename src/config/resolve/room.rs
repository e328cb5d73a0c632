//! How many addresses an advertisement has room for.

use crate::{
    config::{Auth, SignatureMode},
    units::{Family, Version},
};

/// The count is one byte (RFC 9568 §5.2.5).
const MOST: usize = 255;
/// keepalived counts the Ethernet header as well, and both have to come to the same list.
const ETHERNET_HEADER: usize = 14;
const FIXED: usize = 8;
const AUTH_DATA: usize = 8;
/// The authentication header of `auth_type AH` (RFC 2402 §2).
const AUTH_HEADER: usize = 24;
/// The trailer of `auth_hmac`.
const SIGNATURE: usize = 28;

/// Addresses that fit into an advertisement of one packet; as many as can be counted when the MTU is not known.
pub(super) fn for_addresses(mtu: Option<u32>, family: Family, version: Version, auth: &Auth) -> usize {
    let Some(mtu) = mtu.and_then(|mtu| usize::try_from(mtu).ok()) else { return MOST };
    let (ip_header, auth_data) = match (family, version) {
        (Family::V4, Version::V2) => (20, AUTH_DATA),
        (Family::V4, Version::V3) => (20, 0),
        (Family::V6, _) => (40, 0),
    };
    let seal = match auth {
        Auth::None | Auth::Pass(_) => 0,
        Auth::Header(_) => AUTH_HEADER,
        Auth::Signed(signatures) if signatures.mode == SignatureMode::ReceiveOnly => 0,
        Auth::Signed(_) => SIGNATURE,
    };
    let room = mtu.saturating_sub(ETHERNET_HEADER + ip_header + FIXED + auth_data + seal);
    (room / family.octets()).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AntiReplay, Signatures, SigningKey};

    #[test]
    fn a_packet_of_ipv6_is_full_before_the_count_is() {
        let plain = |mtu, family, version| for_addresses(mtu, family, version, &Auth::None);
        assert_eq!(plain(Some(1500), Family::V6, Version::V3), 89);
        assert_eq!(plain(Some(9000), Family::V6, Version::V3), 255);
        assert_eq!(plain(Some(1500), Family::V4, Version::V2), 255);
        assert_eq!(plain(Some(576), Family::V4, Version::V3), 133);
        assert_eq!(plain(Some(576), Family::V4, Version::V2), 131);
        assert_eq!(plain(None, Family::V6, Version::V2), 255);
        assert_eq!(plain(Some(60), Family::V6, Version::V3), 0);
    }

    #[test]
    fn what_proves_the_sender_takes_room_from_the_addresses() {
        let room = |auth: &Auth| for_addresses(Some(576), Family::V4, Version::V2, auth);
        assert_eq!(room(&Auth::Pass([0; 8])), 131);
        assert_eq!(room(&Auth::Header([0; 8])), 125);
        let key = SigningKey::new(1, vec![0; 32].into()).unwrap();
        let signed = |mode| {
            let keys = vec![key.clone()];
            Auth::Signed(Box::new(Signatures { keys, active: 1, anti_replay: AntiReplay::Monotonic, mode }))
        };
        assert_eq!(room(&signed(SignatureMode::Permissive)), 124);
        assert_eq!(room(&signed(SignatureMode::ReceiveOnly)), 131);
    }
}
