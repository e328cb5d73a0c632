//! What a value is, and how net-snmp's tools show it.

use agentx::Value;

/// The type of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) base: Base,
    /// The names of an enumeration.
    pub(super) names: Vec<(i32, &'static str)>,
    /// DISPLAY-HINT of octets (RFC 2579 §3.1).
    pub(super) hint: Option<&'static str>,
}

/// A type of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Integer,
    Gauge,
    Counter32,
    Counter64,
    TimeTicks,
    IpAddress,
    Octets,
    ObjectIdentifier,
}

impl Base {
    /// By the name that modules have for it.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "INTEGER" | "Integer32" => Self::Integer,
            "Gauge32" | "Unsigned32" => Self::Gauge,
            "Counter32" => Self::Counter32,
            "Counter64" => Self::Counter64,
            "TimeTicks" => Self::TimeTicks,
            "IpAddress" => Self::IpAddress,
            "OCTET STRING" => Self::Octets,
            "OBJECT IDENTIFIER" => Self::ObjectIdentifier,
            _ => return None,
        })
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::Integer => matches!(value, Value::Integer(_)),
            Self::Gauge => matches!(value, Value::Gauge32(_)),
            Self::Counter32 => matches!(value, Value::Counter32(_)),
            Self::Counter64 => matches!(value, Value::Counter64(_)),
            Self::TimeTicks => matches!(value, Value::TimeTicks(_)),
            Self::IpAddress => matches!(value, Value::IpAddress(_)),
            Self::Octets => matches!(value, Value::OctetString(_)),
            Self::ObjectIdentifier => matches!(value, Value::ObjectIdentifier(_)),
        }
    }

    /// What a value of another type should have been.
    const fn wanted(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Gauge => "Gauge32 or Unsigned32",
            Self::Counter32 => "Counter32",
            Self::Counter64 => "Counter64",
            Self::TimeTicks => "Timeticks",
            Self::IpAddress => "IpAddress",
            Self::Octets => "OCTET STRING",
            Self::ObjectIdentifier => "OBJECT IDENTIFIER",
        }
    }
}

/// A value of an object of this type, if that is known; `name` says what another object is called.
pub(super) fn show(
    syntax: Option<&Syntax>,
    units: Option<&str>,
    value: &Value,
    name: impl Fn(&agentx::Oid) -> String,
) -> String {
    if value.is_exception() {
        return exception(value).to_owned();
    }
    if let Some(syntax) = syntax.filter(|syntax| !syntax.base.admits(value)) {
        let wanted = syntax.base.wanted();
        return format!("Wrong Type (should be {wanted}): {}", show(None, None, value, name));
    }
    let shown = match value {
        Value::Integer(number) => {
            let names = syntax.map_or(&[][..], |syntax| &syntax.names);
            let known = names.iter().find(|(known, _)| known == number);
            known.map_or(format!("INTEGER: {number}"), |(_, name)| format!("INTEGER: {name}({number})"))
        }
        Value::OctetString(bytes) => octets(bytes, syntax.and_then(|syntax| syntax.hint)),
        Value::Null => "NULL".to_owned(),
        Value::ObjectIdentifier(id) => format!("OID: {}", name(id)),
        Value::IpAddress(octets) => format!("IpAddress: {}", std::net::Ipv4Addr::from(*octets)),
        Value::Counter32(number) => format!("Counter32: {number}"),
        Value::Gauge32(number) => format!("Gauge32: {number}"),
        Value::TimeTicks(ticks) => format!("Timeticks: ({ticks}) {}", span(*ticks)),
        Value::Opaque(bytes) => format!("OPAQUE: {}", hex(bytes)),
        Value::Counter64(number) => format!("Counter64: {number}"),
        Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => String::new(),
    };
    units.map_or(shown.clone(), |units| format!("{shown} {units}"))
}

fn exception(value: &Value) -> &'static str {
    match value {
        Value::NoSuchObject => "No Such Object available on this agent at this OID",
        Value::NoSuchInstance => "No Such Instance currently exists at this OID",
        _ => "No more variables left in this MIB View (It is past the end of the MIB tree)",
    }
}

