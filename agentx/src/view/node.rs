//! Scalars and tables behind one face, so that a view can hold both sorted.

use super::gaps::Gaps;
use super::object::{Access, Column, Object, Scalar, Syntax, Table};
use crate::mib::Change;
use crate::oid::Oid;
use crate::value::{Value, VarBind};
use crate::wire::ErrorCode;

/// A subtree of a view that no other object of it overlaps.
pub(super) trait Node<S>: Send + Sync {
    /// The subtree.
    fn root(&self) -> &Oid;

    /// The declared objects.
    fn objects(&self) -> Vec<Object>;

    /// The value of `oid`, which is below the root.
    fn value(&self, snapshot: &S, oid: &Oid) -> Value;

    /// The first variable of this subtree after `after` (at it, with `include`).
    fn next(&self, gaps: &mut Gaps, snapshot: &S, after: &Oid, include: bool) -> Option<VarBind>;

    /// The change that gives `oid`, which is below the root, the value.
    fn test_set(&self, snapshot: &S, oid: &Oid, value: &Value) -> Result<Box<dyn Change>, ErrorCode>;
}

pub(super) struct ScalarNode<S: 'static> {
    declared: &'static Scalar<S>,
    root: Oid,
    instance: Oid,
}

impl<S> ScalarNode<S> {
    pub(super) fn new(declared: &'static Scalar<S>) -> Self {
        let root = own_oid(declared.oid, declared.name);
        let instance = root.child(0);
        Self { declared, root, instance }
    }

    fn read(&self, snapshot: &S) -> Option<Value> {
        let value = (self.declared.read)(snapshot)?;
        check(self.declared.name, self.declared.syntax, &value);
        Some(value)
    }
}

impl<S> Node<S> for ScalarNode<S> {
    fn root(&self) -> &Oid {
        &self.root
    }

    fn objects(&self) -> Vec<Object> {
        let &Scalar { name, syntax, access, .. } = self.declared;
        vec![Object { oid: self.root.clone(), name, syntax, access, index: None }]
    }

    fn value(&self, snapshot: &S, oid: &Oid) -> Value {
        if !self.declared.access.is_readable() {
            return Value::NoSuchObject;
        }
        if *oid != self.instance {
            return Value::NoSuchInstance;
        }
        self.read(snapshot).unwrap_or(Value::NoSuchInstance)
    }

    fn next(&self, _: &mut Gaps, snapshot: &S, after: &Oid, include: bool) -> Option<VarBind> {
        let follows = if include { self.instance >= *after } else { self.instance > *after };
        if !follows || !self.declared.access.is_readable() {
            return None;
        }
        self.read(snapshot).map(|value| VarBind::new(self.instance.clone(), value))
    }

    fn test_set(&self, snapshot: &S, oid: &Oid, value: &Value) -> Result<Box<dyn Change>, ErrorCode> {
        let write = self.declared.write.ok_or(ErrorCode::NotWritable)?;
        if *oid != self.instance {
            return Err(ErrorCode::NoCreation);
        }
        check_written(self.declared.syntax, value)?;
        write(snapshot, &(), value)
    }
}

pub(super) struct TableNode<S: 'static, R: 'static> {
    declared: &'static Table<S, R>,
    root: Oid,
}

impl<S, R> TableNode<S, R> {
    pub(super) fn new(declared: &'static Table<S, R>) -> Self {
        let ascending = declared.columns.is_sorted_by(|a, b| a.number < b.number);
        assert!(ascending, "the columns of {} are not in ascending order", declared.name);
        Self { declared, root: own_oid(declared.entry, declared.name) }
    }

