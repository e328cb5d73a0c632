//! The files that are read: which, how many, how large.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use memchr::memchr;

use super::{
    Input, Reader,
    include::{Asked, Checks, Included},
};
use crate::config::{
    Diagnostic, Severity, SourceText, Span,
    text::{Source, Text},
};

/// What one file may hold, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// What all files of one reading may hold, in bytes; a file counts each time it is read.
const MAX_TOTAL_BYTES: u64 = 16 << 20;

/// What some editors put before the first character of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that is being read.
pub(super) struct OpenFile {
    source: Rc<Source>,
    /// Where the next line begins, as a byte; `None` behind the last one.
    next: Option<usize>,
    /// Lines so far.
    line: usize,
    /// Definitions and sequences around the line that included it.
    depth: usize,
    /// What `include_check` asked for before it.
    checks: Checks,
}

impl OpenFile {
    /// The next physical line, and within how many definitions and sequences it stands.
    pub(super) fn next_line(&mut self) -> Option<(Text, usize)> {
        let from = self.next?;
        let rest = &self.source.text.as_bytes()[from..];
        let length = memchr(b'\n', rest);
        self.next = length.map(|length| from + length + 1);
        self.line += 1;
        let text = Text::new(&self.source, self.line, from..from + length.unwrap_or(rest.len()));
        Some((text, self.depth))
    }
}

/// The directory of the innermost of the files that are open.
pub(super) fn directory(open: &[PathBuf]) -> &Path {
    open.last().and_then(|file| file.parent()).unwrap_or(Path::new(""))
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
        self.inputs.push(Input::Include(Included::main(files, self.whole.clone())));
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

    /// Opens one file; one that cannot be used is reported where it is asked for.
    pub(super) fn file(&mut self, path: &Path, asked: &Asked) {
        let Asked { at: asked, unusable: severity, depth, .. } = asked;
        let (severity, depth) = (*severity, *depth);
        let refuse = |reader: &mut Self, severity, why: String, help: &'static str| {
            let headline = format!("configuration file {} {why}", path.display());
            reader.report.add(Diagnostic::new("unusable-file", severity, headline, asked).help(help));
        };
        if self.env.is_executable_or_directory(path) {
            return refuse(
                self,
                severity,
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
                let forbidden = asked.line == 0 && error.kind() == io::ErrorKind::PermissionDenied;
                return refuse(
                    self,
                    if forbidden { Severity::Unreadable } else { severity },
                    format!("cannot be read: {error}"),
                    "check the name and the file's permissions",
                );
            }
        };
        self.read += u64::try_from(bytes.len()).unwrap_or(left).min(left);
        let wide = from_utf_16(&bytes);
        let is_wide = wide.is_some();
        let mut text = wide.unwrap_or_else(|| {
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        });
        let is_marked = text.starts_with(BYTE_ORDER_MARK);
        if is_marked {
            text.drain(..BYTE_ORDER_MARK.len_utf8());
        }
        let source = Rc::new(Source::new(path.to_string_lossy().into(), text));
        // A file that is read again is not kept again.
        if self.known.insert(Arc::clone(&source.name)) {
            self.report.sources.push(SourceText {
                name: Arc::clone(&source.name),
                text: Arc::clone(&source.text),
                included_at: (asked.line > 0).then(|| asked.clone()),
                secret: BTreeMap::new(),
            });
        }
        if is_wide {
            self.report_utf_16(&source.name);
        }
        if is_marked {
            self.report_byte_order_mark(&source.name);
        }
        self.open.push(path.to_path_buf());
        self.inputs.push(Input::File(OpenFile {
            source,
            next: Some(0),
            line: 0,
            depth,
            checks: self.checks,
        }));
    }

    fn report_utf_16(&mut self, file: &Arc<str>) {
        let place = Span { file: Arc::clone(file), line: 1, column: 1, length: 0 };
        self.report.add(
            Diagnostic::new(
                "wide-characters",
                Severity::Error,
                "this file is UTF-16, which keepalived does not read",
                &place,
            )
            .info("it is read as what it is meant to say, so that whatever else is wrong is found, too")
            .help("save it as UTF-8: iconv -f UTF-16 -t UTF-8"),
        );
    }

    fn report_byte_order_mark(&mut self, file: &Arc<str>) {
        let place = Span { file: Arc::clone(file), line: 1, column: 1, length: 0 };
        let headline = "the file begins with a byte order mark, which is ignored";
        self.report.add(
            Diagnostic::new("byte-order-mark", Severity::Error, headline, &place)
                .info("keepalived takes it for a part of the first word, and so does not know that word")
                .help("save the file as UTF-8 without a byte order mark"),
        );
    }

    /// At the end of a file.
    pub(super) fn close_file(&mut self) {
        if let Some(Input::File(file)) = self.inputs.pop() {
            self.checks = file.checks;
            self.open.pop();
        }
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
}

/// The text of a file that begins with the byte order mark of UTF-16; `None` for every other.
fn from_utf_16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.first_chunk()? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}
