//! Which router a received packet is for.

use std::{collections::HashMap, net::IpAddr};

use crate::{config::Instance, units::Family, vrrp::Addressee};

/// The routers by interface and by what they listen to.
#[derive(Debug, Default)]
pub(super) struct Receivers(HashMap<String, HashMap<Kind, Vec<Receiver>>>);

/// What an interface's packets are told apart by before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    vrid: u8,
    family: Family,
    multicast: bool,
}

/// A router, and whom it hears.
#[derive(Debug)]
struct Receiver {
    router: usize,
    /// The group, or the peers.
    heard: Vec<IpAddr>,
}

impl Receivers {
    /// Adds a router.
    pub(super) fn add(&mut self, router: usize, config: &Instance) {
        let multicast = config.peers.is_empty();
        let heard = match multicast {
            true => vec![config.multicast_group],
            false => config.peers.iter().map(|peer| peer.address).collect(),
        };
        let kind = Kind { vrid: config.vrid.value(), family: config.family, multicast };
        let interface = self.0.entry(config.transport().to_owned()).or_default();
        interface.entry(kind).or_default().push(Receiver { router, heard });
    }

    /// The router that a packet that came in by an interface is for. Those of one VRID have different groups or
    /// different peers; one that is alone judges the sender itself (RFC 9568 §6.4 (6.4-1), §7.1 (7.1-4)).
    pub(super) fn find(&self, interface: &str, addressee: &Addressee) -> Option<usize> {
        let multicast = addressee.is_multicast();
        let kind = Kind { vrid: addressee.vrid, family: addressee.family(), multicast };
        let candidates = self.0.get(interface)?.get(&kind)?;
        let is_for = |receiver: &&Receiver| match multicast {
            true => receiver.heard.contains(&addressee.destination),
            false => candidates.len() == 1 || receiver.heard.contains(&addressee.source),
        };
        candidates.iter().find(is_for).map(|receiver| receiver.router)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Elsewhere, Options};

    /// The routers of a configuration file, numbered in its order.
    fn receivers(text: &str) -> Receivers {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("receivers.conf");
        std::fs::write(&file, text).unwrap();
        let (config, report) = config::load_with(&file, &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{:?}", report.lines().collect::<Vec<_>>()));
        let mut receivers = Receivers::default();
        for (number, instance) in config.instances.iter().enumerate() {
            receivers.add(number, instance);
        }
        receivers
    }

    /// An instance of VRID 51 on eth0.
    fn instance(name: &str, lines: &str) -> String {
        format!("vrrp_instance {name} {{\ninterface eth0\nversion 3\nvirtual_router_id 51\n{lines}\n}}\n")
    }

    fn to(source: &str, destination: &str) -> Addressee {
        Addressee { vrid: 51, source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    #[test]
    fn one_vrid_serves_families_groups_and_peers() {
        let v4 = "virtual_ipaddress {\n10.9.0.100\n}";
        let v6 = "virtual_ipaddress {\nfe80::51\n}";
        let receivers = receivers(
            &[
                instance("GROUP4", v4),
                instance("GROUP6", v6),
                instance("OTHER6", &format!("mcast_dst_ip ff02::77\n{v6}")),
                instance("PEER4", &format!("unicast_peer {{\n10.9.0.2\n}}\n{v4}")),
                instance("PEER6", &format!("unicast_peer {{\nfe80::2\n}}\n{v6}")),
                instance("PEERS6", &format!("unicast_peer {{\nfe80::3\nfe80::4\n}}\n{v6}")),
            ]
            .concat(),
        );
        let found = |source, destination| receivers.find("eth0", &to(source, destination));
        assert_eq!(found("10.9.0.2", "224.0.0.18"), Some(0));
        assert_eq!(found("fe80::2", "ff02::12"), Some(1));
        assert_eq!(found("fe80::2", "ff02::77"), Some(2));
        assert_eq!(found("fe80::2", "ff02::78"), None, "a group of another program");
        assert_eq!(found("10.9.0.9", "10.9.0.1"), Some(3), "the only one, which knows what to make of it");
        assert_eq!(found("fe80::2", "fe80::1"), Some(4));
        assert_eq!(found("fe80::4", "fe80::1"), Some(5));
        assert_eq!(found("fe80::9", "fe80::1"), None);
        assert_eq!(receivers.find("eth1", &to("fe80::2", "ff02::12")), None);
    }
}
