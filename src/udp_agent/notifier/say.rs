//! The messages.

use std::time::Duration;

use agentx::{Notification, Oid, Value, VarBind};

use super::{super::agent::ticks, Notifier, Protocol, v1};
use crate::snmp_wire::{Engine, Envelope, Kind, Level, Pdu, User, Version};

/// SNMPv2-MIB::sysUpTime.0.
const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
/// SNMPv2-MIB::snmpTrapOID.0.
const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

impl Notifier {
    /// What is to be said now; `None` when there is a value that has no encoding.
    pub(super) fn message(&mut self, now: Duration) -> Option<Vec<u8>> {
        let asks_for_engine =
            matches!(self.target.protocol, Protocol::V3(..)) && self.target.inform && self.peer.is_none();
        let current = self.current.as_mut()?;
        current.is_said = !asks_for_engine;
        if asks_for_engine {
            return self.question();
        }
        let (id, inform) = (current.first_id, self.target.inform);
        let uptime = ticks(current.notification.at.saturating_sub(self.origin.began));
        match &self.target.protocol {
            Protocol::V1(community) => {
                let trap = v1::trap(&current.notification, uptime, self.address)?;
                Version::V1.say(community.as_bytes(), trap)
            }
            Protocol::V2c(community) => {
                Version::V2c.message(community.as_bytes(), &pdu(id, &current.notification, uptime, inform))
            }
            Protocol::V3(_, context) => {
                let pdu = pdu(id, &current.notification, uptime, inform);
                let context = context.clone();
                self.seal(now, context.as_bytes(), &pdu)
            }
        }
    }

    /// The message of SNMPv3: by a trap's sender's time, and by an inform's receiver's.
    fn seal(&mut self, now: Duration, context: &[u8], pdu: &Pdu) -> Option<Vec<u8>> {
        self.salt = self.salt.wrapping_add(1);
        let (engine, time, user) = match (&self.peer, &self.user) {
            (Some(peer), _) => (&peer.engine, peer.time(now), &peer.user),
            (None, user) => {
                let up = now.saturating_sub(self.origin.began);
                (&*self.origin.engine, Engine::time(up), user.as_ref()?)
            }
        };
        let (id, salt, level) = (self.last_id, self.salt, user.level());
        let context_engine = &self.origin.engine.id;
        Envelope { id, engine, time, context_engine, user: Ok(user), level, context, salt }.seal(pdu)
    }

    /// Who the receiver is (RFC 3414 §4): it says so in a Report.
    fn question(&self) -> Option<Vec<u8>> {
        let nobody: Result<&User, &[u8]> = Err(b"");
        let envelope = Envelope {
            id: self.last_id,
            engine: &Engine::default(),
            time: 0,
            context_engine: b"",
            user: nobody,
            level: Level::Plain,
            context: b"",
            salt: 0,
        };
        envelope.seal(&Pdu::new(Kind::Get, self.last_id, Vec::new()))
    }
}

/// The notification of version 2 (RFC 3416 §4.2.6).
fn pdu(id: i32, notification: &Notification, uptime: u32, inform: bool) -> Pdu {
    let trap_oid = Value::ObjectIdentifier(notification.trap_oid.clone());
    let mut varbinds = vec![
        VarBind::new(Oid::from(SYS_UP_TIME), Value::TimeTicks(uptime)),
        VarBind::new(Oid::from(SNMP_TRAP_OID), trap_oid),
    ];
    varbinds.extend_from_slice(&notification.varbinds);
    Pdu::new(if inform { Kind::Inform } else { Kind::Trap }, id, varbinds)
}
