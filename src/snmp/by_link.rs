//! The instances as the RFC's MIBs index them: by the interface's number in the kernel, VRID, and family.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use agentx::seek_sorted;

use crate::{
    registry::{InstanceRow, Topology},
    units::{Family, Version},
};

/// An instance with its index.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// ifIndex of its interface, the one below where it has a link of its own.
    pub(super) link: u32,
    pub(super) row: Arc<InstanceRow>,
    /// Its virtual addresses, the excluded ones left out, in order.
    addresses: Arc<[IpAddr]>,
}

impl Located {
    fn vrid(&self) -> u32 {
        self.row.config.vrid.value().into()
    }

    /// Index of VRRP-MIB::vrrpOperEntry.
    pub(super) fn v2_index(&self) -> [u32; 2] {
        [self.link, self.vrid()]
    }

    /// Index of VRRPV3-MIB::vrrpv3OperationsEntry.
    pub(super) fn v3_index(&self) -> [u32; 3] {
        [self.link, self.vrid(), number(self.row.config.family)]
    }
}

/// InetAddressType of a family.
pub(super) fn number(family: Family) -> u32 {
    match family {
        Family::V4 => 1,
        Family::V6 => 2,
    }
}

/// All instances whose interface exists, in the order of their indexes. Of several with one index, which unicast routers
/// may have, the first of the configuration is there: the MIBs cannot tell them apart.
#[derive(Debug, Default)]
pub(super) struct ByLink {
    /// Those of VRRP-MIB: version 2 over IPv4.
    v2: Vec<Located>,
    /// Those of VRRPV3-MIB: of both versions, as keepalived has them.
    v3: Vec<Located>,
}

impl ByLink {
    pub(super) fn new(topology: &Topology) -> Self {
        let links: BTreeMap<&str, u32> = topology
            .interfaces
            .iter()
            .filter_map(|row| Some((row.config.name.as_str(), row.link()?.0)))
            .collect();
        let mut v3: Vec<Located> = topology
            .instances
            .iter()
            .filter_map(|row| {
                let mut addresses: Vec<IpAddr> =
                    row.config.virtual_addresses.iter().map(|line| line.address).collect();
                addresses.sort_unstable();
                addresses.dedup();
                let link = *links.get(row.config.interface.as_str())?;
                Some(Located { link, row: Arc::clone(row), addresses: addresses.into() })
            })
            .collect();
        // Stable: the first of the configuration stays first.
        v3.sort_by_key(Located::v3_index);
        v3.dedup_by_key(|located| located.v3_index());
        let is_v2 = |located: &&Located| {
            located.row.config.version == Version::V2 && located.row.config.family == Family::V4
        };
        let v2 = v3.iter().filter(is_v2).cloned().collect();
        Self { v2, v3 }
    }

    pub(super) fn v2(&self) -> &[Located] {
        &self.v2
    }

    pub(super) fn v3(&self) -> &[Located] {
        &self.v3
    }
}

/// The row after an index among `all`, whose index `index` tells.
pub(super) fn seek<const N: usize>(
    all: &[Located],
    index: fn(&Located) -> [u32; N],
    after: &[u32],
    include: bool,
) -> Option<(Vec<u32>, Located)> {
    let found = all.get(seek_sorted(all, after, include, index)?)?;
    Some((index(found).to_vec(), found.clone()))
}

/// The virtual address after an index that is that of its instance and what `suffix` makes of the address.
pub(super) fn seek_address<const N: usize>(
    all: &[Located],
    index: fn(&Located) -> [u32; N],
    suffix: impl Fn(IpAddr) -> Vec<u32>,
    (after, include): (&[u32], bool),
) -> Option<(Vec<u32>, Located)> {
    // The instance that the index begins with may have further addresses.
    let own = after.get(..N).unwrap_or(after);
    let first = seek_sorted(all, own, true, index)?;
    all.get(first..)?.iter().find_map(|located| {
        let whole = |address: &IpAddr| [&index(located)[..], &suffix(*address)].concat();
        let address = located.addresses.get(seek_sorted(&located.addresses, after, include, whole)?)?;
        Some((whole(address), located.clone()))
    })
}

/// The octets of an address as sub-identifiers.
pub(super) fn octets(address: IpAddr) -> Vec<u32> {
    match address {
        IpAddr::V4(address) => address.octets().map(u32::from).to_vec(),
        IpAddr::V6(address) => address.octets().map(u32::from).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{self, Elsewhere, Options};

    /// Instances on interfaces that have the numbers `links`: interface, VRID and last octets of the addresses of each.
    fn topology(links: &[u32], instances: &[(usize, u8, Vec<u8>)]) -> Topology {
        let mut text = String::from("global_defs {\nvrrp_version 2\n}\n");
        for (number, (interface, vrid, addresses)) in instances.iter().enumerate() {
            let addresses: String = addresses.iter().map(|last| format!("10.9.{vrid}.{last}\n")).collect();
            text += &format!(
                "vrrp_instance I{number} {{\ninterface eth{interface}\nvirtual_router_id {vrid}\n\
                 virtual_ipaddress {{\n{addresses}}}\n}}\n"
            );
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("links.conf");
        std::fs::write(&file, text).unwrap();
        let (config, report) = config::load_with(&file, &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{:?}", report.lines().collect::<Vec<_>>()));
        let topology = Topology::new(config, String::new(), Vec::new());
        for row in &topology.interfaces {
            let number: Option<usize> =
                row.config.name.strip_prefix("eth").and_then(|number| number.parse().ok());
            row.set_link(number.and_then(|number| links.get(number)).copied().map(crate::units::IfIndex));
        }
        topology
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_walk_meets_every_address_once_and_in_order(
            links in prop::sample::subsequence((1_u32..9).collect::<Vec<_>>(), 4).prop_shuffle(),
            instances in prop::collection::btree_map((0_usize..4, 1_u8..20), prop::collection::btree_set(1_u8..250, 1..5), 1..12),
            after in prop::collection::vec(0_u32..12, 0..8),
            include in any::<bool>(),
        ) {
            let instances: Vec<_> =
                instances.into_iter().map(|((link, vrid), last)| (link, vrid, last.into_iter().collect())).collect();
            let by_link = ByLink::new(&topology(&links, &instances));
            prop_assert_eq!(by_link.v2().len(), instances.len());
            let mut all: Vec<Vec<u32>> = instances
                .iter()
                .flat_map(|(link, vrid, lasts): &(usize, u8, Vec<u8>)| {
                    let (link, vrid) = (links[*link], u32::from(*vrid));
                    lasts.iter().map(move |last| vec![link, vrid, 10, 9, vrid, u32::from(*last)])
                })
                .collect();
            all.sort();
            let seek = |after: &[u32], include| {
                let found = seek_address(by_link.v2(), Located::v2_index, octets, (after, include));
                found.map(|(index, _)| index)
            };
            let mut walked = Vec::new();
            while let Some(next) = seek(walked.last().map_or(&[], Vec::as_slice), walked.is_empty()) {
                walked.push(next);
            }
            prop_assert_eq!(&walked, &all);
            let follows = |index: &&Vec<u32>| if include { index[..] >= after[..] } else { index[..] > after[..] };
            prop_assert_eq!(seek(&after, include), all.iter().find(follows).cloned());
        }
    }
}
