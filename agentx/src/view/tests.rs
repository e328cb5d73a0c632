use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::mib::{Change, CommitFailed, Mib, SetError, UndoFailed};
use crate::wire::ErrorCode;

/// A table whose rows have indexes of one or two sub-identifiers, and cells that may be absent.
#[derive(Debug, Clone, Default)]
struct World {
    scalar: Option<i32>,
    rows: Vec<(Vec<u32>, [Option<i32>; 3])>,
    written: Arc<AtomicI32>,
    /// How often a cell of the second column was looked at.
    reads: Arc<AtomicI32>,
}

static SCALAR: Scalar<World> =
    Scalar::new(&[1, 3, 1], "scalar", Syntax::Integer32, |world| world.scalar.map(Value::Integer));

static LAST: Scalar<World> = Scalar {
    access: Access::ReadWrite,
    write: Some(|world, (), value| write(world, value)),
    ..Scalar::new(&[1, 3, 9], "last", Syntax::Enum(&[("one", 1), ("two", 2)]), |_| Some(Value::Integer(1)))
};

static COLUMNS: [Column<World, usize>; 4] = [
    Column::hidden(1, "index", Syntax::Integer32, Access::NotAccessible),
    Column::fixed(2, "second", Syntax::Integer32, |world, row| {
        world.reads.fetch_add(1, Ordering::Relaxed);
        world.rows[*row].1[0].map(Value::Integer)
    }),
    Column::new(3, "third", Syntax::Integer32, |world, row| world.rows[*row].1[1].map(Value::Integer)),
    Column::writable(
        7,
        "seventh",
        Syntax::Integer32,
        |world, row| world.rows[*row].1[2].map(Value::Integer),
        |world, _, value| write(world, value),
    ),
];

