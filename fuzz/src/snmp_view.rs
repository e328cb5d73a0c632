//! The MIBs that are served: whatever name a manager asks for, Get and GetNext say the same of it.
//!
//! The rows are those of the configurations that fill the tables in the stories beside keepalived. The first byte of an input
//! chooses one; what follows is names, each with a flag: a known object with something behind it, or anything at all.

use std::{cell::RefCell, path::Path, sync::Arc};

use agentx::{Mib, Oid, Value, VarBind, View};
use steadfast::{
    config::{self, Options},
    registry::Topology,
    snmp::{self, Snapshot},
    units::{IfIndex, Time},
};

use super::{
    files::{Files, MAIN},
    grammar::Random,
};

/// What fills the tables, between them.
const CONFIGS: [&str; 14] = [
    include_str!("../../tests/snmp/differential/masters.conf"),
    include_str!("../../tests/snmp/differential/waiting.conf"),
    include_str!("../../tests/snmp/differential/groups.conf"),
    include_str!("../../tests/snmp/differential/tracking.conf"),
    include_str!("../../tests/snmp/differential/owner.conf"),
    include_str!("../../tests/snmp/differential/routes.conf"),
    include_str!("../../tests/snmp/differential/mail.conf"),
    include_str!("../../tests/snmp/differential/minimal.conf"),
    include_str!("../../tests/snmp/differential/ipv6.conf"),
    include_str!("../../tests/snmp/differential/vmac.conf"),
    include_str!("../../tests/snmp/differential/strings.conf"),
    include_str!("../../tests/snmp/differential/strict.conf"),
    include_str!("../../tests/snmp/differential/rfc.conf"),
    include_str!("../../tests/mib/services.conf"),
];
/// Names of the stories, and what they are called in [`Files`].
const NAMES: [(&str, &str); 4] =
    [("va0", "eth0"), ("vd0", "lo"), ("/usr/bin/", "/bin/"), ("DIRECTORY", "/var")];
/// Names that one input asks for.
const MOST: usize = 64;

thread_local! {
    static SERVED: RefCell<Vec<Option<Served>>> = const { RefCell::new(Vec::new()) };
}

/// What follows a name, or is it, before another one.
type Next = dyn Fn(&Oid, bool, Option<&Oid>) -> Option<VarBind>;

/// The rows of a configuration.
struct Served {
    snapshot: Arc<Snapshot>,
    view: View<Snapshot>,
    /// The same as a session is answered, with what it remembers of empty stretches.
    remembering: Box<Next>,
    objects: Vec<Oid>,
}

/// Asks for the names of the input.
pub fn check(input: &[u8]) {
    let Some((choice, names)) = input.split_first() else { return };
    let choice = usize::from(*choice) % (2 * CONFIGS.len());
    SERVED.with_borrow_mut(|all| {
        all.resize_with(2 * CONFIGS.len(), || None);
        all[choice].get_or_insert_with(|| Served::of(choice)).check(&mut Reader(names));
    });
}

/// An input of names that are near what is there.
pub fn names(random: &mut Random) -> Vec<u8> {
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    let mut input = vec![byte(random.below(2 * CONFIGS.len()))];
    for _ in 0..MOST {
        let count = random.below(6);
        input.push(byte(count << 4 | random.below(4)));
        input.extend([byte(random.below(256)), byte(random.below(256))]);
        for _ in 0..count {
            match random.below(16) {
                0 => input.extend([255, 255, 255, 255, byte(random.below(256))]),
                _ => input.push(byte(random.below(12))),
            }
        }
    }
    input
}

