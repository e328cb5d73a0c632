//! Addresses of hosts: where advertisements come from and go to.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{
    Context,
    address::{address_slip, belongs},
};
use crate::{
    config::{
        Diagnostic, Severity, UnicastPeer,
        settings::GlobalDefs,
        text::{Line, Word},
        tree::Node,
        value,
    },
    units::Family,
};

/// Where advertisements go unless the configuration says otherwise (RFC 9568 §5.1.1.2 and §5.1.2.2).
const MULTICAST_GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const MULTICAST_GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// A source or peer address of an instance, if it is one and of its family. keepalived silently ignores what follows
/// a `/` or `-`; here that is said.
pub(super) fn of_instance(
    word: Word<'_>,
    what: &str,
    family: &mut Option<Family>,
    context: &mut Context<'_>,
) -> Option<IpAddr> {
    let Some((address, cut)) = value::host_address(word.text) else {
        context.add(
            Diagnostic::new(
                "invalid-address",
                Severity::Error,
                format!("`{}` is not an IP address: the {what} is ignored", word.text),
                &word.span(),
            )
            .help(address_slip(word.text).unwrap_or("write an address, such as 192.0.2.1")),
        );
        return None;
    };
    if cut {
        context.add(
            Diagnostic::new(
                "extra-words",
                Severity::Notice,
                format!("what follows {address} is ignored"),
                &word.span(),
            )
            .help(format!("a {what} is an address without a prefix length")),
        );
    }
    belongs(address, family, word, what, context).then_some(address)
}

/// The lines of `unicast_peer`; `known` are the peers that there are.
pub(super) fn peers(
    lines: &[Line],
    family: &mut Option<Family>,
    peers: &mut Vec<UnicastPeer>,
    known: &mut HashSet<IpAddr>,
    context: &mut Context<'_>,
) {
    for line in lines {
        let word = line.first();
        let Some(address) = of_instance(word, "peer", family, context) else {
            continue;
        };
        if !known.insert(address) {
            context.add(
                Diagnostic::new(
                    "duplicate-address",
                    Severity::Error,
                    format!("peer {address} is already listed: the line is ignored"),
                    &word.span(),
                )
                .help("remove the line"),
            );
            continue;
        }
        let mut peer = UnicastPeer { address, min_ttl: None, max_ttl: None };
        ttl_range(line, &mut peer, context);
        peers.push(peer);
    }
}

/// Says that a router lists its own address as a peer's.
pub(super) fn note_own_peer(instance: &Node, source: Option<IpAddr>, context: &mut Context<'_>) {
    let Some(own) = source else { return };
    let lists = instance.nodes().iter().filter(|node| node.keyword.name == "unicast_peer");
    let is_own =
        |line: &&Line| value::host_address(line.first().text).is_some_and(|(address, _)| address == own);
    for line in lists.flat_map(Node::lines).filter(is_own) {
        context.add(
            Diagnostic::new(
                "own-peer",
                Severity::Notice,
                format!("peer {own} is this router itself, by its source address"),
                &line.first().span(),
            )
            .help("list the other routers alone"),
        );
    }
}

/// `min_ttl N` and `max_ttl N` behind a peer.
fn ttl_range(line: &Line, peer: &mut UnicastPeer, context: &mut Context<'_>) {
    let mut words = line.words(1);
    while let Some(option) = words.next() {
        let limit = match option.text {
            "min_ttl" => &mut peer.min_ttl,
            "max_ttl" => &mut peer.max_ttl,
            other => {
                context.add(
                    Diagnostic::new(
                        "unknown-option",
                        Severity::Error,
                        format!("`{other}` means nothing here and is ignored"),
                        &option.span(),
                    )
                    .help("write one peer per line, as ADDRESS [min_ttl N] [max_ttl N]"),
                );
                continue;
            }
        };
        let number = words.next();
        let value = number.and_then(|word| value::integer(word.text)).and_then(|ttl| u8::try_from(ttl).ok());
        if value.is_none() {
            context.add(
                Diagnostic::new(
                    "invalid-value",
                    Severity::Error,
                    format!("this is not a valid {}: it is ignored", option.text),
                    &number.unwrap_or(option).span(),
                )
                .help(format!("after {} write a whole number from 0 to 255", option.text)),
            );
            continue;
        }
        *limit = value;
    }
}

/// `mcast_dst_ip` of an instance: a group of its family, IPv6 only of the link.
pub(super) fn group(node: &Node, family: &mut Option<Family>, context: &mut Context<'_>) -> Option<IpAddr> {
    let word = node.argument()?;
    let (address, _) = value::host_address(word.text)?;
    if !is_group(address) {
        context.add(
            Diagnostic::new(
                "invalid-address",
                Severity::Error,
                format!("`{}` is not a multicast group of the link: the line is ignored", word.text),
                &word.span(),
            )
            .help("write a group such as 224.0.0.18 or ff02::12"),
        );
        return None;
    }
    belongs(address, family, word, "multicast group", context).then_some(address)
}

/// Whether advertisements can go there: an IPv4 group, or an IPv6 group that no router forwards (ff02::/16).
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast(),
        IpAddr::V6(address) => address.segments()[0] == 0xff02,
    }
}

/// The group of an instance that names none.
pub(super) fn usual_group(family: Family, global: &GlobalDefs) -> IpAddr {
    match family {
        Family::V4 => global.vrrp_mcast_group4.unwrap_or(MULTICAST_GROUP_V4.into()),
        Family::V6 => global.vrrp_mcast_group6.unwrap_or(MULTICAST_GROUP_V6.into()),
    }
}

/// Takes back a `vrrp_mcast_group4` or `vrrp_mcast_group6` that is no group of its family.
pub(super) fn check_groups(node: &Node, settings: &mut GlobalDefs, context: &mut Context<'_>) {
    let (group, family) = match node.keyword.name {
        "vrrp_mcast_group4" => (&mut settings.vrrp_mcast_group4, Family::V4),
        "vrrp_mcast_group6" => (&mut settings.vrrp_mcast_group6, Family::V6),
        _ => return,
    };
    let (Some(word), Some(address)) = (node.argument(), *group) else { return };
    if Family::of(address) == family && is_group(address) {
        return;
    }
    // A group beyond the link is unusual, but keepalived takes it, and so do its peers.
    let unusual = Family::of(address) == family && address.is_multicast();
    let what = if unusual {
        format!("{address} is not a multicast group of the link (ff02::/16)")
    } else {
        *group = None;
        format!("`{}` is not an {family} multicast group: the line is ignored", word.text)
    };
    context.add(
        Diagnostic::new("invalid-address", Severity::Error, what, &word.span())
            .help("write a group such as 224.0.0.18 or ff02::12"),
    );
}