    fn column(&self, number: u32) -> Option<&'static Column<S, R>> {
        let columns = self.declared.columns;
        columns.binary_search_by_key(&number, |column| column.number).ok().and_then(|at| columns.get(at))
    }

    fn row(&self, snapshot: &S, index: &[u32]) -> Option<R> {
        let (found, row) = (self.declared.seek)(snapshot, index, true)?;
        (found == index).then_some(row)
    }

    /// The first cell of `column` in a row after `index`; rows without that cell are passed over, once for each snapshot
    /// where it decides about them alone.
    fn next_cell(
        &self,
        gaps: &mut Gaps,
        snapshot: &S,
        column: &'static Column<S, R>,
        index: &[u32],
        include: bool,
    ) -> Option<VarBind> {
        if !column.is_fixed {
            return self.search(snapshot, column, index, include).1.map(|(_, found)| found);
        }
        let known = gaps.next(column, index, include).map(|to| to.map(<[u32]>::to_vec));
        if let Some(to) = known {
            return self.search(snapshot, column, &to?, true).1.map(|(_, found)| found);
        }
        let (passed, found) = self.search(snapshot, column, index, include);
        if passed > 0 || found.is_none() {
            gaps.note(column, index, include, found.as_ref().map(|(at, _)| &at[..]));
        }
        found.map(|(_, found)| found)
    }

    /// The first cell of `column` in a row after `index`, with the index of that row; before it, how many rows without
    /// the cell were passed over.
    fn search(
        &self,
        snapshot: &S,
        column: &Column<S, R>,
        index: &[u32],
        include: bool,
    ) -> (usize, Option<(Vec<u32>, VarBind)>) {
        let mut passed = 0;
        let mut next = (self.declared.seek)(snapshot, index, include);
        while let Some((at, row)) = next {
            // An index that makes a name longer than 128 sub-identifiers has no name: no such cell either.
            if let Some(value) = (column.read)(snapshot, &row)
                && let Ok(name) = Oid::try_concat([self.root.subids(), &[column.number], &at])
            {
                check(column.name, column.syntax, &value);
                return (passed, Some((at, VarBind::new(name, value))));
            }
            passed += 1;
            next = (self.declared.seek)(snapshot, &at, false);
            let goes_on = next.as_ref().is_none_or(|(next, _)| *next > at);
            debug_assert!(goes_on, "{}: seek does not go on from {at:?}", self.declared.name);
            if !goes_on {
                break;
            }
        }
        (passed, None)
    }
}

impl<S, R> Node<S> for TableNode<S, R> {
    fn root(&self) -> &Oid {
        &self.root
    }

    fn objects(&self) -> Vec<Object> {
        let object = |column: &Column<S, R>| Object {
            oid: self.root.child(column.number),
            name: column.name,
            syntax: column.syntax,
            access: column.access,
            index: Some(self.declared.index),
        };
        self.declared.columns.iter().map(object).collect()
    }

    fn value(&self, snapshot: &S, oid: &Oid) -> Value {
        let Some((number, index)) = oid.suffix(&self.root).and_then(<[u32]>::split_first) else {
            return Value::NoSuchObject;
        };
        let Some(column) = self.column(*number).filter(|column| column.access.is_readable()) else {
            return Value::NoSuchObject;
        };
        let Some(value) = self.row(snapshot, index).and_then(|row| (column.read)(snapshot, &row)) else {
            return Value::NoSuchInstance;
        };
        check(column.name, column.syntax, &value);
        value
    }

    fn next(&self, gaps: &mut Gaps, snapshot: &S, after: &Oid, include: bool) -> Option<VarBind> {
        // Where in the table to start: at its beginning, or inside a column.
        let (number, index, include) = match after.suffix(&self.root).map(<[u32]>::split_first) {
            Some(Some((&number, index))) => (number, index, include),
            Some(None) => (0, &[][..], true),
            None if *after < self.root => (0, &[][..], true),
            None => return None,
        };
        let first = self.declared.columns.partition_point(|column| column.number < number);
        let columns = self.declared.columns.get(first..)?;
        columns.iter().filter(|column| column.access.is_readable()).find_map(|column| {
            if column.number == number {
                self.next_cell(gaps, snapshot, column, index, include)
            } else {
                self.next_cell(gaps, snapshot, column, &[], true)
            }
        })
    }

    fn test_set(&self, snapshot: &S, oid: &Oid, value: &Value) -> Result<Box<dyn Change>, ErrorCode> {
        let name = oid.suffix(&self.root).and_then(<[u32]>::split_first);
        let (number, index) = name.ok_or(ErrorCode::NotWritable)?;
        let column = self.column(*number).ok_or(ErrorCode::NotWritable)?;
        let write = column.write.ok_or(ErrorCode::NotWritable)?;
        check_written(column.syntax, value)?;
        let row = self.row(snapshot, index).ok_or(match column.access {
            Access::ReadCreate => ErrorCode::InconsistentName,
            _ => ErrorCode::NoCreation,
        })?;
        write(snapshot, &row, value)
    }
}

/// The declaration's own OID, short enough to have a column and an index below it.
fn own_oid(subids: &[u32], name: &str) -> Oid {
    match Oid::try_from(subids) {
        Ok(oid) if oid.subids().len() < crate::oid::MAX_SUBIDS => oid,
        _ => panic!("the OID declared for {name} is too long"),
    }
}

fn check(name: &str, syntax: Syntax, value: &Value) {
    debug_assert!(syntax.admits(value), "{name} is declared as {syntax:?} and returned {value:?}");
}

/// RFC 3416 §4.2.5: the type comes before the value.
fn check_written(syntax: Syntax, value: &Value) -> Result<(), ErrorCode> {
    match (syntax, value) {
        (Syntax::Enum(_), Value::Integer(_)) if !syntax.admits(value) => Err(ErrorCode::WrongValue),
        _ if !syntax.admits(value) => Err(ErrorCode::WrongType),
        _ => Ok(()),
    }
}
