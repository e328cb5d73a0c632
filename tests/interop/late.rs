//! Interfaces that come after the program has been started, with `dynamic_interfaces`.

use lab::{Host, Lan, Result, Router, State, wait};

use crate::world::{SOON, Setup, V3, VI, ours};

/// A file whose instances may name interfaces that are not there.
fn dynamic(instances: &str) -> String {
    format!("global_defs {{\n  router_id lab\n  dynamic_interfaces\n}}\n{instances}")
}

/// Makes `late0` with an address, its other end up.
fn make(host: &Host) -> Result<()> {
    host.sh("ip link add late0 type veth peer name late1 && ip link set late1 up && ip link set late0 up")?;
    host.add_address("10.7.0.1/24", "late0")
}

fn remove(host: &Host) -> Result<()> {
    host.run(&["ip", "link", "del", "late0"]).map(drop)
}

/// An instance on the interface that comes late.
fn on_late(vrid: u8, vip: &str) -> Setup {
    Setup { interface: "late0".into(), vrid, vips: vec![vip.into()], ..V3.alpha(100) }
}

/// From FAULT to MASTER when the interface is made, and back when it is removed, twice.
fn comes_and_goes(router: &Router, host: &Host, vip: &str) -> Result<()> {
    // keepalived writes its very first state in another way.
    router.wait_log("ntering FAULT", SOON)?;
    for _ in 0..2 {
        let mark = router.mark();
        make(host)?;
        router.wait_entering_since(mark, VI, State::Master, SOON)?;
        wait::until_eq("the VIP", SOON, &true, || host.has_address(vip))?;
        let mark = router.mark();
        remove(host)?;
        router.wait_entering_since(mark, VI, State::Fault, SOON)?;
    }
    Ok(())
}

#[test]
fn an_instance_begins_when_its_interface_comes() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let router =
        Router::start(&ours(), alpha, "alpha", &dynamic(&on_late(51, "10.7.0.100/24").instance(VI)))?;
    comes_and_goes(&router, alpha, "10.7.0.100")
}

#[test]
fn so_does_one_with_a_virtual_mac() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let setup = on_late(51, "10.7.0.100/24").line("use_vmac");
    let router = Router::start(&ours(), alpha, "alpha", &dynamic(&setup.instance(VI)))?;
    comes_and_goes(&router, alpha, "10.7.0.100")
}

#[test]
fn what_tracks_an_interface_waits_for_it() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let setup = V3.alpha(100).line("track_interface {\n    late0\n  }");
    let router = Router::start(&ours(), alpha, "alpha", &dynamic(&setup.instance(VI)))?;
    comes_and_goes(&router, alpha, "10.9.0.100")
}

#[test]
fn an_address_waits_for_its_interface() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let mut setup = V3.alpha(100);
    setup.vips.push("10.7.0.100/24 dev late0".into());
    let router = Router::start(&ours(), alpha, "alpha", &dynamic(&setup.instance(VI)))?;
    comes_and_goes(&router, alpha, "10.7.0.100")
}
