//! snmptrapd as the network management station.

use std::fs;
use std::time::Duration;

use super::{COMMUNITY, environment};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// A record in the log is `BEGIN what SNMPv1 has SEPARATOR varbind SEPARATOR varbind … END`; none of the three occurs in text.
const BEGIN: char = '\u{1e}';
const SEPARATOR: char = '\u{1f}';
const END: char = '\u{1d}';

const SYS_UP_TIME: &str = ".1.3.6.1.2.1.1.3.0";
const SNMP_TRAP_OID: &str = ".1.3.6.1.6.3.1.1.4.1.0";

/// One notification as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// The value of snmpTrapOID.0, numeric, with a leading dot.
    pub trap_oid: String,
    /// The value of sysUpTime.0 in hundredths of a second.
    pub sysuptime: u64,
    /// The other varbinds in their order: numeric OID, and `TYPE: value` as net-snmp prints it
    /// (`INTEGER: 2`, `STRING: "VI_1"`).
    pub varbinds: Vec<(String, String)>,
    /// What came, in which version, and by whom, as net-snmp says it: `TRAP2, SNMP v2c, community public`.
    pub by: String,
}

impl Trap {
    /// The value of the first varbind of `column`, without its type and quotes. keepalived's
    /// notifications name columns without an instance, so both forms are looked for.
    pub fn value(&self, column: &str) -> Option<&str> {
        let prefix = format!("{column}.");
        let (_, value) = self.varbinds.iter().find(|(oid, _)| oid == column || oid.starts_with(&prefix))?;
        let bare = value.split_once(": ").map_or(value.as_str(), |(_, bare)| bare);
        Some(bare.trim_matches('"'))
    }
}

/// A trap receiver on UDP port 162 of its host.
#[derive(Debug)]
pub struct Snmptrapd {
    process: Process,
    host: Host,
    /// Lines for its configuration.
    lines: String,
    /// What it logged before it was started anew.
    earlier: String,
}

impl Snmptrapd {
    /// Starts it and waits until it listens.
    pub fn start(host: &Host) -> Result<Self> {
        Self::start_with(host, "")
    }

    /// The same with lines of its configuration: `createUser …` for those who speak SNMPv3.
    pub fn start_with(host: &Host, lines: &str) -> Result<Self> {
        let process = Self::spawn(host, lines)?;
        Ok(Self { process, host: host.clone(), lines: lines.to_owned(), earlier: String::new() })
    }

    /// SIGKILL: what it has not read is lost.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Ends what runs, and starts it again with the state it had.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.earlier += &self.process.log();
        self.process = Self::spawn(&self.host, &self.lines)?;
        Ok(())
    }

    fn spawn(host: &Host, lines: &str) -> Result<Process> {
        let dir = host.dir().join("snmptrapd");
        fs::create_dir_all(&dir).map_err(|e| Error::io(format!("create {}", dir.display()), e))?;
        let text = format!("disableAuthorization yes\nauthCommunity log {COMMUNITY}\n{lines}");
        let config = host.write("snmptrapd/lab-snmptrapd.conf", &text)?;
        let config = config.to_string_lossy();
        // Enterprise, generic and specific trap and time of SNMPv1 first.
        let format = format!("{BEGIN}%N,%w,%q,%T,%P{SEPARATOR}%V{SEPARATOR}%v{END}\n");
        // -On -Oe -Ot: numbers for names, for enumerations and for TimeTicks.
        let argv =
            ["snmptrapd", "-f", "-C", "-c", &config, "-Lo", "-On", "-Oe", "-Ot", "-F", &format, "udp:162"];
        let process = host.spawn_with("snmptrapd", &argv, &environment(&dir))?;
        process.wait_log("NET-SNMP version", limit(Duration::from_secs(15)))?;
        Ok(process)
    }

    /// All notifications so far, in the order of their arrival.
    pub fn traps(&self) -> Vec<Trap> {
        parse(&(self.earlier.clone() + &self.process.log()))
    }

    /// The notifications so far whose snmpTrapOID.0 is `oid`.
    pub fn traps_of(&self, oid: &str) -> Vec<Trap> {
        self.traps().into_iter().filter(|trap| trap.trap_oid == oid).collect()
    }

    /// Waits until at least `count` notifications with `oid` have arrived, and returns all of them.
    pub fn wait_traps(&self, oid: &str, count: usize, deadline: Duration) -> Result<Vec<Trap>> {
        wait::until(&format!("{count} traps {oid}"), deadline, || {
            let traps = self.traps_of(oid);
            if traps.len() >= count { Ok(traps) } else { Err(format!("{traps:#?}")) }
        })
    }

    /// The process, for its log and for signals.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn parse(log: &str) -> Vec<Trap> {
    log.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END)).map(|(record, _)| trap(record)).collect()
}

fn trap(record: &str) -> Trap {
    let mut trap = Trap { trap_oid: String::new(), sysuptime: 0, varbinds: Vec::new(), by: String::new() };
    let (first, record) = record.split_once(SEPARATOR).unwrap_or_default();
    if let [enterprise, generic, specific, time, by] = first.splitn(5, ',').collect::<Vec<_>>()[..] {
        by.clone_into(&mut trap.by);
        if generic == "6" {
            // What it is in SNMPv2 (RFC 3584 §3.1).
            trap.trap_oid = format!("{enterprise}.0{specific}");
            trap.sysuptime = time.parse().unwrap_or_default();
        }
    }
    for (oid, value) in record.split(SEPARATOR).filter_map(|varbind| varbind.trim().split_once(" = ")) {
        match oid {
            SYS_UP_TIME => trap.sysuptime = value.parse().unwrap_or_default(),
            SNMP_TRAP_OID => trap.trap_oid = value.trim_start_matches("OID: ").to_owned(),
            _ => trap.varbinds.push((oid.to_owned(), value.to_owned())),
        }
    }
    trap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_split_even_where_a_value_has_a_line_break() {
        let log = "NET-SNMP version 5.9.3\n\u{1e}.,0,0,0,TRAP2, SNMP v2c, community public\u{1f}.1.3.6.1.2.1.1.3.0 = 42\u{1f}.1.3.6.1.6.3.1.1.4.1.0 = OID: \
                   .1.3.6.1.4.1\u{1f}.1.2.3.7 = STRING: \"a\nb\"\u{1d}\n\u{1e}.1.3.6.1.2.1.1.3.0 = 5";
        let of_v1 = parse(
            "\u{1e}.1.3.6.1.4.1.9,6,.2,77,TRAP, SNMP v1, community public\u{1f}.1.2.3 = INTEGER: 3\u{1d}",
        );
        assert_eq!((of_v1[0].trap_oid.as_str(), of_v1[0].sysuptime), (".1.3.6.1.4.1.9.0.2", 77));
        assert_eq!(of_v1[0].value(".1.2.3"), Some("3"));
        let [one] = parse(log).try_into().unwrap();
        assert_eq!((one.sysuptime, one.trap_oid.as_str()), (42, ".1.3.6.1.4.1"));
        assert_eq!(one.value(".1.2.3"), Some("a\nb"));
        assert_eq!(one.value(".1.2.3.7"), Some("a\nb"));
        assert_eq!(one.by, "TRAP2, SNMP v2c, community public");
    }
}
