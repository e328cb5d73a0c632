//! Routers over links that few kernels have.

use lab::{Capture, Lan, Result, Router, State, Subject, wait};

use crate::{GUEST, SOON, ours};

/// alpha's router: two addresses, with more lines.
fn config(lines: &str) -> String {
    format!(
        "vrrp_instance VI {{\n  state BACKUP\n  interface va0\n  virtual_router_id 51\n  priority 150\n  version 3\n  \
         advert_int 0.2\n  virtual_ipaddress {{\n    10.9.0.100/24\n  }}\n  {lines}\n}}\n"
    )
}

#[test]
fn an_ipvlan_holds_the_addresses_and_sends_from_its_own() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        let router = Router::start(&ours(), alpha, "alpha", &config("use_ipvlan shared 10.9.0.51"))?;
        router.wait_entering("VI", State::Master, SOON)?;
        lan.wait_holder("10.9.0.100", "alpha", SOON)?;
        let on = |link| alpha.run(&["ip", "-o", "addr", "show", "dev", link]);
        let holds = |link, address| {
            wait::until("addresses of a link", SOON, || match on(link) {
                Ok(shown) if shown.contains(address) => Ok(()),
                shown => Err(format!("{shown:?}, awaited {address} on {link}")),
            })
        };
        holds("shared", "10.9.0.51")?;
        // The peer leaves them on the interface below: a documented difference.
        let place = if ours() == Subject::Keepalived { "va0" } else { "shared" };
        holds(place, "10.9.0.100/24")?;
        assert!(alpha.run(&["ip", "-d", "link", "show", "shared"])?.contains("mode l2 bridge"));
        let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() > 2)?;
        assert!(adverts.iter().all(|advert| advert.src.to_string() == "10.9.0.51"));
        router.stop()?;
        let is_gone =
            || alpha.exec(&["ip", "link", "show", "shared"]).is_ok_and(|shown| shown.stdout.is_empty());
        wait::until_true("the link to go with the router", SOON, is_gone)
    })
}

#[test]
fn a_route_goes_into_the_table_of_its_vrf() -> Result<()> {
    GUEST.tells(|| {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        alpha.sh("ip link add blue type vrf table 77 && ip link set blue up")?;
        let routes = "virtual_routes {\n    10.77.0.0/16 dev blue vrf blue\n  }";
        let router = Router::start(&ours(), alpha, "alpha", &config(routes))?;
        router.wait_entering("VI", State::Master, SOON)?;
        let in_table = || alpha.run(&["ip", "route", "show", "table", "77"]).unwrap_or_default();
        wait::until_true("the route in table 77", SOON, || in_table().contains("10.77.0.0/16"))?;
        router.stop()?;
        wait::until_true("no route in table 77", SOON, || !in_table().contains("10.77.0.0/16"))
    })
}
