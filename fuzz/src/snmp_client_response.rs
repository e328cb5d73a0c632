//! What agents and senders of notifications say to `steadfast snmp`.

use std::sync::LazyLock;

use steadfast::{manager, mib::Names};

static NAMES: LazyLock<Names> = LazyLock::new(Names::new);

/// Reads the input as an answer and as a notification. Nothing of it tells a terminal to do something.
pub fn check(input: &[u8]) {
    for line in manager::read(&NAMES, input) {
        assert!(!line.chars().any(|char| char.is_control() && char != '\n'), "{line:?}");
    }
}
