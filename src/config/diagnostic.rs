//! What is wrong with a configuration: found here and there, collected in a [`Report`], rendered elsewhere.
//!
//! A diagnostic is a finding, not a text layout: [`super::render`] draws it for a terminal or as one log line.
//! Exit codes are decided here, because they are a property of the findings (keepalived(8), "EXIT STATUS").

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Prose, secrets::Secrets};

/// Findings of one id and severity that are kept; further ones are counted. Each word of the language is reported once
/// when it has no effect yet, and there are fewer words than this.
const MAX_OF_A_KIND: usize = 1000;
/// What a finding may quote of a line that parameters made long, in bytes.
const MAX_HEADLINE: usize = 1500;

/// A secret of so many bytes is hidden in findings about lines that do not name it, too: a name may have come from it.
/// Shorter ones stand in other words by chance.
const TELLING_SECRET: usize = 5;

/// A place in the configuration text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file's name as it was opened.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 when the message is about the file as a whole.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Length in characters; 0 points between two characters.
    pub length: usize,
}

impl Span {
    /// The place in words: the line alone when a message about `other` shows the same file anyway.
    pub fn beside(&self, other: &Self) -> String {
        if self.file == other.file {
            format!("line {}", self.line)
        } else {
            format!("{}:{}", self.file, self.line)
        }
    }
}

/// How bad a finding is, and thereby which exit code it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing, changes no exit code: chiefly keywords that have no effect yet.
    Notice,
    /// The program runs, but takes over or sends packets otherwise than the file asks for; changes no exit code.
    Warning,
    /// The setting is not used as written; a configuration test exits with 5.
    Error,
    /// Scripts run with more rights than is safe; a configuration test exits with 6.
    Security,
    /// The program cannot start with this (exit 2); a configuration test exits with 5.
    Refused,
    /// The main file must not be read by this user: a start exits with 6, a configuration test with 4.
    Unreadable,
    /// A file that must be there is not: both a start and a configuration test exit with 6.
    NoFile,
    /// Reading stopped here; both a start and a configuration test exit with 2.
    Fatal,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name of the kind of finding, such as `unknown-keyword`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One short phrase that stands alone.
    pub headline: Prose,
    /// Where it is; `None` when no single place is to blame.
    pub span: Option<Span>,
    /// Why it matters.
    pub info: Option<Prose>,
    /// What to write instead.
    pub help: Option<Prose>,
    /// The word that has no effect yet, when that is what is wrong.
    pub word: Option<&'static str>,
}

impl Diagnostic {
    /// A finding at a place; `info` and `help` are added with [`Self::info`] and [`Self::help`].
    pub fn new(id: &'static str, severity: Severity, headline: impl Into<Prose>, span: &Span) -> Self {
        Self {
            id,
            severity,
            headline: headline.into(),
            span: Some(span.clone()),
            info: None,
            help: None,
            word: None,
        }
    }

    /// Another kind of finding than was said at first.
    #[must_use]
    pub fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// Better or worse than was said at first.
    #[must_use]
    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says which word has no effect yet.
    #[must_use]
    pub(super) fn idle(mut self, word: &'static str) -> Self {
        self.word = Some(word);
        self
    }

