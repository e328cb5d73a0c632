//! What net-snmp's master makes of RFC 2741 where a subagent depends on it, asked by hand, PDU by PDU.
//!
//! Needs root, for network namespaces, and the packages iproute2, snmpd, snmp and snmptrapd.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[allow(dead_code, reason = "each family of tests uses a part of it")]
mod support;

use std::thread;
use std::time::Duration;

use agentx::session::DEFAULT_PRIORITY;
use agentx::wire::{Body, ByteOrder, ErrorCode, PduType};
use agentx::{Oid, Value, VarBind};
use support::probe::Probe;
use support::{Daemon, Host, wait_for};

/// NET-SNMP-MIB::netSnmpPlaypen, for experiments.
const PLAYPEN: [u32; 9] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999];
const NAME: &str = ".1.3.6.1.4.1.8072.9999.9999.1.0";

fn playpen(rest: &[u32]) -> Oid {
    Oid::from(PLAYPEN).join(rest)
}

fn started() -> (Host, Daemon) {
    let host = Host::new();
    let snmpd = host.snmpd(&host.master());
    (host, snmpd)
}

#[test]
fn the_master_asks_in_the_byte_order_of_the_open() {
    let (host, _snmpd) = started();
    for order in [ByteOrder::Network, ByteOrder::Little] {
        let mut probe = Probe::open(&host, order);
        assert_eq!(probe.register(playpen(&[]), DEFAULT_PRIORITY), ErrorCode::NoError);
        let value = thread::scope(|scope| {
            let get = scope.spawn(|| host.snmp("snmpget", &[NAME]).unwrap().join(""));
            let request = probe.receive();
            assert_eq!((request.header.kind, request.header.order), (PduType::Get, order));
            let varbind = VarBind::new(playpen(&[1, 0]), Value::Integer(0x0102_0304));
            probe.answer(&request, ErrorCode::NoError, vec![varbind]);
            get.join().unwrap()
        });
        assert_eq!(value, format!("{NAME} = INTEGER: 16909060"));
    }
}

#[test]
fn another_priority_is_no_duplicate_and_the_smaller_one_is_asked() {
    let (host, _snmpd) = started();
    let mut first = Probe::open(&host, ByteOrder::Network);
    let mut second = Probe::open(&host, ByteOrder::Network);
    assert_eq!(first.register(playpen(&[]), 127), ErrorCode::NoError);
    assert_eq!(second.register(playpen(&[]), 127), ErrorCode::DuplicateRegistration);
    assert_eq!(first.register(playpen(&[]), 127), ErrorCode::DuplicateRegistration, "its own, too");
    assert_eq!(second.register(playpen(&[]), 10), ErrorCode::NoError);
    thread::scope(|scope| {
        let get = scope.spawn(|| host.snmp("snmpget", &[NAME]).unwrap());
        let request = second.receive();
        second.answer(&request, ErrorCode::NoError, vec![VarBind::new(playpen(&[1, 0]), Value::Integer(2))]);
        assert_eq!(get.join().unwrap(), [format!("{NAME} = INTEGER: 2")]);
    });
    assert!(first.hears_nothing(Duration::from_millis(100)));
}

#[test]
fn a_region_is_given_back_by_the_words_it_was_taken_with() {
    let (host, _snmpd) = started();
    let mut probe = Probe::open(&host, ByteOrder::Network);
    assert_eq!(probe.register(playpen(&[]), 127), ErrorCode::NoError);
    assert_eq!(probe.unregister(playpen(&[]), 126), ErrorCode::UnknownRegistration);
    assert_eq!(probe.unregister(playpen(&[1]), 127), ErrorCode::UnknownRegistration);
    assert_eq!(probe.unregister(playpen(&[]), 127), ErrorCode::NoError);
    assert_eq!(probe.unregister(playpen(&[]), 127), ErrorCode::UnknownRegistration);
    assert!(host.snmp("snmpget", &[NAME]).unwrap()[0].contains("No Such Object"));
}

