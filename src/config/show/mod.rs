//! The effective configuration: what is left when includes, conditionals, parameters and repetitions are carried out,
//! with the defaults of what is not written, each value with where it came from.
//!
//! The text form is itself a configuration: loading it gives the same settings, but for control characters, which are `?`,
//! and secrets, which are never shown: their stars are refused when they are read.

mod origin;
mod truth;

use std::{borrow::Cow, sync::Arc};

use self::{
    origin::{Frame, Scope},
    truth::{Known, Truth},
};
use super::{
    Config, Report, Span,
    json::Json,
    keywords::{self, Block, Keyword, Status, Value},
    render::harmless,
    secrets::{MASK, Secrets},
    tree::{Body, Node},
};

/// A place is written behind a line only while both fit well into what a line may hold.
const MAX_WITH_PLACE: usize = 900;

/// A setting or a block of the effective configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The word; the first word of the line in a list.
    pub keyword: String,
    /// What follows it, as a file would have it. Private, because it may be a secret.
    arguments: String,
    secret: bool,
    /// The first word of a line that is secret, where it is one of the language.
    known: Option<&'static str>,
    /// Passwords in it that parameters stand for.
    hidden: Option<Arc<Secrets>>,
    /// Where it is written; `None` for what is not written in this block.
    pub at: Option<Span>,
    /// Where the value of what is not written here comes from; `None` for a default.
    pub inherited: Option<Span>,
    /// The value is neither written nor inherited nor the usual one: other words of the block decide.
    pub derived: bool,
    /// What is written, where other words change what it comes to. Private, because it may be a secret.
    written: Option<String>,
    /// The settings or lines of a block; `None` when it is none.
    pub items: Option<Vec<Item>>,
}

impl Item {
    /// What follows the word, secrets masked.
    pub fn arguments(&self) -> Cow<'_, str> {
        if self.secret && !self.arguments.is_empty() {
            self.known.map_or(MASK.into(), |known| format!("{known} {MASK}").into())
        } else if let Some(secrets) = &self.hidden {
            secrets.mask(&self.arguments, 0).into()
        } else {
            (&*self.arguments).into()
        }
    }

    /// What is written, where other words change what it comes to, secrets masked.
    pub fn written(&self) -> Option<String> {
        let masked = |written: &String| match &self.hidden {
            _ if self.secret => MASK.to_owned(),
            Some(secrets) => secrets.mask(written, 0),
            None => written.clone(),
        };
        self.written.as_ref().map(masked)
    }

    /// What follows the word, secrets included: for comparing, never for showing.
    pub(super) fn unmasked(&self) -> &str {
        &self.arguments
    }

    /// The word and what follows it, secrets masked, control characters but tabs as `?`: it makes no further line, and
    /// does nothing to a terminal.
    pub fn line(&self) -> String {
        let line = match &*self.arguments() {
            "" => self.keyword.clone(),
            arguments => format!("{} {arguments}", self.keyword),
        };
        line.replace(|c: char| c.is_control() && c != '\t', "?")
    }

    fn json(&self) -> Json {
        let mut members = vec![
            ("keyword", Json::text(&*self.keyword)),
            ("arguments", Json::text(self.arguments())),
            ("default", Json::Bool(self.at.is_none() && self.inherited.is_none() && !self.derived)),
            ("at", Json::place(self.at.as_ref())),
            ("inherited", Json::place(self.inherited.as_ref())),
            ("derived", Json::Bool(self.derived)),
        ];
        if let Some(written) = self.written() {
            members.push(("written", Json::text(&*written)));
        }
        if let Some(items) = &self.items {
            members.push(("settings", Json::List(items.iter().map(Item::json).collect())));
        }
        Json::Object(members)
    }
}

/// The items of a tree; `config` is what it came to. `defaults` adds what is not written, and shows what became of what
/// is.
pub(super) fn items(nodes: &[Node], config: Option<&Config>, defaults: bool) -> Vec<Item> {
    let global: Vec<&Node> =
        nodes.iter().filter(|node| node.keyword.name == "global_defs").flat_map(Node::nodes).collect();
    let shower = Shower {
        global: &global,
        truth: config.filter(|_| defaults).map(Truth::new).unwrap_or_default(),
        defaults,
    };
    shower.items(nodes, keywords::ROOT, &[], Known::Nothing)
}