impl Served {
    /// The second half of the choices are the same with `snmp_compat`.
    fn of(choice: usize) -> Self {
        let compat = if choice < CONFIGS.len() { "" } else { "global_defs {\n  snmp_compat\n}\n" };
        let text = NAMES
            .iter()
            .fold(CONFIGS[choice % CONFIGS.len()].to_owned(), |text, (from, to)| text.replace(from, to));
        let files = Files::default().with(MAIN, compat.to_owned() + &text);
        let (config, report) = config::load_with(Path::new(MAIN), &Options::default(), &files);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let topology = Topology::new(config, String::new(), Vec::new());
        for (number, row) in (7..).zip(&topology.interfaces) {
            row.set_link(Some(IfIndex(number)));
        }
        let clock = || Time::from_secs(1_000_000);
        let snapshot = Arc::new(Snapshot::new(Arc::new(topology), None, (Time::default(), clock)));
        let (source, asked) = (Arc::clone(&snapshot), Arc::clone(&snapshot));
        let mib = snmp::view().serve(move || Arc::clone(&source));
        let view = snmp::view();
        Self {
            snapshot,
            objects: view.objects().map(|object| object.oid).collect(),
            view,
            remembering: Box::new(move |after, include, end| {
                assert!(Arc::ptr_eq(&mib.snapshot(), &asked));
                mib.next(&asked, after, include, end)
            }),
        }
    }

    fn check(&self, names: &mut Reader<'_>) {
        let mut last = Oid::null();
        for _ in 0..MOST {
            let Some((name, include, has_end)) = self.name(names) else { return };
            self.check_get(&name);
            let found = self.next(&name, include, None);
            self.check_found(&name, include, found.as_ref());
            if has_end {
                let before = found.clone().filter(|found| found.name < last);
                assert_eq!(self.next(&name, include, Some(&last)), before, "{name} to {last}");
            }
            // Nothing that can be had was stepped over.
            let follows = found.is_none_or(|found| last < found.name);
            if last > name && follows {
                assert!(!self.has(&last), "{last} is not found after {name}");
            }
            last = name;
        }
    }

    /// A name and its two flags: it may be the answer itself, and the one before it is where the search ends.
    fn name(&self, names: &mut Reader<'_>) -> Option<(Oid, bool, bool)> {
        let flags = names.byte()?;
        let mut subids = Vec::new();
        if flags & 0b1000 == 0 {
            let place = usize::from(names.byte()?) << 8 | usize::from(names.byte()?);
            subids.extend_from_slice(self.objects[place % self.objects.len()].subids());
        }
        for _ in 0..flags >> 4 {
            subids.push(names.subid()?);
        }
        // Too long to be a name.
        let name = Oid::try_from(&*subids).ok()?;
        Some((name, flags & 1 != 0, flags & 2 != 0))
    }

    fn has(&self, name: &Oid) -> bool {
        !self.view.value(&self.snapshot, name).is_exception()
    }

    /// What can be had is found.
    fn check_get(&self, name: &Oid) {
        let value = self.view.value(&self.snapshot, name);
        assert_ne!(value, Value::EndOfMibView, "{name}");
        let found = self.next(name, true, None);
        if value.is_exception() {
            assert!(found.is_none_or(|found| found.name > *name), "{name} cannot be had and is found");
        } else {
            assert_eq!(found, Some(VarBind::new(name.clone(), value)));
        }
    }

    /// What is found can be had, and follows.
    fn check_found(&self, name: &Oid, include: bool, found: Option<&VarBind>) {
        let Some(found) = found else { return };
        assert!(found.name > *name || include && found.name == *name, "{} after {name}", found.name);
        assert_eq!(self.view.value(&self.snapshot, &found.name), found.value, "{}", found.name);
        assert!(!found.value.is_exception(), "{found:?}");
    }

    fn next(&self, after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let found = self.view.next(&self.snapshot, after, include, end);
        assert_eq!((self.remembering)(after, include, end), found, "remembered after {after}");
        found
    }
}

/// What is left of the input.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A byte as it is, or behind 255 four that are a large number.
    fn subid(&mut self) -> Option<u32> {
        match self.byte()? {
            255 => {
                let (number, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Some(u32::from_be_bytes(*number))
            }
            small => Some(small.into()),
        }
    }
}
