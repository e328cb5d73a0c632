//! `keepalived.stats`: the counters of every instance.

use std::{collections::HashMap, fmt::Write as _};

use super::Moment;
use crate::registry::{Counter, InstanceRow, Topology};

/// What the counters of each instance were when somebody cleared them. The rows count on: what is in the MIB must not
/// jump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(HashMap<String, [u64; Counter::ALL.len()]>);

impl Baseline {
    /// From now on.
    pub fn of(topology: &Topology) -> Self {
        let counters = |row: &InstanceRow| Counter::ALL.map(|counter| row.counters.value(counter));
        Self(topology.instances.iter().map(|row| (row.config.name.clone(), counters(row))).collect())
    }

    /// A counter since it was cleared.
    pub(super) fn since(&self, row: &InstanceRow, counter: Counter) -> u64 {
        let before = self.0.get(&row.config.name).map_or(0, |counters| counters[counter as usize]);
        // Less than before means that the row is another one.
        let now = row.counters.value(counter);
        now.checked_sub(before).unwrap_or(now)
    }
}

/// The lines below an instance: a heading, or a counter with its name.
const LINES: [(&str, Option<Counter>); 18] = [
    ("  Advertisements:", None),
    ("    Received", Some(Counter::AdvertReceived)),
    ("    Sent", Some(Counter::AdvertSent)),
    ("  Became master", Some(Counter::BecomeMaster)),
    ("  Released master", Some(Counter::ReleaseMaster)),
    ("  Packet Errors:", None),
    ("    Length", Some(Counter::PacketLengthError)),
    ("    TTL", Some(Counter::TtlError)),
    ("    Invalid Type", Some(Counter::InvalidType)),
    ("    Advertisement Interval", Some(Counter::AdvertIntervalError)),
    ("    Address List", Some(Counter::AddressListError)),
    ("  Authentication Errors:", None),
    ("    Invalid Type", Some(Counter::InvalidAuthType)),
    ("    Type Mismatch", Some(Counter::AuthTypeMismatch)),
    ("    Failure", Some(Counter::AuthFailure)),
    ("  Priority Zero:", None),
    ("    Received", Some(Counter::PriorityZeroReceived)),
    ("    Sent", Some(Counter::PriorityZeroSent)),
];

pub(super) fn stats(moment: &Moment<'_>) -> String {
    let mut text = String::new();
    for row in &moment.topology.instances {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "VRRP Instance: {}", row.config.name);
        for (name, counter) in LINES {
            let _ = match counter {
                Some(counter) => writeln!(text, "{name}: {}", moment.baseline.since(row, counter)),
                None => writeln!(text, "{name}"),
            };
        }
    }
    text
}
