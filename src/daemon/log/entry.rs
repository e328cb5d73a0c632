//! What is logged: one entry, and its forms.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use tracing::Level;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime as _, SystemTime as Stamp},
};

/// Fields that the text of a message names already, for readers that look for them by name.
const NAMED: [&str; 5] = ["instance", "group", "state", "seq", "reason"];

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) level: Level,
    /// When, as it is written.
    pub(super) time: String,
    /// One line, whatever was in it.
    pub(super) message: String,
    /// What it is about, by name.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Entry {
    /// One of now.
    pub(super) fn new(level: Level, message: &str, fields: Vec<(&'static str, String)>) -> Self {
        let mut time = String::new();
        // It fails only where the text does, and that never does.
        let _ = Stamp.format_time(&mut Writer::new(&mut time));
        let fields = fields.into_iter().map(|(name, value)| (name, one_line(&value))).collect();
        Self { level, time, message: one_line(message), fields }
    }

    /// One without fields.
    pub(super) fn info(message: &str) -> Self {
        Self::new(Level::INFO, message, Vec::new())
    }

    /// As text, without time: level, message, and the fields that the message does not name.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {}", self.level, self.message);
        for (name, value) in self.fields.iter().filter(|(name, _)| !NAMED.contains(name)) {
            // Into a String it never fails.
            let _ = write!(text, " {name}={value}");
        }
        text
    }

    /// As a line of a terminal or file, without its end.
    pub(super) fn stamped(&self) -> String {
        // The longest level has five letters.
        let padding = if self.level == Level::INFO || self.level == Level::WARN { " " } else { "" };
        format!("{} {padding}{}", self.time, self.text())
    }

    /// As one line of JSON, without its end.
    pub(super) fn json(&self) -> String {
        let fields = self.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let line = Line {
            time: &self.time,
            level: self.level.as_str(),
            pid: std::process::id(),
            message: &self.message,
            fields,
        };
        // Strings and numbers can always be written.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// The severity of a line (RFC 5424 §6.2.1).
    pub(super) fn severity(&self) -> u8 {
        match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    level: &'a str,
    pid: u32,
    message: &'a str,
    #[serde(flatten)]
    fields: BTreeMap<&'a str, &'a str>,
}

/// A message without what would end its line, or tell a terminal to do something: such characters are written
/// as in a Rust string (`\n`, `\u{1b}`). Names and errors come from files and from other programs.
pub(super) fn one_line(message: &str) -> String {
    let message = message.trim_end();
    // Nearly all are, and lanes have better things to do than to look at each character twice.
    if message.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return message.to_owned();
    }
    let mut line = String::with_capacity(message.len());
    for character in message.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// One whose time is known.
#[cfg(test)]
pub(super) fn of_test(message: &str) -> Entry {
    let fields = vec![("instance", "VI_1".to_owned()), ("master", "unix:/x".to_owned())];
    Entry { time: "2026-01-02T03:04:05.000006Z".into(), ..Entry::new(Level::INFO, message, fields) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGED: &str = "Script `x` failed (no\n<8>root: forged\r\0\x1b[2J \u{85})\n";

    #[test]
    fn no_message_can_forge_a_line() {
        let expected = r"INFO Script `x` failed (no\n<8>root: forged\r\u{0}\u{1b}[2J \u{85})";
        assert_eq!(Entry::info(FORGED).text(), expected);
        let field = Entry::new(Level::WARN, "x", vec![("error", "a\nb".into())]);
        assert_eq!(field.text(), r"WARN x error=a\nb");
    }

    #[test]
    fn a_line_has_time_level_message_and_what_the_message_does_not_say() {
        let entry = of_test("(VI_1) Entering MASTER STATE");
        let expected = "2026-01-02T03:04:05.000006Z  INFO (VI_1) Entering MASTER STATE master=unix:/x";
        assert_eq!(entry.stamped(), expected);
        let error = Entry { level: Level::ERROR, ..entry };
        assert!(error.stamped().starts_with("2026-01-02T03:04:05.000006Z ERROR (VI_1)"));
    }

    #[test]
    fn a_line_of_json_has_every_field_by_name() {
        let line: serde_json::Value = serde_json::from_str(&of_test("say \"x\"").json()).unwrap();
        let expected = serde_json::json!({
            "time": "2026-01-02T03:04:05.000006Z", "level": "INFO", "pid": std::process::id(),
            "message": "say \"x\"", "instance": "VI_1", "master": "unix:/x",
        });
        assert_eq!(line, expected);
    }
}
