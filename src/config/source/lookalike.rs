//! Characters that look like a blank, a quote or a hyphen, and to the language are letters: word processors, web pages and
//! chats put them there.

use super::{Reader, secrets::takes_secret};
use crate::config::{Diagnostic, Prose, Severity, text::Text};

/// The character, what it is called, and what is meant.
const LOOKALIKES: &[(char, &str, &str)] = &[
    ('\u{a0}', "a no-break space", "a plain blank"),
    ('\u{2009}', "a thin space", "a plain blank"),
    ('\u{202f}', "a narrow no-break space", "a plain blank"),
    ('\u{3000}', "an ideographic space", "a plain blank"),
    ('\u{200b}', "an invisible space", "nothing"),
    ('\u{feff}', "a byte order mark", "nothing"),
    ('“', "a typographic quote", "a plain \""),
    ('”', "a typographic quote", "a plain \""),
    ('„', "a typographic quote", "a plain \""),
    ('‘', "a typographic quote", "a plain '"),
    ('’', "a typographic quote", "a plain '"),
    ('–', "a dash", "a plain -"),
    ('—', "a dash", "a plain -"),
    ('\u{2212}', "a minus sign", "a plain -"),
];

impl Reader<'_> {
    /// Says of the first of them on a line, outside quotes and passwords, that it is part of a word.
    pub(super) fn report_lookalike(&mut self, text: &Text) {
        let line = text.as_str();
        if line.is_ascii() {
            return;
        }
        let found = line.char_indices().find_map(|(at, c)| {
            let (_, name, meant) = LOOKALIKES.iter().find(|(lookalike, ..)| *lookalike == c)?;
            Some((at, c, name, meant))
        });
        let Some((at, c, name, meant)) = found else { return };
        let before = &line[..at];
        if before.matches('"').count() % 2 == 1 || takes_secret(before) {
            return;
        }
        let headline = Prose::own(format!("this is {name}: to the language it is part of a word"));
        let place = text.span_of(at..at + c.len_utf8());
        self.report.add(
            Diagnostic::new("lookalike-character", Severity::Notice, headline, &place)
                .help(Prose::own(format!("write {meant} in its place"))),
        );
    }
}
