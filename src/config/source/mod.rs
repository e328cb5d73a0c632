//! Files to logical lines: physical lines, comments, includes, conditionals, parameters, braces, in keepalived's
//! order (each step sees what the one before left over).
//!
//! Not here: what the words mean. Two words are looked at all the same, because they change the reading itself:
//! `include_check` and `random_seed`.

mod include;
mod iteration;
mod parameter;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    include::Checks,
    parameter::{Parameters, Value, definition},
};
use super::{
    Diagnostic, Environment, Options, Report, Severity, SourceText, Span,
    text::{Line, Piece, Text, is_blank},
    value,
};

/// The longest physical line, as keepalived has it.
const MAX_LINE_BYTES: usize = 1023;
/// Files that include themselves end here.
const MAX_INCLUDE_DEPTH: usize = 16;
/// Definitions within definitions and sequences within sequences end here.
const MAX_NESTING: usize = 64;
/// Parameters that one line may have replaced: definitions that contain themselves end here.
const MAX_EXPANSIONS: usize = 200;
/// What one line may grow to by substitution, in bytes.
const MAX_EXPANDED: usize = 64 * 1024;
/// Files in one reading: files that include one another in circles end here.
const MAX_FILES: usize = 4096;
/// Lines that multi-line definitions, `~SEQ` and `~LST` may come to in one reading.
const MAX_REPLAYED: usize = 2_000_000;
/// What substitution, multi-line definitions, `~SEQ` and `~LST` may write in one reading, in bytes.
const MAX_WRITTEN: usize = 64 << 20;
/// What one file may hold, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// What all files of one reading may hold, in bytes; a file counts each time it is read.
const MAX_TOTAL_BYTES: u64 = 16 << 20;

/// A logical line.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// `{` alone.
    Open(Span),
    /// `}` alone.
    Close(Span),
    /// A keyword with its words.
    Line(Line),
}

/// Reads the main file and all it includes.
pub(super) fn read(
    path: &Path,
    options: &Options<'_>,
    env: &dyn Environment,
    report: &mut Report,
) -> Vec<Item> {
    let host = || env.host_name().split('.').next().unwrap_or_default().to_owned();
    let id = options.config_id.map_or_else(host, str::to_owned);
    let mut reader = Reader {
        env,
        report,
        parameters: Parameters::new(id, env.random_seed()),
        defining: None,
        directories: Vec::new(),
        open: Vec::new(),
        checks: if options.check_includes { Checks::ALL } else { Checks::default() },
        files: 0,
        read: 0,
        replayed: 0,
        written: 0,
        items: Vec::new(),
    };
    reader.main_file(path);
    reader.items
}

struct Reader<'a> {
    env: &'a dyn Environment,
    report: &'a mut Report,
    parameters: Parameters,
    /// A multi-line definition whose end has not come.
    defining: Option<(String, Vec<String>)>,
    /// Directories of the files that are open, innermost last.
    directories: Vec<PathBuf>,
    /// The names of these files.
    open: Vec<PathBuf>,
    /// What `include_check` asks for in this file.
    checks: Checks,
    /// Files so far, and what they held in bytes.
    files: usize,
    read: u64,
    /// Lines of multi-line definitions and sequences so far.
    replayed: usize,
    /// Bytes that [`MAX_WRITTEN`] bounds so far.
    written: usize,
    items: Vec<Item>,
}