    /// Says why it matters.
    #[must_use]
    pub fn info(mut self, info: impl Into<Prose>) -> Self {
        self.info = Some(info.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<Prose>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A file that was read, kept so that a message can show its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The file's name as it was opened.
    pub name: Arc<str>,
    /// What it held; bytes that are not UTF-8 are replaced.
    pub text: Arc<String>,
    /// The line that included it; `None` for the main file.
    pub included_at: Option<Span>,
    /// Lines, counted from 1, of blocks with passwords and of definitions of passwords, with the column from which on they
    /// are masked where they are shown.
    pub(super) secret: BTreeMap<usize, usize>,
}

/// Everything that was found in one reading of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, each at its first reading.
    pub sources: Vec<SourceText>,
    /// Passwords that parameters stand for.
    pub(super) secrets: Arc<Secrets>,
    /// Lines, by file, that define or name such a parameter: its value is masked in what is said about them.
    pub(super) tainted: HashMap<Arc<str>, BTreeSet<usize>>,
    /// How often each kind of finding was added.
    pub(super) kinds: HashMap<(&'static str, Severity), Kind>,
}

/// How often a kind of finding was added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    count: usize,
    /// Where the first one is that was not kept.
    omitted: Option<Span>,
}

impl Report {
    /// Adds a finding, unless it is the last one again: a line that stands for thousands says it once.
    pub fn add(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.headline.shorten(MAX_HEADLINE);
        let known = self.diagnostics.last() == Some(&diagnostic);
        if !known && !self.counts_only(diagnostic.id, diagnostic.severity, diagnostic.span.as_ref()) {
            self.kinds.entry((diagnostic.id, diagnostic.severity)).or_default().count += 1;
            self.diagnostics.push(diagnostic);
        }
    }

    /// Adds those that there are.
    pub(super) fn add_all(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        found.into_iter().for_each(|one| self.add(one));
    }

    /// Counts a finding of a kind of which no more are kept; false when this one would be, and nothing is counted.
    pub(super) fn counts_only(&mut self, id: &'static str, severity: Severity, span: Option<&Span>) -> bool {
        let Some(kind) = self.kinds.get_mut(&(id, severity)).filter(|kind| kind.count >= MAX_OF_A_KIND)
        else {
            return false;
        };
        kind.count += 1;
        kind.omitted = kind.omitted.take().or_else(|| span.cloned());
        true
    }

    /// Says what was not kept: the end of every reading.
    pub(super) fn tell_omitted(&mut self) {
        let mut omitted: Vec<_> = self.kinds.drain().filter(|(_, kind)| kind.count > MAX_OF_A_KIND).collect();
        omitted.sort_unstable_by_key(|(kind, _)| *kind);
        self.diagnostics.extend(omitted.into_iter().map(|((id, _), kind)| Diagnostic {
            id: "more-findings",
            severity: Severity::Notice,
            headline: Prose::own(format!(
                "from here on, {} more findings of the kind {id}",
                kind.count - MAX_OF_A_KIND
            )),
            span: kind.omitted,
            info: Some(Prose::own(format!("only the first {MAX_OF_A_KIND} are listed"))),
            help: Some("mend those first; is this the right file?".into()),
            word: None,
        }));
    }

    /// Adds the findings of another reading of the same files.
    pub(super) fn append(&mut self, other: Self) {
        for found in other.diagnostics {
            self.add(found);
        }
        for (key, Kind { count, omitted }) in other.kinds {
            let further = count.saturating_sub(MAX_OF_A_KIND);
            if further > 0 {
                let kind = self.kinds.entry(key).or_default();
                kind.count += further;
                kind.omitted = kind.omitted.take().or(omitted);
            }
        }
    }

    /// The exit code of a configuration test: 0 nothing found, 4 the main file may not be read, 5 errors, 6 scripts that
    /// run insecurely or a file that is missing, 2 a keyword without its word.
    pub fn test_exit(&self) -> u8 {
        if self.has(Severity::Fatal) {
            2
        } else if self.has(Severity::Unreadable) {
            4
        } else if self.has(Severity::NoFile) || self.has(Severity::Security) {
            6
        } else if self.has(Severity::Error) || self.has(Severity::Refused) {
            5
        } else {
            0
        }
    }

    /// What kept the file from being read as a whole, `None` when nothing did.
    pub fn unusable(&self) -> Option<Self> {
        let mut why = self.clone();
        why.diagnostics.retain(|found| found.severity >= Severity::Unreadable);
        (!why.diagnostics.is_empty()).then_some(why)
    }

    /// The exit code with which a normal start must end at once, `None` when the program can run.
    pub fn start_exit(&self) -> Option<u8> {
        if self.has(Severity::Fatal) {
            Some(2)
        } else if self.has(Severity::NoFile) || self.has(Severity::Unreadable) {
            Some(6)
        } else {
            self.has(Severity::Refused).then_some(2)
        }
    }

