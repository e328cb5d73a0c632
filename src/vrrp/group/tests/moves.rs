//! Who takes over and who gives way, together.

use super::*;

#[test]
fn a_group_becomes_master_when_the_last_member_is_ready() {
    let mut world = World::new([host(&[150, 100])]);
    world.start(0);
    assert_eq!(
        world.take_lines(),
        [
            "0.000 group INIT -> BACKUP (start)",
            "0.000 VI0 INIT -> BACKUP (start)",
            "0.000 VI1 INIT -> BACKUP (start)"
        ]
    );
    world.run_until(3.6);
    assert_eq!(world.take_lines(), [""; 0], "VI0 was ready at 3.414");
    assert_eq!(world.hosts[0].group.status().held_back_by.as_deref(), Some("VI1"));
    assert_eq!(world.member_status((0, 0)).wanted, State::Master);
    world.run_until(4.0);
    assert_eq!(
        world.take_lines(),
        [
            "3.609 VI1 advert 100",
            "3.609 VI1 BACKUP -> MASTER (no master heard)",
            "3.609 VI1 install",
            "3.609 VI1 announce x5",
            "3.609 VI0 advert 150",
            "3.609 VI0 BACKUP -> MASTER (no master heard)",
            "3.609 VI0 install",
            "3.609 VI0 announce x5",
            "3.609 group BACKUP -> MASTER (VI1: no master heard)",
        ]
    );
    assert_eq!(world.hosts[0].group.status().held_back_by, None);
}

#[test]
fn one_member_that_gives_way_takes_the_group_with_it_without_priority_0() {
    let mut world = World::master(host(&[100, 100]));
    world.run_until(16.5);
    world.take_lines();
    world.hear(1, 200);
    assert_eq!(
        world.take_lines(),
        [
            "16.500 VI1 withdraw",
            "16.500 VI1 MASTER -> BACKUP (router 10.9.1.77 has higher priority 200)",
            "16.500 VI0 withdraw",
            "16.500 VI0 MASTER -> BACKUP (VI1: router 10.9.1.77 has higher priority 200)",
            "16.500 group MASTER -> BACKUP (VI1: router 10.9.1.77 has higher priority 200)",
        ]
    );
}

#[test]
fn the_group_stays_backup_while_one_member_hears_a_better_router() {
    let mut world = World::master(host(&[100, 100]));
    for second in 11..30 {
        world.hear_at(f64::from(second), 1, 200);
    }
    assert_eq!(world.states(0), "BACKUP BACKUP: BACKUP");
    world.take_lines();
    world.run_until(40.0);
    assert_eq!(
        world.take_transitions(),
        [
            "32.609 VI1 BACKUP -> MASTER (master 10.9.1.77 fell silent)",
            "32.609 VI0 BACKUP -> MASTER (no master heard)",
            "32.609 group BACKUP -> MASTER (VI1: master 10.9.1.77 fell silent)",
        ]
    );
}

#[test]
fn a_member_that_was_ready_hears_a_master_again_and_is_not() {
    let mut world = World::new([host(&[100, 100])]);
    world.start(0);
    for second in 1..10 {
        world.hear_at(f64::from(second), 1, 200);
    }
    assert_eq!(world.hosts[0].group.status().held_back_by.as_deref(), Some("VI1"));
    world.hear_at(9.5, 0, 200);
    assert_eq!(world.hosts[0].group.status().held_back_by, None);
    assert_eq!(world.member_status((0, 0)).wanted, State::Backup);
    // VI1's master is silent first, VI0's half a second later.
    world.run_until(13.0);
    assert_eq!(world.states(0), "BACKUP BACKUP: BACKUP");
    world.run_until(13.2);
    assert_eq!(world.states(0), "MASTER MASTER: MASTER");
}

#[test]
fn the_other_host_takes_over_when_one_link_fails_and_gives_way_when_it_is_back() {
    let mut world = World::pair();
    world.run_until(16.5);
    world.take_lines();
    world.set_link((0, 0), false);
    world.run_until(20.0);
    assert_eq!(
        world.take_transitions(),
        [
            "16.500 a VI0 MASTER -> FAULT (interface eth0 is down)",
            "16.500 a VI1 MASTER -> FAULT (VI0: interface eth0 is down)",
            "16.500 a group MASTER -> FAULT (VI0: interface eth0 is down)",
            // Both heard priority 0: here it leaves through a link that is down.
            "17.109 b VI1 BACKUP -> MASTER (master 10.9.1.1 released with priority 0)",
            "17.109 b VI0 BACKUP -> MASTER (master 10.9.0.1 released with priority 0)",
            "17.109 b group BACKUP -> MASTER (VI1: master 10.9.1.1 released with priority 0)",
        ]
    );
    world.set_link((0, 0), true);
    world.run_until(30.0);
    assert_eq!(
        world.take_transitions(),
        [
            "20.000 a VI0 FAULT -> BACKUP (all faults gone)",
            "20.000 a VI1 FAULT -> BACKUP (all faults gone)",
            "20.000 a group FAULT -> BACKUP (VI0: all faults gone)",
            "23.414 a VI1 BACKUP -> MASTER (master 10.9.1.2 has lower priority 100)",
            "23.414 a VI0 BACKUP -> MASTER (master 10.9.0.2 has lower priority 100)",
            "23.414 a group BACKUP -> MASTER (VI1: master 10.9.1.2 has lower priority 100)",
            "23.414 b VI1 MASTER -> BACKUP (router 10.9.1.1 has higher priority 150)",
            "23.414 b VI0 MASTER -> BACKUP (VI1: router 10.9.1.1 has higher priority 150)",
            "23.414 b group MASTER -> BACKUP (VI1: router 10.9.1.1 has higher priority 150)",
        ]
    );
}

