//! FRR's vrrpd as the other router, version 3.

use lab::frr::Vrrp;
use lab::{Capture, Control, Frr, Lan, Result, Router, State};

use crate::world::{LATE, SOON, Talk, V3, VI, VIP, assert_nothing_rejected, assert_steady, ours};

/// FRR on beta with priority 100, at the interval of version 3.
fn frr(lan: &Lan, version: u8, interval: u16) -> Result<Frr> {
    let router = Vrrp {
        interface: "vb0".into(),
        vrid: 51,
        version,
        priority: 100,
        interval,
        addresses: vec![format!("{VIP}/24")],
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
fn frr_and_we_hand_mastership_over_in_both_directions() -> Result<()> {
    let lan = Lan::pair()?;
    let frr = frr(&lan, 3, 200)?;
    frr.wait_status("Master", SOON)?;

    // We are better: preemption, then release.
    let better = start(&lan, V3, 150, State::Master)?;
    frr.wait_status("Backup", SOON)?;
    let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
    let control = Control::start();
    capture.wait_vrrp("adverts", SOON, |seen| seen.len() >= 5)?;
    assert_steady(&capture.vrrp()?, "10.9.0.1", V3.interval(), LATE, &control.stop());
    assert_nothing_rejected(&better)?;
    better.stop()?;
    frr.wait_status("Master", SOON)?;

    // We are worse: waiting, takeover after FRR's release, giving way when it is back.
    let worse = start(&lan, V3, 50, State::Backup)?;
    let heard = capture.vrrp()?.len();
    capture.wait_vrrp("adverts of FRR", SOON, |seen| seen.len() >= heard + 8)?;
    assert_eq!(worse.entries(VI, State::Master), 0, "{}", worse.log());
    frr.vtysh(&["conf t", "interface vb0", "vrrp 51 shutdown"])?;
    worse.wait_entering(VI, State::Master, SOON)?;
    let mark = worse.mark();
    frr.vtysh(&["conf t", "interface vb0", "no vrrp 51 shutdown"])?;
    frr.wait_status("Master", SOON)?;
    worse.wait_entering_since(mark, VI, State::Backup, SOON)?;
    assert!(!lan["alpha"].has_address(VIP));
    assert_nothing_rejected(&worse)?;
    assert_believed(&frr);
    Ok(())
}

#[test]
fn frr_gives_way_to_a_better_router_of_version_2() -> Result<()> {
    let talk = Talk { version: 2, ..V3 };
    let lan = Lan::pair()?;
    let frr = frr(&lan, 2, 1000)?;
    frr.wait_status("Master", SOON)?;
    let better = start(&lan, talk, 150, State::Master)?;
    frr.wait_status("Backup", SOON)?;
    assert_nothing_rejected(&better)?;
    assert_believed(&frr);
    Ok(())
}
