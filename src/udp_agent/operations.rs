//! What requests come to (RFC 3416 §4.2), and how version 1 says the same (RFC 3584 §4.2.2, §4.4).

use agentx::{Mib, Oid, SetError, Value, VarBind, wire::ErrorCode};

use super::{
    access::Access,
    objects::{Moment, Objects},
};
use crate::snmp_wire::{Kind, Pdu, Version, varbind_size};

/// Somebody asks for something.
pub(super) struct Request<'a, M: Mib> {
    pub(super) objects: &'a Objects<M>,
    pub(super) moment: &'a Moment<M>,
    pub(super) access: &'a Access,
    /// Version 2c stands for all later ones, whose PDUs are the same.
    pub(super) version: Version,
    pub(super) room: Room,
}

/// How large the list of VarBinds may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Of every answer.
    pub(super) any: usize,
    /// Of GetBulk, beyond the first row, which GetNext would bring as well.
    pub(super) bulk: usize,
}

/// What is wrong, and with which VarBind, counted from 1; 0 for none of them.
struct Failure {
    error: ErrorCode,
    index: usize,
}

impl<M: Mib> Request<'_, M> {
    /// The answer to `pdu`; `None` for one that is nothing to be answered.
    pub(super) fn answer(&self, pdu: Pdu) -> Option<Pdu> {
        let answered = match pdu.kind {
            Kind::Get => self.get(&pdu.varbinds),
            Kind::GetNext => self.get_next(&pdu.varbinds),
            Kind::GetBulk => Ok(self.get_bulk(&pdu)),
            Kind::Set => self.set(&pdu.varbinds).map(|()| pdu.varbinds.clone()),
            // Nothing that an agent is asked.
            Kind::Response | Kind::Inform | Kind::Trap | Kind::Report => return None,
        };
        let answered =
            answered.and_then(
                |varbinds| if size(&varbinds) <= self.room.any { Ok(varbinds) } else { Err(too_big()) },
            );
        Some(match answered {
            Ok(varbinds) => Pdu::new(Kind::Response, pdu.request_id, varbinds),
            Err(failure) => self.failed(pdu, &failure),
        })
    }

    fn get(&self, asked: &[VarBind]) -> Result<Vec<VarBind>, Failure> {
        let found = asked.iter().map(|VarBind { name, .. }| {
            VarBind::new(name.clone(), self.objects.value(self.moment, name, &self.access.subtrees))
        });
        found.enumerate().map(|(at, found)| self.checked(at, found)).collect()
    }

    fn get_next(&self, asked: &[VarBind]) -> Result<Vec<VarBind>, Failure> {
        let found = asked.iter().map(|asked| self.next(&asked.name));
        found.enumerate().map(|(at, found)| self.checked(at, found)).collect()
    }

    /// RFC 3416 §4.2.3: the first VarBinds once, the others row by row, as far as there is room.
    fn get_bulk(&self, pdu: &Pdu) -> Vec<VarBind> {
        let once = usize::try_from(pdu.first).unwrap_or(0).min(pdu.varbinds.len());
        let (non_repeaters, repeaters) = pdu.varbinds.split_at(once);
        let (mut answers, mut bytes) = (Vec::new(), 0);
        let mut fits = |answers: &mut Vec<VarBind>, found: VarBind| {
            bytes += varbind_size(&found);
            let is_first = answers.len() < pdu.varbinds.len();
            let fits = bytes <= if is_first { self.room.any } else { self.room.bulk };
            if fits {
                answers.push(found);
            }
            fits
        };
        for asked in non_repeaters {
            if !fits(&mut answers, self.next(&asked.name)) {
                return answers;
            }
        }
        let mut row: Vec<Oid> = repeaters.iter().map(|asked| asked.name.clone()).collect();
        for _ in 0..pdu.second.max(0) {
            let mut ended = true;
            for name in &mut row {
                let found = self.next(name);
                ended &= found.value == Value::EndOfMibView;
                name.clone_from(&found.name);
                if !fits(&mut answers, found) {
                    return answers;
                }
            }
            if ended {
                break;
            }
        }
        answers
    }

    /// All of it or nothing (RFC 3416 §4.2.5). Whoever commits does it at once: the command is carried out when this returns.
    fn set(&self, asked: &[VarBind]) -> Result<(), Failure> {
        let may = |varbind: &VarBind| self.access.write && self.access.subtrees.admits(&varbind.name);
        if let Some(at) = asked.iter().position(|varbind| !may(varbind)) {
            return Err(Failure { error: ErrorCode::NoAccess, index: at + 1 });
        }
        let tested = self.objects.test_set(self.moment, asked);
        let mut change = tested.map_err(|SetError { index, error }| Failure { error, index })?;
        if change.commit().is_ok() {
            return Ok(());
        }
        let error = if change.undo().is_ok() { ErrorCode::CommitFailed } else { ErrorCode::UndoFailed };
        Err(Failure { error, index: 0 })
    }

    /// What follows a name. Version 1 does not know Counter64 and passes over such objects (RFC 3584 §4.2.2.1).
    fn next(&self, name: &Oid) -> VarBind {
        let wanted = |value: &Value| self.version != Version::V1 || !matches!(value, Value::Counter64(_));
        let found = self.objects.next(self.moment, name, &self.access.subtrees, wanted);
        found.unwrap_or_else(|| VarBind::new(name.clone(), Value::EndOfMibView))
    }

    /// What version 1 has no value for is an error there.
    fn checked(&self, at: usize, found: VarBind) -> Result<VarBind, Failure> {
        let unknown = found.value.is_exception() || matches!(found.value, Value::Counter64(_));
        if self.version == Version::V1 && unknown {
            return Err(Failure { error: ErrorCode::NoAccess, index: at + 1 });
        }
        Ok(found)
    }

    /// An error comes with the VarBinds of the request, except one that there is no room for.
    fn failed(&self, pdu: Pdu, failure: &Failure) -> Pdu {
        let mut index = i32::try_from(failure.index).unwrap_or(i32::MAX);
        let (mut error, mut varbinds) = (failure.error, pdu.varbinds);
        if self.version != Version::V1 && (error == ErrorCode::TooBig || size(&varbinds) > self.room.any) {
            (error, index, varbinds) = (ErrorCode::TooBig, 0, Vec::new());
        }
        let error =
            if self.version == Version::V1 { first_version(error) } else { i32::from(u16::from(error)) };
        Pdu { first: error, second: index, ..Pdu::new(Kind::Response, pdu.request_id, varbinds) }
    }
}

fn too_big() -> Failure {
    Failure { error: ErrorCode::TooBig, index: 0 }
}

fn size(varbinds: &[VarBind]) -> usize {
    varbinds.iter().map(varbind_size).sum()
}

/// The error-status of version 1 (RFC 3584 §4.4).
fn first_version(error: ErrorCode) -> i32 {
    const NO_SUCH_NAME: i32 = 2;
    const BAD_VALUE: i32 = 3;
    const GEN_ERR: i32 = 5;
    match error {
        ErrorCode::NoError => 0,
        ErrorCode::TooBig => 1,
        ErrorCode::NoAccess
        | ErrorCode::NoCreation
        | ErrorCode::NotWritable
        | ErrorCode::InconsistentName => NO_SUCH_NAME,
        ErrorCode::WrongType
        | ErrorCode::WrongLength
        | ErrorCode::WrongEncoding
        | ErrorCode::WrongValue
        | ErrorCode::InconsistentValue => BAD_VALUE,
        _ => GEN_ERR,
    }
}
