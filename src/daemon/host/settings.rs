//! Which settings of the network a virtual router's link needs.
//!
//! A macvlan and its parent are two doors of one host onto one link, and Linux answers at either for all of its
//! addresses. Each has to speak for its own only, or the link would learn virtual addresses at the physical MAC
//! (RFC 9568 §8.1.2 (8.1.2-1, 8.1.2-3, 8.1.2-6), §8.2.2 (8.2.2-1, 8.2.2-5, 8.2.2-8)).

use tracing::warn;

use super::PlannedLink;
use crate::{
    config::Config,
    kernel::{KernelError, Sysctl},
};

/// `accept_local` and its like are on, `rp_filter` off.
const ON: i64 = 1;
const OFF: i64 = 0;
/// `addr_gen_mode`: the kernel makes no link-local address (IN6_ADDR_GEN_MODE_NONE). One made from the virtual MAC
/// would be the same on every router (RFC 9568 §7.4 (7.4-1)).
const NO_ADDRESS: i64 = 1;
/// `arp_announce`: a question for a neighbour names an address of the interface it leaves by.
const OWN_ADDRESS: i64 = 2;
/// `rp_filter`: a packet counts only on the interface that answers to it would leave by.
const STRICT: i64 = 1;

/// Gives a link its own settings, before it is up. They go with it. A refusal is only reported: what makes the link
/// useless is found by [`check`].
pub(super) fn of_link(planned: &PlannedLink) {
    let name = &planned.name;
    let mut wanted = Vec::new();
    if planned.ipv4 {
        // It answers for its own addresses, takes packets from those of the parent, and hears routers whose
        // addresses are reached through the parent.
        wanted.push((Sysctl::ipv4(name, "arp_ignore"), ON));
        wanted.push((Sysctl::ipv4(name, "accept_local"), ON));
        wanted.push((Sysctl::ipv4(name, "rp_filter"), OFF));
        // The first address of a subnet can go without the others.
        wanted.push((Sysctl::ipv4(name, "promote_secondaries"), ON));
    }
    wanted.push((Sysctl::ipv6(name, "addr_gen_mode"), NO_ADDRESS));
    if planned.ipv6 {
        // Routes and addresses that a router advertises are for the parent.
        wanted.push((Sysctl::ipv6(name, "accept_ra"), OFF));
        wanted.push((Sysctl::ipv6(name, "autoconf"), OFF));
    }
    wanted.push((Sysctl::ipv6(name, "disable_ipv6"), i64::from(!planned.ipv6)));
    for (sysctl, value) in wanted {
        match sysctl.write(value) {
            // A kernel without IPv6 needs none of its settings.
            Err(error) if error.is_not_found() && !planned.ipv6 => {}
            Err(error) => warn!("{error}"),
            Ok(()) => {}
        }
    }
}

/// What others have to be for the sake of a link: its parent, and reverse path filtering of all interfaces.
///
/// The filter that counts is the stricter one of an interface and of `all`, so that with `all` on no link can be
/// without. Then `all` goes off, and every other interface, and every one to come, gets what `all` was.
pub(super) fn of_others<'a>(
    planned: &PlannedLink,
    others: impl Iterator<Item = &'a str>,
) -> Vec<(Sysctl, i64)> {
    if !planned.ipv4 {
        return Vec::new();
    }
    let mut wanted = of_parent(&planned.parent).to_vec();
    let all = Sysctl::ipv4("all", "rp_filter");
    let filter = all.read().unwrap_or(OFF);
    if filter > OFF {
        for name in others.chain(["default"]) {
            let own = Sysctl::ipv4(name, "rp_filter");
            if own.read().is_ok_and(|now| now < filter) {
                wanted.push((own, filter));
            }
        }
        wanted.push((all, OFF));
    }
    wanted
}

/// What the parent of a link that carries IPv4 has to be.
pub(super) fn of_parent(parent: &str) -> [(Sysctl, i64); 3] {
    [
        (Sysctl::ipv4(parent, "arp_ignore"), ON),
        (Sysctl::ipv4(parent, "arp_filter"), ON),
        // Whom it asks for a neighbour's MAC, it tells its own address: with a virtual one the neighbour would note that
        // at the physical MAC.
        (Sysctl::ipv4(parent, "arp_announce"), OWN_ADDRESS),
    ]
}

/// Whether the link can hear other routers: with strict reverse path filtering it cannot, as they are reached through
/// its parent, and two masters would be the result.
pub(super) fn check(planned: &PlannedLink) -> Result<(), KernelError> {
    if !planned.ipv4 || !planned.transport {
        return Ok(());
    }
    for interface in ["all", &planned.name] {
        let sysctl = Sysctl::ipv4(interface, "rp_filter");
        if sysctl.read()? == STRICT {
            let reason =
                format!("{sysctl} is {STRICT} and cannot be changed: no other router would be heard");
            return Err(KernelError::other(format!("setting up {}", planned.name), reason));
        }
    }
    Ok(())
}

/// What the configuration asks for by name, from the start to the end.
///
/// - `disable_local_igmp`: the host does not report groups of 224.0.0.0/24, which switches have to flood anyway.
/// - `promote_secondaries`: the first address of a subnet can go without the others. A link of the instance's own has
///   that anyway.
pub(super) fn of_host(config: &Config) -> Vec<(Sysctl, i64)> {
    let silent = config.global.settings.disable_local_igmp;
    let silent = silent.then(|| (Sysctl::igmp_link_local_reports(), OFF));
    let promoting = config
        .instances
        .iter()
        .filter(|instance| instance.settings.promote_secondaries && instance.link.is_none())
        .map(|instance| promote_secondaries(&instance.interface));
    silent.into_iter().chain(promoting).collect()
}

/// The first address of a subnet can go without the others.
pub(super) fn promote_secondaries(interface: &str) -> (Sysctl, i64) {
    (Sysctl::ipv4(interface, "promote_secondaries"), ON)
}
