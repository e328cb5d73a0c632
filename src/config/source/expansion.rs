//! What becomes of a line with parameters, and lines that stand for several. All of it is bounded.

use memchr::memchr;

use super::{
    Input, Reader,
    files::directory,
    iteration::{self, Iteration},
    parameter::{self, Value},
};
use crate::config::{Diagnostic, Severity, text::Text};

/// Definitions within definitions and sequences within sequences end here.
const MAX_NESTING: usize = 64;
/// Parameters that one line may have replaced: definitions that contain themselves end here.
pub(super) const MAX_EXPANSIONS: usize = 200;
/// What one line may grow to by substitution, in bytes.
pub(super) const MAX_EXPANDED: usize = 64 * 1024;
/// Lines that multi-line definitions, `~SEQ` and `~LST` may come to in one reading.
const MAX_REPLAYED: usize = 1_000_000;
/// What substitution, multi-line definitions, `~SEQ` and `~LST` may write in one reading, in bytes.
pub(super) const MAX_WRITTEN: usize = 32 << 20;

/// The further lines of a multi-line definition.
pub(super) struct Repetition {
    /// The line that names it, and within how many others it stands.
    place: Text,
    depth: usize,
    lines: Value,
    /// Which line comes next.
    next: usize,
}

/// The further rounds of a line that is read once for each value.
pub(super) struct Rounds {
    iteration: Iteration,
    /// What is read each time, and within how many others it stands.
    line: Text,
    depth: usize,
    /// Which round comes next.
    next: usize,
}