    /// The words that the findings name as without effect.
    pub(super) fn idle_words(&self) -> impl Iterator<Item = (&'static str, Severity)> {
        self.diagnostics.iter().filter_map(|found| Some((found.word?, found.severity)))
    }

    /// Adds what was found in another reading.
    pub fn absorb(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.sources.extend(other.sources);
        self.secrets = Arc::new(self.secrets.iter().chain(other.secrets.iter()).cloned().collect());
        for (file, lines) in other.tainted {
            self.tainted.entry(file).or_default().extend(lines);
        }
    }

    /// Masks in the findings what parameters with passwords put into them.
    pub(super) fn mask_secrets(&mut self) {
        if self.secrets.is_empty() {
            return;
        }
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        for found in &mut diagnostics {
            let tainted = found.span.as_ref().is_some_and(|at| self.is_tainted(at));
            let least = if tainted { 0 } else { TELLING_SECRET };
            for text in
                [Some(&mut found.headline), found.info.as_mut(), found.help.as_mut()].into_iter().flatten()
            {
                text.replace_quoted(|text| self.mask_quoted(text, least));
            }
        }
        self.diagnostics = diagnostics;
    }

    /// What a text quotes stands between backquotes, where it has any: outside them a short password is rather one of
    /// our words.
    fn mask_quoted(&self, text: &str, least: usize) -> String {
        if !text.contains('`') {
            return self.secrets.mask(text, least);
        }
        let pieces = text.split('`').zip([TELLING_SECRET.max(least), least].into_iter().cycle());
        pieces.map(|(piece, least)| self.secrets.mask(piece, least)).collect::<Vec<_>>().join("`")
    }

    /// The passwords that a line may show without naming them; none for nearly every line.
    pub(super) fn secrets_in(&self, at: &Span) -> Option<&Arc<Secrets>> {
        (!self.secrets.is_empty() && self.is_tainted(at)).then_some(&self.secrets)
    }

    fn is_tainted(&self, at: &Span) -> bool {
        self.tainted.get(&at.file).is_some_and(|lines| lines.contains(&at.line))
    }

    /// Puts the findings in the order of the files as they were read, and of the lines in each.
    pub(crate) fn sort(&mut self) {
        let order: HashMap<Arc<str>, usize> =
            self.sources.iter().zip(1..).map(|(source, at)| (Arc::clone(&source.name), at)).collect();
        self.diagnostics.sort_by_cached_key(|found| {
            // What has no place in a file is about all of it, and comes last.
            let place = found.span.as_ref();
            place.map_or((usize::MAX, 0, 0), |at| {
                (order.get(&at.file).copied().unwrap_or(0), at.line, at.column)
            })
        });
    }

    fn has(&self, severity: Severity) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(severities: &[Severity]) -> Report {
        let span = Span { file: "x".into(), line: 1, column: 1, length: 1 };
        let diagnostics =
            severities.iter().map(|&severity| Diagnostic::new("test", severity, "x", &span)).collect();
        Report { diagnostics, ..Report::default() }
    }

    #[test]
    fn the_highest_class_decides_the_exit_code() {
        use Severity::{Error, Fatal, NoFile, Notice, Refused, Security, Unreadable, Warning};
        for (severities, test, start) in [
            (&[][..], 0, None),
            (&[Notice], 0, None),
            (&[Warning, Notice], 0, None),
            (&[Error, Notice], 5, None),
            (&[Error, Security], 6, None),
            (&[Refused], 5, Some(2)),
            (&[Refused, Security], 6, Some(2)),
            (&[NoFile, Error], 6, Some(6)),
            (&[Unreadable], 4, Some(6)),
            (&[Security, Fatal, Refused], 2, Some(2)),
        ] {
            let report = report(severities);
            assert_eq!((report.test_exit(), report.start_exit()), (test, start), "{severities:?}");
        }
    }
}
