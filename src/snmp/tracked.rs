//! What instances and sync groups track, line by line: KEEPALIVED-MIB's ten tables of tracked interfaces, scripts, files,
//! processes and BFD sessions.
//!
//! The last number of an index is the position of the line in its list. So it is for interfaces, too, although the index
//! is named `ifIndex` there: keepalived counts lines, and an interface that is not there has no number of its own.

use agentx::{Access, Column, Index, Syntax, Table};

use crate::{
    config::tracking::{Tracked, Tracks},
    snmp::{Snapshot, TRUTH, group, instance, integer, one_or_two, position, text},
};

/// A list of what something tracks.
type List = fn(&Tracks) -> &Vec<Tracked>;

/// The line of an instance that an index leads to.
fn of_instance(topology: &Snapshot, list: List, after: &[u32], include: bool) -> Option<(Vec<u32>, Tracked)> {
    let instances = &topology.instances;
    let lines = |number: u32| instances.get(number as usize - 1).map(|row| list(&row.config.tracks));
    seek(instances.len(), lines, after, include)
}

/// The line of a sync group that an index leads to.
fn of_group(topology: &Snapshot, list: List, after: &[u32], include: bool) -> Option<(Vec<u32>, Tracked)> {
    let groups = &topology.groups;
    let lines = |number: u32| groups.get(number as usize - 1).map(|row| list(&row.config.tracks));
    seek(groups.len(), lines, after, include)
}

fn seek<'a>(
    owners: usize,
    lines: impl Fn(u32) -> Option<&'a Vec<Tracked>>,
    after: &[u32],
    include: bool,
) -> Option<(Vec<u32>, Tracked)> {
    let count = |owner| lines(owner).map_or(0, Vec::len);
    let (owner, line) = position::seek_nested(owners, count, after, include)?;
    Some((vec![owner, line], lines(owner)?.get(line as usize - 1)?.clone()))
}

/// The index of a line in its list.
const fn line(name: &'static str) -> Index {
    Index { name, syntax: Syntax::Integer32, implied: false }
}

type Cell = Column<Snapshot, Tracked>;

const fn name(number: u32, name: &'static str) -> Cell {
    Column::new(number, name, Syntax::DisplayString, |_, line| text(&line.name))
}

/// The weight that counts for this instance or group, which may be another than the tracked thing's own.
const fn weight(number: u32, name: &'static str) -> Cell {
    Column::new(number, name, Syntax::Integer32, |_, line| integer(line.weight))
}

const fn reverse(number: u32, name: &'static str, syntax: Syntax) -> Cell {
    Column::new(number, name, syntax, |_, line| one_or_two(line.reverse))
}

/// A table of lines with an index of their own.
macro_rules! lines {
    ($table:ident, $arc:literal $prefix:literal, $owner:ident $seek:ident, $list:ident) => {
        #[doc = concat!("The lines of ", $prefix, "Table.")]
        pub(super) static $table: Table<Snapshot, Tracked> = Table {
            entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, $arc, 1],
            name: concat!($prefix, "Entry"),
            index: &[$owner::INDEX, line(concat!($prefix, "Index"))],
            columns: &[
                Column::hidden(1, concat!($prefix, "Index"), Syntax::Integer32, Access::NotAccessible),
                name(2, concat!($prefix, "Name")),
                weight(3, concat!($prefix, "Weight")),
                reverse(4, concat!($prefix, "WgtRev"), TRUTH),
            ],
            seek: |topology, after, include| $seek(topology, |tracks| &tracks.$list, after, include),
        };
    };
}
lines!(SCRIPTS, 5 "vrrpTrackedScript", instance of_instance, scripts);
lines!(FILES, 12 "vrrpTrackedFile", instance of_instance, files);
lines!(SESSIONS, 17 "vrrpTrackedBfd", instance of_instance, sessions);
lines!(PROCESSES, 20 "vrrpTrackedProcess", instance of_instance, processes);
lines!(GROUP_SCRIPTS, 15 "vrrpSyncTrackedScript", group of_group, scripts);
lines!(GROUP_FILES, 16 "vrrpSyncTrackedFile", group of_group, files);
lines!(GROUP_SESSIONS, 19 "vrrpSyncTrackedBfd", group of_group, sessions);
lines!(GROUP_PROCESSES, 22 "vrrpSyncTrackedProcess", group of_group, processes);

/// A table of interfaces: their index is no object of this MIB.
macro_rules! interfaces {
    ($table:ident, $arc:literal $prefix:literal, $owner:ident $seek:ident, $truth:expr) => {
        #[doc = concat!("The lines of ", $prefix, "Table.")]
        pub(super) static $table: Table<Snapshot, Tracked> = Table {
            entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 2, $arc, 1],
            name: concat!($prefix, "Entry"),
            index: &[$owner::INDEX, line("ifIndex")],
            columns: &[
                name(1, concat!($prefix, "Name")),
                weight(2, concat!($prefix, "Weight")),
                reverse(3, concat!($prefix, "WgtRev"), $truth),
            ],
            seek: |topology, after, include| $seek(topology, |tracks| &tracks.interfaces, after, include),
        };
    };
}
// The MIB gives the truth of this one no names.
interfaces!(INTERFACES, 4 "vrrpTrackedInterface", instance of_instance, Syntax::Integer32);
interfaces!(GROUP_INTERFACES, 14 "vrrpSyncTrackedInterface", group of_group, TRUTH);
