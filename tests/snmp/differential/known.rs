//! The differences that are meant.

/// A difference that is meant.
pub(super) struct Known {
    /// What the object begins with, below keepalived's arc.
    pub(super) object: &'static [u32],
    pub(super) theirs: Shown,
    pub(super) ours: Shown,
    /// How the row in `docs/differences.md` begins.
    pub(super) row: &'static str,
}

/// What one side of a difference has to look like.
pub(super) enum Shown {
    Nothing,
    Exactly(&'static str),
    Something,
    /// A text of more than 255 octets.
    Long,
}

use Shown::{Exactly, Long, Nothing, Something};

impl Shown {
    pub(super) fn fits(&self, value: Option<&String>) -> bool {
        match (self, value) {
            (Nothing, None) | (Something, Some(_)) => true,
            (Exactly(expected), Some(value)) => value == expected,
            (Long, Some(value)) => value.len() > "STRING: ".len() + 255,
            _ => false,
        }
    }
}

const fn known(object: &'static [u32], theirs: Shown, ours: Shown, row: &'static str) -> Known {
    Known { object, theirs, ours, row }
}

const ADDED: &str = "| objects added after 2.2.7 ";
const NO_MAIL: &str = "| M16 | ";
const PRIMARY: &str = "| M19 | ";
const LINES: &str = "| M18 | ";
const PARAM_MATCH: &str = "| M10 | ";
const MAIL_DEFAULTS: &str = "| `smtpServerTimeout`, `smtpServerPort` without a mail server ";

const L3MDEV: &str = "| `vrrpRuleRoutingTable`, `vrrpRuleTableNo` of an `l3mdev` rule ";
const RULE_PORTS: &str = "| M11 | ";

/// Any other object must be the same in both walks.
pub(super) const KNOWN: &[Known] = &[
    known(&[1, 1, 0], Something, Something, "| `version` "),
    known(&[1, 3, 1, 0], Exactly("INTEGER: 2"), Exactly("INTEGER: 0"), NO_MAIL),
    known(&[1, 3, 2, 0], Exactly("Hex-STRING: 00 00 00 00"), Exactly("\"\""), NO_MAIL),
    known(&[1, 3, 3, 0], Exactly("Gauge32: 0"), Exactly("Gauge32: 30"), MAIL_DEFAULTS),
    known(&[1, 3, 6, 0], Exactly("Gauge32: 0"), Exactly("Gauge32: 25"), MAIL_DEFAULTS),
    known(&[1, 12], Nothing, Exactly("INTEGER: 2"), ADDED),
    known(&[2, 3, 1, 11], Exactly("INTEGER: 2"), Exactly("INTEGER: 1"), PRIMARY),
    known(&[2, 3, 1, 11], Exactly("INTEGER: 1"), Exactly("INTEGER: 2"), PRIMARY),
    known(&[2, 3, 1, 27], Exactly("INTEGER: 0"), Nothing, "| M12 | "),
    known(&[2, 3, 1, 36], Nothing, Exactly("INTEGER: 2"), ADDED),
    known(&[2, 6, 1, 11], Exactly("INTEGER: 2"), Exactly("INTEGER: 1"), "| M1 | "),
    known(&[2, 6, 1, 6], Exactly("INTEGER: 14"), Exactly("INTEGER: 2"), "| M17 | "),
    known(
        &[2, 9, 1, 6],
        Exactly("INTEGER: 2"),
        Exactly("INTEGER: 5"),
        "| `vrrpScriptResult` of a script whose first run failed ",
    ),
    known(&[2, 7, 1, 18], Exactly("INTEGER: 19"), Exactly("INTEGER: 112"), "| M5 | "),
    known(&[2, 7, 1, 46], Exactly("INTEGER: 3"), Exactly("INTEGER: 2"), "| M6 | "),
    known(&[2, 8, 1, 6], Exactly("Gauge32: 0"), Nothing, L3MDEV),
    known(&[2, 8, 1, 24], Exactly("Gauge32: 0"), Nothing, L3MDEV),
    known(&[2, 8, 1, 33], Nothing, Exactly("INTEGER: 112"), RULE_PORTS),
    known(&[2, 8, 1, 34], Nothing, Exactly("Gauge32: 6"), RULE_PORTS),
    known(&[2, 8, 1, 35], Nothing, Exactly("Gauge32: 1024"), RULE_PORTS),
    known(&[2, 8, 1, 36], Nothing, Exactly("Gauge32: 2047"), RULE_PORTS),
    known(&[2, 8, 1, 37], Nothing, Exactly("Gauge32: 80"), RULE_PORTS),
    known(&[2, 8, 1, 38], Nothing, Exactly("Gauge32: 81"), RULE_PORTS),
    known(&[2, 11, 1, 6], Nothing, Exactly("Gauge32: 1"), "| `vrrpRouteNextHopWeight` "),
    known(&[2, 9, 1, 3], Long, Something, "| texts of more than 255 octets "),
    known(&[2, 9, 1, 10], Nothing, Something, ADDED),
    known(&[2, 9, 1, 11], Nothing, Something, ADDED),
    known(&[2, 9, 1, 12], Nothing, Something, ADDED),
    known(&[2, 12, 1, 3, 3, 1], Exactly("INTEGER: 2"), Exactly("INTEGER: 3"), LINES),
    known(&[2, 12, 1, 4, 3, 1], Exactly("INTEGER: 2"), Exactly("INTEGER: 1"), LINES),
    known(&[2, 16, 1, 3, 1, 2], Exactly("INTEGER: 1"), Exactly("INTEGER: -1"), LINES),
    known(&[2, 17, 1, 3, 3, 2], Exactly("INTEGER: 12"), Exactly("INTEGER: 3"), LINES),
    known(&[2, 17, 1, 4, 3, 2], Exactly("INTEGER: 2"), Exactly("INTEGER: 1"), LINES),
    known(&[2, 19, 1, 3, 1, 1], Exactly("INTEGER: 12"), Exactly("INTEGER: 4"), LINES),
    known(&[2, 20, 1, 3, 3, 3], Exactly("INTEGER: 7"), Exactly("INTEGER: -7"), LINES),
    known(&[2, 20, 1, 4, 3, 4], Exactly("INTEGER: 2"), Exactly("INTEGER: 1"), LINES),
    known(&[2, 21, 1, 5], Exactly("INTEGER: 2"), Exactly("INTEGER: 3"), PARAM_MATCH),
    known(&[2, 21, 1, 5], Exactly("INTEGER: 3"), Exactly("INTEGER: 2"), PARAM_MATCH),
    known(&[2, 22, 1, 3, 1, 1], Exactly("INTEGER: -4"), Exactly("INTEGER: 2"), LINES),
];
