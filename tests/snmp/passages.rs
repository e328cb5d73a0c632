//! The notifications that went over a link, connection by connection, and which of them the daemon knows to be there: it was
//! passed the master's answer. From that follows, without a look at any clock, what it may send again and what may arrive twice.

use std::collections::BTreeSet;

use agentx::{
    Value, VarBind,
    wire::{Body, Pdu, PduType},
};

use crate::scene::{Entered, INSTANCE_ENTRY, STATE_CHANGE};

/// SNMPv2-MIB::snmpTrapOID.0.
const SNMP_TRAP_OID: &str = ".1.3.6.1.6.3.1.1.4.1.0";

/// The notifications of one connection, in the order in which they were passed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passage {
    sent: Vec<(u32, Entered)>,
    /// How many of them were answered, in their order: the first so many.
    answered: usize,
}

impl Passage {
    /// A PDU of the daemon is about to be passed on.
    pub(crate) fn note_sent(&mut self, pdu: &Pdu) {
        if let Body::Notify(varbinds) = &pdu.body {
            self.sent.push((pdu.header.packet_id, entered(varbinds)));
        }
    }

    /// A PDU of snmpd has been passed on.
    pub(crate) fn note_answered(&mut self, pdu: &Pdu) {
        if pdu.header.kind != PduType::Response {
            return;
        }
        let place = self.sent.iter().position(|(packet, _)| *packet == pdu.header.packet_id);
        if let Some(place) = place {
            assert_eq!(place, self.answered, "snmpd answers in the order that it is asked in: {pdu:?}");
            self.answered += 1;
        }
    }

    fn events(&self) -> impl Iterator<Item = &Entered> {
        self.sent.iter().map(|(_, event)| event)
    }
}

/// The router and the state that a vrrpInstanceStateChange tells of.
fn entered(varbinds: &[VarBind]) -> Entered {
    let named = |name: &str| {
        let below = format!("{name}.");
        let mut found = varbinds.iter().filter(|varbind| {
            let own = format!(".{}", varbind.name);
            own == name || own.starts_with(&below)
        });
        found.next().map(|varbind| &varbind.value)
    };
    let kind = named(SNMP_TRAP_OID);
    let column = |number: u8| named(&format!("{INSTANCE_ENTRY}.{number}"));
    match (kind, column(2), column(4)) {
        (
            Some(Value::ObjectIdentifier(kind)),
            Some(Value::OctetString(name)),
            Some(Value::Integer(state)),
        ) if format!(".{kind}") == STATE_CHANGE => {
            (String::from_utf8_lossy(name).into_owned(), u8::try_from(*state).unwrap_or(u8::MAX))
        }
        _ => panic!("not a change of state: {varbinds:?}"),
    }
}

/// How many of what happened the daemon was told to be there, if it did as it should: on each connection it goes on behind the
/// last one that was answered on those before, one after the other.
///
/// # Errors
/// What it sent instead.
pub(crate) fn told(passages: &[Passage], happened: &[Entered]) -> Result<usize, String> {
    let mut told = 0;
    for (number, passage) in passages.iter().enumerate() {
        let due = happened.get(told..).unwrap_or_default();
        if let Some(at) = passage.events().enumerate().position(|(at, sent)| due.get(at) != Some(sent)) {
            let from = told.saturating_sub(3);
            return Err(format!(
                "notification {at} of connection {number} is not number {} of what happened: {passage:?} after {:?}…",
                told + at,
                happened.get(from..told + at + 1)
            ));
        }
        told += passage.answered;
    }
    Ok(told)
}

/// Whether these arrivals are what the passages make: of each connection what was answered, and of the rest, which snmpd may
/// have had before it was gone, the first ones.
pub(crate) fn explain(passages: &[Passage], arrived: &[Entered]) -> bool {
    // How many of the arrivals the connections so far can account for.
    let mut accounted = BTreeSet::from([0]);
    for passage in passages {
        let mut with_it = BTreeSet::new();
        for from in accounted {
            let rest = arrived.get(from..).unwrap_or_default();
            let same = passage.events().zip(rest).take_while(|(sent, arrived)| sent == arrived).count();
            with_it.extend((passage.answered..=same).map(|count| from + count));
        }
        accounted = with_it;
    }
    accounted.contains(&arrived.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(states: &[u8]) -> Vec<Entered> {
        states.iter().map(|state| ("VI".to_owned(), *state)).collect()
    }

    fn passage(states: &[u8], answered: usize) -> Passage {
        Passage { sent: (0..).zip(events(states)).collect(), answered }
    }

    #[test]
    fn what_was_answered_may_not_be_sent_again_and_what_was_not_has_to_be() {
        let happened = events(&[3, 1, 2, 3]);
        let sent = |passages: &[Passage]| told(passages, &happened).ok();
        assert_eq!(sent(&[passage(&[3, 1, 2], 1), passage(&[], 0), passage(&[1, 2, 3], 3)]), Some(4));
        assert_eq!(sent(&[passage(&[3, 1, 2], 2), passage(&[1, 2, 3], 3)]), None, "1 again");
        assert_eq!(sent(&[passage(&[3, 1, 2], 1), passage(&[2, 3], 2)]), None, "1 never");
        assert_eq!(sent(&[passage(&[3, 2, 1], 0)]), None, "in another order");
    }

    #[test]
    fn only_what_was_not_answered_may_arrive_twice_or_not_at_all() {
        let passages = [passage(&[3, 1, 2], 1), passage(&[1, 2, 3], 3)];
        for (arrived, is_explained) in [
            (&[3, 1, 2, 3][..], true),
            (&[3, 1, 1, 2, 3], true),
            (&[3, 1, 2, 1, 2, 3], true),
            (&[3, 3, 1, 2, 3], false),
            (&[3, 2, 1, 2, 3], false),
            (&[3, 1, 2], false),
            (&[3, 1, 2, 3, 3], false),
        ] {
            assert_eq!(explain(&passages, &events(arrived)), is_explained, "{arrived:?}");
        }
    }
}
