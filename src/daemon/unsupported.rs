//! What the configuration can say and the engine cannot do yet.
//!
//! A configuration test reports it too, for a start would refuse it; the engine never sees what is refused here.

use std::net::IpAddr;

use crate::{
    config::{AddressLine, Config, Diagnostic, Instance, Report, Severity},
    units::Family,
};

/// Reports the instances that the engine cannot run, and the addresses that it leaves out.
pub(crate) fn check(config: &Config, report: &mut Report) {
    for instance in &config.instances {
        match instance.family {
            Family::V4 => instance.excluded_addresses.iter().filter(|one| !is_known(one)).for_each(|one| {
                let headline = "IPv6 is not supported yet: this address is left out";
                report.add(Diagnostic::new("not-supported-yet", Severity::Notice, headline, &one.at));
            }),
            Family::V6 => report.add(refused(instance)),
        }
    }
}

fn refused(instance: &Instance) -> Diagnostic {
    let at = instance.virtual_addresses.first().map_or(&instance.at, |address| &address.at);
    let headline = "IPv6 is not supported yet: this instance cannot run";
    Diagnostic::new("not-supported-yet", Severity::Refused, headline, at)
        .info("leaving the address out would leave its users without a router")
        .help("take the line out, or keep this instance on keepalived for now")
}

/// Whether the engine can put the address on an interface.
fn is_known(address: &AddressLine) -> bool {
    matches!(address.address, IpAddr::V4(_))
}
