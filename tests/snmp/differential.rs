//! The same walk from both programs: one configuration, one namespace, keepalived first, then the daemon.
//!
//! What may differ is in [`KNOWN`], and each entry quotes the row of `docs/differences.md` that explains it.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use lab::{Host, Lan, Result, Router, SnmpClient, Snmpd, Subject, wait};

use crate::scene::{KEEPALIVED, SOON, calm, steadfast};

/// Object to `TYPE: value`, by the numbers below [`KEEPALIVED`].
type Walk = BTreeMap<Vec<u32>, String>;

/// A difference that is meant.
struct Known {
    /// Numbers that the object begins with, below [`KEEPALIVED`].
    object: &'static [u32],
    /// What keepalived shows (`None`: nothing), if that is part of the difference.
    theirs: Shown,
    /// What the daemon shows.
    ours: Shown,
    /// The words that begin the row in `docs/differences.md`.
    row: &'static str,
}

/// What one side of a difference has to look like.
enum Shown {
    Nothing,
    Exactly(&'static str),
    Something,
}

impl Shown {
    fn fits(&self, value: Option<&String>) -> bool {
        match (self, value) {
            (Self::Nothing, None) | (Self::Something, Some(_)) => true,
            (Self::Exactly(expected), Some(value)) => value == expected,
            _ => false,
        }
    }
}

use Shown::{Exactly, Nothing, Something};

const fn known(object: &'static [u32], theirs: Shown, ours: Shown, row: &'static str) -> Known {
    Known { object, theirs, ours, row }
}

/// Objects that are not in this list must be the same in both walks.
const KNOWN: &[Known] = &[
    known(&[1, 1], Something, Something, "| `version` |"),
];

/// An object that shows that a router has settled, and its value.
type Settled = (&'static [u32], &'static str);

/// One configuration with what is true once both programs have settled.
struct Case {
    config: &'static str,
    settled: &'static [Settled],
}

/// The walk of `subject` as it comes to rest.
fn walk(client: &SnmpClient) -> Result<Walk> {
    let mut walk = Walk::new();
    for arc in ["1", "2"] {
        for (oid, value) in client.bulkwalk(&format!("{KEEPALIVED}.{arc}"), 25)? {
            let below = oid.strip_prefix(KEEPALIVED).unwrap_or_default();
            let numbers = below.split('.').skip(1).map(|part| part.parse().unwrap());
            walk.insert(numbers.collect(), value);
        }
    }
    Ok(walk)
}