impl Reader<'_> {
    fn main_file(&mut self, path: &Path) {
        let files = self.env.glob(&path.to_string_lossy());
        let whole = Span { file: path.to_string_lossy().into(), line: 0, column: 0, length: 0 };
        if files.is_empty() {
            self.report.add(
                Diagnostic::new(
                    "no-configuration",
                    Severity::NoFile,
                    format!("there is no configuration file {}", path.display()),
                    &whole,
                )
                .help("create it, or name another one with --use-file"),
            );
        }
        for file in files {
            self.file(&file, &whole, Severity::NoFile);
        }
        if let Some((name, _)) = self.defining.take() {
            self.report.add(
                Diagnostic::new(
                    "unfinished-definition",
                    Severity::Error,
                    format!("the definition of ${name} has no last line"),
                    &whole,
                )
                .info("everything after it was read as part of its value")
                .help("leave out the \\ at the end of its last line"),
            );
        }
    }

    /// Reads one file; a file that cannot be used is reported at `asked` with `severity`.
    fn file(&mut self, path: &Path, asked: &Span, severity: Severity) {
        let refuse = |reader: &mut Self, why: String, help: &str| {
            let headline = format!("configuration file {} {why}", path.display());
            reader.report.add(Diagnostic::new("unusable-file", severity, headline, asked).help(help));
        };
        if self.env.is_executable_or_directory(path) {
            return refuse(
                self,
                "is a directory or executable".into(),
                "configuration is read from plain files: chmod a-x the file, or name the file inside the directory",
            );
        }
        let left = MAX_TOTAL_BYTES - self.read;
        let bytes = match self.env.read_file(path, MAX_FILE_BYTES.min(left)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return self.too_large(path, left, asked, severity);
            }
            Err(error) => {
                return refuse(
                    self,
                    format!("cannot be read: {error}"),
                    "check the name and the file's permissions",
                );
            }
        };
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        self.files += 1;
        self.read += u64::try_from(bytes.len()).unwrap_or(left).min(left);
        drop(bytes);
        let name: Arc<str> = path.to_string_lossy().into();
        let included_at = (asked.line > 0).then(|| asked.clone());
        // A file that is read again is not kept again.
        if self.report.sources.iter().all(|source| source.name != name) {
            self.report.sources.push(SourceText {
                name: Arc::clone(&name),
                text: Arc::clone(&text),
                included_at,
                secret: BTreeSet::new(),
            });
        }
        self.open.push(path.to_path_buf());
        self.directories.push(path.parent().unwrap_or(Path::new("")).to_path_buf());
        let checks = self.checks;
        for (index, line) in text.split('\n').enumerate() {
            self.physical_line(&name, index + 1, line);
        }
        self.checks = checks;
        self.directories.pop();
        self.open.pop();
    }

    /// Part of a configuration is never left out in silence, whatever the form of the include.
    fn too_large(&mut self, path: &Path, left: u64, asked: &Span, severity: Severity) {
        let (what, limit) = if left < MAX_FILE_BYTES {
            ("all files together may hold", MAX_TOTAL_BYTES)
        } else {
            ("a file may hold", MAX_FILE_BYTES)
        };
        let limit = limit >> 20;
        let headline = format!("configuration file {} is too large and is not read", path.display());
        self.report.add(
            Diagnostic::new("file-too-large", severity.max(Severity::Error), headline, asked)
                .info(format!("{what} {limit} MiB"))
                .help("name a configuration file, or shorten it with parameters and ~SEQ"),
        );
    }

    fn physical_line(&mut self, file: &Arc<str>, number: usize, line: &str) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        // The most frequent line of all.
        if self.defining.is_none() && line.trim_matches(is_blank) == "}" {
            let column = line.find('}').unwrap_or_default() + 1;
            let place = Span { file: Arc::clone(file), line: number, column, length: 1 };
            return self.items.push(Item::Close(place));
        }
        let mut text = Text::new(file, number, line);
        if line.len() > MAX_LINE_BYTES {
            let place = Span { length: 0, ..text.span() };
            let headline = format!("line of {} bytes is too long and is ignored", line.len());
            self.report.add(
                Diagnostic::new("line-too-long", Severity::Error, headline, &place)
                    .help(format!("a line holds at most {MAX_LINE_BYTES} bytes: split it")),
            );
            return;
        }
        if line.as_bytes().contains(&0) {
            let headline = "line contains NUL bytes, which are ignored";
            let place = Span { length: 0, ..text.span() };
            self.report.add(
                Diagnostic::new("nul-byte", Severity::Error, headline, &place)
                    .help("save the file as plain text"),
            );
            text = text.without(b'\0');
        }
        let stripped = text.strip();
        if let Some((mark, place)) = stripped.cut_word {
            self.report_cut_word(mark, &place);
        }
        if self.defining.is_some() {
            self.continue_definition(&text, stripped.continued);
        } else if !text.is_empty() {
            self.logical(text, stripped.continued, 0);
        }
    }

    fn report_cut_word(&mut self, mark: char, place: &Span) {
        let headline = format!("`{mark}` in the middle of a word begins a comment");
        self.report.add(
            Diagnostic::new("comment-inside-word", Severity::Notice, headline, place)
                .info("the rest of the line is not part of the value")
                .help(format!(
                    "put the word in double quotes, or write \\{mark}, to keep it; put a blank before a comment"
                )),
        );
    }

    /// Conditionals, includes, definitions and substitution, again and again until the line is plain.
    fn logical(&mut self, mut text: Text, mut continued: bool, depth: usize) {
        for _ in 0..MAX_EXPANSIONS {
            if self.include(&text) {
                return;
            }
            match text.as_str().as_bytes().first() {
                Some(b'@') => {
                    let Some(rest) = self.conditional(&text) else {
                        return;
                    };
                    text = rest;
                    continue;
                }
                Some(b'~') if self.iteration(&text, depth) => return,
                Some(b'$') => {
                    if let Some((name, value)) = definition(&text) {
                        return self.define(name, value, continued);
                    }
                }
                _ => {}
            }
            if text.as_str().len() > MAX_EXPANDED || self.written > MAX_WRITTEN {
                break;
            }
            let Some((line, at, value)) = self.substitute(&text, text.as_str().len()) else {
                return self.emit(text);
            };
            text = line;
            continued = text.strip_from(at).continued;
            if value.len() > 1 {
                self.logical_if_any(text.clone(), depth);
                return self.replay(&text, &value[1..], depth);
            }
            if text.is_empty() {
                return;
            }
        }
        self.report_endless(&text);
    }

    fn define(&mut self, name: String, value: String, continued: bool) {
        if continued {
            let lines = if value.is_empty() { vec![] } else { vec![value] };
            self.defining = Some((name, lines));
        } else {
            self.parameters.define(&name, [value]);
        }
    }

    /// Whether so many more lines and bytes may be made of one line; reports when not.
    fn may_replay(&mut self, place: &Text, lines: usize, bytes: usize, depth: usize) -> bool {
        self.replayed = self.replayed.saturating_add(lines);
        self.written = self.written.saturating_add(bytes);
        let may = depth < MAX_NESTING && self.replayed <= MAX_REPLAYED && self.written <= MAX_WRITTEN;
        if !may {
            self.report_endless(place);
        }
        may
    }

    /// The further lines of a multi-line definition.
    fn replay(&mut self, place: &Text, lines: &[String], depth: usize) {
        if !self.may_replay(place, lines.len(), lines.iter().map(String::len).sum(), depth) {
            return;
        }
        for line in lines {
            let mut text = place.standing_in(line);
            text.strip();
            self.logical_if_any(text, depth);
        }
    }

    fn continue_definition(&mut self, text: &Text, continued: bool) {
        if let Some((name, mut value)) = self.defining.take() {
            if !text.is_empty() {
                value.push(text.as_str().to_owned());
            }
            if continued {
                self.defining = Some((name, value));
            } else {
                self.parameters.define(&name, value);
            }
        }
    }

    fn logical_if_any(&mut self, text: Text, depth: usize) {
        if !text.is_empty() {
            self.logical(text, false, depth + 1);
        }
    }

    /// Said once for each line of a file, however often it is expanded.
    fn report_endless(&mut self, text: &Text) {
        let line = Some((&text.file, text.line as usize));
        let last = self.report.diagnostics.last().and_then(|found| found.span.as_ref());
        if last.map(|span| (&span.file, span.line)) == line {
            return;
        }
        self.report.add(
            Diagnostic::new(
                "endless-expansion",
                Severity::Error,
                "this line's parameters expand without end",
                &text.span(),
            )
            .help("a definition must not contain itself"),
        );
    }

    /// `@ID rest` and `@^ID rest`: the rest if the line is for this id.
    fn conditional(&mut self, text: &Text) -> Option<Text> {
        let word = text.first_word();
        let (negated, id) = match word.strip_prefix("@^") {
            Some(id) => (true, id),
            None => (false, word.strip_prefix('@').unwrap_or(word)),
        };
        let rest = text.after(word.len());
        ((id == self.parameters.config_id) != negated && !rest.is_empty()).then_some(rest)
    }

    /// `~SEQ`, `~SEQx` and `~LST`: the rest of the line is read once for each value. True when the line was one.
    fn iteration(&mut self, text: &Text, depth: usize) -> bool {
        let Some((kind, length)) = iteration::kind(text.as_str()) else {
            return false;
        };
        let mut head = text.clone();
        // The bounds may be parameters; what follows the head waits until the names have their values.
        let end = loop {
            let Some(end) = head.as_str().find(')') else {
                self.report_iteration(text, "its ) is missing");
                return true;
            };
            match self.substitute(&head, end) {
                Some((replaced, ..)) => head = replaced,
                None => break end,
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
        for round in 0..found.rounds.len() {
            if self.replayed > MAX_REPLAYED || self.written > MAX_WRITTEN {
                break;
            }
            for (name, value) in found.names.iter().zip(found.rounds.values(round)) {
                self.parameters.define(name, [value]);
            }
            self.logical(rest.clone(), false, depth + 1);
        }
        true
    }

    fn report_iteration(&mut self, text: &Text, why: &str) {
        let headline = format!("this line cannot be repeated: {why}");
        self.report.add(
            Diagnostic::new("invalid-iteration", Severity::Error, headline, &text.span()).help(
                "write ~SEQ(NAME, START, STEP, END) or ~LST(NAME, VALUE, VALUE), then the line to repeat",
            ),
        );
    }

    /// Replaces the first parameter that is defined and begins before a byte. `None` when there is none. The second
    /// part is where it was, the third its whole value, of which only the first line is in the text.
    fn substitute(&mut self, text: &Text, end: usize) -> Option<(Text, usize, Value)> {
        let line = text.as_str();
        if line.len() > MAX_EXPANDED || self.written > MAX_WRITTEN {
            return None;
        }
        let directory = self.directories.last().map_or(Path::new(""), PathBuf::as_path);
        let mut starts = line[..end].match_indices('$');
        let (at, length, value) = starts.find_map(|(at, _)| {
            let used = parameter::used(&line[at..])?;
            Some((at, used.length, self.parameters.value(&used, directory, self.env)?))
        })?;
        let replaced = text.replace(at..at + length, value.first().map_or("", String::as_str));
        self.written += replaced.as_str().len();
        Some((replaced, at, value))
    }

    /// `include` and its stricter forms. True when the line was one.
    fn include(&mut self, text: &Text) -> bool {
        let keyword = text.first_word();
        let Some(checks) = Checks::of(keyword).map(|checks| checks.and(self.checks)) else {
            return false;
        };
        let Ok(line) = Line::new(text.clone()) else {
            return false;
        };
        let place = line.word(1).map_or_else(|| text.span(), |word| word.span());
        let Some(pattern) = line.word(1) else {
            self.report.add(
                Diagnostic::new(
                    "missing-argument",
                    Severity::Error,
                    format!("{keyword} names no file"),
                    &place,
                )
                .help(format!("write {keyword} FILE, relative to this file's directory")),
            );
            return true;
        };
        if self.directories.len() >= MAX_INCLUDE_DEPTH || self.files >= MAX_FILES {
            return self.report_too_deep(&place);
        }
        let directory = self.directories.last().cloned().unwrap_or_default();
        for alternative in include::alternatives(pattern.text) {
            let files = self.env.glob(&directory.join(&alternative).to_string_lossy());
            if files.is_empty() {
                self.report_no_match(&alternative, &place, checks.when_missing(pattern.text, &alternative));
            }
            for file in files {
                if self.open.contains(&file) {
                    self.report_too_deep(&place);
                } else {
                    self.file(&file, &place, checks.when_unusable());
                }
            }
        }
        true
    }

    fn report_too_deep(&mut self, place: &Span) -> bool {
        self.report.add(
            Diagnostic::new(
                "include-too-deep",
                Severity::Error,
                "too many files include one another: this one is not read",
                place,
            )
            .help("a file must not include itself"),
        );
        true
    }

    fn report_no_match(&mut self, pattern: &str, place: &Span, severity: Severity) {
        let headline = format!("no file matches {pattern}");
        self.report.add(
            Diagnostic::new("include-nothing", severity, headline, place)
                .help("a relative name starts at the directory of the file that includes it"),
        );
    }

    fn emit(&mut self, text: Text) {
        text.split_braces(|piece| match piece {
            Piece::Open(place) => self.items.push(Item::Open(place)),
            Piece::Close(place) => self.items.push(Item::Close(place)),
            Piece::Words(text) => match Line::new(text) {
                Ok(line) => {
                    self.notice(&line);
                    self.items.push(Item::Line(line));
                }
                Err(Some(open_quote)) => self.report.add(super::tree::open_quote(&open_quote)),
                Err(None) => {}
            },
        });
    }

    /// The words of `global_defs` that change how the rest is read.
    fn notice(&mut self, line: &Line) {
        match line.first().text {
            "include_check" => self.checks = self.checks.changed(line.words(1)),
            "random_seed" => {
                if let Some(seed) = line.word(1).and_then(|word| word.text.parse().ok()) {
                    self.parameters.seed(seed);
                }
            }
            _ => {}
        }
    }
}