#[test]
fn without_preemption_the_better_group_waits_until_the_last_master_is_silent() {
    let lazy = |link| Settings { preempt: false, ..member(link, 150) };
    let mut world = World::new([host(&[100, 100]), vec![lazy(0), lazy(1)]]);
    world.start(0);
    world.run_until(5.0);
    world.start(1);
    world.run_until(20.0);
    assert_eq!(world.states(1), "BACKUP BACKUP: BACKUP");
    world.input((0, 0), |instance, now| instance.handle_shutdown(now, true));
    world.run_until(25.0);
    assert_eq!(world.states(1), "BACKUP BACKUP: BACKUP", "VI1 has a master still");
    world.input((0, 1), |instance, now| instance.handle_shutdown(now, true));
    world.run_until(26.0);
    assert_eq!(world.states(1), "MASTER MASTER: MASTER");
}

#[test]
fn a_worse_router_at_one_member_is_answered_with_gratuitous_arp_by_all() {
    let mut world = World::master(host(&[100, 100, 100]));
    world.run_until(16.5);
    world.take_lines();
    world.hear(1, 50);
    assert_eq!(
        world.take_lines(),
        [
            "16.500 VI1 advert 100",
            "16.500 VI1 announce x5",
            "16.500 VI1 event: router 10.9.1.77 advertises as master too, with priority 50",
            "16.500 VI0 announce x5",
            "16.500 VI2 announce x5",
        ]
    );
    world.hear_at(17.0, 1, 50);
    world.hear_at(17.0, 2, 50);
    let announced: Vec<_> = world.take_lines().into_iter().filter(|line| line.contains("announce")).collect();
    assert_eq!(announced, [""; 0], "the second bursts are still to come");
}

#[test]
fn members_that_prefer_different_routers_follow_who_was_there_first() {
    let mut world = World::new([host(&[150, 100]), host(&[100, 150])]);
    world.start(0);
    world.run_until(5.0);
    world.start(1);
    world.run_until(60.0);
    assert_eq!(world.states(0), "MASTER MASTER: MASTER");
    assert_eq!(world.states(1), "BACKUP BACKUP: BACKUP");
    assert_eq!(world.hosts[1].group.status().held_back_by.as_deref(), Some("VI0"), "and say who keeps them");
}

#[test]
fn a_split_between_groups_is_healed_on_all_links_at_once() {
    let mut world = World::pair();
    world.cut = vec![0, 1];
    world.run_until(20.0);
    assert_eq!(world.states(1), "MASTER MASTER: MASTER");
    world.take_lines();
    world.cut.clear();
    world.run_until(24.0);
    assert_eq!(
        (world.states(0), world.states(1)),
        ("MASTER MASTER: MASTER".into(), "BACKUP BACKUP: BACKUP".into())
    );
    assert_eq!(world.take_transitions().len(), 3);
}

#[test]
fn a_group_of_one_moves_as_its_member() {
    let mut world = World::new([host(&[100])]);
    world.start(0);
    world.run_until(4.0);
    world.input((0, 0), |instance, now| instance.handle_shutdown(now, true));
    assert_eq!(
        world.take_transitions(),
        [
            "0.000 group INIT -> BACKUP (start)",
            "0.000 VI0 INIT -> BACKUP (start)",
            "3.609 VI0 BACKUP -> MASTER (no master heard)",
            "3.609 group BACKUP -> MASTER (VI0: no master heard)",
            "4.000 VI0 MASTER -> STOP (daemon stops)",
            "4.000 group MASTER -> STOP (daemon stops)",
        ]
    );
}

#[test]
fn a_stop_is_told_of_every_member_and_then_of_the_group() {
    let mut world = World::master(host(&[100, 100]));
    world.run_until(16.5);
    world.take_lines();
    for link in 0..2 {
        world.input((0, link), |instance, now| instance.handle_shutdown(now, true));
    }
    assert_eq!(
        world.take_lines(),
        [
            "16.500 VI0 advert 0",
            "16.500 VI0 withdraw",
            "16.500 VI0 MASTER -> STOP (daemon stops)",
            "16.500 VI1 advert 0",
            "16.500 VI1 withdraw",
            "16.500 VI1 MASTER -> STOP (daemon stops)",
            "16.500 group MASTER -> STOP (daemon stops)",
        ]
    );
}

#[test]
fn a_weight_that_all_members_lose_hands_the_group_over() {
    let mut world = World::pair();
    for link in 0..2 {
        world.input((0, link), |instance, now| instance.handle_weight(now, Tracker::Script(0), -60));
    }
    world.run_until(15.0);
    assert_eq!(
        (world.states(0), world.states(1)),
        ("BACKUP BACKUP: BACKUP".into(), "MASTER MASTER: MASTER".into())
    );
    for link in 0..2 {
        world.input((0, link), |instance, now| instance.handle_weight(now, Tracker::Script(0), 0));
    }
    world.run_until(20.0);
    assert_eq!(world.states(0), "MASTER MASTER: MASTER");
}
