//! What operators want: standing aside, another priority, and the end of both.

use super::*;
use crate::registry::{Intervention, Operator, Standing};

fn root() -> Operator {
    Operator { uid: 0, pid: Some(7), name: "root".into() }
}

fn intervene(lan: &mut Lan, what: Intervention, until: Option<Time>) {
    lan.input(0, |instance, now| {
        instance.handle_intervention(now, Standing { what, by: root(), since: now, until });
    });
}

fn relent(lan: &mut Lan, what: Intervention) {
    lan.input(0, |instance, now| instance.handle_relenting(now, what, None));
}

#[test]
fn a_master_that_steps_down_gives_way_and_lets_a_worse_one_be_until_that_is_over() {
    let mut lan = Lan::new([router(200), router(100)]);
    (0..lan.nodes.len()).for_each(|node| lan.start(node));
    lan.run_until(at(10.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Backup));
    lan.take_lines();
    intervene(&mut lan, Intervention::StepDown, Some(at(60.0)));
    lan.run_until(at(50.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Backup, State::Master));
    assert_eq!(lan.status().interventions.len(), 1);
    let lines = lan.take_lines();
    assert!(lines[0].ends_with("advert 0"), "{lines:#?}");
    relent(&mut lan, Intervention::StepDown);
    lan.run_until(at(60.0));
    assert_eq!((lan.state(0), lan.state(1)), (State::Master, State::Backup));
    assert_eq!(lan.status().interventions, []);
}

#[test]
fn one_that_has_stepped_down_takes_over_when_nobody_else_is_there_and_as_the_last() {
    let mut lan = Lan::master(router(200));
    let since = lan.now;
    intervene(&mut lan, Intervention::StepDown, None);
    assert_eq!(lan.state(0), State::Backup);
    // Three intervals and the skew of priority 1.
    lan.run_until(since + Duration::from_millis(3990));
    assert_eq!(lan.state(0), State::Backup);
    lan.run_until(since + Duration::from_millis(4000));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn in_maintenance_it_is_no_master_even_if_nobody_else_is() {
    let mut lan = Lan::master(router(200));
    intervene(&mut lan, Intervention::Maintenance, None);
    let since = lan.now;
    lan.run_until(since + Duration::from_secs(60));
    assert_eq!(lan.state(0), State::Backup);
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::NoPeers, Some(Reason::NoPeers)));
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::NoPeers, None));
    lan.run_until(since + Duration::from_secs(120));
    assert_eq!(lan.state(0), State::Backup);
    relent(&mut lan, Intervention::Maintenance);
    lan.run_until(since + Duration::from_secs(125));
    assert_eq!(lan.state(0), State::Master);
}

#[test]
fn an_owner_in_maintenance_does_not_begin_as_master() {
    let mut lan = Lan::new([Settings { start_as_master: true, ..router(255) }]);
    intervene(&mut lan, Intervention::Maintenance, None);
    (0..lan.nodes.len()).for_each(|node| lan.start(node));
    lan.run_until(at(30.0));
    assert_eq!(lan.state(0), State::Backup);
}

#[test]
fn what_is_added_to_a_priority_counts_with_what_trackers_add_and_goes_again() {
    let mut lan = Lan::master(router(100));
    lan.input(0, |instance, now| instance.handle_weight(now, Tracker::Script(0), -20));
    intervene(&mut lan, Intervention::Priority(-30), None);
    assert_eq!(lan.status().effective_priority, Some(Priority(50)));
    intervene(&mut lan, Intervention::Priority(40), None);
    assert_eq!(lan.status().effective_priority, Some(Priority(120)), "the last one counts");
    assert_eq!(lan.status().contributions, [(Tracker::Script(0), -20)]);
    relent(&mut lan, Intervention::Priority(0));
    assert_eq!(lan.status().effective_priority, Some(Priority(80)));
    relent(&mut lan, Intervention::Priority(0));
    lan.take_lines();
    relent(&mut lan, Intervention::Priority(0));
    assert_eq!(lan.take_lines(), [""; 0], "nothing is left to be ended");
}
