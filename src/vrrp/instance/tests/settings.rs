//! Settings that a manager changes while the router runs.

use super::*;
use crate::registry::{Setting, Switch};

fn set(lan: &mut Lan, setting: Setting) {
    lan.input(0, |instance, now| instance.handle_setting(now, setting));
}

#[test]
fn a_priority_that_is_set_shows_in_the_next_advertisement_and_in_the_row() {
    let mut lan = Lan::master(router(100));
    lan.run_until(at(10.5));
    set(&mut lan, Setting::BasePriority(Priority(150)));
    assert_eq!(lan.status().base_priority, Some(Priority(150)));
    lan.run_until(at(11.0));
    assert_eq!(
        lan.take_lines(),
        [
            "10.500 event: SNMP SET: priority 150 instead of priority 100",
            "10.500 event: Changing effective priority from 100 to 150",
            "11.000 advert 150",
        ]
    );
}

#[test]
fn what_trackers_add_is_added_to_a_priority_that_is_set() {
    let mut lan = Lan::started(router(100));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), -20));
    set(&mut lan, Setting::BasePriority(Priority(50)));
    assert_eq!(lan.status().effective_priority, Some(Priority(30)));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), 0));
    assert_eq!(lan.status().effective_priority, Some(Priority(50)));
}

#[test]
fn a_backup_that_is_set_above_its_master_takes_over_and_one_without_preemption_when_that_is_set() {
    let mut lan = Lan::started(Settings { preempt: false, ..router(100) });
    lan.hear_at(1.0, 200);
    set(&mut lan, Setting::BasePriority(Priority(220)));
    for second in 2..=5 {
        lan.hear_at(f64::from(second), 200);
    }
    assert_eq!((lan.state(0), lan.status().ordered.get(Switch::Preempt)), (State::Backup, None));
    set(&mut lan, Setting::Switch(Switch::Preempt, true));
    assert_eq!(lan.status().ordered.get(Switch::Preempt), Some(true));
    for second in 6..=9 {
        lan.hear_at(f64::from(second), 200);
    }
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn nothing_happens_to_an_owner_nor_to_what_is_as_it_should_be_nor_after_the_end() {
    let mut lan = Lan::started(router(255));
    set(&mut lan, Setting::BasePriority(Priority(100)));
    set(&mut lan, Setting::Switch(Switch::Preempt, false));
    assert_eq!(lan.take_lines(), [""; 0]);
    let mut lan = Lan::started(router(100));
    for unchanged in [100, 0, 255] {
        set(&mut lan, Setting::BasePriority(Priority(unchanged)));
    }
    set(&mut lan, Setting::Switch(Switch::Preempt, true));
    assert_eq!(lan.take_lines(), [""; 0]);
    lan.input(0, |instance, now| instance.handle_shutdown(now, true));
    lan.take_lines();
    set(&mut lan, Setting::BasePriority(Priority(7)));
    assert_eq!(lan.take_lines(), [""; 0]);
}

#[test]
fn a_switch_is_told_of_once_and_kept_for_the_row() {
    let mut lan = Lan::started(router(100));
    for switch in Switch::ALL {
        assert_eq!(lan.status().ordered.get(switch), None);
        for on in [false, false, true, true] {
            set(&mut lan, Setting::Switch(switch, on));
            assert_eq!(lan.status().ordered.get(switch), Some(on), "{switch:?}");
        }
        let [off, on] = [false, true].map(|on| switch.word(on));
        let told =
            [(off, on), (on, off)].map(|(to, from)| format!("0.000 event: SNMP SET: {to} instead of {from}"));
        assert_eq!(lan.take_lines(), told);
    }
}
