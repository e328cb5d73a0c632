//! The same walk from both programs: one configuration, one namespace, keepalived first, then the daemon; and what the daemon
//! answers itself is what snmpd answers for it.
//!
//! What may differ is in [`KNOWN`](known::KNOWN), and each entry quotes the row of `docs/differences.md` that explains it.

#[path = "differential/known.rs"]
mod known;

use std::{collections::BTreeMap, fs, path::Path, thread};

use lab::{Lan, Result, Router, SnmpClient, Snmpd, State, Subject, lan::Join, wait};

use known::{KNOWN, Known};

use crate::{
    reading,
    scene::{KEEPALIVED, ROUTER_ID, SOON, calm, instance, steadfast, with_names},
};

/// Object to `TYPE: value`, by the numbers below [`KEEPALIVED`].
type Walk = BTreeMap<Vec<u32>, String>;

/// What one program shows: by a walk, and cell by cell in its tables.
struct Read {
    walk: Walk,
    tables: Walk,
}

/// Where the daemon answers itself.
const HERE: &str = "127.0.0.1:1161";
const AGENT: &str = "\nsnmp_agent {\n  listen 127.0.0.1:1161\n}\n";

/// lvsFlushOnStop.0, the last scalar that both serve.
const LAST_SCALAR: [u32; 3] = [1, 11, 0];

/// vrrpAddressIfIndex, which a link that is made anew has a new one of.
const IF_INDEX: [u32; 4] = [2, 6, 1, 7];

/// The tables below [`KEEPALIVED`]: of mail addresses, then all of VRRP. 2.10 are the notifications.
const TABLES: &[&[u32]] = &[
    &[1, 3, 5],
    &[2, 1],
    &[2, 2],
    &[2, 3],
    &[2, 4],
    &[2, 5],
    &[2, 6],
    &[2, 7],
    &[2, 8],
    &[2, 9],
    &[2, 11],
    &[2, 12],
    &[2, 13],
    &[2, 14],
    &[2, 15],
    &[2, 16],
    &[2, 17],
    &[2, 18],
    &[2, 19],
    &[2, 20],
    &[2, 21],
    &[2, 22],
];

/// One configuration, with the columns that tell that it has settled: numbers below [`KEEPALIVED`], values.
struct Case {
    name: &'static str,
    config: &'static str,
    /// vrrpInstanceState, row by row.
    states: &'static [u8],
    /// vrrpScriptResult, row by row: whether it is good.
    scripts: &'static [bool],
}

const CASES: &[Case] = &[
    Case {
        name: "masters",
        config: include_str!("differential/masters.conf"),
        states: &[2, 2, 2],
        scripts: &[true, false, false],
    },
    Case {
        name: "waiting",
        config: include_str!("differential/waiting.conf"),
        states: &[1, 1, 3, 3],
        scripts: &[false, true],
    },
    Case {
        name: "groups",
        config: include_str!("differential/groups.conf"),
        states: &[2, 2, 2, 2],
        scripts: &[true, false],
    },
    Case {
        name: "tracking",
        config: include_str!("differential/tracking.conf"),
        states: &[2, 2, 2],
        scripts: &[true],
    },
    Case { name: "owner", config: include_str!("differential/owner.conf"), states: &[2, 2, 2], scripts: &[] },
    Case { name: "routes", config: include_str!("differential/routes.conf"), states: &[2], scripts: &[] },
    Case { name: "mail", config: include_str!("differential/mail.conf"), states: &[2, 2], scripts: &[] },
    Case { name: "minimal", config: include_str!("differential/minimal.conf"), states: &[2], scripts: &[] },
    Case { name: "ipv6", config: include_str!("differential/ipv6.conf"), states: &[2, 2, 2], scripts: &[] },
    Case { name: "vmac", config: include_str!("differential/vmac.conf"), states: &[2, 2, 2], scripts: &[] },
    Case {
        name: "strings",
        config: include_str!("differential/strings.conf"),
        states: &[2, 2],
        scripts: &[true],
    },
    Case { name: "strict", config: include_str!("differential/strict.conf"), states: &[2, 2], scripts: &[] },
];