/// What is the same all over a tree.
struct Shower<'a> {
    global: &'a [&'a Node],
    truth: Truth<'a>,
    defaults: bool,
}

impl Shower<'_> {
    fn items(
        &self,
        nodes: &[Node],
        block: &'static Block,
        around: &[Frame<'_>],
        known: Known<'_>,
    ) -> Vec<Item> {
        let mut around = around.to_vec();
        around.push(Frame { block, nodes });
        let mut items: Vec<Item> = nodes.iter().map(|node| self.item(node, &around, known)).collect();
        if self.defaults && !std::ptr::eq(block, keywords::ROOT) {
            let scope = Scope { global: self.global, around: &around };
            items.extend(block.all().filter_map(|word| unwritten(word, nodes, scope, known)));
        }
        items
    }

    fn item(&self, node: &Node, around: &[Frame<'_>], known: Known<'_>) -> Item {
        let name = node.keyword.name;
        let text = escaped(node.line.text.as_str());
        let arguments =
            text.trim_start_matches(super::text::is_blank).strip_prefix(name).unwrap_or_default().trim();
        let inner = match (&node.body, node.keyword.value) {
            (Body::Nodes(nodes), Value::Body(block)) => {
                let known = self.truth.of(node);
                Some(self.items(nodes, block, around, known))
            }
            (Body::Lines(lines), _) => Some(lines.iter().map(entry).collect()),
            _ => None,
        };
        let last = around.last().is_none_or(|frame| {
            let mut same = frame.nodes.iter().filter(|other| origin::is_of(other, name));
            same.next_back().is_some_and(|other| std::ptr::eq(other, node))
        });
        // A line that another follows says nothing any more.
        let changed = known.value(name).filter(|value| last && inner.is_none() && value != arguments);
        let (arguments, written) = match changed {
            Some(value) => (value, Some(arguments.to_owned())),
            None => (arguments.to_owned(), None),
        };
        Item {
            keyword: name.to_owned(),
            arguments,
            secret: node.keyword.secret
                || around.last().is_some_and(|frame| misplaced_secret(node, frame.block)),
            known: if node.keyword.secret { None } else { choice(node) },
            hidden: None,
            at: Some(node.span()),
            inherited: None,
            derived: false,
            written,
            items: inner,
        }
    }
}

/// A word that no line of the block has, if it has a value all the same.
fn unwritten(word: &'static Keyword, nodes: &[Node], scope: Scope<'_>, known: Known<'_>) -> Option<Item> {
    let plain = !matches!(word.value, Value::Body(_) | Value::Lines(_));
    let current = matches!(word.status, Status::Supported | Status::NotYet | Status::Until(_))
        && word.same_as.is_empty();
    if !plain || !current || nodes.iter().any(|node| origin::is_of(node, word.name)) {
        return None;
    }
    let origin = origin::of(word, scope);
    let (mut value, mut inherited) = origin.map_or((None, None), |origin| (Some(origin.value), origin.at));
    let truth = known.value(word.name);
    let derived = truth.is_some() && truth != value;
    if derived {
        (value, inherited) = (truth, None);
    }
    Some(Item {
        keyword: word.name.to_owned(),
        arguments: value?,
        secret: false,
        known: None,
        hidden: None,
        at: None,
        inherited,
        derived,
        written: None,
        items: None,
    })
}

/// Hides in every item what parameters with passwords put into it.
pub(super) fn hide(items: &mut [Item], report: &Report) {
    for item in items {
        let place = item.at.as_ref().or(item.inherited.as_ref());
        let secrets = place.and_then(|at| report.secrets_in(at));
        // In a list the first word stands for the line, and may be one.
        if let Some(secrets) = secrets
            && keywords::homes(&item.keyword).is_empty()
        {
            item.keyword = secrets.mask(&item.keyword, 0);
        }
        item.hidden = secrets.cloned();
        hide(item.items.as_deref_mut().unwrap_or_default(), report);
    }
}

/// Beside a secret, words that are no value of their own keyword may be the secret.
fn misplaced_secret(node: &Node, block: &Block) -> bool {
    block.holds_secrets && (!node.valid || node.line.word(2).is_some())
}

/// The argument of a word that takes one of a few: no password, whatever stands behind it.
fn choice(node: &Node) -> Option<&'static str> {
    let Value::OneOf(choices) = node.keyword.value else { return None };
    let argument = node.argument()?;
    choices.iter().copied().find(|choice| *choice == argument.text)
}