#[test]
fn a_capability_is_there_until_it_is_removed_and_only_once() {
    let (host, _snmpd) = started();
    let mut probe = Probe::open(&host, ByteOrder::Network);
    let capabilities = || host.snmp("snmpwalk", &[".1.3.6.1.2.1.1.9.1.3"]).unwrap().join("\n");
    let description = b"what the probe can".to_vec();
    assert_eq!(probe.error(Body::AddAgentCaps { id: playpen(&[3]), description }), ErrorCode::NoError);
    assert!(capabilities().contains("what the probe can"));
    let remove = || Body::RemoveAgentCaps { id: playpen(&[3]) };
    assert_eq!(probe.error(remove()), ErrorCode::NoError);
    assert!(!capabilities().contains("what the probe can"));
    assert_eq!(probe.error(remove()), ErrorCode::UnknownAgentCaps);
}

#[test]
fn a_notification_needs_its_name_and_gets_a_time() {
    let (host, _snmpd) = started();
    let traps = host.snmptrapd();
    let mut probe = Probe::open(&host, ByteOrder::Network);
    let uptime = |ticks| VarBind::new("1.3.6.1.2.1.1.3.0".parse().unwrap(), Value::TimeTicks(ticks));
    let name = || {
        let name = Value::ObjectIdentifier(playpen(&[0, 1]));
        VarBind::new("1.3.6.1.6.3.1.1.4.1.0".parse().unwrap(), name)
    };
    for nameless in [vec![], vec![uptime(1)], vec![VarBind::new(playpen(&[1]), Value::Integer(1))]] {
        assert_eq!(probe.error(Body::Notify(nameless)), ErrorCode::ProcessingError);
    }
    assert_eq!(probe.error(Body::Notify(vec![uptime(424_242), name()])), ErrorCode::NoError);
    assert_eq!(probe.error(Body::Notify(vec![name()])), ErrorCode::NoError);
    let told = wait_for("both", 5, || {
        let log = traps.log();
        let told: Vec<String> =
            log.lines().filter(|line| line.contains("9999.9999.0.1")).map(str::to_owned).collect();
        (told.len() == 2).then_some(told)
    });
    let times = |line: &str| line.matches(".1.3.6.1.2.1.1.3.0 = Timeticks").count();
    assert_eq!(told.iter().map(|line| times(line)).collect::<Vec<_>>(), [1, 1], "{told:?}");
    assert!(told[0].contains("(424242)") && !told[1].contains("(424242)"), "{told:?}");
}

#[test]
fn a_set_that_is_refused_is_cleaned_up() {
    let (host, _snmpd) = started();
    let mut probe = Probe::open(&host, ByteOrder::Network);
    assert_eq!(probe.register(playpen(&[]), DEFAULT_PRIORITY), ErrorCode::NoError);
    thread::scope(|scope| {
        let set = scope.spawn(|| host.snmp("snmpset", &[NAME, "i", "5"]));
        let test = probe.receive();
        let Body::TestSet(varbinds) = &test.body else { panic!("{test:?}") };
        assert_eq!(varbinds[..], [VarBind::new(playpen(&[1, 0]), Value::Integer(5))]);
        probe.answer(&test, ErrorCode::InconsistentValue, Vec::new());
        let end = probe.receive();
        assert_eq!(end.body, Body::CleanupSet);
        assert_eq!(end.header.transaction_id, test.header.transaction_id);
        // It is not answered, and the manager does not wait for that.
        assert!(set.join().unwrap().unwrap_err().contains("inconsistentValue"));
    });
}

#[test]
fn a_request_of_version_1_passes_what_it_cannot_carry() {
    let (host, _snmpd) = started();
    let mut probe = Probe::open(&host, ByteOrder::Network);
    assert_eq!(probe.register(playpen(&[]), DEFAULT_PRIORITY), ErrorCode::NoError);
    thread::scope(|scope| {
        let next = scope.spawn(|| host.snmp_v1("snmpgetnext", &[".1.3.6.1.4.1.8072.9999.9999"]).unwrap());
        for value in [Value::Counter64(1), Value::Counter64(2), Value::Counter32(3)] {
            let request = probe.receive();
            let Body::GetNext(ranges) = &request.body else { panic!("{request:?}") };
            let number = match value {
                Value::Counter64(number) => u32::try_from(number).unwrap(),
                _ => 3,
            };
            assert!(ranges[0].start < playpen(&[number]), "{ranges:?}");
            let varbind = VarBind::new(playpen(&[number]), value);
            probe.answer(&request, ErrorCode::NoError, vec![varbind]);
        }
        assert_eq!(next.join().unwrap(), [".1.3.6.1.4.1.8072.9999.9999.3 = Counter32: 3"]);
    });
}
