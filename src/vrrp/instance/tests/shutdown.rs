//! The end of an instance, in every state.

use super::*;

#[test]
fn a_master_releases_withdraws_and_stops() {
    let mut lan = Lan::master(router(100));
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    assert_eq!(
        lan.take_lines(),
        [
            "10.000 advert 0",
            "10.000 info: (VI) sent 0 priority",
            "10.000 withdraw",
            "10.000 MASTER -> STOP (daemon stops)",
        ]
    );
    assert_eq!(lan.counted(Counter::PriorityZeroSent), 1);
    assert!(!lan.status().addresses_set);
    assert_eq!(lan.nodes[0].instance.poll_timeout(), None);
}

#[test]
fn a_master_that_must_not_release_leaves_everything_in_place() {
    let mut lan = Lan::master(router(100));
    lan.input(0, |instance, now| instance.handle_shutdown(now, false));
    assert_eq!(lan.take_lines(), ["10.000 MASTER -> STOP (daemon stops)"]);
    assert!(lan.status().addresses_set);
    assert_eq!(lan.nodes[0].instance.poll_timeout(), None);
}

#[test]
fn a_backup_and_a_router_in_fault_stop_without_a_packet() {
    // RFC 9568 §6.4.2 (6.4.2-6).
    let mut lan = Lan::started(router(100));
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    assert_eq!(lan.take_lines(), ["0.000 BACKUP -> STOP (daemon stops)"]);

    let mut lan = Lan::started(router(100));
    let down = Reason::InterfaceDown { interface: "eth0".into() };
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Interface, Some(down)));
    lan.take_lines();
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    assert_eq!(lan.take_lines(), ["0.000 FAULT -> STOP (daemon stops)"]);
}

#[test]
fn a_router_that_never_started_stops_too() {
    let mut lan = Lan::new([router(100)]);
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    lan.start(0);
    assert_eq!(lan.take_lines(), ["0.000 INIT -> STOP (daemon stops)"]);
}
