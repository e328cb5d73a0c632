//! Messages beside those that Debian's 6.1 kernel took and gave, byte by byte.
#![cfg(target_endian = "little")]

use std::{net::SocketAddr, num::NonZeroU16};

use super::*;
use crate::{kernel::attributes::Attributes, units::Family};

fn service(address: &str) -> ServiceKey {
    let address: SocketAddr = address.parse().unwrap();
    (Protocol::Tcp, address.ip(), address.port()).into()
}

fn destination(address: &str) -> Destination {
    Destination {
        key: address.parse().unwrap(),
        forwarding: Forwarding::Masquerade,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

/// What a GET_SERVICE gave for `ipvsadm -A -t 10.0.0.1:80 -s rr`.
const SERVICE: &str = "2c01010006000100020000000600020006000000140003000a0000010000000000000000000000000600040000500000\
         07000600727200000c00070002000000ffffffff080008000000000008000900ffffffff5c000a000800010000000000\
         080002000000000008000300000000000c00040000000000000000000c00050000000000000000000800060000000000\
         08000700000000000800080000000000080009000000000008000a00000000007c000c000c0001000000000000000000\
         0c00020000000000000000000c00030000000000000000000c00040000000000000000000c0005000000000000000000\
         0c00060000000000000000000c00070000000000000000000c00080000000000000000000c0009000000000000000000\
         0c000a000000000000000000";
/// What a GET_DEST gave: a tunnel of GUE, one of IPv6 in a service of IPv4, and a direct route of weight 3.
const GUE: &str = "50010200140001000a010007000000000000000000000000060002000050000008000300020000000800040001000000\
         05000d000100000006000e0017c0000006000f0001000000080005000000000008000600000000000800070000000000\
         0800080000000000080009000000000006000b00020000005c000a000800010000000000080002000000000008000300\
         000000000c00040000000000000000000c00050000000000000000000800060000000000080007000000000008000800\
         00000000080009000000000008000a00000000007c000c000c00010000000000000000000c0002000000000000000000\
         0c00030000000000000000000c00040000000000000000000c00050000000000000000000c0006000000000000000000\
         0c00070000000000000000000c00080000000000000000000c00090000000000000000000c000a000000000000000000";
const IPV6: &str = "500102001400010020010db8000000000000000000000005060002000050000008000300020000000800040001000000\
         05000d000000000006000e000000000006000f0000000000080005000000000008000600000000000800070000000000\
         0800080000000000080009000000000006000b000a0000005c000a000800010000000000080002000000000008000300\
         000000000c00040000000000000000000c00050000000000000000000800060000000000080007000000000008000800\
         00000000080009000000000008000a00000000007c000c000c00010000000000000000000c0002000000000000000000\
         0c00030000000000000000000c00040000000000000000000c00050000000000000000000c0006000000000000000000\
         0c00070000000000000000000c00080000000000000000000c00090000000000000000000c000a000000000000000000";
const ROUTE: &str = "50010200140001000a01000400000000000000000000000006000200270f000008000300030000000800040001000000\
         05000d000000000006000e000000000006000f0000000000080005000000000008000600000000000800070000000000\
         0800080000000000080009000000000006000b00020000005c000a000800010000000000080002000000000008000300\
         000000000c00040000000000000000000c00050000000000000000000800060000000000080007000000000008000800\
         00000000080009000000000008000a00000000007c000c000c00010000000000000000000c0002000000000000000000\
         0c00030000000000000000000c00040000000000000000000c00050000000000000000000c0006000000000000000000\
         0c00070000000000000000000c00080000000000000000000c00090000000000000000000c000a000000000000000000";
/// What a GET_DAEMON gave: one with all its words, and one that was started with its name and number only.
const MASTER: &str = "4000030008000100010000000b00020064756d6d79300000080003000200000006000400780500000600070092220000\
         050008000300000008000500e0000063";
const BACKUP: &str = "4000030008000100020000000b00020064756d6d79300000080003000100000006000400c00500000600070090220000\
         050008000100000008000500e0000051";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn written(change: &Change) -> String {
    let mut attributes = Attributes::default();
    change.write(&mut attributes);
    attributes.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_service_is_written_as_keepalived_writes_it() {
    let plain = Service {
        key: service("10.64.0.1:80"),
        scheduler: "rr".into(),
        flags: Flags::default(),
        persistence: None,
    };
    assert_eq!(
        written(&Change::AddService(plain)),
        "540001800600010002000000060002000600000014000300\
         0a40000100000000000000000000000006000400005000000700060072720000\
         0c00070000000000ffffffff0800080000000000080009\
         00ffffffff"
    );
}

#[test]
fn what_the_kernel_holds_is_read() {
    let held = service::read(&bytes(SERVICE)).unwrap();
    assert_eq!(held.what.key, service("10.0.0.1:80"));
    assert_eq!((held.what.scheduler.as_str(), held.what.flags), ("rr", Flags::default()));
    assert_eq!((held.what.persistence, held.statistics), (None, Statistics::default()));

    let read = |hex| destination::read(&bytes(hex), Family::V4).unwrap().what.0;
    let port = NonZeroU16::new(6080).unwrap();
    let gue = Forwarding::Tunnel(Encapsulation::Gue { port, checksum: 1 });
    assert_eq!(read(GUE), Destination { forwarding: gue, ..destination("10.1.0.7:80") });
    let tunnel = Forwarding::Tunnel(Encapsulation::Ipip);
    assert_eq!(read(IPV6), Destination { forwarding: tunnel, ..destination("[2001:db8::5]:80") });
    let route = Destination { forwarding: Forwarding::Route, ..destination("10.1.0.4:9999") };
    assert_eq!(read(ROUTE), route);

    let master = daemon::read(&bytes(MASTER)).unwrap();
    assert_eq!((master.role, master.interface.as_str(), master.sync_id), (Role::Master, "dummy0", 2));
    assert_eq!((master.longest, master.port, master.ttl), (Some(1400), Some(8850), Some(3)));
    assert_eq!(master.group, Some("224.0.0.99".parse().unwrap()));
    let backup = daemon::read(&bytes(BACKUP)).unwrap();
    assert_eq!((backup.role, backup.sync_id, backup.ttl), (Role::Backup, 1, Some(1)));
}

#[test]
fn what_is_written_is_read_again() {
    let persistence = |granularity| Persistence { timeout: 50, granularity, engine: Some("sip".into()) };
    let keys = [
        (service("10.0.0.1:0"), 24),
        (service("[2001:db8::1]:443"), 64),
        (ServiceKey::Mark { family: Family::V4, mark: 7 }, 1),
        (ServiceKey::Mark { family: Family::V6, mark: u32::MAX }, 128),
    ];
    for (key, granularity) in keys {
        let flags = Flags::ONE_PACKET | Flags::SCHEDULER_2;
        let persistence = Some(persistence(granularity));
        let service = Service { key, scheduler: "mh".into(), flags, persistence };
        let mut attributes = Attributes::default();
        Change::AddService(service.clone()).write(&mut attributes);
        assert_eq!(service::read(attributes.as_bytes()).unwrap().what, service);
    }
    let bypass = Destination { forwarding: Forwarding::Bypass, ..destination("[::1]:1") };
    let gre = Forwarding::Tunnel(Encapsulation::Gre { checksum: 1 });
    for destination in [bypass, Destination { forwarding: gre, weight: 70_000, ..destination("10.0.0.2:0") }]
    {
        let mut attributes = Attributes::default();
        Change::AddDestination(service("10.0.0.1:80"), destination).write(&mut attributes);
        let read = destination::read(attributes.as_bytes(), Family::V4).unwrap();
        assert_eq!(read.what, (destination, Connections::default()));
    }
}

#[test]
fn a_cut_answer_is_none() {
    for whole in [SERVICE, GUE, MASTER] {
        let whole = bytes(whole);
        for end in 0..whole.len() {
            let cut = &whole[..end];
            assert!(service::read(cut).is_none() && daemon::read(cut).is_none(), "{end}");
            assert!(destination::read(cut, Family::V4).is_none(), "{end}");
        }
    }
}

#[test]
fn a_change_says_what_is_done_to_what() {
    let key = service("10.0.0.1:80");
    assert_eq!(
        Change::AddDestination(key, destination("10.1.0.4:80")).to_string(),
        "adding server 10.1.0.4:80 to tcp 10.0.0.1:80 of IPVS"
    );
    assert_eq!(Change::StopDaemon(Role::Backup).to_string(), "stopping the backup daemon of IPVS");
}
