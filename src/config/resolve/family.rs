//! What the addresses of an IPv6 instance have to look like.

use std::net::IpAddr;

use super::Context;
use crate::config::{AddressLine, Diagnostic, Instance, Severity};

/// RFC 9568 §5.2.9 (5.2.9-1): the first address of an advertisement to the group is link-local. As in keepalived the
/// instance runs all the same, and unicast peers are not asked for it.
pub(super) fn check(instance: &Instance, context: &mut Context<'_>) {
    let is_link_local = |line: &AddressLine| match line.address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if !instance.peers.is_empty() {
        return;
    }
    if let Some(first) = instance.virtual_addresses.first().filter(|line| !is_link_local(line)) {
        let headline =
            format!("{} is not link-local, as the first virtual address over IPv6 should be", first.address);
        context.add(
            Diagnostic::new("not-link-local", Severity::Notice, headline, &first.at)
                .info("hosts use the link-local address of a router as their gateway")
                .help("begin virtual_ipaddress with an address such as fe80::1/64"),
        );
    }
}
