//! An address as the requests for it name it.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope, CacheInfo},
};

use super::Address;

/// RTM_NEWADDR as keepalived fills it: address, peer, preferred lifetime, broadcast, label and flags where configured, no
/// protocol. Without a peer the kernel takes the local address for its address as well.
pub(super) fn add_request(address: &Address) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = header(address);
    message.header.scope = AddressScope::from(address.scope);
    message.attributes.extend(address.preferred.map(lifetime));
    message.attributes.push(AddressAttribute::Local(address.address));
    message.attributes.extend(address.peer.map(AddressAttribute::Address));
    message.attributes.extend(address.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(address.label.clone().map(AddressAttribute::Label));
    let flags = flags(address);
    message.attributes.extend((!flags.is_empty()).then_some(AddressAttribute::Flags(flags)));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::NewAddress(message));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    message
}

/// RTM_DELADDR for exactly this address: without IFA_ADDRESS the kernel would not look at the prefix and
/// might take one that is not ours.
pub(super) fn remove_request(address: &Address) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = header(address);
    message.attributes.push(AddressAttribute::Local(address.address));
    message.attributes.push(AddressAttribute::Address(address.peer.unwrap_or(address.address)));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::DelAddress(message));
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
    message
}

fn flags(address: &Address) -> AddressFlags {
    let flags = [
        (address.nodad, AddressFlags::Nodad),
        (address.home, AddressFlags::Homeaddress),
        (address.manages_temporary, AddressFlags::Managetempaddr),
        (address.noprefixroute, AddressFlags::Noprefixroute),
        (address.autojoin, AddressFlags::Mcautojoin),
    ];
    let set = flags.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag);
    set.fold(AddressFlags::empty(), AddressFlags::union)
}

/// Valid for ever, preferred for so many seconds.
fn lifetime(preferred: u32) -> AddressAttribute {
    let mut lifetime = CacheInfo::default();
    (lifetime.ifa_preferred, lifetime.ifa_valid) = (preferred, u32::MAX);
    AddressAttribute::CacheInfo(lifetime)
}

fn header(address: &Address) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = match address.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.prefix;
    message.header.index = address.index.0;
    message
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::units::IfIndex;

    fn address() -> Address {
        Address::new(IfIndex(3), [10, 9, 0, 102].into(), 24)
    }

    fn bytes(mut message: NetlinkMessage<RouteNetlinkMessage>) -> Vec<u8> {
        message.finalize();
        let mut bytes = vec![0xa5; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    // The requests are keepalived 2.2.7's for the same lines of virtual_ipaddress, as strace shows
    // them, but for NLM_F_CREATE and NLM_F_EXCL (0x0600) in the flags. Byte order is the host's; these
    // bytes are little-endian.

    #[test]
    #[cfg(target_endian = "little")]
    fn a_plain_address_carries_nothing_that_is_not_configured() {
        #[rustfmt::skip]
        let golden = [
            32, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, // RTM_NEWADDR
            2, 24, 0, 0, 3, 0, 0, 0,                               // AF_INET, /24, no flags, global, index 3
            8, 0, 2, 0, 10, 9, 0, 102,                             // IFA_LOCAL
        ];
        assert_eq!(bytes(add_request(&address())), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn broadcast_label_and_scope_are_sent_where_configured() {
        let broadcast = Some(Ipv4Addr::new(10, 9, 0, 255));
        let address = Address { broadcast, scope: 253, label: Some("v0:1".to_owned()), ..address() };
        #[rustfmt::skip]
        let golden = [
            52, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0,
            2, 24, 0, 253, 3, 0, 0, 0,
            8, 0, 2, 0, 10, 9, 0, 102,
            8, 0, 4, 0, 10, 9, 0, 255,                             // IFA_BROADCAST
            9, 0, 3, 0, b'v', b'0', b':', b'1', 0, 0, 0, 0,        // IFA_LABEL and padding
        ];
        assert_eq!(bytes(add_request(&address)), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn removal_names_address_and_prefix() {
        #[rustfmt::skip]
        let golden = [
            40, 0, 0, 0, 21, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0,   // RTM_DELADDR
            2, 24, 0, 0, 3, 0, 0, 0,
            8, 0, 2, 0, 10, 9, 0, 102,
            8, 0, 1, 0, 10, 9, 0, 102,                             // IFA_ADDRESS
        ];
        assert_eq!(bytes(remove_request(&address())), golden);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn an_ipv6_address_goes_without_detection_and_deprecated_where_configured() {
        let address = Address {
            address: "fe80::51".parse().unwrap(),
            prefix: 128,
            nodad: true,
            preferred: Some(0),
            ..address()
        };
        #[rustfmt::skip]
        let golden = [
            72, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0,
            10, 128, 0, 0, 3, 0, 0, 0,                             // AF_INET6, /128
            20, 0, 6, 0, 0, 0, 0, 0, 255, 255, 255, 255,           // IFA_CACHEINFO: preferred 0, valid for ever
            0, 0, 0, 0, 0, 0, 0, 0,
            20, 0, 2, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51, // IFA_LOCAL
            8, 0, 8, 0, 2, 0, 0, 0,                                // IFA_FLAGS: IFA_F_NODAD
        ];
        assert_eq!(bytes(add_request(&address)), golden);
    }
}
