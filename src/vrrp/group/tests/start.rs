//! How a group begins: together.

use super::*;

#[test]
fn a_fault_at_the_start_of_one_member_keeps_all_from_beginning() {
    let mut world = World::new([host(&[100, 100])]);
    let down = Reason::InterfaceDown { interface: "eth1".into() };
    world.hosts[0].members[1].handle_fault(Time::default(), Fault::Interface, Some(down));
    world.start(0);
    assert_eq!(
        world.take_lines(),
        [
            "0.000 VI0 INIT -> FAULT (VI1: interface eth1 is down)",
            "0.000 VI1 INIT -> FAULT (interface eth1 is down)",
            "0.000 group INIT -> FAULT (VI1: interface eth1 is down)",
        ]
    );
}

#[test]
fn a_member_without_an_address_is_known_to_be_faulty_before_the_others_begin() {
    let mut world = World::new([host(&[100, 100])]);
    world.hosts[0].members[1].handle_source(Time::default(), Source::Missing);
    world.start(0);
    let lines = world.take_lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("0.000 VI0 INIT -> FAULT (VI1: no IPv4 address"), "{lines:?}");
}

#[test]
fn all_wait_for_an_address_that_is_tentative() {
    let mut world = World::new([host(&[100, 100])]);
    let address = std::net::IpAddr::from([10, 9, 1, 1]);
    // The daemon tells it before the start, as soon as it knows the address; nothing else is known of the member then.
    world.hosts[0].members[1] = Instance::new(member(1, 100), Arc::default());
    world.hosts[0].members[1].handle_source(Time::default(), Source::Tentative(address));
    world.start(0);
    assert_eq!(world.take_transitions(), [""; 0], "nothing is wrong with anybody");
    world.input((0, 1), |instance, now| instance.handle_source(now, Source::Address(address)));
    assert_eq!(
        world.take_transitions(),
        [
            "0.000 VI1 INIT -> BACKUP (start)",
            "0.000 VI0 INIT -> BACKUP (start)",
            "0.000 group INIT -> BACKUP (start)",
        ]
    );
}

#[test]
fn all_wait_for_the_first_result_of_a_script_that_one_tracks() {
    let pending = |world: &mut World, reason| {
        world.input((0, 1), |instance, now| {
            instance.handle_fault(now, Fault::Pending(Tracker::Script(0)), reason)
        });
    };
    let mut world = World::new([host(&[100, 100])]);
    world.hosts[0].members[1].handle_fault(
        Time::default(),
        Fault::Pending(Tracker::Script(0)),
        Some(Reason::Started),
    );
    world.start(0);
    world.run_until(5.0);
    assert_eq!(world.take_lines(), [""; 0]);
    assert_eq!(world.states(0), "FAULT FAULT: FAULT", "shown, and told nobody");
    pending(&mut world, None);
    assert_eq!(
        world.take_lines(),
        [
            "5.000 VI1 INIT -> BACKUP (start)",
            "5.000 VI0 INIT -> BACKUP (start)",
            "5.000 group INIT -> BACKUP (start)",
        ]
    );
    world.run_until(10.0);
    assert_eq!(world.states(0), "MASTER MASTER: MASTER");
}

#[test]
fn owners_begin_as_master_each_and_then_the_group() {
    let owner = |link| Settings { membership: Membership::AmongOwners, ..member(link, 255) };
    let mut world = World::new([vec![owner(0), owner(1)]]);
    world.start(0);
    assert_eq!(
        world.take_transitions(),
        [
            "0.000 VI0 INIT -> MASTER (owner of the addresses)",
            "0.000 VI1 INIT -> MASTER (owner of the addresses)",
            "0.000 group INIT -> MASTER (owner of the addresses)",
        ]
    );
    world.set_link((0, 0), false);
    world.set_link((0, 0), true);
    world.take_lines();
    world.run_until(5.0);
    assert_eq!(
        world.take_transitions(),
        [
            "3.004 VI1 BACKUP -> MASTER (no master heard)",
            "3.004 VI0 BACKUP -> MASTER (no master heard)",
            "3.004 group BACKUP -> MASTER (VI1: no master heard)",
        ],
        "after a fault an owner waits as anybody"
    );
}

#[test]
fn an_owner_waits_for_a_member_that_is_none() {
    let mut world = World::new([host(&[255, 100])]);
    world.start(0);
    world.run_until(3.6);
    assert_eq!(world.states(0), "BACKUP BACKUP: BACKUP");
    world.take_lines();
    world.run_until(4.0);
    assert_eq!(
        world.take_transitions(),
        [
            "3.609 VI1 BACKUP -> MASTER (no master heard)",
            "3.609 VI0 BACKUP -> MASTER (owner of the addresses)",
            "3.609 group BACKUP -> MASTER (VI1: no master heard)",
        ]
    );
}
