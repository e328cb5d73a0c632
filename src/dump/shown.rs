//! How keepalived writes single things in its dumps.

use std::{fmt::Write as _, time::Duration};

use crate::{
    config::{Preferred, Scope},
    registry::AddressRow,
    units::{Family, Utc},
};

/// An address line, and whether the kernel has it.
pub(super) fn address(row: &AddressRow) -> String {
    let line = &row.config;
    let family = Family::of(line.address);
    let mut text = line.address.to_string();
    // Writing to a String cannot fail.
    if let Some(peer) = line.peer {
        let _ = write!(text, " peer {peer}");
    }
    if line.prefix != family.bits() {
        let _ = write!(text, "/{}", line.prefix);
    }
    if let Some(broadcast) = line.broadcast {
        let _ = write!(text, " brd {broadcast}");
    }
    let _ = write!(text, " dev {} scope {}", row.device, scope(line.scope));
    if let Some(label) = &line.label {
        let _ = write!(text, " label {label}");
    }
    match (family, line.preferred) {
        (Family::V4, Preferred::Forever) => {}
        (_, Preferred::Seconds(0)) => text.push_str(" deprecated"),
        (_, Preferred::Seconds(seconds)) => {
            let _ = write!(text, " preferred_lft {seconds}");
        }
        (Family::V6, Preferred::Forever) => text.push_str(" preferred_lft forever"),
    }
    if line.no_track {
        text.push_str(" no_track");
    }
    if row.status().set {
        text.push_str(" set");
    }
    text
}

fn scope(scope: Scope) -> String {
    match scope {
        Scope::GLOBAL => "global".to_owned(),
        Scope::SITE => "site".to_owned(),
        Scope::LINK => "link".to_owned(),
        Scope::HOST => "host".to_owned(),
        Scope::NOWHERE => "nowhere".to_owned(),
        Scope(number) => number.to_string(),
    }
}

/// Seconds with six decimals.
pub(super) fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

/// A time since the epoch as ctime(3) writes it, in UTC.
pub(super) fn calendar(time: Duration) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let (year, month, day) = Utc(time).date();
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or_default()];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = time.subsec_micros();
    format!("{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02}.{micros:06} {year}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AddressLine;

    #[test]
    fn a_time_is_written_as_ctime_does() {
        let at = |seconds| calendar(Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu Jan  1 00:00:00.000000 1970");
        assert_eq!(at(951_782_400), "Tue Feb 29 00:00:00.000000 2000");
        assert_eq!(calendar(Duration::from_micros(1_795_302_628_848_202)), "Sat Nov 21 23:10:28.848202 2026");
    }

    #[test]
    fn an_address_is_written_as_keepalived_does() {
        let shown = |line: AddressLine, set: bool| {
            let row = AddressRow::on("v0", line, true);
            row.set_status(crate::registry::AddressStatus { set, ..Default::default() });
            address(&row)
        };
        let line = |text: &str, prefix| AddressLine { prefix, ..AddressLine::new(text.parse().unwrap()) };
        let labelled = AddressLine { label: Some("v0:1".into()), ..line("10.9.0.101", 24) };
        assert_eq!(shown(labelled, true), "10.9.0.101/24 dev v0 scope global label v0:1 set");
        assert_eq!(shown(line("10.9.0.107", 32), false), "10.9.0.107 dev v0 scope global");
        let deprecated = AddressLine { preferred: Preferred::Seconds(0), ..line("fe80::6", 128) };
        assert_eq!(shown(deprecated, true), "fe80::6 dev v0 scope global deprecated set");
        let global = "2001:db8::6/64 dev v0 scope global preferred_lft forever set";
        assert_eq!(shown(line("2001:db8::6", 64), true), global);
    }
}
