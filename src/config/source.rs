//! Files to logical lines: physical lines, comments, includes, conditionals, parameters, braces, in keepalived's
//! order (each step sees what the one before left over).
//!
//! Not here: what the words mean. `~SEQ` and `~LST` are recognised and reported, not carried out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Diagnostic, Environment, Report, Severity, SourceText, Span,
    text::{Placed, Text, Word, is_blank},
    value,
};

/// The longest physical line, as keepalived has it.
const MAX_LINE_BYTES: usize = 1023;
/// Files that include themselves end here.
const MAX_INCLUDE_DEPTH: usize = 16;
/// Definitions that contain themselves end here.
const MAX_EXPANSIONS: usize = 200;
/// What one line may grow to by substitution, in characters.
const MAX_EXPANDED: usize = 64 * 1024;
/// Files in one reading: files that include one another in circles end here.
const MAX_FILES: usize = 4096;
/// Lines that multi-line definitions may come to in one reading.
const MAX_REPLAYED: usize = 100_000;

/// A logical line: a brace alone, or a keyword with its words.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: Text,
    /// Never empty.
    pub(super) words: Vec<Word>,
    /// The quote that is never closed.
    pub(super) open_quote: Option<Span>,
}

impl Line {
    /// The line is this one brace.
    pub(super) fn is(&self, brace: &str) -> bool {
        self.words[0].text == brace && self.words[0].span.length == 1
    }
}

/// Reads the main file and all it includes.
pub(super) fn read(
    path: &Path,
    config_id: Option<&str>,
    env: &dyn Environment,
    report: &mut Report,
) -> Vec<Line> {
    let host = env.host_name();
    let id = config_id.map_or_else(|| host.split('.').next().unwrap_or_default().to_owned(), str::to_owned);
    let mut reader = Reader {
        env,
        report,
        id,
        definitions: BTreeMap::new(),
        defining: None,
        directories: Vec::new(),
        replayed: 0,
        lines: Vec::new(),
    };
    reader.main_file(path);
    reader.lines
}

