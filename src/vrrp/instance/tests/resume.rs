//! A router whose process was killed as MASTER, and is there again.

use super::*;

/// The router of an engine that is back after so many seconds; its addresses are still there.
fn back_after(settings: Settings, away: f64) -> Lan {
    let mut lan = Lan::new([settings]);
    lan.input(0, |instance, now| {
        instance.handle_interruption(now, Duration::from_secs_f64(away));
    });
    lan
}

#[test]
fn a_router_that_is_back_before_anybody_noticed_goes_on_as_master() {
    let mut lan = back_after(router(100), 1.9);
    lan.start(0);
    assert_eq!(
        lan.take_decisions(),
        [
            "0.000 INIT -> MASTER (goes on where the process before ended)",
            "0.000 install",
            "0.000 announce x5"
        ]
    );
    lan.run_until(at(1.0));
    assert_eq!(lan.counted(Counter::AdvertSent), 2);
}

#[test]
fn a_router_that_was_away_for_longer_starts_as_any_other() {
    let mut lan = back_after(router(100), 2.0);
    lan.start(0);
    assert_eq!(lan.take_decisions(), ["0.000 INIT -> BACKUP (start)"]);
}

#[test]
fn what_holds_a_router_back_for_a_moment_does_not_cost_it_its_mastership() {
    let script = Tracker::Script(0);
    let held = || {
        let mut lan = back_after(router(100), 0.5);
        lan.input(0, |instance, now| {
            instance.handle_fault(now, Fault::Pending(script), Some(Reason::Started));
        });
        lan.start(0);
        assert_eq!(lan.take_decisions(), [""; 0]);
        lan
    };
    let mut lan = held();
    lan.run_until(at(1.0));
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Pending(script), None));
    assert_eq!(lan.take_decisions()[0], "1.000 INIT -> MASTER (goes on where the process before ended)");
    let mut lan = held();
    lan.run_until(at(1.6));
    assert_eq!(lan.take_decisions(), ["1.500 withdraw"], "others take over soon");
    lan.input(0, |instance, now| instance.handle_fault(now, Fault::Pending(script), None));
    assert_eq!(lan.take_decisions(), ["1.600 INIT -> BACKUP (start)"]);
}

#[test]
fn a_fault_gives_the_addresses_up() {
    let mut lan = back_after(router(100), 0.1);
    lan.input(0, |instance, now| {
        let down = Reason::InterfaceDown { interface: "eth0".into() };
        instance.handle_fault(now, Fault::Interface, Some(down));
    });
    lan.start(0);
    assert_eq!(lan.take_decisions(), ["0.000 withdraw", "0.000 INIT -> FAULT (interface eth0 is down)"]);
}

#[test]
fn a_stop_gives_up_what_is_not_gone_on_with_yet() {
    for (release, withdrawn) in [(true, 1), (false, 0)] {
        let mut lan = back_after(router(100), 0.1);
        lan.input(0, |instance, now| instance.handle_shutdown(now, release));
        let lines = lan.take_decisions();
        assert_eq!(lines.iter().filter(|line| line.ends_with("withdraw")).count(), withdrawn, "{lines:?}");
    }
}
