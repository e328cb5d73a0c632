//! Where an instance is on the bus.

use crate::{config::Instance, units::Family};

/// `…/INTERFACE/VRID/IPv4`, as keepalived has it.
pub(super) fn of(instance: &Instance, no_interface: &str) -> String {
    let interface = if instance.interface.is_empty() { no_interface } else { &instance.interface };
    let family = match instance.family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    format!("/org/keepalived/Vrrp1/Instance/{}/{}/{family}", element(interface), instance.vrid.value())
}

/// A name with an underscore for whatever a path may not have in it.
fn element(name: &str) -> String {
    name.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_may_not_have_is_an_underscore() {
        assert_eq!(element("e.9-x"), "e_9_x");
        assert_eq!(element("bond0.100"), "bond0_100");
        assert_eq!(element("é"), "_");
    }
}
