//! Reloads: what a router that goes on does with other settings, and how one leaves that is gone.

use super::*;
use crate::vrrp::{Fault, Membership, Reload};

fn reload(lan: &mut Lan, settings: Settings) {
    reload_with(lan, Reload { settings, ..unchanged() });
}

fn reload_with(lan: &mut Lan, reload: Reload) {
    lan.input(0, |instance, now| instance.handle_reload(now, reload));
}

/// A reload in which nothing differs.
fn unchanged() -> Reload {
    Reload {
        settings: router(100),
        same_priority: false,
        same_preempt: true,
        same_auth: true,
        trackers: Vec::new(),
        reinstall: false,
    }
}

#[test]
fn the_same_settings_do_nothing_to_a_master_nor_to_a_backup() {
    let mut master = Lan::master(router(100));
    master.run_until(at(10.5));
    let next = master.nodes[0].instance.poll_timeout();
    reload(&mut master, router(100));
    assert_eq!((master.take_lines(), master.nodes[0].instance.poll_timeout()), (vec![], next));
    let mut backup = Lan::started(router(100));
    backup.hear_at(1.0, 200);
    backup.take_lines();
    backup.run_until(at(2.5));
    let next = backup.nodes[0].instance.poll_timeout();
    reload(&mut backup, router(100));
    assert_eq!((backup.take_lines(), backup.nodes[0].instance.poll_timeout()), (vec![], next));
}

#[test]
fn a_master_says_at_once_what_is_new_in_its_advertisements_and_keeps_to_the_new_interval() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(10.5));
    reload(&mut lan, Settings { advert_interval: Duration::from_secs(2), ..router(150) });
    lan.run_until(at(13.0));
    let lines = lan.take_lines();
    assert_eq!(
        lines,
        [
            "10.500 event: Changing effective priority from 100 to 150",
            "10.500 advert 150",
            "12.500 advert 150"
        ]
    );
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn a_backup_waits_as_long_as_with_the_new_settings_from_the_beginning() {
    let slower = || Settings { advert_interval: Duration::from_secs(3), ..router(100) };
    let mut lan = Lan::started(router(100));
    lan.run_until(at(2.0));
    reload(&mut lan, slower());
    let from_the_beginning = Lan::started(slower());
    assert_eq!(lan.nodes[0].instance.poll_timeout(), from_the_beginning.nodes[0].instance.poll_timeout());
}

#[test]
fn what_an_order_has_set_stays_unless_the_file_says_something_new() {
    use crate::registry::Setting;
    let mut lan = Lan::started(router(100));
    lan.input(0, |instance, now| instance.handle_setting(now, Setting::BasePriority(Priority(70))));
    reload_with(&mut lan, Reload { same_priority: true, ..unchanged() });
    assert_eq!(lan.status().base_priority, Some(Priority(70)));
    reload(&mut lan, router(120));
    assert_eq!(lan.status().base_priority, Some(Priority(120)));
}

#[test]
fn what_is_no_longer_tracked_counts_no_more_and_what_has_moved_counts_on() {
    let mut lan = Lan::started(router(100));
    let failed = |place| Reason::Tracked {
        tracker: Tracker::Script(place),
        name: "s".into(),
        detail: "failed".into(),
    };
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::File(0), 7));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::File(1), -20));
    let fault = Fault::Tracked(Tracker::Script(0));
    lan.input(0, |instance, now| instance.handle_fault(now, fault, Some(failed(0))));
    let trackers = vec![(Tracker::File(0), Tracker::File(3)), (Tracker::Script(0), Tracker::Script(2))];
    reload_with(&mut lan, Reload { trackers, ..unchanged() });
    assert_eq!((lan.state(0), lan.status().effective_priority), (State::Fault, Some(Priority(107))));
    let moved = Fault::Tracked(Tracker::Script(2));
    lan.input(0, |instance, now| instance.handle_fault(now, moved, None));
    assert_eq!(lan.state(0), State::Backup);
    reload(&mut lan, router(100));
    assert_eq!(lan.status().effective_priority, Some(Priority(100)));
}

#[test]
fn a_member_that_waits_for_its_group_takes_over_when_it_is_alone() {
    let member = Settings { membership: Membership::Member, ..router(100) };
    let mut lan = Lan::started(member);
    lan.run_until(at(10.0));
    assert_eq!(lan.state(0), State::Backup);
    reload(&mut lan, router(100));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn a_router_that_is_gone_gives_way_and_says_nothing_afterwards() {
    for to in [State::Deleted, State::Fault] {
        let mut lan = Lan::master(router(100));
        lan.input(0, |instance, now| instance.handle_removal(now, to));
        let lines = lan.take_lines();
        assert!(lines[0].ends_with("advert 0"), "{lines:?}");
        lan.hear(50);
        lan.run_until(at(60.0));
        assert_eq!(lan.take_lines(), [""; 0]);
    }
}
