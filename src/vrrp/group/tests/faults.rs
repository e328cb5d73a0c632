//! One fault is everybody's.

use super::*;

fn failed(script: &str) -> Option<Reason> {
    Some(Reason::Tracked {
        tracker: Tracker::Script(0),
        name: script.into(),
        detail: "exited with status 1".into(),
    })
}

#[test]
fn a_fault_of_one_member_releases_the_mastership_of_all() {
    let mut world = World::master(host(&[100, 100]));
    world.run_until(16.5);
    world.take_lines();
    world.set_link((0, 1), false);
    assert_eq!(
        world.take_lines(),
        [
            "16.500 VI1 advert 0",
            "16.500 VI1 withdraw",
            "16.500 VI1 MASTER -> FAULT (interface eth1 is down)",
            "16.500 VI0 advert 0",
            "16.500 VI0 withdraw",
            "16.500 VI0 MASTER -> FAULT (VI1: interface eth1 is down)",
            "16.500 group MASTER -> FAULT (VI1: interface eth1 is down)",
        ]
    );
}

#[test]
fn the_group_recovers_with_its_last_fault_and_waits_the_whole_master_down_interval() {
    let mut world = World::master(host(&[100, 100]));
    world.set_link((0, 0), false);
    world.set_link((0, 1), false);
    world.take_lines();
    world.run_until(20.0);
    world.set_link((0, 0), true);
    assert_eq!(world.take_lines(), [""; 0], "VI1 is still down");
    assert_eq!(world.states(0), "FAULT FAULT: FAULT");
    world.run_until(21.0);
    world.set_link((0, 1), true);
    world.run_until(30.0);
    assert_eq!(
        world.take_transitions(),
        [
            "21.000 VI1 FAULT -> BACKUP (all faults gone)",
            "21.000 VI0 FAULT -> BACKUP (all faults gone)",
            "21.000 group FAULT -> BACKUP (VI1: all faults gone)",
            "24.609 VI1 BACKUP -> MASTER (no master heard)",
            "24.609 VI0 BACKUP -> MASTER (no master heard)",
            "24.609 group BACKUP -> MASTER (VI1: no master heard)",
        ]
    );
}

#[test]
fn a_script_of_the_group_fails_every_member_and_the_last_one_to_recover_goes_first() {
    let mut world = World::master(host(&[100, 100]));
    world.take_lines();
    for link in 0..2 {
        world.input((0, link), |instance, now| {
            instance.handle_fault(now, Fault::Tracked(Tracker::Script(0)), failed("chk"))
        });
    }
    assert_eq!(
        world.take_transitions(),
        [
            "10.000 VI0 MASTER -> FAULT (script chk exited with status 1)",
            "10.000 VI1 MASTER -> FAULT (VI0: script chk exited with status 1)",
            "10.000 group MASTER -> FAULT (VI0: script chk exited with status 1)",
        ]
    );
    for link in 0..2 {
        world.input((0, link), |instance, now| {
            instance.handle_fault(now, Fault::Tracked(Tracker::Script(0)), None)
        });
    }
    assert_eq!(
        world.take_transitions(),
        [
            "10.000 VI1 FAULT -> BACKUP (all faults gone)",
            "10.000 VI0 FAULT -> BACKUP (all faults gone)",
            "10.000 group FAULT -> BACKUP (VI1: all faults gone)",
        ]
    );
}

#[test]
fn a_fault_while_backup_is_a_fault_of_all() {
    let mut world = World::pair();
    world.set_link((1, 0), false);
    world.run_until(12.0);
    assert_eq!(world.states(1), "FAULT FAULT: FAULT");
    assert_eq!(world.states(0), "MASTER MASTER: MASTER");
    world.set_link((1, 0), true);
    world.run_until(20.0);
    assert_eq!(world.states(1), "BACKUP BACKUP: BACKUP");
}

#[test]
fn a_member_in_fault_because_of_another_says_so_while_that_is_true() {
    let mut world = World::master(host(&[100, 100]));
    world.set_link((0, 0), false);
    world.set_link((0, 1), false);
    world.set_link((0, 0), true);
    let own = Reason::InterfaceDown { interface: "eth1".into() };
    assert_eq!(world.member_status((0, 1)).reason, Some(own.clone()));
    assert_eq!(world.member_status((0, 0)).reason, Some(because("VI1", &own)));
}

#[test]
fn the_fault_that_the_others_are_told_of_is_always_one_that_is_there() {
    let mut world = World::master(host(&[100, 100, 100]));
    let down = |link: u8| Reason::InterfaceDown { interface: format!("eth{link}") };
    world.set_link((0, 0), false);
    assert_eq!(world.member_status((0, 2)).reason, Some(because("VI0", &down(0))));
    world.set_link((0, 1), false);
    world.take_lines();
    world.set_link((0, 0), true);
    assert_eq!(world.member_status((0, 0)).reason, Some(because("VI1", &down(1))));
    assert_eq!(world.member_status((0, 2)).reason, Some(because("VI1", &down(1))));
    assert_eq!(world.take_lines(), [""; 0], "no move of anybody");
}

#[test]
fn all_stay_in_fault_while_the_address_that_has_come_back_is_tentative() {
    let mut world = World::master(host(&[100, 100]));
    let address = IpAddr::from([10, 9, 1, 1]);
    world.set_link((0, 1), false);
    world.take_lines();
    world.input((0, 1), |instance, now| {
        instance.handle_source(now, Source::Tentative(address));
        instance.handle_fault(now, Fault::Interface, None);
    });
    assert_eq!(world.states(0), "FAULT FAULT: FAULT");
    assert_eq!(world.take_lines(), [""; 0]);
    world.input((0, 1), |instance, now| instance.handle_source(now, Source::Address(address)));
    assert_eq!(world.states(0), "BACKUP BACKUP: BACKUP");
}

#[test]
fn a_stop_in_fault_is_told_as_any_other() {
    let mut world = World::master(host(&[100, 100]));
    world.set_link((0, 0), false);
    world.take_lines();
    for link in 0..2 {
        world.input((0, link), |instance, now| instance.handle_shutdown(now, true));
    }
    assert_eq!(
        world.take_lines(),
        [
            "10.000 VI0 FAULT -> STOP (daemon stops)",
            "10.000 VI1 FAULT -> STOP (daemon stops)",
            "10.000 group FAULT -> STOP (daemon stops)",
        ]
    );
}
