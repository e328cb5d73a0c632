//! Words of the configuration that change single decisions, drawn for one instance.

use std::{net::IpAddr, time::Duration};

use steadfast::{
    units::{Family, Priority, Version},
    vrrp::{Destination, Garp, OldChecksum, Peer, Policy, Settings, multicast_group},
};

use crate::random::Random;

/// What all instances of a virtual router have to agree on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    /// Unicast checksums may be of the old form.
    old_checksum: bool,
}

impl Common {
    pub(super) fn new(random: &mut Random) -> Self {
        Self { old_checksum: random.percent(20) }
    }
}

/// Draws the words of an instance whose other settings are known.
pub(super) fn draw(random: &mut Random, common: Common, settings: &Settings, source: IpAddr) -> Settings {
    let (tracks, named) = (random.percent(50), random.percent(15));
    let mut settings = settings.clone();
    settings.source = named.then_some(source);
    settings.track_source = named && tracks;
    settings.garp = garp(random);
    let timer_expired_backup = random.percent(30).then_some(Priority(50));
    settings.policy = Policy {
        lower_prio_no_advert: random.percent(10),
        higher_prio_send_advert: random.percent(10),
        owner_ignore_adverts: settings.is_owner() && random.percent(20),
        skip_check_adv_addr: random.percent(10),
        v3_checksum_as_v2: settings.version == Version::V3 && random.percent(10),
        timer_expired_backup: timer_expired_backup.filter(|_| !settings.preempt),
        ..unicast(random, common, &settings)
    };
    settings
}

fn unicast(random: &mut Random, common: Common, settings: &Settings) -> Policy {
    let Destination::Unicast(peers) = &settings.destination else { return Policy::default() };
    let bounds = random.pick(&[(0, 255), (64, 255)]);
    let peer = |address: &IpAddr| Peer { address: *address, min_ttl: bounds.0, max_ttl: bounds.1 };
    let has_old = common.old_checksum && settings.version == Version::V3 && settings.family() == Family::V4;
    let group = multicast_group(Family::V4);
    let old_checksum = random.pick(&[OldChecksum::Detected(group), OldChecksum::Always(group)]);
    Policy {
        check_unicast_src: random.percent(30),
        peers: peers.iter().map(peer).collect(),
        unicast_ttl: random.pick(&[None, Some(64), Some(255)]),
        old_checksum: if has_old { old_checksum } else { OldChecksum::Never },
        ..Policy::default()
    }
}

fn garp(random: &mut Random) -> Garp {
    if random.percent(70) {
        return Garp::default();
    }
    let seconds = |random: &mut Random, choices: &[u64]| Duration::from_secs(random.pick(choices));
    Garp {
        repeat: random.pick(&[1, 5]),
        delay: seconds(random, &[0, 1, 5]),
        refresh: seconds(random, &[0, 1, 3]),
        refresh_repeat: random.pick(&[1, 2]),
        lower_prio_repeat: random.pick(&[0, 1, 5]),
        lower_prio_delay: seconds(random, &[0, 1, 5]),
        ..Garp::default()
    }
}
