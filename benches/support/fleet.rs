//! Many virtual routers: interfaces for 250 of them each, and the configuration.

use std::{fmt::Write as _, ops::Range};

use lab::lan::Join;
use lab::{Host, Lan, Result};

/// Virtual routers per interface.
const PER_INTERFACE: usize = 250;

/// How many interfaces so many virtual routers need.
pub(crate) fn interfaces(instances: usize) -> usize {
    instances.div_ceil(PER_INTERFACE)
}

/// Two hosts, `alpha` and `beta`, with as many veth pairs between them as `instances` need; the interfaces
/// are called `v0`, `v1` and so on, on both.
pub(crate) fn hosts(instances: usize) -> Result<Lan> {
    let mut lan = Lan::builder()
        .host("alpha", "v0", "10.9.0.1/24")
        .host("beta", "v0", "10.9.0.2/24")
        .back_to_back()
        .build()?;
    for k in 1..interfaces(instances) {
        let (name, near, far) = (format!("v{k}"), format!("10.9.{k}.1/24"), format!("10.9.{k}.2/24"));
        lan.add_segment(Join::BackToBack, &[("alpha", &name, &near), ("beta", &name, &far)])?;
    }
    Ok(lan)
}

/// The addresses of virtual router `i`: the first two bytes are always the same.
fn addresses(i: usize) -> [(usize, usize); 2] {
    let (high, low) = (2 * i / 256, 2 * i % 256);
    [(high, low), (high, low + 1)]
}

/// Puts the addresses of these virtual routers on a host of [`hosts`], as a master would.
pub(crate) fn assume_addresses(host: &Host, instances: Range<usize>) -> Result<()> {
    let mut text = String::new();
    for i in instances {
        for (high, low) in addresses(i) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "address add 10.200.{high}.{low}/32 dev v{}", i / PER_INTERFACE);
        }
    }
    let file = host.write("addresses", &text)?;
    host.run(&["ip", "-batch", &file.to_string_lossy()])?;
    Ok(())
}

/// `instances` virtual routers of version 3, one second, two /32 addresses each, after `global` lines.
pub(crate) fn config(instances: usize, priority: u8, global: &str) -> String {
    let mut text = format!("global_defs {{\n  router_id bench\n  vrrp_version 3\n{global}}}\n");
    for i in 0..instances {
        let (k, vrid) = (i / PER_INTERFACE, i % PER_INTERFACE + 1);
        let [first, second] = addresses(i).map(|(high, low)| format!("10.200.{high}.{low}/32"));
        let _ = write!(
            text,
            "vrrp_instance VI_{i} {{\n  state BACKUP\n  interface v{k}\n  virtual_router_id {vrid}\n  \
             priority {priority}\n  advert_int 1\n  garp_master_repeat 1\n  virtual_ipaddress {{\n    \
             {first}\n    {second}\n  }}\n}}\n"
        );
    }
    text
}
