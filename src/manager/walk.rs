//! Question by question through a subtree. No socket.

use agentx::{Oid, Value, VarBind};

use super::Failure;
use crate::snmp_wire::Kind;

/// A walk.
pub(super) struct Walk {
    root: Oid,
    at: Oid,
    /// Rows of one answer; 0 for GetNext.
    repetitions: i32,
}

/// What an answer has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is to be shown.
    pub(super) rows: Vec<VarBind>,
    /// There is no more.
    pub(super) is_last: bool,
}

impl Walk {
    pub(super) fn new(root: Oid, repetitions: i32) -> Self {
        Self { at: root.clone(), root, repetitions }
    }

    /// What is to be asked next: the kind of PDU, its numbers, and the names.
    pub(super) fn question(&self) -> (Kind, (i32, i32), Vec<VarBind>) {
        let kind = if self.repetitions > 0 { Kind::GetBulk } else { Kind::GetNext };
        (kind, (0, self.repetitions), vec![VarBind::new(self.at.clone(), Value::Null)])
    }

    /// Takes an answer.
    pub(super) fn take(&mut self, answer: Vec<VarBind>) -> Result<Step, Failure> {
        let mut rows = Vec::new();
        let is_empty = answer.is_empty();
        for row in answer {
            if row.value == Value::EndOfMibView {
                // net-snmp's tools show it; where there was nothing before, the object itself is asked for.
                let says_so = self.at != self.root || !rows.is_empty();
                rows.extend(says_so.then_some(row));
                return Ok(Step { rows, is_last: true });
            }
            if !row.name.starts_with(&self.root) {
                return Ok(Step { rows, is_last: true });
            }
            if row.name <= self.at {
                return Err(Failure::Backwards(self.at.clone(), row.name));
            }
            self.at.clone_from(&row.name);
            rows.push(row);
        }
        Ok(Step { rows, is_last: is_empty })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: Value) -> VarBind {
        VarBind::new(name.parse().unwrap(), value)
    }

    #[test]
    fn it_ends_behind_its_subtree_and_never_turns_back() {
        let mut walk = Walk::new("1.3.6".parse().unwrap(), 10);
        let one = row("1.3.6.1", Value::Integer(1));
        let two = row("1.3.6.2", Value::Integer(2));
        let step = walk.take(vec![one.clone(), two.clone()]).unwrap();
        assert_eq!((step.rows.len(), step.is_last), (2, false));
        let (kind, numbers, asked) = walk.question();
        assert_eq!(
            (kind, numbers, asked[0].name.to_string()),
            (Kind::GetBulk, (0, 10), "1.3.6.2".to_owned())
        );
        assert!(matches!(walk.take(vec![one]), Err(Failure::Backwards(..))));
        assert!(matches!(walk.take(vec![two]), Err(Failure::Backwards(..))), "the same again");
        let beyond = vec![row("1.3.6.3", Value::Null), row("1.3.7", Value::Null)];
        let step = walk.take(beyond).unwrap();
        assert_eq!((step.rows.len(), step.is_last), (1, true));
        assert!(walk.take(Vec::new()).unwrap().is_last, "an agent that says nothing");
        let end = walk.take(vec![row("1.3.6.3", Value::EndOfMibView)]).unwrap();
        assert_eq!((end.rows.len(), end.is_last), (1, true));
    }

    #[test]
    fn getnext_where_nothing_is_to_be_repeated() {
        let mut walk = Walk::new("1.3.6".parse().unwrap(), 0);
        assert_eq!(walk.question().0, Kind::GetNext);
        let end = walk.take(vec![row("1.3.6", Value::EndOfMibView)]).unwrap();
        assert_eq!((end.rows.len(), end.is_last), (0, true));
    }
}
