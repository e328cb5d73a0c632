//! GETNEXT order of the MIBs that are indexed by interface, VRID and family, over random routers of both families.

use std::{collections::BTreeSet, fmt::Write as _, fs, sync::Arc};

use agentx::Oid;
use proptest::{collection::btree_set, prelude::*};
use steadfast::{
    config::{self, Elsewhere},
    registry::Topology,
    snmp::{self, Snapshot},
    units::{IfIndex, Time},
};

/// Interface, VRID and whether it is IPv6, of routers in the order of the configuration.
type Routers = Vec<(usize, u8, bool)>;

/// The tables of VRRPV3-MIB and VRRP-MIB with the sub-identifiers of their indexes that say which router it is.
const TABLES: [(&[u32], usize); 5] = [
    (&[207, 1, 1, 1, 1], 3),
    (&[207, 1, 1, 2, 1], 3),
    (&[207, 1, 2, 5, 1], 3),
    (&[68, 1, 3, 1], 2),
    (&[68, 1, 4, 1], 2),
];

/// A registry of these routers, whose interfaces the kernel numbers so; the odd VRIDs over IPv4 are of version 2.
fn snapshot(routers: &Routers, numbers: [u32; 4], compat: bool) -> Snapshot {
    let mut text = format!("global_defs {{\n{}\n}}\n", if compat { "snmp_compat" } else { "" });
    for (place, (link, vrid, is_v6)) in routers.iter().enumerate() {
        let version = if *is_v6 || vrid % 2 == 0 { 3 } else { 2 };
        let addresses = if *is_v6 {
            format!("fe80::{vrid}\n2001:db8::{vrid}")
        } else {
            format!("10.0.{vrid}.9\n10.0.{vrid}.200\n10.0.{vrid}.1")
        };
        write!(
            text,
            "vrrp_instance VI{place} {{\ninterface eth{link}\nversion {version}\nvirtual_router_id {vrid}\n\
             virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
        )
        .unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let (config, report) = config::load(file.path(), None, &Elsewhere);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    let topology = Topology::new(config, String::new(), Vec::new());
    for row in &topology.interfaces {
        let place: usize = row.config.name.trim_start_matches("eth").parse().unwrap();
        row.set_link(Some(IfIndex(numbers[place])));
    }
    Snapshot::new(Arc::new(topology), None, (Time::default(), Time::default))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_walk_of_mixed_families_is_in_order_and_has_every_router_once(
        routers in btree_set((0_usize..4, 1_u8..=255, any::<bool>()), 1..40).prop_map(Vec::from_iter).prop_shuffle(),
        numbers in btree_set(1_u32..3_000_000_000, 4).prop_map(Vec::from_iter).prop_shuffle(),
        compat in any::<bool>(),
    ) {
        let snapshot = snapshot(&routers, [0, 1, 2, 3].map(|place| numbers[place]), compat);
        let view = snmp::view();
        for (table, width) in TABLES {
            let root = table.iter().fold(Oid::from([1, 3, 6, 1, 2, 1]), |oid, number| oid.child(*number));
            let (mut at, mut seen) = (root.clone(), BTreeSet::new());
            while let Some(found) = view.next(&snapshot, &at, false, None).filter(|found| found.name.starts_with(&root)) {
                prop_assert!(found.name > at, "{} after {at}", found.name);
                prop_assert_eq!(&view.value(&snapshot, &found.name), &found.value);
                let index = found.name.suffix(&root).unwrap();
                seen.insert(index[1..=width].to_vec());
                at = found.name;
            }
            let is_in = |(_, vrid, is_v6): &&(usize, u8, bool)| width == 3 || (!is_v6 && vrid % 2 == 1);
            let expected: BTreeSet<Vec<u32>> = routers
                .iter()
                .filter(is_in)
                .map(|(link, vrid, is_v6)| {
                    [numbers[*link], u32::from(*vrid), 1 + u32::from(*is_v6)][..width].to_vec()
                })
                .collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
