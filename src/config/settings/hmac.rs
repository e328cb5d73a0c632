//! `auth_hmac`: the keys that advertisements are signed with.

use super::{Effective, Secret, Setting, section};
use crate::config::{Diagnostic, Report, Severity, tree::Node, value};

section! {
    /// `auth_hmac`.
    AuthHmac of "auth_hmac" {
        key: Vec<HmacKey> = "key",
        active_key: Option<u8> = "active_key",
        anti_replay: Effective<&'static str> = "anti_replay",
        time_window: Option<u16> = "time_window",
        mode: Effective<&'static str> = "mode",
    }
}

/// `key ID VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacKey {
    /// The number that advertisements name it by, 1..=255.
    pub id: u8,
    /// The key as written: text, `hex:` with digits, or `file:` with a path.
    pub value: Secret,
}

/// Each line is one more key; the first of a number counts.
impl Setting for Vec<HmacKey> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        let id = node.argument().and_then(|word| value::integer(word.text));
        let id = id.and_then(|id| u8::try_from(id).ok()).filter(|id| *id > 0);
        let value = node.line.word(2).map(|word| Secret::new(word.text));
        let mut refuse = |why: &str, help: &'static str| {
            let headline = format!("{why}: the line is ignored");
            report.add(Diagnostic::new("invalid-value", Severity::Error, headline, &node.span()).help(help));
        };
        match (id, value) {
            (Some(id), _) if self.iter().any(|key| key.id == id) => {
                refuse("another key has this number", "give each key its own number");
            }
            (Some(id), Some(value)) => self.push(HmacKey { id, value }),
            _ => refuse("this is not a key", "write key N VALUE, with N from 1 to 255"),
        }
    }
}
