//! STEADFAST-MIB: what keepalived has no objects for, about the daemon itself.

use agentx::{Access, Scalar, Syntax, Value};

use crate::snmp::{Snapshot, integer, low, text, unsigned};

const STATE: Syntax = Syntax::Enum(&[
    ("disconnected", 0),
    ("connecting", 1),
    ("opening", 2),
    ("registering", 3),
    ("registered", 4),
    ("degraded", 5),
    ("unresponsive", 6),
    ("closed", 7),
]);

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1000, 1, $($sub),+] };
}

/// A number of the session's; it wraps, as a Counter32 does.
macro_rules! counter {
    ([$($sub:literal),+] $name:literal $field:ident) => {
        Scalar::new(oid![$($sub),+], $name, Syntax::Counter32, |snapshot| {
            Some(Value::Counter32(low(snapshot.agent.status()?.$field)))
        })
    };
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 13] = [
    Scalar {
        access: Access::AccessibleForNotify,
        ..Scalar::new(oid![1], "steadfastLostCount", Syntax::Unsigned32, |_| None)
    },
    Scalar {
        access: Access::AccessibleForNotify,
        ..Scalar::new(oid![2], "steadfastLostTotal", Syntax::Counter32, |_| None)
    },
    Scalar::new(oid![3, 1], "steadfastAgentState", STATE, |snapshot| {
        integer(snapshot.agent.status()?.state as u8)
    }),
    Scalar::new(oid![3, 2], "steadfastAgentSince", Syntax::TimeTicks, |snapshot| {
        Some(Value::TimeTicks(snapshot.sys_up_time(snapshot.agent.status()?.since)))
    }),
    counter!([3, 3] "steadfastAgentSessions" sessions),
    Scalar::new(oid![3, 4], "steadfastAgentRegions", Syntax::Unsigned32, |snapshot| {
        unsigned(snapshot.agent.status()?.registered)
    }),
    counter!([3, 5] "steadfastAgentRegionsRestored" restored),
    Scalar::new(oid![3, 6], "steadfastAgentLastError", Syntax::DisplayString, |snapshot| {
        text(snapshot.agent.status()?.error.as_deref().unwrap_or_default())
    }),
    counter!([4, 1] "steadfastNotificationsSent" sent),
    counter!([4, 2] "steadfastNotificationsRepeated" repeated),
    counter!([4, 3] "steadfastNotificationsAcknowledged" acknowledged),
    counter!([4, 4] "steadfastNotificationsGivenUp" given_up),
    Scalar::new(oid![4, 5], "steadfastRejectionsUntold", Syntax::Counter32, |snapshot| {
        Some(Value::Counter32(low(snapshot.rejections.untold())))
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::AgentState;

    #[test]
    fn the_states_are_numbered_and_named_as_the_registry_has_them() {
        let Syntax::Enum(names) = STATE else { panic!("an enumeration") };
        let states = AgentState::ALL.map(|state| (state.word(), state as i32));
        assert_eq!(names, states);
    }
}
