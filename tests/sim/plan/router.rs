//! One virtual router, and what the hosts are configured with for it.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use steadfast::{
    units::{Family, Version, Vrid},
    vrrp::{Destination, Membership, Policy, Settings, multicast_group},
};

use super::{Claim, Secret, words};
use crate::random::Random;

/// One virtual router: an instance on every host.
#[derive(Clone, Debug)]
pub(crate) struct VirtualRouter {
    pub(crate) segment: usize,
    pub(crate) vrid: Vrid,
    pub(crate) family: Family,
    /// What most hosts speak.
    version: Version,
    /// Every second host speaks the other version.
    has_both_versions: bool,
    pub(crate) secret: Secret,
    common: words::Common,
    is_unicast: bool,
    adverts: u32,
    tentative: bool,
}

impl VirtualRouter {
    pub(super) fn new(random: &mut Random, number: usize, segments: usize) -> Self {
        let family = random.pick(&[Family::V4, Family::V6]);
        let version = random.pick(&[Version::V2, Version::V3, Version::V3]);
        Self {
            segment: random.index(segments),
            // Both families may share a VRID, and every segment counts its own.
            vrid: Vrid::new(51 + u8::try_from(number).expect("few routers")).expect("it is not 0"),
            family,
            version,
            has_both_versions: random.percent(5),
            secret: Secret::new(random, version, family),
            common: words::Common::new(random),
            is_unicast: random.percent(20),
            adverts: random.pick(&[3, 3, 3, 2, 4]),
            tentative: family == Family::V6 && random.percent(30),
        }
    }

    /// What a host speaks.
    fn version(&self, host: usize) -> Version {
        match self.version {
            version if !self.has_both_versions || host.is_multiple_of(2) => version,
            Version::V2 => Version::V3,
            Version::V3 => Version::V2,
        }
    }

    /// What a host is configured with.
    pub(super) fn settings(
        &self,
        random: &mut Random,
        claim: Claim,
        (host, hosts): (usize, usize),
    ) -> Settings {
        let version = self.version(host);
        let advert_interval = match version {
            Version::V2 => Duration::from_secs(1),
            // Version 3 routers need not agree on it.
            Version::V3 => Duration::from_millis(random.pick(&[200, 500, 1000])),
        };
        let others = (0..hosts).filter(|other| *other != host);
        let destination = if self.is_unicast {
            Destination::Unicast(others.map(|other| self.source(other)).collect())
        } else {
            Destination::Multicast(multicast_group(self.family))
        };
        let mut addresses = self.addresses();
        if random.percent(5) {
            // A typing error, or a change that has not come everywhere.
            addresses.extend(addresses.last().map(other));
        }
        let settings = Settings {
            name: String::new(),
            interface: format!("eth{}", self.segment),
            vrid: self.vrid,
            version,
            priority: claim.priority,
            advert_interval,
            start_as_master: claim.start_as_master,
            preempt: claim.preempt,
            preempt_delay: claim.preempt_delay,
            auth: self.secret.auth(random, version),
            addresses,
            destination,
            source: None,
            track_source: false,
            garp: Default::default(),
            down_timer_adverts: self.adverts,
            membership: Membership::Alone,
            policy: Policy::default(),
        };
        words::draw(random, self.common, &settings, self.source(host))
    }

    /// The address that a host sends from.
    pub(crate) fn source(&self, host: usize) -> IpAddr {
        let last = u8::try_from(host + 1).expect("few hosts");
        let segment = u8::try_from(self.segment).expect("few segments");
        match self.family {
            Family::V4 => [10, 9, segment, last].into(),
            Family::V6 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, segment.into(), last.into()).into(),
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let vrid = self.vrid.value();
        match self.family {
            Family::V4 => vec![[10, 9, 0, vrid].into()],
            Family::V6 => vec![
                Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xff, vrid.into()).into(),
                Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, vrid.into()).into(),
            ],
        }
    }

    /// Whether its address is tentative for a while after a boot and after the link was down.
    pub(crate) fn is_tentative_at_first(&self) -> bool {
        self.tentative
    }
}

/// Another address.
fn other(address: &IpAddr) -> IpAddr {
    match *address {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) + 64).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) + 1).into()),
    }
}