impl Reader<'_> {
    pub(super) fn define(&mut self, name: String, value: String, continued: bool) {
        if continued {
            let lines = if value.is_empty() { vec![] } else { vec![value] };
            self.defining = Some((name, lines));
        } else {
            self.parameters.define(&name, [value]);
        }
    }

    pub(super) fn continue_definition(&mut self, text: &Text, continued: bool) {
        if let Some((name, mut value)) = self.defining.take() {
            if !text.is_empty() {
                self.secrets.defined(&name, &text.span());
                value.push(text.as_str().to_owned());
            }
            if continued {
                self.defining = Some((name, value));
            } else {
                self.parameters.define(&name, value);
            }
        }
    }

    /// Whether so many more lines and bytes may be made of one line; reports when not.
    fn may_replay(&mut self, place: &Text, lines: usize, bytes: usize, depth: usize) -> bool {
        self.replayed = self.replayed.saturating_add(lines);
        self.written = self.written.saturating_add(bytes);
        let may = depth < MAX_NESTING && self.has_budget();
        if !may {
            self.report_endless(place);
        }
        may
    }

    /// Whether definitions and sequences may still make lines.
    fn has_budget(&self) -> bool {
        self.replayed <= MAX_REPLAYED && self.written <= MAX_WRITTEN
    }

    /// A line in which a definition of several lines was named: the line with the first of them, then the others.
    pub(super) fn repeat(&mut self, text: Text, lines: Value, depth: usize) {
        let further = &lines[1..];
        if !self.may_replay(&text, further.len(), further.iter().map(String::len).sum(), depth) {
            return;
        }
        self.inputs.push(Input::Repetition(Repetition { place: text.clone(), depth, lines, next: 1 }));
        self.push_line(text, depth);
    }

    fn push_line(&mut self, text: Text, depth: usize) {
        if !text.is_empty() {
            self.inputs.push(Input::Line(text, depth + 1));
        }
    }

    /// The next of the further lines of a definition.
    pub(super) fn next_repeated(&mut self) {
        let Some(Input::Repetition(repetition)) = self.inputs.pop() else { return };
        let Repetition { place, depth, lines, next } = repetition;
        if let Some(line) = lines.get(next) {
            let mut text = place.standing_in(line);
            text.strip();
            let next = next + 1;
            self.inputs.push(Input::Repetition(Repetition { place, depth, lines, next }));
            self.push_line(text, depth);
        }
    }

    /// Replaces the first parameter that is defined and begins before a byte. `None` when there is none. The second
    /// part is where it was, the third its whole value, of which only the first line is in the text.
    pub(super) fn substitute(&mut self, text: &Text, end: usize) -> Option<(Text, usize, Value)> {
        let line = text.as_str();
        if line.len() > MAX_EXPANDED || self.written > MAX_WRITTEN {
            return None;
        }
        // Nearly every line ends here.
        memchr(b'$', line.as_bytes())?;
        let directory = directory(&self.open);
        let mut starts = line[..end].match_indices('$');
        let (at, used, value) = starts.find_map(|(at, _)| {
            let used = parameter::used(&line[at..])?;
            let value = self.parameters.value(&used, directory, self.env)?;
            Some((at, used, value))
        })?;
        let length = used.length;
        let (before, behind) = (&line[..at], &line[at + length..]);
        self.secrets.used(used.name, &value, &text.span_of(at..at + length), before, behind);
        let replaced = text.replace(at..at + length, value.first().map_or("", String::as_str));
        self.written += replaced.as_str().len();
        Some((replaced, at, value))
    }

    /// `~SEQ`, `~SEQx` and `~LST`: the rest of the line is read once for each value. True when the line was one.
    pub(super) fn iteration(&mut self, text: &Text, depth: usize) -> bool {
        let Some((kind, length)) = iteration::kind(text.as_str()) else {
            return false;
        };
        let mut head = text.clone();
        // The bounds may be parameters; what follows the head waits until the names have their values.
        let mut expansions = 0..MAX_EXPANSIONS;
        let end = loop {
            let Some(end) = head.as_str().find(')') else {
                self.report_iteration(text, "its ) is missing");
                return true;
            };
            match self.substitute(&head, end) {
                None => break end,
                Some((replaced, ..)) if expansions.next().is_some() => head = replaced,
                Some(_) => {
                    self.report_endless(text);
                    return true;
                }
            }
        };
        let found = match iteration::parse(kind, &head.as_str()[length..end]) {
            Ok(found) => found,
            Err(why) => {
                self.report_iteration(text, &why);
                return true;
            }
        };
        let rest = head.after(end + 1);
        let bytes = found.rounds.len().saturating_mul(rest.as_str().len());
        if rest.is_empty() || !self.may_replay(text, found.rounds.len(), bytes, depth) {
            return true;
        }
        self.inputs.push(Input::Rounds(Rounds { iteration: found, line: rest, depth, next: 0 }));
        true
    }

    /// The next round of a line that is read once for each value.
    pub(super) fn next_round(&mut self) {
        let has_budget = self.has_budget();
        let Some(Input::Rounds(rounds)) = self.inputs.last_mut() else { return };
        if rounds.next == rounds.iteration.rounds.len() || !has_budget {
            self.inputs.pop();
            return;
        }
        for (name, value) in rounds.iteration.names.iter().zip(rounds.iteration.rounds.values(rounds.next)) {
            self.parameters.define(name, [value]);
        }
        rounds.next += 1;
        let (line, depth) = (rounds.line.clone(), rounds.depth + 1);
        self.logical(line, false, depth);
    }

    fn report_iteration(&mut self, text: &Text, why: &str) {
        let headline = format!("this line cannot be repeated: {why}");
        self.report.add(
            Diagnostic::new("invalid-iteration", Severity::Error, headline, &text.span()).help(
                "write ~SEQ(NAME, START, STEP, END) or ~LST(NAME, VALUE, VALUE), then the line to repeat",
            ),
        );
    }

    /// Said once for each line of a file, however often it is expanded.
    pub(super) fn report_endless(&mut self, text: &Text) {
        let last = self.report.diagnostics.last().and_then(|found| found.span.as_ref());
        if last.is_some_and(|place| text.is_at(place)) {
            return;
        }
        let error = |id, headline: &'static str| Diagnostic::new(id, Severity::Error, headline, &text.span());
        self.report.add(if self.has_budget() {
            error("endless-expansion", "this line's parameters expand without end")
                .help("a definition must not contain itself")
        } else {
            let most = MAX_WRITTEN >> 20;
            error(
                "expansion-too-large",
                "definitions and sequences come to too much: the rest is not expanded",
            )
            .info(format!("all of them together may make {MAX_REPLAYED} lines and {most} MiB"))
            .help("let the sequences above count to less, or write fewer of them")
        });
    }
}