static TABLE: Table<World, usize> = Table {
    entry: &[1, 3, 5, 1],
    name: "entry",
    index: &[Index { name: "index", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |world, after, include| {
        let at = seek_sorted_by(&world.rows, include, |row| row.0.as_slice().cmp(after))?;
        Some((world.rows[at].0.clone(), at))
    },
};

struct Written {
    cell: Arc<AtomicI32>,
    new: i32,
    old: Option<i32>,
}

impl Change for Written {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        if self.new == 13 {
            return Err(CommitFailed);
        }
        self.old = Some(self.cell.swap(self.new, Ordering::Relaxed));
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        if let Some(old) = self.old.take() {
            self.cell.store(old, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn write(world: &World, value: &Value) -> Result<Box<dyn Change>, ErrorCode> {
    match value {
        Value::Integer(new) => {
            Ok(Box::new(Written { cell: Arc::clone(&world.written), new: *new, old: None }))
        }
        _ => Err(ErrorCode::GenErr),
    }
}

fn view() -> View<World> {
    View::new().scalar(&LAST).table(&TABLE).scalar(&SCALAR)
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

/// What the world holds, found without the view.
fn contents(world: &World) -> BTreeMap<Oid, Value> {
    let mut contents = BTreeMap::from([(oid("1.3.9.0"), Value::Integer(1))]);
    contents.extend(world.scalar.map(|value| (oid("1.3.1.0"), Value::Integer(value))));
    for (index, cells) in &world.rows {
        for (column, cell) in [2, 3, 7].into_iter().zip(cells) {
            let name = oid("1.3.5.1").child(column).join(index);
            contents.extend(cell.map(|value| (name, Value::Integer(value))));
        }
    }
    contents
}

fn worlds() -> impl Strategy<Value = World> {
    let index = prop_oneof![
        (0..6_u32).prop_map(|i| vec![i]),
        (0..4_u32, 0..4_u32).prop_map(|(i, j)| vec![i, j]),
        Just(vec![u32::MAX, 1 << 31]),
    ];
    let cells = proptest::array::uniform3(proptest::option::weighted(0.7, any::<i32>()));
    let rows = proptest::collection::btree_map(index, cells, 0..12);
    (proptest::option::of(any::<i32>()), rows).prop_map(|(scalar, rows)| World {
        scalar,
        rows: rows.into_iter().collect(),
        ..World::default()
    })
}

/// Names in and around the view.
fn names() -> impl Strategy<Value = Oid> {
    let subid = || prop_oneof![4 => 0..6_u32, 1 => Just(u32::MAX), 1 => Just(1 << 31)];
    let rest = |most| proptest::collection::vec(subid(), 0..most);
    prop_oneof![
        1 => rest(5).prop_map(|rest| oid("1.3").join(&rest)),
        3 => (1..8_u32, rest(3)).prop_map(|(column, rest)| oid("1.3.5.1").child(column).join(&rest)),
    ]
}

proptest! {
    #[test]
    fn a_walk_is_the_sorted_contents_however_the_master_cuts_it(
        world in worlds(),
        mut cuts in proptest::collection::vec(names(), 0..8),
    ) {
        let view = view();
        cuts.sort();
        cuts.dedup();
        let mut walked = Vec::new();
        let mut at = (oid("1"), false);
        for end in cuts.iter().map(Some).chain([None]) {
            while let Some(found) = view.next(&world, &at.0, at.1, end) {
                at = (found.name.clone(), false);
                walked.push((found.name, found.value));
            }
            // The next fragment starts where this one ends, and includes that.
            at = end.map_or(at, |end| (end.clone(), true));
        }
        prop_assert_eq!(walked, contents(&world).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_next_is_the_next_of_the_sorted_contents(
        world in worlds(), start in names(), include in any::<bool>(), end in proptest::option::of(names()),
    ) {
        let expected = contents(&world)
            .into_iter()
            .find(|(name, _)| *name > start || include && *name == start)
            .filter(|(name, _)| end.as_ref().is_none_or(|end| name < end));
        let found = view().next(&world, &start, include, end.as_ref());
        prop_assert_eq!(found.map(|found| (found.name, found.value)), expected);
    }

    #[test]
    fn what_earlier_requests_leave_changes_no_answer(
        worlds in proptest::collection::vec(worlds(), 1..3),
        asked in proptest::collection::vec((names(), any::<bool>(), any::<prop::sample::Index>()), 1..20),
    ) {
        let now = Arc::new(std::sync::Mutex::new(Arc::new(worlds[0].clone())));
        let source = Arc::clone(&now);
        let mib = view().serve(move || Arc::clone(&source.lock().unwrap()));
        for (start, include, which) in asked {
            let world = which.get(&worlds);
            let before = mib.snapshot();
            // Now and then the world is another one, and an older transaction goes on.
            if contents(&before) != contents(world) {
                *now.lock().unwrap() = Arc::new(world.clone());
            }
            for snapshot in [mib.snapshot(), before] {
                let expected = contents(&snapshot)
                    .into_iter()
                    .find(|(name, _)| *name > start || include && *name == start);
                let found = mib.next(&snapshot, &start, include, None);
                prop_assert_eq!(found.map(|found| (found.name, found.value)), expected);
                prop_assert_eq!(mib.value(&snapshot, &start), view().value(&snapshot, &start));
            }
        }
    }

    #[test]
    fn any_get_is_the_contents_or_the_right_exception(world in worlds(), name in names()) {
        let expected = contents(&world).get(&name).cloned().unwrap_or_else(|| {
            let objects = ["1.3.1", "1.3.9", "1.3.5.1.2", "1.3.5.1.3", "1.3.5.1.7"].map(oid);
            let is_instance = objects.iter().any(|object| name.starts_with(object));
            if is_instance { Value::NoSuchInstance } else { Value::NoSuchObject }
        });
        prop_assert_eq!(view().value(&world, &name), expected);
    }
}

#[test]
fn the_declaration_can_be_read_back() {
    let view = view();
    let objects: Vec<Object> = view.objects().collect();
    let names: Vec<(String, &str)> = objects.iter().map(|o| (o.oid.to_string(), o.name)).collect();
    assert_eq!(
        names,
        [
            ("1.3.1".to_owned(), "scalar"),
            ("1.3.5.1.1".to_owned(), "index"),
            ("1.3.5.1.2".to_owned(), "second"),
            ("1.3.5.1.3".to_owned(), "third"),
            ("1.3.5.1.7".to_owned(), "seventh"),
            ("1.3.9".to_owned(), "last"),
        ]
    );
    assert_eq!((objects[1].access, objects[4].access), (Access::NotAccessible, Access::ReadWrite));
    assert_eq!(objects[5].syntax, Syntax::Enum(&[("one", 1), ("two", 2)]));
    assert_eq!(objects[1].index, Some(TABLE.index));
}

#[test]
#[should_panic(expected = "overlap")]
fn overlapping_objects_are_refused() {
    static INSIDE: Scalar<World> = Scalar::new(&[1, 3, 5, 1, 2], "inside", Syntax::Integer32, |_| None);
    let _ = view().scalar(&INSIDE);
}

#[test]
fn a_set_is_checked_in_the_order_of_the_rfc() {
    let world = Arc::new(World { rows: vec![(vec![1], [Some(1), None, Some(3)])], ..World::default() });
    let mib = view().serve({
        let world = Arc::clone(&world);
        move || Arc::clone(&world)
    });
    let test = |name: &str, value: Value| {
        let varbinds = [VarBind::new(oid("1.3.9.0"), Value::Integer(2)), VarBind::new(oid(name), value)];
        mib.test_set(&mib.snapshot(), &varbinds)
            .map(|_| ())
            .map_err(|SetError { index, error }| (index, error))
    };
    assert_eq!(test("1.3.5.1.7.1", Value::Integer(5)), Ok(()));
    assert_eq!(test("1.3.5.1.7.1", Value::Null), Err((2, ErrorCode::WrongType)));
    assert_eq!(test("1.3.5.1.7.2", Value::Integer(5)), Err((2, ErrorCode::NoCreation)));
    assert_eq!(test("1.3.5.1.2.1", Value::Integer(5)), Err((2, ErrorCode::NotWritable)));
    assert_eq!(test("1.3.1.0", Value::Integer(5)), Err((2, ErrorCode::NotWritable)));
    assert_eq!(test("1.4", Value::Integer(5)), Err((2, ErrorCode::NotWritable)));
    assert_eq!(test("1.3.9.0", Value::Integer(3)), Err((2, ErrorCode::WrongValue)));
    assert_eq!(test("1.3.9.1", Value::Integer(1)), Err((2, ErrorCode::NoCreation)));
    assert_eq!(world.written.load(Ordering::Relaxed), 0, "a test changes nothing");
}

#[test]
fn a_commit_that_fails_half_way_can_be_undone() {
    let world = Arc::new(World { rows: vec![(vec![1], [None, None, Some(3)])], ..World::default() });
    world.written.store(-7, Ordering::Relaxed);
    let mib = view().serve({
        let world = Arc::clone(&world);
        move || Arc::clone(&world)
    });
    let set = |to: i32| VarBind::new(oid("1.3.5.1.7.1"), Value::Integer(to));
    let mut change = mib.test_set(&mib.snapshot(), &[set(5), set(6)]).unwrap();
    assert_eq!(change.commit(), Ok(()));
    assert_eq!(world.written.load(Ordering::Relaxed), 6);
    assert_eq!(change.undo(), Ok(()));
    assert_eq!(world.written.load(Ordering::Relaxed), -7, "undone in reverse");
    let mut change = mib.test_set(&mib.snapshot(), &[set(5), set(13), set(6)]).unwrap();
    assert_eq!(change.commit(), Err(CommitFailed));
    assert_eq!(world.written.load(Ordering::Relaxed), 5);
    assert_eq!(change.undo(), Ok(()));
    assert_eq!(world.written.load(Ordering::Relaxed), -7);
}

#[test]
fn the_rows_without_a_cell_are_passed_over_once() {
    let rows =
        |with: u32| (1..=1000).map(|row| (vec![row], [(row == with).then_some(7), Some(1), None])).collect();
    let reads = Arc::new(AtomicI32::new(0));
    // No row has it, the last one has, one in the middle has.
    for with in [0, 1000, 500] {
        let world = Arc::new(World { rows: rows(with), reads: Arc::clone(&reads), ..World::default() });
        let mib = view().serve(move || Arc::clone(&world));
        reads.store(0, Ordering::Relaxed);
        for row in 1..=1000 {
            let found = mib.next(&mib.snapshot(), &oid("1.3.5.1.2").child(row), false, None).unwrap();
            let expected = if row < with { format!("1.3.5.1.2.{with}") } else { "1.3.5.1.3.1".to_owned() };
            assert_eq!(found.name, oid(&expected));
        }
        let reads = reads.load(Ordering::Relaxed);
        assert!(reads <= 2 * 1000, "{reads} looks for the cell of row {with} among 1000");
    }
}

#[test]
fn an_index_too_long_for_a_name_is_passed_over() {
    let long = vec![1; 125];
    let world = World {
        rows: vec![(long, [Some(1), None, None]), (vec![2], [Some(2), None, None])],
        ..World::default()
    };
    let found = view().next(&world, &oid("1.3.5"), false, None);
    assert_eq!(found, Some(VarBind::new(oid("1.3.5.1.2.2"), Value::Integer(2))));
}

#[test]
fn a_set_of_nothing_is_ready_and_changes_nothing() {
    let world = Arc::new(World { rows: vec![(vec![1], [None, None, Some(3)])], ..World::default() });
    let mib = view().serve({
        let world = Arc::clone(&world);
        move || Arc::clone(&world)
    });
    let before = Arc::strong_count(&world.written);
    let mut change = mib.test_set(&mib.snapshot(), &[]).unwrap();
    assert_eq!(Arc::strong_count(&world.written), before, "nothing is reserved");
    assert_eq!((change.commit(), change.undo()), (Ok(()), Ok(())));
    assert_eq!(world.written.load(Ordering::Relaxed), 0);
}
