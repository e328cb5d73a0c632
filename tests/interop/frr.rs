//! FRR's vrrpd as the other router, of both versions and both families.

use lab::frr::Vrrp;
use lab::{Capture, Control, Frr, Lan, Result, Router, State};

use crate::world::{
    ADVERTS, LATE, SOON, Talk, V3, V3_IPV6, VI, assert_nothing_rejected, assert_steady, ours, side_by_side,
};

/// FRR on beta with priority 100.
fn frr(lan: &Lan, talk: Talk) -> Result<Frr> {
    let interval = u16::try_from(talk.interval().as_millis()).expect("a second at the most");
    let router = Vrrp {
        interface: "vb0".into(),
        vrid: 51,
        version: talk.version,
        priority: 100,
        interval,
        addresses: talk.alpha(100).vips,
    };
    Frr::start(&lan["beta"], &router)
}

fn start(lan: &Lan, talk: Talk, priority: u8, state: State) -> Result<Router> {
    talk.alpha(priority).start_until(&ours(), &lan["alpha"], state)
}

/// What one side sends is what the other side takes.
fn assert_believed(frr: &Frr) {
    let log = frr.vrrpd().log();
    assert!(!log.contains("Datagram invalid"), "{log}");
}

#[test]
fn frr_and_we_hand_mastership_over_in_both_directions() {
    side_by_side(&[Talk { version: 2, ..V3 }, V3, V3_IPV6], |talk| hand_over(*talk));
}

fn hand_over(talk: Talk) -> Result<()> {
    let lan = talk.lan()?;
    let frr = frr(&lan, talk)?;
    frr.wait_status("Master", SOON)?;

    // We are better: preemption, then release.
    let better = start(&lan, talk, 150, State::Master)?;
    frr.wait_status("Backup", SOON)?;
    let capture = Capture::start(&lan["beta"], "vb0", ADVERTS)?;
    let control = Control::start();
    capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 5)?;
    assert_steady(&capture.vrrp()?, talk.senders()[0], talk.interval(), LATE, &control.stop());
    assert_nothing_rejected(&better)?;
    better.stop()?;
    frr.wait_status("Master", SOON)?;

    // We are worse: waiting, takeover after FRR's release, giving way when it is back.
    let worse = start(&lan, talk, 50, State::Backup)?;
    let heard = capture.vrrp()?.len();
    capture.wait_vrrp("adverts of FRR", SOON, |seen| seen.len() >= heard + 8)?;
    assert_eq!(worse.entries(VI, State::Master), 0, "{}", worse.log());
    frr.vtysh(&["conf t", "interface vb0", "vrrp 51 shutdown"])?;
    worse.wait_entering(VI, State::Master, SOON)?;
    let mark = worse.mark();
    frr.vtysh(&["conf t", "interface vb0", "no vrrp 51 shutdown"])?;
    frr.wait_status("Master", SOON)?;
    worse.wait_entering_since(mark, VI, State::Backup, SOON)?;
    assert!(!lan["alpha"].has_address(talk.vip()));
    assert_nothing_rejected(&worse)?;
    assert_believed(&frr);
    Ok(())
}
