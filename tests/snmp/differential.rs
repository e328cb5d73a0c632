//! The same walk from both programs: one configuration, one namespace, keepalived first, then the daemon.
//!
//! What may differ is in [`KNOWN`], and each entry quotes the row of `docs/differences.md` that explains it.

use std::{collections::BTreeMap, fs, path::Path, thread};

use lab::{Lan, Result, Router, SnmpClient, Snmpd, State, Subject, lan::Join, wait};

use crate::scene::{KEEPALIVED, ROUTER_ID, SOON, calm, instance, steadfast};

/// Object to `TYPE: value`, by the numbers below [`KEEPALIVED`].
type Walk = BTreeMap<Vec<u32>, String>;

/// A difference that is meant.
struct Known {
    /// What the object begins with, below [`KEEPALIVED`].
    object: &'static [u32],
    theirs: Shown,
    ours: Shown,
    /// How the row in `docs/differences.md` begins.
    row: &'static str,
}

/// lvsFlushOnStop.0, the last scalar that both serve.
const LAST_SCALAR: [u32; 3] = [1, 11, 0];

/// vrrpAddressIfIndex, which a link that is made anew has a new one of.
const IF_INDEX: [u32; 4] = [2, 6, 1, 7];

/// What one side of a difference has to look like.
enum Shown {
    Nothing,
    Exactly(&'static str),
    Something,
}

use Shown::{Exactly, Nothing, Something};

impl Shown {
    fn fits(&self, value: Option<&String>) -> bool {
        match (self, value) {
            (Nothing, None) | (Something, Some(_)) => true,
            (Exactly(expected), Some(value)) => value == expected,
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
const KNOWN: &[Known] = &[
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
];

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

    /// What is different and not known, and which of [`KNOWN`] were seen.
    fn compare(&self) -> Result<(Vec<String>, Vec<usize>)> {
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
        let theirs = self.walk_of(&Subject::Keepalived, &lan, &snmpd)?;
        let ours = self.walk_of(&steadfast(), &lan, &snmpd)?;
        assert!(ours.len() > 40, "{}: only {} objects", self.name, ours.len());
        Ok(differences(self.name, &theirs, &ours))
    }

    fn walk_of(&self, subject: &Subject, lan: &Lan, snmpd: &Snmpd) -> Result<Walk> {
        let directory = lan["alpha"].dir().display().to_string();
        let config = self.config.replace("SOCKET", snmpd.agentx()).replace("DIRECTORY", &directory);
        let name = format!("{}-{subject}", self.name);
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
        let walk =
            walk.into_iter().filter(|(object, _)| self.name != "vmac" || !object.starts_with(&IF_INDEX));
        let walk = walk.collect();
        router.stop()?;
        wait::until_true("snmpd to forget the router", SOON, || client.get(ROUTER_ID).is_err())?;
        Ok(walk)
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
    let (unknown, seen): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    let unknown = unknown.concat();
    assert!(unknown.is_empty(), "not in docs/differences.md:\n{}", unknown.join("\n"));
    let seen = seen.concat();
    for (position, known) in KNOWN.iter().enumerate() {
        assert!(seen.contains(&position), "{:?} does not differ any more: {}", known.object, known.row);
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
