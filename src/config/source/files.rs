//! The files that are read: which, how many, how large.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    vec,
};

use memchr::memchr;

use super::{
    Input, Reader,
    include::{self, Checks},
};
use crate::config::{
    Diagnostic, Severity, SourceText, Span,
    text::{Line, Source, Text},
};

/// Files that include themselves end here.
const MAX_INCLUDE_DEPTH: usize = 16;
/// Files that may be asked for in one reading: files that include one another in circles end here.
const MAX_FILES: usize = 4096;
/// What one file may hold, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// What all files of one reading may hold, in bytes; a file counts each time it is read.
const MAX_TOTAL_BYTES: u64 = 16 << 20;

/// A file that is being read.
pub(super) struct OpenFile {
    source: Rc<Source>,
    /// Where the next line begins, as a byte; `None` behind the last one.
    next: Option<usize>,
    /// Lines so far.
    line: usize,
    /// What `include_check` asked for before it.
    checks: Checks,
}

impl OpenFile {
    /// The next physical line.
    pub(super) fn next_line(&mut self) -> Option<Text> {
        let from = self.next?;
        let rest = &self.source.text.as_bytes()[from..];
        let length = memchr(b'\n', rest);
        self.next = length.map(|length| from + length + 1);
        self.line += 1;
        Some(Text::new(&self.source, self.line, from..from + length.unwrap_or(rest.len())))
    }
}

/// What an include names and has not been read.
pub(super) struct Included {
    /// Files that were found.
    files: vec::IntoIter<PathBuf>,
    /// Patterns that were not looked for.
    patterns: vec::IntoIter<String>,
    asked: Asked,
}

/// The line that asks for files.
#[derive(Clone)]
struct Asked {
    at: Span,
    /// What it says.
    pattern: Rc<str>,
    checks: Checks,
    /// How bad a file is that cannot be used.
    unusable: Severity,
}

impl Reader<'_> {
    pub(super) fn main_file(&mut self, path: &Path) {
        let files = self.env.glob(&path.to_string_lossy());
        if files.is_empty() {
            self.report.add(
                Diagnostic::new(
                    "no-configuration",
                    Severity::NoFile,
                    format!("there is no configuration file {}", path.display()),
                    &self.whole,
                )
                .help("create it, or name another one with --use-file"),
            );
        }
        let asked = Asked {
            at: self.whole.clone(),
            pattern: Rc::default(),
            checks: Checks::ALL,
            unusable: Severity::NoFile,
        };
        self.inputs.push(Input::Include(Included {
            files: files.into_iter(),
            patterns: Vec::new().into_iter(),
            asked,
        }));
    }

    /// At the end of everything: a definition that goes on has no end.
    pub(super) fn report_unfinished(&mut self) {
        if let Some((name, _)) = self.defining.take() {
            self.report.add(
                Diagnostic::new(
                    "unfinished-definition",
                    Severity::Error,
                    format!("the definition of ${name} has no last line"),
                    &self.whole,
                )
                .info("everything after it was read as part of its value")
                .help("leave out the \\ at the end of its last line"),
            );
        }
    }

    /// Opens one file; a file that cannot be used is reported at `asked` with `severity`.
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
        self.read += u64::try_from(bytes.len()).unwrap_or(left).min(left);
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let source = Rc::new(Source::new(path.to_string_lossy().into(), text));
        // A file that is read again is not kept again.
        if self.known.insert(Arc::clone(&source.name)) {
            self.report.sources.push(SourceText {
                name: Arc::clone(&source.name),
                text: Arc::clone(&source.text),
                included_at: (asked.line > 0).then(|| asked.clone()),
                secret: BTreeSet::new(),
            });
        }
        self.open.push(path.to_path_buf());
        self.inputs.push(Input::File(OpenFile { source, next: Some(0), line: 0, checks: self.checks }));
    }

    /// At the end of a file.
    pub(super) fn close_file(&mut self) {
        if let Some(Input::File(file)) = self.inputs.pop() {
            self.checks = file.checks;
            self.open.pop();
        }
    }

    /// The directory of the innermost file.
    pub(super) fn directory(&self) -> &Path {
        self.open.last().and_then(|file| file.parent()).unwrap_or(Path::new(""))
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

    /// `include` and its stricter forms. True when the line was one.
    pub(super) fn include(&mut self, text: &Text) -> bool {
        if !text.as_str().starts_with(include::KEYWORD) {
            return false;
        }
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
        let asked =
            Asked { at: place, pattern: pattern.text.into(), checks, unusable: checks.when_unusable() };
        self.inputs.push(Input::Include(Included {
            files: Vec::new().into_iter(),
            patterns: include::alternatives(pattern.text).into_iter(),
            asked,
        }));
        true
    }

    /// The next file that an include names, or what its next pattern stands for.
    pub(super) fn next_included(&mut self) {
        let Some(Input::Include(include)) = self.inputs.last_mut() else { return };
        let asked = include.asked.clone();
        if let Some(file) = include.files.next() {
            // The main file is nobody's include.
            self.included += usize::from(!self.open.is_empty());
            if self.open.contains(&file) || self.included > MAX_FILES {
                return self.report_too_deep(&asked.at);
            }
            return self.file(&file, &asked.at, asked.unusable);
        }
        let Some(pattern) = include.patterns.next() else {
            self.inputs.pop();
            return;
        };
        if self.open.len() >= MAX_INCLUDE_DEPTH || self.included >= MAX_FILES {
            self.inputs.pop();
            return self.report_too_deep(&asked.at);
        }
        let found = self.env.glob(&self.directory().join(&pattern).to_string_lossy());
        if found.is_empty() {
            // Looking costs as well, also where nothing is found.
            self.included += 1;
            self.report_no_match(&pattern, &asked);
        }
        if let Some(Input::Include(include)) = self.inputs.last_mut() {
            include.files = found.into_iter();
        }
    }

    fn report_too_deep(&mut self, place: &Span) {
        self.report.add(
            Diagnostic::new(
                "include-too-deep",
                Severity::Error,
                "too many files include one another: this one is not read",
                place,
            )
            .help("a file must not include itself"),
        );
    }

    fn report_no_match(&mut self, pattern: &str, asked: &Asked) {
        let severity = asked.checks.when_missing(&asked.pattern, pattern);
        let headline = format!("no file matches {pattern}");
        self.report.add(
            Diagnostic::new("include-nothing", severity, headline, &asked.at)
                .help("a relative name starts at the directory of the file that includes it"),
        );
    }
}