/// What a case has shown.
struct Outcome {
    /// What is different and not known.
    unknown: Vec<String>,
    /// Which of [`KNOWN`] were seen.
    seen: Vec<usize>,
    /// Which of [`TABLES`] had rows.
    filled: Vec<&'static [u32]>,
}

impl Case {
    fn settled(&self, walk: &Walk) -> std::result::Result<(), String> {
        let column = |column: [u32; 4]| -> Vec<u8> {
            let rows = walk.range(column.to_vec()..).take_while(|(object, _)| object.starts_with(&column));
            rows.filter_map(|(_, value)| value.strip_prefix("INTEGER: ")?.parse().ok()).collect()
        };
        let states = column([2, 3, 1, 4]);
        // A router with `state MASTER` wants to be that until it has heard a better one.
        let wanted = column([2, 3, 1, 6]);
        let results = column([2, 9, 1, 6]);
        // 1 is "no result yet", 3 is good, everything else bad.
        let scripts: Vec<bool> = results.iter().map(|result| *result == 3).collect();
        let scalars = walk.contains_key(&LAST_SCALAR[..]);
        let routers = states == self.states && wanted == states;
        if scalars && routers && scripts == self.scripts && !results.contains(&1) {
            return Ok(());
        }
        Err(format!("states {states:?}, wanted {wanted:?}, script results {results:?}"))
    }

    fn compare(&self) -> Result<Outcome> {
        let mut lan = Lan::pair()?;
        lan.add_segment(Join::Bridge, &[("alpha", "vd0", "10.8.0.1/24"), ("beta", "vd1", "10.8.0.2/24")])?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let better = "global_defs {\n}\n".to_owned()
            + &instance("B21", "vb0", 21, 200, "1\n  version 2").replace("10.99.0.21/32", "10.9.0.120/24")
            + &instance("B22", "vb0", 22, 200, "1\n  version 3").replace("10.99.0.22/32", "10.9.0.121/24");
        let beta = Router::start(&steadfast(), &lan["beta"], "beta", &better)?;
        beta.wait_entering("B21", State::Master, SOON)?;
        beta.wait_entering("B22", State::Master, SOON)?;
        if self.name == "waiting" {
            lan["alpha"].link_down("vd0")?;
        }
        let theirs = self.read(&Subject::Keepalived, &lan, &snmpd)?;
        let ours = self.read(&steadfast(), &lan, &snmpd)?;
        assert!(ours.walk.len() > 40, "{}: only {} objects", self.name, ours.walk.len());
        let (mut unknown, seen) = differences(self.name, &theirs.walk, &ours.walk);
        // A cell differs where the object does, whatever a table makes of it.
        for cell in theirs.tables.keys().chain(ours.tables.keys()) {
            let (their, our) = (theirs.tables.get(cell), ours.tables.get(cell));
            if their != our && theirs.walk.get(cell) == ours.walk.get(cell) {
                unknown.push(format!("{}: {cell:?}: snmptable shows {their:?}, ours {our:?}", self.name));
            }
        }
        let filled = TABLES.iter().filter(|arc| ours.walk.keys().any(|object| object.starts_with(arc)));
        Ok(Outcome { unknown, seen, filled: filled.copied().collect() })
    }

