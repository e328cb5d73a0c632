//! A subagent that has nothing to find out: a table of constants, as many rows as are asked for, each a number that is worked
//! out from the name. What a walk of it takes is what the master takes, and the protocol; benchmarks use it as the floor.

use std::sync::Arc;

use agentx::driver::monotonic;
use agentx::{Config, MasterAddress, Mib, Oid, Region, Subagent, Value, VarBind};

/// Below the arc that net-snmp keeps for experiments (NET-SNMP-MIB::netSnmpPlaypen).
const ENTRY: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 3, 1];

/// Columns and rows, each numbered from 1; the value of a cell is its row.
struct Constants {
    columns: u32,
    rows: u32,
}

impl Constants {
    fn cell(&self, column: u32, row: u32) -> VarBind {
        let value = i32::try_from(row).unwrap_or(i32::MAX);
        VarBind::new(Oid::from(ENTRY).child(column).child(row), Value::Integer(value))
    }

    /// The first cell not before this place in the order of names, which goes through the rows of a column first.
    fn from(&self, column: u32, row: u32) -> Option<VarBind> {
        if row > self.rows {
            return (column < self.columns).then(|| self.cell(column + 1, 1));
        }
        (1..=self.columns).contains(&column).then(|| self.cell(column, row.max(1)))
    }
}

impl Mib for Constants {
    type Snapshot = ();

    fn snapshot(&self) -> Arc<()> {
        Arc::new(())
    }

    fn value(&self, (): &(), oid: &Oid) -> Value {
        match oid.suffix(&Oid::from(ENTRY)) {
            Some(&[column, row])
                if (1..=self.columns).contains(&column) && (1..=self.rows).contains(&row) =>
            {
                self.cell(column, row).value
            }
            Some([column, ..]) if (1..=self.columns).contains(column) => Value::NoSuchInstance,
            _ => Value::NoSuchObject,
        }
    }

    fn next(&self, (): &(), after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let entry = Oid::from(ENTRY);
        let found = match after.suffix(&entry) {
            Some([]) => self.from(1, 1),
            Some(&[column]) => self.from(column.max(1), 1),
            Some(&[column, row, ref rest @ ..]) => {
                let itself = include && rest.is_empty();
                self.from(column, if itself { row } else { row.saturating_add(1) })
            }
            None if *after < entry => self.from(1, 1),
            None => None,
        };
        found.filter(|found| end.is_none_or(|end| found.name < *end))
    }
}

/// Serves the table to the master at `master` until it is dropped.
///
/// # Errors
/// When `master` is no address.
pub(crate) async fn serve(master: &str, columns: u32, rows: u32) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::new("constants example").region(Region::new(Oid::from(ENTRY)));
    let master: MasterAddress = master.parse()?;
    Subagent::new(master, config, Constants { columns, rows }, monotonic)?.run().await;
    Ok(())
}

#[allow(dead_code, reason = "a benchmark that includes this file has a main of its own")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let master = arguments.next().unwrap_or("/var/agentx/master".into());
    let rows = arguments.next().map_or(Ok(1000), |rows| rows.parse())?;
    serve(&master, 44, rows).await
}
