//! What the kernel says of IPVS.

use steadfast::{kernel::ipvs::answers, units::Family};

/// Attributes of an answer, as a service, as a server of either family, and as a daemon.
pub fn check(input: &[u8]) {
    let service = answers::service(input);
    assert_eq!(service, answers::service(input));
    for family in [Family::V4, Family::V6] {
        if let Some(held) = answers::destination(input, family) {
            assert!(!format!("{:?}", held.what).is_empty());
        }
    }
    if let Some(held) = service {
        assert!(!held.what.key.to_string().is_empty());
    }
    if let Some(daemon) = answers::daemon(input) {
        assert!(!format!("{daemon:?}").is_empty());
    }
}
