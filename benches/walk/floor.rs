//! What a walk takes that is not the daemon's: agents that have nothing to find out, each behind an snmpd of its own.
//!
//! One serves short constants under short names. The other serves what the daemon serves of the same configuration, word for
//! word, out of a list: snmpd takes more for longer names and values, whoever serves them.

use std::{cell::Cell, sync::Arc};

use agentx::{Config, MasterAddress, Mib, Oid, Region, Subagent, Value, VarBind, driver::monotonic};
use lab::{Error, Result};
use steadfast::{
    snmp::{self, Snapshot},
    units::Time,
};
use tokio::runtime::Builder;

use crate::{
    SUBTREE, config, constants,
    support::{fleet, rows},
};

/// What tells this benchmark to be such an agent: the kind, the address of its master and the number of virtual routers follow.
pub(crate) const FLAG: &str = "--floor";

/// As many varbinds as there are of an instance.
const COLUMNS: u32 = 44;

/// An agent that has nothing to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Small numbers under short names.
    Constants,
    /// What the daemon serves.
    Same,
}

impl Floor {
    pub(crate) const ALL: [Self; 2] = [Self::Same, Self::Constants];

    /// What it is called in tables, and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Constants => "constants",
            Self::Same => "the same, out of a list",
        }
    }

    /// Where its variables are.
    pub(crate) fn subtree(self) -> &'static str {
        match self {
            // Below NET-SNMP-MIB::netSnmpPlaypen.
            Self::Constants => ".1.3.6.1.4.1.8072.9999.9999.3",
            Self::Same => SUBTREE,
        }
    }
}

/// Is the agent that the words ask for.
pub(crate) fn be(words: &[String]) -> Result<()> {
    let failed = |what: &dyn ToString| Error::Unexpected(what.to_string());
    let [name, master, size] = words else { return Err(failed(&format!("{words:?}"))) };
    let size: usize = size.parse().map_err(|error| failed(&error))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    if name == Floor::Constants.name() {
        let rows = u32::try_from(size + 1).map_err(|error| failed(&error))?;
        return runtime.block_on(constants::serve(master, COLUMNS, rows)).map_err(|error| failed(&error));
    }
    let master: MasterAddress = master.parse().map_err(|error| failed(&error))?;
    let list = List::of(size)?;
    let region = Region::new(list.root.clone());
    let agent = Subagent::new(master, Config::new("list").region(region), list, monotonic);
    runtime.block_on(agent.map_err(|error| failed(&error))?.run());
    Ok(())
}

/// The variables of a configuration, in their order.
struct List {
    root: Oid,
    cells: Vec<VarBind>,
    /// Where the last answer was: a walk goes on from there.
    last: Cell<usize>,
}

impl List {
    /// What the daemon serves of so many virtual routers.
    fn of(size: usize) -> Result<Self> {
        let root: Oid =
            SUBTREE.trim_start_matches('.').parse().map_err(|_| Error::Unexpected(SUBTREE.into()))?;
        let topology = Arc::new(rows::topology(&config(size, fleet::interfaces(size), ""))?);
        let snapshot = Snapshot::new(topology, None, (Time::default(), Time::default));
        let view = snmp::view();
        let (mut cells, mut at) = (Vec::new(), root.clone());
        while let Some(found) =
            view.next(&snapshot, &at, false, None).filter(|found| found.name.starts_with(&root))
        {
            at = found.name.clone();
            cells.push(found);
        }
        Ok(Self { root, cells, last: Cell::new(0) })
    }

    /// The place of the first cell not before a name.
    fn place(&self, name: &Oid) -> usize {
        let last = self.last.get();
        match self.cells.get(last) {
            Some(cell) if cell.name == *name => last,
            _ => self.cells.partition_point(|cell| cell.name < *name),
        }
    }
}

impl Mib for List {
    type Snapshot = ();

    fn snapshot(&self) -> Arc<()> {
        Arc::new(())
    }

    fn value(&self, (): &(), oid: &Oid) -> Value {
        let found = self.cells.get(self.place(oid)).filter(|cell| cell.name == *oid);
        found.map_or(Value::NoSuchInstance, |cell| cell.value.clone())
    }

    fn next(&self, (): &(), after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let place = self.place(after);
        let is_there = self.cells.get(place).is_some_and(|cell| cell.name == *after);
        let place = place + usize::from(is_there && !include);
        self.last.set(place);
        self.cells.get(place).filter(|cell| end.is_none_or(|end| cell.name < *end)).cloned()
    }
}
