//! The other ways to read what a walk has found: every object by GET, every table by snmptable.

use std::collections::BTreeMap;

use lab::{Result, SnmpClient};

/// By the numbers below a root.
type Cells = BTreeMap<Vec<u32>, String>;

/// Objects asked for in one request.
const TOGETHER: usize = 20;

/// GET of every object says what the walk said.
pub(crate) fn assert_got(client: &SnmpClient, root: &str, walk: &Cells) -> Result<()> {
    let oids: Vec<String> = walk.keys().map(|numbers| name(root, numbers)).collect();
    let oids: Vec<&str> = oids.iter().map(String::as_str).collect();
    let got = client.get_all(&oids, TOGETHER)?;
    assert_eq!(got.len(), walk.len());
    for ((oid, value), (numbers, walked)) in got.iter().zip(walk) {
        assert_eq!((oid, value.trim()), (&name(root, numbers), walked.as_str()), "GET left, GETNEXT right");
    }
    Ok(())
}

/// The cells that snmptable shows of these tables; `client` has the names.
pub(crate) fn tables(client: &SnmpClient, root: &str, tables: &[&[u32]]) -> Result<Cells> {
    let columns: BTreeMap<String, String> = ::steadfast::snmp::view()
        .objects()
        .map(|object| (object.name.to_owned(), object.oid.to_string()))
        .collect();
    let mut cells = Cells::new();
    for table in tables {
        for row in client.table(&name(root, table))? {
            let index = &row["index"];
            for (column, value) in row.iter().filter(|(column, value)| *column != "index" && *value != "?") {
                let column = columns.get(column).unwrap_or_else(|| panic!("`{column}` is no column"));
                let below = column.trim_start_matches('.').strip_prefix(&root[1..]).unwrap_or_default();
                let numbers = below.split('.').skip(1).chain(index.split('.'));
                cells.insert(numbers.filter_map(|part| part.parse().ok()).collect(), value.clone());
            }
        }
    }
    Ok(cells)
}

fn name(root: &str, numbers: &[u32]) -> String {
    numbers.iter().fold(root.to_owned(), |name, number| format!("{name}.{number}"))
}
