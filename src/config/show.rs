//! The effective configuration: what is left when includes, conditionals, parameters and repetitions are carried out,
//! with the defaults of what is not written, each value with where it came from.
//!
//! The text form is itself a configuration: loading it gives the same settings. Secrets are never shown.

use std::borrow::Cow;

use super::{
    Report, Span,
    diagnostic::masked,
    json::Json,
    keywords::{self, Block, Status, Value},
    tree::{Body, Node},
};

/// What stands in place of a secret.
pub(super) const MASK: &str = "********";
/// Words whose values are secrets.
const SECRETS: &[&str] = &["auth_pass", "key", "password"];
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
    /// Passwords in it that parameters stand for.
    hidden: Vec<String>,
    /// Where it is written; `None` for a default.
    pub at: Option<Span>,
    /// The settings or lines of a block; `None` when it is none.
    pub items: Option<Vec<Item>>,
}

impl Item {
    /// What follows the word, secrets masked.
    pub fn arguments(&self) -> Cow<'_, str> {
        if self.secret && !self.arguments.is_empty() {
            MASK.into()
        } else if self.hidden.is_empty() {
            (&*self.arguments).into()
        } else {
            masked(&self.arguments, &self.hidden).into()
        }
    }

    /// Whether two settings say the same, secrets included.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.keyword == other.keyword && self.arguments == other.arguments
    }

    /// The word and what follows it, secrets masked.
    pub fn line(&self) -> String {
        match &*self.arguments() {
            "" => self.keyword.clone(),
            arguments => format!("{} {arguments}", self.keyword),
        }
    }

    fn json(&self) -> Json {
        let mut members = vec![
            ("keyword", Json::text(&*self.keyword)),
            ("arguments", Json::text(self.arguments())),
            ("default", Json::Bool(self.at.is_none())),
            ("at", Json::place(self.at.as_ref())),
        ];
        if let Some(items) = &self.items {
            members.push(("settings", Json::List(items.iter().map(Item::json).collect())));
        }
        Json::Object(members)
    }
}

/// The items of a tree; `defaults` adds what is not written.
pub(super) fn items(nodes: &[Node], block: &'static Block, defaults: bool) -> Vec<Item> {
    let mut items: Vec<Item> = nodes.iter().map(|node| item(node, defaults)).collect();
    if defaults && !std::ptr::eq(block, keywords::ROOT) {
        let unwritten = block.all().filter(|word| {
            let plain = !matches!(word.value, Value::Body(_) | Value::Lines(_));
            let current = matches!(word.status, Status::Supported | Status::NotYet);
            plain
                && current
                && !word.default.is_empty()
                && nodes.iter().all(|node| node.keyword.name != word.name)
        });
        items.extend(unwritten.map(|word| Item {
            keyword: word.name.to_owned(),
            arguments: word.default.to_owned(),
            secret: false,
            hidden: Vec::new(),
            at: None,
            items: None,
        }));
    }
    items
}

fn item(node: &Node, defaults: bool) -> Item {
    let name = node.keyword.name;
    let text = escaped(node.line.text.as_str());
    let arguments =
        text.trim_start_matches(super::text::is_blank).strip_prefix(name).unwrap_or_default().trim();
    let inner = match (&node.body, node.keyword.value) {
        (Body::Nodes(nodes), Value::Body(block)) => Some(items(nodes, block, defaults)),
        (Body::Lines(lines), _) => Some(lines.iter().map(entry).collect()),
        _ => None,
    };
    Item {
        keyword: name.to_owned(),
        arguments: arguments.to_owned(),
        secret: SECRETS.contains(&name) || misplaced_secret(node),
        hidden: Vec::new(),
        at: Some(node.span()),
        items: inner,
    }
}

/// Hides in every item what parameters with passwords put into it.
pub(super) fn hide(items: &mut [Item], report: &Report) {
    for item in items {
        let secrets = item.at.as_ref().map_or(&[][..], |at| report.secrets_in(at));
        // In a list the first word stands for the line, and may be one.
        if !secrets.is_empty() && keywords::homes(&item.keyword).is_empty() {
            item.keyword = masked(&item.keyword, secrets);
        }
        item.hidden = secrets.to_vec();
        hide(item.items.as_deref_mut().unwrap_or_default(), report);
    }
}

/// Words behind `auth_type` that are no type may be the password.
fn misplaced_secret(node: &Node) -> bool {
    node.keyword.name == "auth_type" && (!node.valid || node.line.word(2).is_some())
}

fn entry(line: &super::text::Line) -> Item {
    let text = escaped(line.text.as_str());
    let text = text.trim_matches(super::text::is_blank);
    let (keyword, arguments) = text.split_once(super::text::is_blank).unwrap_or((text, ""));
    Item {
        keyword: keyword.to_owned(),
        arguments: arguments.trim().to_owned(),
        secret: false,
        hidden: Vec::new(),
        at: Some(line.first().span()),
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
            out.push_str(&format!("{indent}# {line} (default)\n"));
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
            format!(" # {}:{}", at.file, at.line)
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
