//! Interfaces that are asked for their link (`linkbeat_interfaces`, `linkbeat_use_polling`).
//!
//! An end of a cable that is told to be dormant (IF_OPER_DORMANT, as while a switch port waits for 802.1X) is not running
//! by the kernel's word, but has a link by its driver's.

use lab::{Capture, Lan, Result, State};

use crate::world::{SOON, Setup, V3, VI, from, is_keepalived, ours, side_by_side};

/// The router on alpha, below these lines and with this line of its own.
fn setup(before: &str, line: &str) -> Setup {
    Setup { before: format!("{before}\n"), ..V3.alpha(150).line(line) }
}

/// Has the kernel believe that alpha's interface may not be used yet.
fn make_dormant(lan: &Lan) -> Result<()> {
    lan["alpha"].run(&["ip", "link", "set", "va0", "mode", "dormant"])?;
    lan["alpha"].run(&["ip", "link", "set", "va0", "state", "dormant"]).map(drop)
}

/// Hosts with a cable between them, so that one end has no link while the other one is down.
fn cable() -> Result<Lan> {
    Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .back_to_back()
        .build()
}

#[test]
fn an_interface_that_is_asked_counts_as_it_says() {
    if is_keepalived("`linkbeat_interfaces`, `linkbeat_use_polling`") {
        return;
    }
    let cases = [
        ("linkbeat_interfaces {\n  va0 ETHTOOL\n}", "# nothing", "ETHTOOL"),
        // A veth has no transceiver.
        ("linkbeat_interfaces {\n  va0 MII\n}", "# nothing", "ETHTOOL"),
        ("linkbeat_use_polling", "# nothing", "ETHTOOL"),
        ("", "linkbeat_use_polling", "ETHTOOL"),
    ];
    side_by_side(&cases, |(before, line, method)| {
        let lan = cable()?;
        let alpha = setup(before, line).start_until(&ours(), &lan["alpha"], State::Master)?;
        alpha.wait_log(&format!("Interface va0 is asked for its link by {method}"), SOON)?;
        make_dormant(&lan)?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        // It has been asked twice by then at least.
        capture.wait_vrrp("advertisements", SOON, |seen| from(seen, "10.9.0.1").len() > 7)?;
        assert_eq!(alpha.entries(VI, State::Fault), 0, "{}", alpha.log());
        // Without a link it counts as down, and up again with one.
        lan["beta"].link_down("vb0")?;
        alpha.wait_entering(VI, State::Fault, SOON)?;
        let mark = alpha.mark();
        lan["beta"].link_up("vb0")?;
        alpha.wait_entering_since(mark, VI, State::Master, SOON)?;
        // And that it is to be down is the kernel's to say.
        let mark = alpha.mark();
        lan["alpha"].link_down("va0")?;
        alpha.wait_entering_since(mark, VI, State::Fault, SOON).map(drop)
    });
}

#[test]
fn any_other_interface_counts_as_the_kernel_says() {
    let cases = ["", "linkbeat_interfaces {\n  va0 IOCTL\n}"];
    side_by_side(&cases, |before| {
        let lan = cable()?;
        let alpha = setup(before, "# nothing").start_until(&ours(), &lan["alpha"], State::Master)?;
        make_dormant(&lan)?;
        alpha.wait_entering(VI, State::Fault, SOON).map(drop)
    });
}
