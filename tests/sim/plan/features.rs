//! What a story can be about. A feature that the generator never draws is one that nothing is known of.

use steadfast::{
    config::AntiReplay,
    units::{Family, Version},
    vrrp::{Destination, Membership, OldChecksum, Settings},
};

use super::{Plan, Secret, Stage};

/// Whether a plan has a feature.
type Has = fn(&Plan) -> bool;

/// Each feature by its name.
pub(crate) const FEATURES: [(&str, Has); 51] = [
    ("two hosts", |plan| plan.hosts.len() == 2),
    ("four hosts", |plan| plan.hosts.len() == 4),
    ("two segments", |plan| plan.segments == 2),
    ("IPv4", |plan| plan.routers.iter().any(|router| router.family == Family::V4)),
    ("IPv6", |plan| plan.routers.iter().any(|router| router.family == Family::V6)),
    ("version 2 over IPv4", |plan| speaks(plan, Version::V2, Family::V4)),
    ("version 3 over IPv4", |plan| speaks(plan, Version::V3, Family::V4)),
    ("version 2 over IPv6", |plan| speaks(plan, Version::V2, Family::V6)),
    ("version 3 over IPv6", |plan| speaks(plan, Version::V3, Family::V6)),
    ("mixed versions", |plan| differ(plan, |one| one.version)),
    ("multicast", |plan| any(plan, |one| matches!(one.destination, Destination::Multicast(_)))),
    ("one unicast peer", |plan| any(plan, |one| peers(one) == 1)),
    ("several unicast peers", |plan| any(plan, |one| peers(one) > 1)),
    ("check_unicast_src", |plan| any(plan, |one| one.policy.check_unicast_src)),
    ("unicast_ttl", |plan| any(plan, |one| one.policy.unicast_ttl.is_some())),
    ("old_unicast_checksum", |plan| any(plan, |one| one.policy.old_checksum != OldChecksum::Never)),
    ("v3_checksum_as_v2", |plan| any(plan, |one| one.policy.v3_checksum_as_v2)),
    ("intervals to be adopted", |plan| differ(plan, |one| one.advert_interval)),
    ("down_timer_adverts", |plan| any(plan, |one| one.down_timer_adverts != 3)),
    ("equal priorities", |plan| among(plan, |one, other| one.priority == other.priority)),
    ("one owner", |plan| owners(plan) == 1),
    ("two owners", |plan| owners(plan) > 1),
    ("owner_ignore_adverts", |plan| any(plan, |one| one.policy.owner_ignore_adverts)),
    ("state MASTER of an owner", |plan| any(plan, |one| one.start_as_master && one.is_owner())),
    ("state MASTER of another router", |plan| any(plan, |one| one.start_as_master && !one.is_owner())),
    ("nopreempt", |plan| any(plan, |one| !one.preempt)),
    ("preempt_delay", |plan| any(plan, |one| one.preempt && !one.preempt_delay.is_zero())),
    ("timer_expired_backup", |plan| any(plan, |one| one.policy.timer_expired_backup.is_some())),
    ("lower_prio_no_advert", |plan| any(plan, |one| one.policy.lower_prio_no_advert)),
    ("higher_prio_send_advert", |plan| any(plan, |one| one.policy.higher_prio_send_advert)),
    ("skip_check_adv_addr", |plan| any(plan, |one| one.policy.skip_check_adv_addr)),
    ("another list of addresses", |plan| differ(plan, |one| one.addresses.len())),
    ("garp_master_refresh", |plan| any(plan, |one| !one.garp.refresh.is_zero())),
    ("unicast_src_ip or mcast_src_ip", |plan| any(plan, |one| one.source.is_some())),
    ("track_src_ip", |plan| any(plan, |one| one.track_source)),
    ("vrrp_startup_delay", |plan| plan.hosts.iter().any(|host| !host.delay.is_zero())),
    ("script without weight", |plan| plan.hosts.iter().any(|host| host.scripts.contains(&true))),
    ("tentative address", |plan| plan.routers.iter().any(|router| router.is_tentative_at_first())),
    ("sync group", |plan| any(plan, |one| one.membership == Membership::Member)),
    ("sync group of owners", |plan| any(plan, |one| one.membership == Membership::AmongOwners)),
    ("sync group of mixed priorities", |plan| plan.is_mixed),
    ("auth_type PASS", |plan| proves(plan, |secret| secret == Secret::Password)),
    ("auth_type AH", |plan| proves(plan, |secret| secret == Secret::Header)),
    ("anti_replay time", |plan| {
        proves(plan, |secret| matches!(secret, Secret::Signed(AntiReplay::Time { .. }, _)))
    }),
    ("anti_replay monotonic", |plan| {
        proves(plan, |secret| matches!(secret, Secret::Signed(AntiReplay::Monotonic, _)))
    }),
    ("auth_hmac", |plan| stage(plan, Stage::Done)),
    ("change of the key", |plan| stage(plan, Stage::Rotation)),
    ("receive-only and permissive", |plan| stage(plan, Stage::Introduction)),
    ("permissive and enforce", |plan| stage(plan, Stage::Enforcement)),
    ("key that some lack", |plan| stage(plan, Stage::Mistake)),
    ("clocks that differ", |plan| plan.hosts.iter().any(|host| host.clock.drift != 0)),
];

fn any(plan: &Plan, has: fn(&Settings) -> bool) -> bool {
    plan.hosts.iter().flat_map(|host| &host.settings).any(has)
}

/// Whether two hosts are configured so for one virtual router.
fn among(plan: &Plan, are: fn(&Settings, &Settings) -> bool) -> bool {
    let [first, rest @ ..] = &plan.hosts[..] else { return false };
    let pairs = |other: &super::HostPlan| {
        first.settings.iter().zip(&other.settings).map(|(one, other)| are(one, other)).collect::<Vec<_>>()
    };
    rest.iter().any(|other| pairs(other).contains(&true))
}

fn differ<T: PartialEq>(plan: &Plan, of: fn(&Settings) -> T) -> bool {
    (0..plan.routers.len()).any(|router| {
        let of_host = |host: usize| of(&plan.hosts[host].settings[router]);
        (1..plan.hosts.len()).any(|host| of_host(host) != of_host(0))
    })
}

fn speaks(plan: &Plan, version: Version, family: Family) -> bool {
    let speaks = |settings: &Settings| settings.version == version && settings.family() == family;
    plan.hosts.iter().flat_map(|host| &host.settings).any(speaks)
}

fn peers(settings: &Settings) -> usize {
    match &settings.destination {
        Destination::Unicast(peers) => peers.len(),
        Destination::Multicast(_) => 0,
    }
}

fn owners(plan: &Plan) -> usize {
    plan.hosts.iter().filter(|host| host.settings.iter().any(Settings::is_owner)).count()
}

fn stage(plan: &Plan, wanted: Stage) -> bool {
    plan.routers.iter().any(|router| matches!(router.secret, Secret::Signed(_, stage) if stage == wanted))
}

fn proves(plan: &Plan, is: fn(Secret) -> bool) -> bool {
    plan.routers.iter().any(|router| is(router.secret))
}
