//! Uses of parameters that nobody has defined above: to the language they are text.

use super::{Reader, secrets::takes_secret};
use crate::config::{
    Diagnostic, Prose, Severity, Span, keywords,
    text::{Text, is_blank},
    value,
};

/// What is remembered until the end, where it is known which definitions come too late.
const MOST: usize = 1000;

/// A use of a parameter without a value.
pub(super) struct Undefined {
    name: String,
    at: Span,
    /// It is written as `${NAME}`: its braces are reported as those of a block.
    braced: bool,
    /// It stands in quotes, where a `$` may well be meant for another program.
    quoted: bool,
}

impl Reader<'_> {
    /// Looks at a line in which every parameter that has a value has been replaced.
    pub(super) fn notice_undefined(&mut self, text: &Text) {
        let line = text.as_str();
        for (at, _) in line.match_indices('$') {
            let (before, rest) = (&line[..at], &line[at + 1..]);
            let braced = rest.starts_with('{');
            let Some((name, behind)) = value::name(rest.trim_start_matches('{')) else { continue };
            // Built-in names have findings of their own, and a password may begin with a `$`.
            if name.starts_with('_') || takes_secret(before) {
                continue;
            }
            let place = text.span_of(at..at + 1 + usize::from(braced) + name.len());
            if self.parameters.is_defined(name) {
                let ends = behind.chars().next().is_none_or(|c| is_blank(c) || matches!(c, ',' | ')'));
                if !braced && !ends {
                    self.report.add(misread(name, &place));
                }
            } else if self.undefined.len() < MOST {
                let quoted = before.matches('"').count() % 2 == 1;
                self.undefined.push(Undefined { name: name.to_owned(), at: place, braced, quoted });
            }
        }
    }

    /// At the end of everything: what the names without a value may be meant for.
    pub(super) fn report_undefined(&mut self) {
        for Undefined { name, at, braced, quoted } in std::mem::take(&mut self.undefined) {
            let notice = |headline| Diagnostic::new("undefined-parameter", Severity::Notice, headline, &at);
            let taken = if braced { "" } else { ": it is taken as text" };
            let found = if let Some(line) = self.secrets.definition(&name) {
                let place = Span { file: line.0.clone(), line: line.1, ..Span::default() }.beside(&at);
                notice(format!("${name} has no value yet: its definition at {place} comes too late"))
                    .help("move the definition above its first use")
            } else if let Some(near) = self.near(&name) {
                notice(format!("${name} is not defined{taken}")).help(format!("did you mean ${{{near}}}?"))
            } else if braced || quoted {
                continue;
            } else {
                notice(format!("${name} is not defined: it is taken as text")).help(Prose::from(
                    "define it above this line with $NAME=VALUE, or write the value itself",
                ))
            };
            self.report.add(found);
        }
    }

    /// The parameter that a name is most likely meant for.
    fn near(&self, name: &str) -> Option<&str> {
        // Of two letters every other name is near.
        let most = (name.len() / 3).min(2);
        let changes = |known: &&str| keywords::distance(known, name);
        let near =
            self.parameters.names().filter(|known| most > 0 && known.len().abs_diff(name.len()) <= most);
        near.min_by_key(changes).filter(|known| changes(known) <= most)
    }
}

/// `$NAME.x`: the name does not end where a value could begin.
fn misread(name: &str, place: &Span) -> Diagnostic {
    let headline = format!("${name} is taken as text here, for other characters follow it");
    Diagnostic::new("undefined-parameter", Severity::Notice, headline, place)
        .info("without braces a parameter ends at a blank, a comma, a ) or the end of the line")
        .help(format!("write ${{{name}}}"))
}