    fn read(&self, subject: &Subject, lan: &Lan, snmpd: &Snmpd) -> Result<Read> {
        let directory = lan["alpha"].dir().display().to_string();
        let config = self.config.replace("SOCKET", snmpd.agentx()).replace("DIRECTORY", &directory);
        let name = format!("{}-{subject}", self.name);
        let is_ours = matches!(subject, Subject::Steadfast(_));
        let config = config + if is_ours { AGENT } else { "" };
        let router = Router::start(subject, &lan["alpha"], &name, &config)?;
        let client = snmpd.client();
        let mut before = Walk::new();
        let walk = wait::until(&format!("{name} to settle"), SOON, || {
            let seen = walk(&client).map_err(|e| e.to_string())?;
            self.settled(&seen)?;
            // keepalived registers column by column: complete is what does not grow any more.
            let grown = seen != before;
            before.clone_from(&seen);
            if grown { Err("another object".into()) } else { Ok(seen) }
        })?;
        let tables = reading::tables(&with_names(snmpd.client()), KEEPALIVED, TABLES)?;
        if is_ours {
            let own = SnmpClient::new(&lan["alpha"], HERE);
            assert_eq!(self::walk(&own)?, walk, "{name}: what it answers itself");
            assert_eq!(reading::tables(&with_names(own), KEEPALIVED, TABLES)?, tables, "{name}: in tables");
        }
        let seen = self::walk(&client)?;
        reading::assert_got(&client, KEEPALIVED, &seen)?;
        assert_eq!(seen, walk, "{name}: nothing changes any more");
        for arc in TABLES {
            let cells = |cells: &Walk| cells.keys().filter(|cell| cell.starts_with(arc)).count();
            assert_eq!(cells(&tables), cells(&walk), "{name}: cells of the table at {arc:?}");
        }
        router.stop()?;
        wait::until_true("snmpd to forget the router", SOON, || client.get(ROUTER_ID).is_err())?;
        let comparable = |walk: Walk| -> Walk {
            walk.into_iter()
                .filter(|(object, _)| self.name != "vmac" || !object.starts_with(&IF_INDEX))
                .collect()
        };
        Ok(Read { walk: comparable(walk), tables: comparable(tables) })
    }
}

fn walk(client: &SnmpClient) -> Result<Walk> {
    let mut walk = Walk::new();
    for arc in ["1", "2"] {
        for (oid, value) in client.bulkwalk(&format!("{KEEPALIVED}.{arc}"), 25)? {
            let below = oid.strip_prefix(KEEPALIVED).unwrap_or_default();
            let numbers = below.split('.').skip(1).filter_map(|part| part.parse().ok());
            walk.insert(numbers.collect(), value.trim().to_owned());
        }
    }
    Ok(walk)
}

fn differences(case: &str, theirs: &Walk, ours: &Walk) -> (Vec<String>, Vec<usize>) {
    let mut unknown = Vec::new();
    let mut seen = Vec::new();
    let objects: std::collections::BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    for object in objects {
        let (their, our) = (theirs.get(object), ours.get(object));
        if their == our {
            continue;
        }
        let fits = |known: &Known| {
            object.starts_with(known.object) && known.theirs.fits(their) && known.ours.fits(our)
        };
        match KNOWN.iter().position(fits) {
            Some(position) => seen.push(position),
            None => {
                unknown.push(format!("{case}: {object:?}: keepalived shows {their:?}, the daemon {our:?}"));
            }
        }
    }
    (unknown, seen)
}

#[test]
fn the_walk_is_keepalived_s_except_for_the_documented_differences() {
    let _calm = calm();
    // The cases wait for elections most of their time, so they wait together.
    let outcomes = thread::scope(|scope| {
        let cases: Vec<_> = CASES.iter().map(|case| scope.spawn(|| case.compare())).collect();
        cases.into_iter().map(|case| case.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    let unknown: Vec<_> = outcomes.iter().flat_map(|outcome| outcome.unknown.clone()).collect();
    assert!(unknown.is_empty(), "not in docs/differences.md:\n{}", unknown.join("\n"));
    for (position, known) in KNOWN.iter().enumerate() {
        let seen = outcomes.iter().any(|outcome| outcome.seen.contains(&position));
        assert!(seen, "{:?} does not differ any more: {}", known.object, known.row);
    }
    for table in TABLES {
        let filled = outcomes.iter().any(|outcome| outcome.filled.contains(table));
        assert!(filled, "no configuration fills the table at {table:?}");
    }
}

#[test]
fn every_known_difference_names_its_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/differences.md");
    let page = fs::read_to_string(path).unwrap();
    for known in KNOWN {
        let found = page.lines().any(|line| line.starts_with(known.row));
        assert!(found, "docs/differences.md has no row that begins with {}", known.row);
    }
}
