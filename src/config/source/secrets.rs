//! Parameters that hold passwords: their values are masked wherever they are shown.
//!
//! A parameter is known to be one when it is replaced behind a word that takes a secret. Where it was defined and what
//! else it was used for may have been read long before, so every place is kept until the end.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::config::{Report, Span, keywords, text::is_blank};

/// A number of so few digits that stands for a part of a secret is rather an id, and hiding it would hide that id
/// everywhere.
const FEW_DIGITS: usize = 3;

/// A line of a file.
pub(super) type Place = (Arc<str>, usize);

/// What is known of a parameter.
#[derive(Default)]
struct Known {
    defined: BTreeSet<Place>,
    used: BTreeSet<Place>,
    last_use: Option<Place>,
    /// What it stood for behind a word that takes a secret.
    values: BTreeSet<String>,
}

/// Every parameter of a reading.
#[derive(Default)]
pub(super) struct Secrets(HashMap<String, Known>);

impl Secrets {
    fn known(&mut self, name: &str) -> &mut Known {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Known::default());
        }
        self.0.entry(name.to_owned()).or_default()
    }

    /// A line of a parameter's definition.
    pub(super) fn defined(&mut self, name: &str, at: &Span) {
        self.known(name).defined.insert((Arc::clone(&at.file), at.line));
    }

    /// The first line that defines a parameter.
    pub(super) fn definition(&self, name: &str) -> Option<&Place> {
        self.0.get(name)?.defined.first()
    }

    /// A parameter was replaced by `value` between what stands before and behind it in the line.
    pub(super) fn used(&mut self, name: &str, value: &[String], at: &Span, before: &str, behind: &str) {
        let known = self.known(name);
        let place = (Arc::clone(&at.file), at.line);
        if known.last_use.as_ref() != Some(&place) {
            known.used.insert(place.clone());
            known.last_use = Some(place);
        }
        if !takes_secret(before) {
            return;
        }
        let alone = before.ends_with([' ', '\t', '"'])
            && behind.chars().next().is_none_or(|c| is_blank(c) || c == '"');
        let id = |value: &str| value.len() <= FEW_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit());
        // A value that names another parameter is replaced in its turn.
        let secret = |value: &&String| !value.is_empty() && !value.contains('$') && (alone || !id(value));
        known.values.extend(value.first().filter(secret).cloned());
    }

    /// Tells the report which lines hold secrets, and what they are.
    pub(super) fn tell(self, report: &mut Report) {
        let mut secrets = Vec::new();
        for known in self.0.into_values().filter(|known| !known.values.is_empty()) {
            for (file, line) in &known.defined {
                if let Some(source) = report.sources.iter_mut().find(|source| source.name == *file) {
                    source.secret.insert(*line, 1);
                }
            }
            for (file, line) in known.defined.into_iter().chain(known.used) {
                report.tainted.entry(file).or_default().insert(line);
            }
            secrets.extend(known.values);
        }
        report.secrets = Arc::new(report.secrets.iter().cloned().chain(secrets).collect());
    }
}

/// Whether what follows these words is, or may be meant as, a secret.
pub(super) fn takes_secret(before: &str) -> bool {
    let mut words =
        before.split(|c: char| is_blank(c) || matches!(c, '{' | '}' | '"')).filter(|word| !word.is_empty());
    words.any(|word| keywords::takes_secret(word) || keywords::resembles_secret(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, value: &str, behind: &str) -> Vec<String> {
        let at = Span { file: "a".into(), line: 1, column: 1, length: 1 };
        let mut secrets = Secrets::default();
        secrets.used("P", &[value.to_owned()], &at, before, behind);
        let mut report = Report::default();
        secrets.tell(&mut report);
        report.secrets.iter().cloned().collect()
    }

    #[test]
    fn what_follows_a_word_for_secrets_is_one() {
        assert_eq!(told("auth_pass ", "geheim", ""), ["geheim"]);
        assert_eq!(told("{ auth_pas ", "geheim", " }"), ["geheim"]);
        assert_eq!(told("key 1 hex:", "0011", ""), ["0011"]);
        assert_eq!(told("auth_pass ", "12", ""), ["12"]);
        assert!(told("auth_pass geheim", "12", "").is_empty(), "an id within a password");
        assert!(told("router_id ", "geheim", "").is_empty());
        assert!(told("auth_pass ", "$OTHER", "").is_empty());
    }
}
