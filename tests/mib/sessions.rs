//! The tables of BFD sessions and of who tracks them.

use std::{fs, sync::Arc};

use agentx::{Oid, Value};
use steadfast::{
    config::{self, Elsewhere},
    registry::{SessionState, Topology},
    snmp::{self, Snapshot},
    track::Sessions,
    units::Time,
};

const CONFIG: &str = "\
bfd_instance path {
    neighbor_ip 192.0.2.7
    weight -20
}
bfd_instance checked {
    neighbor_ip 192.0.2.8
    checker
}
vrrp_instance VI {
    interface eth0
    virtual_router_id 7
    track_bfd {
        path
    }
    virtual_ipaddress {
        192.0.2.9
    }
}
";

fn topology() -> Topology {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.conf");
    fs::write(&path, CONFIG).unwrap();
    let (config, report) = config::load(&path, None, &Elsewhere);
    Topology::new(config.unwrap_or_else(|| panic!("{report:?}")), "Steadfast".to_owned(), Vec::new())
}

/// A column of the only row of one of the tables.
fn cell(snapshot: &Snapshot, table: u32, column: u32, row: &[u32]) -> Option<Value> {
    let name =
        [2, table, 1, column].iter().chain(row).fold(Oid::from(snmp::KEEPALIVED), |oid, id| oid.child(*id));
    match snmp::view().value(snapshot, &name) {
        Value::NoSuchInstance => None,
        value => Some(value),
    }
}

#[test]
fn a_session_shows_whether_it_counts_as_up() {
    let topology = Arc::new(topology());
    let sessions = Sessions::new(&topology.sessions);
    let snapshot = &Snapshot::new(Arc::clone(&topology), None, (Time::default(), Time::default));
    let result = || cell(snapshot, 18, 3, &[1]);
    assert_eq!(result(), Some(Value::Integer(0)));
    sessions.handle_begin(Time::from_secs(1));
    assert_eq!(result(), Some(Value::Integer(0)));
    for (state, shown) in [(SessionState::Up, 1), (SessionState::AdminDown, 1), (SessionState::Down, 0)] {
        sessions.handle_state(Time::from_secs(2), 0, state);
        assert_eq!(result(), Some(Value::Integer(shown)), "{state:?}");
    }
}

#[test]
fn a_session_has_a_row_and_so_has_who_tracks_it() {
    let snapshot = &Snapshot::new(Arc::new(topology()), None, (Time::default(), Time::default));
    let text = |text: &str| Some(Value::OctetString(text.as_bytes().into()));
    assert_eq!(cell(snapshot, 18, 2, &[1]), text("path"));
    assert_eq!(cell(snapshot, 18, 2, &[2]), None, "routers know nothing of sessions for checkers");
    assert_eq!(cell(snapshot, 18, 4, &[1]), Some(Value::Integer(-20)));
    assert_eq!(cell(snapshot, 17, 2, &[1, 1]), text("path"));
    assert_eq!(cell(snapshot, 17, 3, &[1, 1]), Some(Value::Integer(-20)));
}
