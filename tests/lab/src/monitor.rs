//! When addresses came and went on a host: `ip -ts monitor address` as a timeline.

use std::collections::HashMap;
use std::time::Duration;

use crate::error::Result;
use crate::host::Host;
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// Added and deleted to see whether the monitor listens; never part of the timeline.
const MARKER: &str = "127.77.7.7/32";

/// One address added or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Since the epoch, when `ip` read the kernel's message.
    pub time: Duration,
    /// Added, or deleted.
    pub added: bool,
    /// The interface.
    pub interface: String,
    /// With its prefix length.
    pub address: String,
}

/// A running monitor; ends with the value.
#[derive(Debug)]
pub struct AddressMonitor {
    process: Process,
}

impl AddressMonitor {
    /// Starts it and waits until it sees changes.
    pub fn start(host: &Host) -> Result<Self> {
        let env = HashMap::from([("TZ".to_owned(), "UTC".to_owned())]);
        let process = host.spawn_with("monitor", &["ip", "-o", "-ts", "monitor", "address"], &env)?;
        wait::until("the address monitor to listen", limit(Duration::from_secs(10)), || {
            let marked = host.add_address(MARKER, "lo").and_then(|()| host.del_address(MARKER, "lo"));
            marked.map_err(|e| e.to_string())?;
            if process.log().contains(MARKER) { Ok(()) } else { Err(process.log_tail()) }
        })?;
        Ok(Self { process })
    }

    /// All changes so far, in their order. An address whose lifetime or flags change is added again.
    pub fn changes(&self) -> Vec<Change> {
        self.process.log().lines().filter_map(change).filter(|change| change.address != MARKER).collect()
    }

    /// Waits for the first change of `address` (without prefix length) after `since`.
    pub fn wait_change(
        &self,
        address: &str,
        added: bool,
        since: Duration,
        deadline: Duration,
    ) -> Result<Change> {
        let what = format!("{address} {}", if added { "added" } else { "deleted" });
        wait::until(&what, deadline, || {
            let changes = self.changes();
            let fits = |change: &&Change| {
                change.added == added
                    && change.time >= since
                    && change.address.split('/').next() == Some(address)
            };
            changes.iter().find(fits).cloned().ok_or_else(|| format!("{changes:?}"))
        })
    }
}

/// `[2026-11-20T14:08:06.971003] Deleted 1: lo    inet 127.9.9.9/32 scope host lo\ …`
fn change(line: &str) -> Option<Change> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (added, rest) = match rest.strip_prefix("Deleted ") {
        Some(rest) => (false, rest),
        None => (true, rest),
    };
    let mut words = rest.split_whitespace().skip(1);
    let interface = words.next()?.to_owned();
    let _family = words.next()?;
    let address = words.next()?.to_owned();
    Some(Change { time: instant(stamp)?, added, interface, address })
}

/// ISO date and time in UTC to time since the epoch.
fn instant(stamp: &str) -> Option<Duration> {
    let (date, time) = stamp.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let days = days_since_epoch(date.next()??, date.next()??, date.next()??)?;
    let (clock, micros) = time.split_once('.')?;
    let mut clock = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Duration::from_secs(seconds) + Duration::from_micros(micros.parse().ok()?))
}

/// Days of the proleptic Gregorian calendar; the year is made to start in March, so that the leap day
/// is its last.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let before_month = (month * 153 + 2) / 5;
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    (before_year + before_month + day - 1).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_time() {
        let line = "[2026-11-20T14:08:06.971003] Deleted 3: va0    inet 10.9.0.100/24 scope global va0\\ x";
        let change = change(line).unwrap();
        assert_eq!(change.time, Duration::new(1_795_183_686, 971_003_000));
        assert_eq!((change.added, change.interface.as_str()), (false, "va0"));
        assert_eq!(change.address, "10.9.0.100/24");
    }

    #[test]
    fn leap_days_are_counted() {
        assert_eq!(days_since_epoch(1970, 1, 1), Some(0));
        assert_eq!(days_since_epoch(2024, 2, 29), Some(19_782));
        assert_eq!(days_since_epoch(2024, 3, 1), Some(19_783));
    }
}