struct Reader<'a> {
    env: &'a dyn Environment,
    report: &'a mut Report,
    id: String,
    definitions: BTreeMap<String, Vec<String>>,
    /// A multi-line definition whose end has not come.
    defining: Option<(String, Vec<String>)>,
    /// Directories of the files that are open, innermost last.
    directories: Vec<PathBuf>,
    /// Lines of multi-line definitions so far.
    replayed: usize,
    lines: Vec<Line>,
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
        let bytes = match self.env.read_file(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                return refuse(
                    self,
                    format!("cannot be read: {error}"),
                    "check the name and the file's permissions",
                );
            }
        };
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let name: Arc<str> = path.to_string_lossy().into();
        self.report.sources.push(SourceText { name: Arc::clone(&name), text: Arc::clone(&text) });
        self.directories.push(path.parent().unwrap_or(Path::new("")).to_path_buf());
        for (index, line) in text.split('\n').enumerate() {
            self.physical_line(&name, index + 1, line);
        }
        self.directories.pop();
    }

    fn physical_line(&mut self, file: &Arc<str>, number: usize, line: &str) {
        let line = line.strip_suffix('\r').unwrap_or(line);
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
        if text.chars.iter().any(|placed| placed.char == '\0') {
            let headline = "line contains NUL bytes, which are ignored";
            let place = Span { length: 0, ..text.span() };
            self.report.add(
                Diagnostic::new("nul-byte", Severity::Error, headline, &place)
                    .help("save the file as plain text"),
            );
            text.chars.retain(|placed| placed.char != '\0');
        }
        let stripped = text.strip();
        if let Some(cut) = stripped.cut_word {
            self.report_cut_word(&text, cut);
        }
        if let Some((name, mut value)) = self.defining.take() {
            if !text.chars.is_empty() {
                value.push(text.string());
            }
            if stripped.continued {
                self.defining = Some((name, value));
            } else {
                self.definitions.insert(name, value);
            }
        } else if !text.chars.is_empty() {
            self.logical(text, stripped.continued, 0);
        }
    }

    fn report_cut_word(&mut self, text: &Text, cut: Placed) {
        let headline = format!("`{}` in the middle of a word begins a comment", cut.char);
        self.report.add(
            Diagnostic::new("comment-inside-word", Severity::Notice, headline, &text.span_of(&[cut]))
                .info("the rest of the line is not part of the value")
                .help(format!(
                    "put the word in double quotes, or write \\{}, to keep it; put a blank before a comment",
                    cut.char
                )),
        );
    }

    /// Conditionals, includes, definitions and substitution, again and again until the line is plain.
    fn logical(&mut self, mut text: Text, mut continued: bool, depth: usize) {
        for _ in 0..MAX_EXPANSIONS {
            if self.include(&text) {
                return;
            }
            let first = text.chars.first().map_or(' ', |placed| placed.char);
            if first == '@' {
                let Some(rest) = self.conditional(&text) else {
                    return;
                };
                text = rest;
                continue;
            }
            if first == '~' && self.iteration(&text) {
                return;
            }
            if let Some((name, value)) = definition(&text) {
                if continued {
                    let lines = if value.is_empty() { vec![] } else { vec![value] };
                    self.defining = Some((name, lines));
                } else {
                    self.definitions.insert(name, vec![value]);
                }
                return;
            }
            let Some((line, more)) = self.substitute(&text) else {
                return self.emit(&text);
            };
            text = line;
            continued = text.strip().continued;
            if !more.is_empty() {
                self.logical_if_any(text.clone(), depth);
                return self.replay(&text, &more, depth);
            }
            if text.chars.is_empty() {
                return;
            }
        }
        self.report_endless(&text);
    }

    /// The further lines of a multi-line definition.
    fn replay(&mut self, place: &Text, lines: &[String], depth: usize) {
        self.replayed += lines.len();
        if depth >= MAX_INCLUDE_DEPTH || self.replayed > MAX_REPLAYED {
            return self.report_endless(place);
        }
        let column = place.chars.first().map_or(1, |placed| placed.column);
        for line in lines {
            let chars: Vec<Placed> = line.chars().map(|char| Placed { char, column }).collect();
            let mut text = place.with(&chars);
            text.strip();
            self.logical_if_any(text, depth);
        }
    }

    fn logical_if_any(&mut self, text: Text, depth: usize) {
        if !text.chars.is_empty() {
            self.logical(text, false, depth + 1);
        }
    }

    /// Said once for each line of a file, however often it is expanded.
    fn report_endless(&mut self, text: &Text) {
        let line = Some((&text.file, text.line));
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
            None => (false, word.strip_prefix('@').unwrap_or(&word)),
        };
        let rest = text.after(word.chars().count());
        ((id == self.id) != negated && !rest.chars.is_empty()).then_some(rest)
    }

    /// `~SEQ` and `~LST` are reported and the line is dropped.
    fn iteration(&mut self, text: &Text) -> bool {
        let line = text.string();
        let known = line.starts_with("~SEQ") || line.starts_with("~LST");
        if known {
            let place = text.span_of(&text.chars[..4]);
            self.report.add(
                Diagnostic::new(
                    "not-supported-yet",
                    Severity::Error,
                    "~SEQ and ~LST are not supported yet: the line is ignored",
                    &place,
                )
                .help("write the lines out"),
            );
        }
        known
    }

    /// Replaces the first parameter that is defined. `None` when there is none; the second part is the further lines
    /// of a multi-line value.
    fn substitute(&mut self, text: &Text) -> Option<(Text, Vec<String>)> {
        if text.chars.len() > MAX_EXPANDED {
            return None;
        }
        let line = text.string();
        let mut starts = line.char_indices().enumerate().filter(|(_, (_, c))| *c == '$');
        let (at, length, value) = starts.find_map(|(at, (byte, _))| {
            let (name, length) = parameter(&line[byte..])?;
            Some((at, length, self.parameter_value(name)?))
        })?;
        let (from, to) = (text.chars[at].column, text.chars[at + length - 1].column);
        let first = value.first().map_or("", String::as_str);
        let mut inserted: Vec<Placed> = first.chars().map(|char| Placed { char, column: from }).collect();
        if let Some(last) = inserted.last_mut() {
            last.column = to;
        }
        let chars = [&text.chars[..at], &inserted, &text.chars[at + length..]].concat();
        Some((text.with(&chars), value.get(1..).unwrap_or_default().to_vec()))
    }

    fn parameter_value(&self, name: &str) -> Option<Vec<String>> {
        if let Some(lines) = self.definitions.get(name) {
            return Some(lines.clone());
        }
        let single = match name {
            "_PWD" => self.directories.last()?.to_string_lossy().into_owned(),
            "_INSTANCE" => self.id.clone(),
            "_HASH" => "\\#".to_owned(),
            "_BANG" => "\\!".to_owned(),
            _ => return None,
        };
        Some(vec![single])
    }

    /// `include` and its stricter forms. True when the line was one.
    fn include(&mut self, text: &Text) -> bool {
        let keyword = text.first_word();
        let Some(strictness) = strictness(&keyword) else {
            return false;
        };
        let (words, _) = text.words();
        let place = words.get(1).map_or_else(|| text.span(), |word| word.span.clone());
        let Some(pattern) = words.get(1) else {
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
        if self.directories.len() >= MAX_INCLUDE_DEPTH || self.report.sources.len() >= MAX_FILES {
            self.report.add(
                Diagnostic::new(
                    "include-too-deep",
                    Severity::Error,
                    "too many files include one another: this one is not read",
                    &place,
                )
                .help("a file must not include itself"),
            );
            return true;
        }
        let directory = self.directories.last().cloned().unwrap_or_default();
        for alternative in alternatives(&pattern.text) {
            let wild = alternative.contains(['*', '?', '[']);
            let files = self.env.glob(&directory.join(&alternative).to_string_lossy());
            if files.is_empty() {
                self.report_no_match(&alternative, &place, strictness.when_missing(wild));
            }
            for file in files {
                self.file(&file, &place, strictness.when_unusable());
            }
        }
        true
    }

    fn report_no_match(&mut self, pattern: &str, place: &Span, severity: Severity) {
        let headline = format!("no file matches {pattern}");
        self.report.add(
            Diagnostic::new("include-nothing", severity, headline, place)
                .help("a relative name starts at the directory of the file that includes it"),
        );
    }

    fn emit(&mut self, text: &Text) {
        for piece in text.split_braces() {
            let (words, open_quote) = piece.words();
            if words.is_empty() {
                self.report_open_quote(open_quote);
            } else {
                self.lines.push(Line { text: piece, words, open_quote });
            }
        }
    }

    fn report_open_quote(&mut self, open_quote: Option<Span>) {
        if let Some(span) = open_quote {
            self.report.add(super::tree::open_quote(&span));
        }
    }
}

