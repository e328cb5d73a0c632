//! netlink messages to our own types: the only place that reads their attributes.

use netlink_packet_core::{NLM_F_REPLACE, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage},
    link::{
        InfoData, InfoIpVlan, InfoKind, InfoMacVlan, InfoVrf, IpVlanFlags, IpVlanMode, LinkAttribute,
        LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
    },
};

use super::{AddressInfo, Detection, Event, Isolation, Link, Sharing, Stacked, route::seen, rule};
use crate::units::IfIndex;

/// The event a message reports, if it is one that anybody here wants to know.
pub(super) fn event(message: NetlinkMessage<RouteNetlinkMessage>) -> Option<Event> {
    let replaces = message.header.flags & NLM_F_REPLACE != 0;
    match message.payload {
        NetlinkPayload::Overrun(_) => Some(Event::Overrun),
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
            self::link(&link).map(Event::Link)
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => link_gone(&link),
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(added)) => {
            address(&added).map(Event::AddressAdded)
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelAddress(removed)) => {
            address(&removed).map(Event::AddressRemoved)
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(added)) => {
            seen::route(&added).map(|route| Event::RouteAdded { route, replaces })
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelRoute(removed)) => {
            seen::route(&removed).map(Event::RouteRemoved)
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRule(added)) => {
            Some(Event::RuleAdded(rule::info(&added)))
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelRule(removed)) => {
            Some(Event::RuleRemoved(rule::info(&removed)))
        }
        _ => None,
    }
}

/// `None` for what looks like a link but describes something else: a bridge port (family AF_BRIDGE), or
/// the fragments that wireless drivers send, recognised by the MTU they lack.
pub(super) fn link(message: &LinkMessage) -> Option<Link> {
    if message.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let (mut name, mut mtu, mut mac) = (None, None, None);
    let (mut group, mut parent, mut info) = (0, None, &[][..]);
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(value) => name = Some(value.clone()),
            LinkAttribute::Mtu(value) => mtu = Some(*value),
            LinkAttribute::Address(value) => mac = <[u8; 6]>::try_from(value.as_slice()).ok(),
            LinkAttribute::Group(value) => group = *value,
            LinkAttribute::Link(value) => parent = Some(IfIndex(*value)),
            LinkAttribute::LinkInfo(value) => info = value,
            _ => {}
        }
    }
    let flags = message.header.flags;
    Some(Link {
        index: IfIndex(message.header.index),
        name: name?,
        up: flags.contains(LinkFlags::Up | LinkFlags::Running),
        enabled: flags.contains(LinkFlags::Up),
        mac,
        mtu: mtu?,
        noarp: flags.contains(LinkFlags::Noarp),
        multicast: flags.contains(LinkFlags::Multicast),
        loopback: flags.contains(LinkFlags::Loopback),
        group,
        stacked: parent.map(|parent| Stacked { parent, sharing: sharing(info) }),
        vrf_table: vrf_table(info),
    })
}

fn vrf_table(info: &[LinkInfo]) -> Option<u32> {
    let data = info.iter().find_map(|part| match part {
        LinkInfo::Data(InfoData::Vrf(data)) => Some(data),
        _ => None,
    });
    data?.iter().find_map(|item| match item {
        InfoVrf::TableId(table) => Some(*table),
        _ => None,
    })
}

/// How an interface of that kind and mode shares its parent's link. An ipvlan without flags is in bridge mode.
fn sharing(info: &[LinkInfo]) -> Sharing {
    let (mut mode, mut flags) = (None, IpVlanFlags::empty());
    let is_macvlan = info.contains(&LinkInfo::Kind(InfoKind::MacVlan));
    for part in info {
        match part {
            LinkInfo::Data(InfoData::MacVlan(data))
                if is_macvlan && data.contains(&InfoMacVlan::Mode(MacVlanMode::Private)) =>
            {
                return Sharing::PrivateMacvlan;
            }
            LinkInfo::Data(InfoData::IpVlan(data)) => {
                for item in data {
                    match item {
                        InfoIpVlan::Mode(value) => mode = Some(*value),
                        InfoIpVlan::Flags(value) => flags = *value,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    match mode {
        Some(IpVlanMode::L2) if flags.contains(IpVlanFlags::Private) => Sharing::Ipvlan(Isolation::Private),
        Some(IpVlanMode::L2) if flags.contains(IpVlanFlags::Vepa) => Sharing::Ipvlan(Isolation::Vepa),
        Some(IpVlanMode::L2) => Sharing::Ipvlan(Isolation::Bridge),
        _ if is_macvlan => Sharing::Macvlan,
        _ => Sharing::Other,
    }
}

/// A port that leaves its bridge is also reported as RTM_DELLINK, of family AF_BRIDGE.
fn link_gone(message: &LinkMessage) -> Option<Event> {
    if message.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    });
    Some(Event::LinkGone { index: IfIndex(message.header.index), name: name.unwrap_or_default() })
}

/// `None` for what is neither IPv4 nor IPv6.
pub(super) fn address(message: &AddressMessage) -> Option<AddressInfo> {
    let (mut local, mut peer, mut label, mut flags) = (None, None, None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(value) => local = Some(*value),
            AddressAttribute::Address(value) => peer = Some(*value),
            AddressAttribute::Label(value) => label = Some(value.clone()),
            AddressAttribute::Flags(value) => flags = Some(*value),
            _ => {}
        }
    }
    // The header has room for the first eight flags only.
    let flags = flags.unwrap_or_else(|| AddressFlags::from_bits_retain(message.header.flags.bits().into()));
    // IPv6 marks temporary addresses (RFC 8981) with the same bit.
    let secondary = message.header.family == AddressFamily::Inet && flags.contains(AddressFlags::Secondary);
    Some(AddressInfo {
        index: IfIndex(message.header.index),
        // IFA_ADDRESS is the far end on a point-to-point link, else both are the same.
        address: local.or(peer)?,
        prefix: message.header.prefix_len,
        label,
        secondary,
        scope: u8::from(message.header.scope),
        detection: detection(flags),
    })
}

fn detection(flags: AddressFlags) -> Detection {
    if flags.contains(AddressFlags::Dadfailed) {
        Detection::Duplicate
    } else if flags.contains(AddressFlags::Tentative) {
        Detection::Tentative
    } else {
        Detection::Passed
    }
}
