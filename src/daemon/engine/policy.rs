//! The words of an instance that each change one decision of its machine.

use std::time::Duration;

use super::Engine;
use crate::{
    config::{Global, Instance, UnicastPeer},
    kernel::clock,
    registry::Reason,
    units::{Family, Priority, Time, Version},
    vrrp::{Fault, OldChecksum, Peer, Policy},
};

/// What the machine of an instance does otherwise than usual.
pub(super) fn of(instance: &Instance) -> Policy {
    let settings = &instance.settings;
    Policy {
        lower_prio_no_advert: *settings.lower_prio_no_advert,
        higher_prio_send_advert: *settings.higher_prio_send_advert,
        owner_ignore_adverts: *settings.owner_ignore_adverts,
        skip_check_adv_addr: *settings.skip_check_adv_addr,
        // Bounds are of no use unless it is known who sends: keepalived checks then, too.
        check_unicast_src: *settings.check_unicast_src || instance.peers.iter().any(is_bounded),
        peers: peers(instance),
        unicast_ttl: settings.unicast_ttl,
        v3_checksum_as_v2: *settings.v3_checksum_as_v2 && instance.version == Version::V3,
        old_checksum: old_checksum(instance),
        timer_expired_backup: settings.timer_expired_backup.map(Priority),
    }
}

fn is_bounded(peer: &UnicastPeer) -> bool {
    peer.min_ttl.is_some() || peer.max_ttl.is_some()
}

fn peers(instance: &Instance) -> Vec<Peer> {
    let peer = |peer: &UnicastPeer| Peer {
        address: peer.address,
        min_ttl: peer.min_ttl.unwrap_or(0),
        max_ttl: peer.max_ttl.unwrap_or(u8::MAX),
    };
    instance.peers.iter().map(peer).collect()
}

fn old_checksum(instance: &Instance) -> OldChecksum {
    let group = instance.multicast_group;
    let has_it = instance.version == Version::V3 && instance.family == Family::V4;
    match instance.settings.old_unicast_checksum {
        _ if !has_it || instance.peers.is_empty() => OldChecksum::Never,
        None => OldChecksum::Detected(group),
        Some("never") => OldChecksum::Never,
        Some(_) => OldChecksum::Always(group),
    }
}

/// What keeps a router that is to speak unicast from doing so.
fn no_peers(instance: &Instance) -> Option<Reason> {
    let lacks_peers = instance.settings.unicast_fault_no_peer && instance.peers.is_empty();
    lacks_peers.then_some(Reason::NoPeers)
}

/// Until when all routers keep quiet, if they do: the later one of `vrrp_startup_delay` from the start on and
/// `vrrp_delay_after_boot` from the boot on, which is when the clock began.
fn quiet_until(global: &Global, started: Time) -> Option<Time> {
    let (delay, uptime) = (*global.settings.vrrp_startup_delay, *global.settings.vrrp_delay_after_boot);
    let until = (started + delay).max(Time::default() + uptime);
    (until > started && (delay, uptime) != (Duration::ZERO, Duration::ZERO)).then_some(until)
}

impl Engine {
    /// Says whether a router lacks peers, which a reload may have changed.
    pub(super) fn say_whether_it_has_peers(&mut self, number: usize, now: Time) {
        let router = &mut self.routers[number];
        let reason = no_peers(&router.row.config);
        router.machine.handle_fault(now, Fault::NoPeers, reason);
    }

    /// What the configuration itself puts in the way of a start.
    pub(super) fn hold_back(&mut self) {
        let now = clock::now();
        let quiet_until = quiet_until(&self.registry.topology().global, now);
        for router in &mut self.routers {
            if let Some(until) = quiet_until {
                router.machine.handle_delay(now, until);
            }
            if let Some(reason) = no_peers(&router.row.config) {
                router.machine.handle_fault(now, Fault::NoPeers, Some(reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Elsewhere, Options};

    fn global(words: &str) -> Global {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("policy.conf");
        let instance = "vrrp_instance VI {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.9.0.1\n }\n}";
        std::fs::write(&file, format!("global_defs {{\n{words}\n}}\n{instance}\n")).unwrap();
        let (config, report) = config::load_with(&file, &Options::default(), &Elsewhere);
        config.unwrap_or_else(|| panic!("{:?}", report.lines().collect::<Vec<_>>())).global
    }

    /// Seconds from the boot to the start, and to the end of the silence.
    #[test]
    fn routers_keep_quiet_for_the_longer_one_of_both_delays() {
        let (start, boot) = ("vrrp_startup_delay 5", "vrrp_delay_after_boot 60");
        let both = format!("{start}\n{boot}");
        for (words, started, until) in [
            ("", 10, None),
            (start, 10, Some(15)),
            (boot, 10, Some(60)),
            (boot, 59, Some(60)),
            // The host has run for long enough.
            (boot, 60, None),
            (boot, 1_000, None),
            (&both, 10, Some(60)),
            (&both, 57, Some(62)),
            (&both, 1_000, Some(1_005)),
        ] {
            let after_boot = |seconds| Time::default() + Duration::from_secs(seconds);
            let found = quiet_until(&global(words), after_boot(started));
            assert_eq!(found, until.map(after_boot), "{words:?}, {started} s after the boot");
        }
    }
}