fn entry(line: &super::text::Line) -> Item {
    let text = escaped(line.text.as_str());
    let text = text.trim_matches(super::text::is_blank);
    let (keyword, arguments) = text.split_once(super::text::is_blank).unwrap_or((text, ""));
    Item {
        keyword: keyword.to_owned(),
        arguments: arguments.trim().to_owned(),
        secret: false,
        known: None,
        hidden: None,
        at: Some(line.first().span()),
        inherited: None,
        derived: false,
        written: None,
        items: None,
    }
}

/// With the backslashes before `#` and `!` outside quotes, which reading took away.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        quoted ^= c == '"';
        if !quoted && matches!(c, '#' | '!') {
            out.push('\\');
        }
        out.push(c);
        if !quoted && c == '\\' {
            out.extend(chars.next());
        }
    }
    out
}

/// Whether a line, as reading sees it, ends inside quotes. Outside them a backslash takes the next character along.
fn ends_quoted(line: &str) -> bool {
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        quoted ^= c == '"';
        if !quoted && c == '\\' {
            chars.next();
        }
    }
    quoted
}

/// The configuration as text that can be loaded; defaults are comments.
pub fn text(items: &[Item]) -> String {
    let mut out = String::new();
    lines(items, 0, &mut out);
    out
}

fn lines(items: &[Item], depth: usize, out: &mut String) {
    for item in items {
        let indent = "    ".repeat(depth);
        let line = item.line();
        let Some(at) = &item.at else {
            let origin = match &item.inherited {
                Some(from) => format!("{}:{}", harmless(&from.file), from.line),
                None if item.derived => "by other lines".to_owned(),
                None => "default".to_owned(),
            };
            out.push_str(&format!("{indent}# {line} ({origin})\n"));
            continue;
        };
        // A brace or a comment behind an open quote would be part of it. For braces an escaped quote is one, too.
        let quoted = ends_quoted(&line) || line.matches('"').count() % 2 == 1;
        let opened = match &item.items {
            Some(_) if quoted => format!("\n{indent}{{"),
            Some(_) => " {".to_owned(),
            None => String::new(),
        };
        let place = if quoted || line.len() > MAX_WITH_PLACE {
            String::new()
        } else {
            let written = item
                .written()
                .map_or_else(String::new, |written| format!(", written {}", harmless(&written)));
            format!(" # {}:{}{written}", harmless(&at.file), at.line)
        };
        out.push_str(&format!("{indent}{line}{opened}{place}\n"));
        if let Some(inner) = &item.items {
            lines(inner, depth + 1, out);
            out.push_str(&format!("{indent}}}\n"));
        }
    }
}

/// The configuration as one line of JSON: a list of `{keyword, arguments, default, at, settings}`.
pub fn json(items: &[Item]) -> String {
    Json::List(items.iter().map(Item::json).collect()).line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_or_its_name_holds_makes_no_further_line() {
        let item = Item {
            keyword: "router_id".to_owned(),
            arguments: "a\u{1b}[2Jb\tc".to_owned(),
            secret: false,
            known: None,
            hidden: None,
            at: Some(Span { file: "x\nvrrp_strict".into(), line: 3, column: 1, length: 9 }),
            inherited: None,
            derived: false,
            written: None,
            items: None,
        };
        assert_eq!(item.line(), "router_id a?[2Jb\tc");
        assert_eq!(text(&[item]), "router_id a?[2Jb\tc # x?vrrp_strict:3\n");
    }
}