/// Which findings a form of `include` makes serious.
struct Strictness {
    unusable: bool,
    missing: bool,
    missing_wild: bool,
}

impl Strictness {
    fn when_unusable(&self) -> Severity {
        if self.unusable { Severity::NoFile } else { Severity::Notice }
    }

    fn when_missing(&self, wild: bool) -> Severity {
        if self.missing && !wild || self.missing_wild { Severity::NoFile } else { Severity::Notice }
    }
}

fn strictness(keyword: &str) -> Option<Strictness> {
    let (unusable, missing, missing_wild) = match keyword {
        "include" => (false, false, false),
        "includer" | "includeb" => (true, false, false),
        "includem" => (true, true, false),
        "includew" | "includea" => (true, true, true),
        _ => return None,
    };
    Some(Strictness { unusable, missing, missing_wild })
}

/// The names a pattern with `{a,b}` stands for.
fn alternatives(pattern: &str) -> Vec<String> {
    const MAX_ALTERNATIVES: usize = 256;
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(next) = open.pop() {
        let braces = next.find('{').and_then(|from| Some((from, from + next[from..].find('}')?)));
        let Some((from, to)) = braces else {
            done.push(next);
            continue;
        };
        for choice in next[from + 1..to].split(',').rev() {
            open.push(format!("{}{choice}{}", &next[..from], &next[to + 1..]));
        }
        if open.len() + done.len() > MAX_ALTERNATIVES {
            break;
        }
    }
    done
}

/// `$NAME=value`: no blank before the `=`, blanks after it dropped.
fn definition(text: &Text) -> Option<(String, String)> {
    let line = text.string();
    let (name, rest) = value::name(line.strip_prefix('$')?)?;
    let value = rest.strip_prefix('=')?;
    Some((name.to_owned(), value.trim_start_matches(is_blank).to_owned()))
}

/// `$NAME` before a blank, `,`, `)` or the end, or `${NAME}`: the name and the length in characters.
fn parameter(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    if let Some(inner) = rest.strip_prefix('{') {
        let (name, tail) = value::name(inner)?;
        return tail.starts_with('}').then_some((name, name.len() + 3));
    }
    let (name, tail) = value::name(rest)?;
    let ends = tail.chars().next().is_none_or(|c| is_blank(c) || matches!(c, ',' | ')'));
    ends.then_some((name, name.len() + 1))
}
