//! Notifications of version 1, whose PDU is like no other (RFC 1157 §4.1.6).

use agentx::{Oid, VarBind};

use super::{
    ber::{self, Malformed, Reader},
    pdu,
};

/// Trap-PDU.
const TRAP: u8 = 0xa4;
/// generic-trap: it is the enterprise that says what has happened.
const ENTERPRISE_SPECIFIC: i32 = 6;
/// snmpTraps: coldStart and the others that version 1 has numbers for.
const STANDARD: [u32; 9] = [1, 3, 6, 1, 6, 3, 1, 1, 5];

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrapV1 {
    pub(crate) enterprise: Oid,
    /// The IPv4 address of who it is about.
    pub(crate) agent: [u8; 4],
    pub(crate) generic: i32,
    pub(crate) specific: i32,
    /// sysUpTime when it happened.
    pub(crate) time: u32,
    pub(crate) varbinds: Vec<VarBind>,
}

impl TrapV1 {
    /// Reads the one that is all of what is left.
    pub(crate) fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let content = reader.content(TRAP, "PDU type")?;
        reader.end("PDU")?;
        let mut reader = Reader::new(content);
        let enterprise = reader.oid("enterprise")?;
        let agent = reader.content(ber::IP_ADDRESS, "agent-addr")?;
        let agent = agent.try_into().map_err(|_| Malformed("agent-addr"))?;
        let generic = reader.integer("generic-trap")?;
        let specific = reader.integer("specific-trap")?;
        let time = ber::integer(reader.content(ber::TIME_TICKS, "time-stamp")?);
        let time = time.ok_or(Malformed("time-stamp"))?;
        let varbinds = pdu::varbinds(&mut reader)?;
        reader.end("PDU")?;
        Ok(Self { enterprise, agent, generic, specific, time, varbinds })
    }

    /// snmpTrapOID of the same notification in later versions (RFC 3584 §3.1 (2)).
    pub(crate) fn id(&self) -> Option<Oid> {
        match self.generic {
            ENTERPRISE_SPECIFIC => self.enterprise.try_join(&[0, u32::try_from(self.specific).ok()?]).ok(),
            generic => Oid::from(STANDARD).try_join(&[u32::try_from(generic).ok()? + 1]).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_id_is_that_of_version_2() {
        let mut trap = TrapV1 {
            enterprise: Oid::from([1, 3, 6, 1, 4, 1, 9586]),
            agent: [192, 0, 2, 1],
            generic: ENTERPRISE_SPECIFIC,
            specific: 2,
            time: 5,
            varbinds: Vec::new(),
        };
        assert_eq!(trap.id().unwrap().to_string(), "1.3.6.1.4.1.9586.0.2");
        (trap.generic, trap.specific) = (0, 0);
        assert_eq!(trap.id().unwrap().to_string(), "1.3.6.1.6.3.1.1.5.1", "coldStart");
        trap.generic = -1;
        assert_eq!(trap.id(), None);
    }
}