/// Octets: as the hint has them, as text where they are that, in hexadecimal numbers otherwise. What would tell a terminal to do
/// something is never shown as it is.
fn octets(bytes: &[u8], hint: Option<&str>) -> String {
    let is_text = || bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match hint {
        Some(hint) => format!("STRING: {}", hinted(bytes, hint)),
        None if bytes.is_empty() => "\"\"".to_owned(),
        None if is_text() => {
            let text = String::from_utf8_lossy(bytes).replace('\\', "\\\\").replace('"', "\\\"");
            format!("STRING: \"{text}\"")
        }
        None => format!("Hex-STRING: {}", hex(bytes)),
    }
}

/// Octets by a hint of one part, as `255a` and `1x:`; as hexadecimal numbers by another one.
fn hinted(bytes: &[u8], hint: &str) -> String {
    let digits = hint.trim_end_matches(|char: char| !char.is_ascii_digit());
    let width = digits.parse().unwrap_or(1_usize).max(1);
    let mut code = hint[digits.len()..].chars();
    match (code.next(), code.next()) {
        (Some('a' | 't'), _) => String::from_utf8_lossy(bytes).replace(|char: char| char.is_control(), "."),
        (Some('x'), separator) => {
            let number = |some: &[u8]| some.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            let numbers: Vec<_> =
                bytes.chunks(width.min(8)).map(|some| format!("{:x}", number(some))).collect();
            numbers.join(&separator.map(String::from).unwrap_or_default())
        }
        _ => hex(bytes),
    }
}

/// Sixteen to a line, each with a blank behind it.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02X} ")).collect::<String>();
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

/// Hundredths of a second, as people read them.
pub(super) fn span(ticks: u32) -> String {
    let (seconds, hundredths) = (ticks / 100, ticks % 100);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    format!("{days}{hours}:{minutes:02}:{:02}.{hundredths:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(base: Base, hint: Option<&'static str>) -> Syntax {
        Syntax { base, names: vec![(2, "master")], hint }
    }

    fn shown(syntax: Option<&Syntax>, value: &Value) -> String {
        show(syntax, None, value, ToString::to_string)
    }

    #[test]
    fn values_as_net_snmp_shows_them() {
        let state = of(Base::Integer, None);
        assert_eq!(shown(Some(&state), &Value::Integer(2)), "INTEGER: master(2)");
        assert_eq!(shown(Some(&state), &Value::Integer(9)), "INTEGER: 9");
        assert_eq!(shown(Some(&state), &Value::Counter32(9)), "Wrong Type (should be INTEGER): Counter32: 9");
        assert_eq!(
            show(Some(&state), Some("seconds"), &Value::Integer(9), |_| String::new()),
            "INTEGER: 9 seconds"
        );
        assert_eq!(shown(None, &Value::TimeTicks(17_999_901)), "Timeticks: (17999901) 2 days, 1:59:59.01");
        assert_eq!(shown(None, &Value::TimeTicks(8_640_000)), "Timeticks: (8640000) 1 day, 0:00:00.00");
        assert_eq!(
            shown(Some(&state), &Value::NoSuchInstance),
            "No Such Instance currently exists at this OID"
        );
    }

    #[test]
    fn octets_by_their_hint_or_by_what_they_are() {
        let octets =
            |hint, bytes: &[u8]| shown(Some(&of(Base::Octets, hint)), &Value::OctetString(bytes.to_vec()));
        assert_eq!(octets(Some("255a"), b"VI_1"), "STRING: VI_1");
        assert_eq!(octets(Some("255a"), b""), "STRING: ");
        assert_eq!(octets(Some("255a"), b"\x1b[2Jx"), "STRING: .[2Jx");
        assert_eq!(octets(Some("1x:"), &[0, 0, 0x5e, 0, 1, 0x33]), "STRING: 0:0:5e:0:1:33");
        assert_eq!(octets(None, b"a\"b"), "STRING: \"a\\\"b\"");
        assert_eq!(octets(None, b""), "\"\"");
        assert_eq!(octets(None, &[10, 0, 0, 1]), "Hex-STRING: 0A 00 00 01 ");
        let lines = octets(None, &[0; 17]);
        assert_eq!(lines, format!("Hex-STRING: {}\n00 ", "00 ".repeat(16)));
    }
}
