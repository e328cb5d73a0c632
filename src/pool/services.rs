//! The services of IPVS that a virtual server is: one, or one for each address and mark of its group.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    config::settings::{self, Granularity, GroupMember, ServerGroup, VirtualServer},
    kernel::ipvs::{Flags, Persistence, Protocol, Service, ServiceKey},
    units::Family,
};

/// The services of a virtual server; `family` is that of its servers, and `group` the one that it names.
pub fn services(config: &VirtualServer, family: Family, group: Option<&ServerGroup>) -> Vec<Service> {
    let protocol = match *config.protocol {
        settings::Protocol::Tcp => Protocol::Tcp,
        settings::Protocol::Udp => Protocol::Udp,
        settings::Protocol::Sctp => Protocol::Sctp,
    };
    let keys: Vec<ServiceKey> = match &config.heading {
        settings::Destination::Address(endpoint) => vec![(protocol, endpoint.address, endpoint.port).into()],
        settings::Destination::Mark(mark) => vec![ServiceKey::Mark { family, mark: *mark }],
        settings::Destination::Group(_) => {
            let members = group.iter().flat_map(|group| &group.members);
            members.flat_map(|member| keys_of(*member, protocol, family)).collect()
        }
    };
    keys.into_iter().map(|key| service(key, config)).collect()
}

fn keys_of(member: GroupMember, protocol: Protocol, family: Family) -> Vec<ServiceKey> {
    let port = match member {
        GroupMember::Mark(mark, of) => return vec![ServiceKey::Mark { family: of.unwrap_or(family), mark }],
        GroupMember::Addresses(_, port) | GroupMember::Network(_, port) => port,
    };
    let all: Box<dyn Iterator<Item = IpAddr>> = match member.ends() {
        Some((IpAddr::V4(first), IpAddr::V4(last))) => {
            Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv4Addr::from_bits(bits).into()))
        }
        Some((IpAddr::V6(first), IpAddr::V6(last))) => {
            Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv6Addr::from_bits(bits).into()))
        }
        _ => return Vec::new(),
    };
    let made = all.take(GroupMember::SERVICES_AT_MOST);
    made.map(|address| (protocol, address, port).into()).collect()
}

fn service(key: ServiceKey, config: &VirtualServer) -> Service {
    let persistence = config.persistence_timeout.map(|timeout| Persistence {
        timeout,
        granularity: granularity(config.persistence_granularity, key.family()),
        engine: config.persistence_engine.as_deref().map(str::to_owned),
    });
    Service { key, scheduler: (*config.lb_algo).to_owned(), flags: flags(config), persistence }
}

/// Of how many bits a client's address is; one whole address unless it is written otherwise.
fn granularity(written: Option<Granularity>, family: Family) -> u8 {
    match (written, family) {
        (Some(Granularity::Mask(mask)), Family::V4) => {
            u8::try_from(mask.to_bits().leading_ones()).unwrap_or(32)
        }
        (Some(Granularity::Prefix(length)), family) => length.min(family.bits()),
        _ => family.bits(),
    }
}

fn flags(config: &VirtualServer) -> Flags {
    let is = |scheduler| *config.lb_algo == scheduler;
    let (sh, mh) = (is("sh"), is("mh"));
    let each = [
        (config.ops, Flags::ONE_PACKET),
        (config.flag_1 || sh && config.sh_fallback || mh && config.mh_fallback, Flags::SCHEDULER_1),
        (config.flag_2 || sh && config.sh_port || mh && config.mh_port, Flags::SCHEDULER_2),
        (config.flag_3, Flags::SCHEDULER_3),
    ];
    each.into_iter().filter(|(on, _)| *on).fold(Flags::default(), |all, (_, flag)| all | flag)
}
