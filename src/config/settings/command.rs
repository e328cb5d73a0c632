//! Command lines: a program with its arguments, and the account it runs as.

use super::Parsed;
use crate::config::{Diagnostic, NotifyScript, Place, Report, Severity, text::Line, tree::Node, value};

/// A command with its user and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// Program and arguments; never empty.
    pub argv: Vec<String>,
    /// User and perhaps group; empty when the line names none.
    pub account: Vec<String>,
    /// What is run; `None` when the program or the account does not exist, or script security forbids it.
    pub script: Option<Box<NotifyScript>>,
    /// Where the line is.
    pub at: Place,
}

impl Parsed for Box<CommandLine> {
    const FIRST_COUNTS: bool = true;

    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let Written { argv, further } = Written::read(&node.line, report)?;
        Some(Box::new(CommandLine { argv, account: further, script: None, at: node.span().into() }))
    }
}

/// `notify_deleted`: that a reload which removes the instance is told as DELETED, and a program that may be told so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedNotice(pub Option<Box<CommandLine>>);

impl DeletedNotice {
    /// What is run, if there is anything that can be.
    pub fn script(&self) -> Option<&NotifyScript> {
        self.0.as_ref()?.script.as_deref()
    }
}

impl Parsed for DeletedNotice {
    const FIRST_COUNTS: bool = true;

    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let is_bare = node.line.words(1).next().is_none();
        // What is wrong with its command does not take the notice away.
        Some(Self(if is_bare { None } else { Parsed::parse(node, report) }))
    }
}

/// A command line as written, its program not yet looked for.
pub(in crate::config) struct Written {
    /// Never empty.
    pub(in crate::config) argv: Vec<String>,
    /// Words after the command: user and group where the keyword takes them.
    pub(in crate::config) further: Vec<String>,
}

impl Written {
    /// Reads the words behind a keyword. Reports and returns `None` when quotes do not match or there is no command.
    pub(in crate::config) fn read(line: &Line, report: &mut Report) -> Option<Self> {
        let words = value::script_words(line.text.as_str());
        let command = words.as_ref().and_then(|words| words.get(1));
        let argv = match (&words, command) {
            (Some(_), None) => return None,
            (_, command) => command.and_then(|command| value::arguments(command)),
        };
        let (Some(words), Some(argv)) = (words, argv) else {
            let headline = "this command's quotes do not match: the line is ignored";
            let found = Diagnostic::new("invalid-command", Severity::Error, headline, &line.text.span());
            report.add(found.help("write \"program 'an argument' \\\"another\\\"\" with every quote closed"));
            return None;
        };
        if argv.is_empty() {
            let headline = "this command is empty: the line is ignored";
            let found = Diagnostic::new("invalid-command", Severity::Error, headline, &line.text.span());
            report.add(found.help("name a program"));
            return None;
        }
        if let Some(quote) = line.open_quote() {
            let headline = "the double quotes of this line do not pair: an escaped one counts, too";
            let found = Diagnostic::new("unclosed-quote", Severity::Error, headline, &quote);
            report.add(
                found
                    .info("the command is used all the same; keepalived's configuration test fails with it")
                    .help("write the argument in single quotes"),
            );
        }
        Some(Self { argv, further: words.into_iter().skip(2).collect() })
    }
}
