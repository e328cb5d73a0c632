//! What a reload from one configuration to another would do, in words and as JSON.

mod effect;
mod forecast;
mod meaning;

use std::collections::{HashMap, HashSet};

pub use self::forecast::{Forecast, Step};

use self::effect::Kind;
use super::{
    Instance, Reading, Span,
    json::Json,
    keywords::{self, Block, Value},
    plan::Plan,
    show::Item,
};

/// Blocks that are told apart by what follows their word.
const NAMED: &[&str] = &[
    "vrrp_instance",
    "vrrp_sync_group",
    "vrrp_script",
    "track_file",
    "vrrp_track_file",
    "vrrp_track_process",
    "bfd_instance",
    "track_group",
    "virtual_server_group",
    "virtual_server",
    "real_server",
];
const ANOTHER_ROUTER: &str = "is another virtual router: it stops and starts anew";

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The blocks it is in, outermost first.
    pub within: Vec<String>,
    /// The line of the old configuration and its place; `None` when it is new.
    pub from: Option<(String, Option<Span>)>,
    /// The line of the new configuration and its place; `None` when it is gone.
    pub to: Option<(String, Option<Span>)>,
    /// What it means for what runs.
    pub effect: &'static str,
    /// Whether the word, or the block or list it is in, has no effect yet.
    pub idle: bool,
}

/// The differences, in the order of the new configuration, what is gone last in each block.
pub fn changes(old: &Reading, new: &Reading) -> Vec<Change> {
    let mut found = Vec::new();
    let (olds, news) = (instances(old), instances(new));
    let top = Within {
        lines: Vec::new(),
        block: "",
        table: Some(keywords::ROOT),
        list: None,
        all: None,
        pair: None,
        idle: false,
        olds: &olds,
        news: &news,
    };
    top.compare(&old.items, &new.items, &mut found);
    found
}

fn instances(of: &Reading) -> HashMap<&str, &Instance> {
    let instances = of.config.iter().flat_map(|config| &config.instances);
    instances.map(|instance| (&*instance.name, instance)).collect()
}

/// Where two lists of items stand.
struct Within<'a> {
    lines: Vec<String>,
    /// The block at the top level; empty at the top level itself.
    block: &'a str,
    /// The words that may stand here; `None` in a list.
    table: Option<&'static Block>,
    /// The list or check that the items are lines of.
    list: Option<&'a str>,
    /// What every change in here means, whatever it is.
    all: Option<&'static str>,
    /// The instance that the items are settings of, before and after.
    pair: Option<(&'a Instance, &'a Instance)>,
    /// Whether the block or list around them has no effect yet.
    idle: bool,
    /// The instances of both configurations by their names.
    olds: &'a HashMap<&'a str, &'a Instance>,
    news: &'a HashMap<&'a str, &'a Instance>,
}

impl Within<'_> {
    fn compare(&self, old: &[Item], new: &[Item], found: &mut Vec<Change>) {
        let mut olds: HashMap<String, Vec<&Item>> = HashMap::new();
        for item in old.iter().rev() {
            olds.entry(self.identity(item)).or_default().push(item);
        }
        let mut renamed = if self.block.is_empty() { self.renamed(old, new) } else { HashMap::new() };
        for item in new {
            let before = match renamed.remove(&std::ptr::from_ref(item)) {
                Some(from) => {
                    found.push(self.change(Some(from), Some(item), effect::RENAMED));
                    olds.get_mut(&self.identity(from)).and_then(Vec::pop)
                }
                None => olds.get_mut(&self.identity(item)).and_then(Vec::pop),
            };
            let (Some(before), Some(inner)) = (before, &item.items) else {
                self.differ(before, Some(item), found);
                continue;
            };
            let before_inner = before.items.as_deref().unwrap_or_default();
            if !NAMED.contains(&&*item.keyword) {
                self.differ(Some(before), Some(item), found);
            }
            self.inside(before, item).compare(before_inner, inner, found);
        }
        let left: HashSet<*const Item> = olds.into_values().flatten().map(std::ptr::from_ref).collect();
        for item in old.iter().filter(|item| left.contains(&std::ptr::from_ref(*item))) {
            self.differ(Some(item), None, found);
        }
    }

    /// Notes a difference, if it is one.
    fn differ(&self, from: Option<&Item>, to: Option<&Item>, found: &mut Vec<Change>) {
        let written = match (from, to) {
            (Some(from), Some(to)) => self.meaning(from) == self.meaning(to),
            _ => false,
        };
        let word = from.or(to).map_or("", |item| &item.keyword);
        let typed = || self.pair.and_then(|(old, new)| meaning::same(word, old, new)) == Some(true);
        if !written && !typed() {
            found.push(self.change(from, to, self.effect(from, to)));
        }
    }

    fn meaning(&self, item: &Item) -> String {
        meaning::of(item, self.table, self.list)
    }

    /// What makes two items the same thing with other settings.
    fn identity(&self, item: &Item) -> String {
        match self.table.and_then(|table| table.keyword(&item.keyword)) {
            Some(word) if !NAMED.contains(&word.name) => word.usual().to_owned(),
            _ => self.meaning(item),
        }
    }

    /// The same, one block further in.
    fn inside<'b>(&'b self, before: &Item, item: &'b Item) -> Within<'b> {
        let mut lines = self.lines.clone();
        lines.push(item.line());
        let table = self
            .table
            .and_then(|table| table.keyword(&item.keyword))
            .and_then(|word| if let Value::Body(inner) = word.value { Some(inner) } else { None });
        let inner = Within { lines, table, idle: self.idle(item), pair: None, ..*self };
        if self.block.is_empty() {
            let instance = |all: &HashMap<&str, &'b Instance>, item: &Item| {
                let named = item.keyword == "vrrp_instance";
                named.then(|| all.get(item.unmasked().trim_matches('"')).copied()).flatten()
            };
            let pair = instance(self.olds, before).zip(instance(self.news, item));
            let another = pair.is_some_and(|(old, new)| old.identity() != new.identity());
            return Within { block: &item.keyword, pair, all: another.then_some(ANOTHER_ROUTER), ..inner };
        }
        // What is in a real server counts for itself; what is in a list or a check, for the list or check.
        let list = self.list.or((item.keyword != "real_server").then_some(&item.keyword));
        Within { list, ..inner }
    }

    fn change(&self, from: Option<&Item>, to: Option<&Item>, effect: &'static str) -> Change {
        let side = |item: Option<&Item>| item.map(|item| (item.line(), item.at.clone()));
        let idle = from.or(to).is_some_and(|item| self.idle(item));
        Change { within: self.lines.clone(), from: side(from), to: side(to), effect, idle }
    }

    /// Whether an item in here has no effect yet.
    fn idle(&self, item: &Item) -> bool {
        let word = self.table.and_then(|table| table.keyword(&item.keyword));
        self.idle || word.is_some_and(|word| !word.works())
    }

    fn effect(&self, from: Option<&Item>, to: Option<&Item>) -> &'static str {
        let word = self.list.unwrap_or(from.or(to).map_or("", |item| &item.keyword));
        let kind = match (from, to) {
            (None, _) => Kind::New,
            (_, None) => Kind::Gone,
            _ => Kind::Changed,
        };
        self.all.unwrap_or_else(|| effect::of(self.block, word, kind))
    }

    /// The old blocks of instances that have another name and are the same virtual router, by the new block; the old name
    /// must be gone.
    fn renamed<'i>(&self, old: &'i [Item], new: &'i [Item]) -> HashMap<*const Item, &'i Item> {
        let name = |item: &Item| item.unmasked().trim_matches('"').to_owned();
        let blocks = |items: &'i [Item]| items.iter().filter(|item| item.keyword == "vrrp_instance");
        let old_names: HashSet<_> = blocks(old).map(name).collect();
        let new_names: HashSet<_> = blocks(new).map(name).collect();
        let gone = blocks(old).filter(|item| !new_names.contains(&name(item)));
        let mut gone: HashMap<_, _> =
            gone.filter_map(|item| Some((self.olds.get(&*name(item))?.identity(), item))).collect();
        let appeared = blocks(new).filter(|item| !old_names.contains(&name(item)));
        appeared
            .filter_map(|item| {
                let from = gone.remove(&self.news.get(&*name(item))?.identity())?;
                Some((std::ptr::from_ref(item), from))
            })
            .collect()
    }
}

/// The differences as lines for people, and below them what `plan` makes of instances and groups.
pub fn text(changes: &[Change], plan: Option<&Plan>) -> String {
    let mut out = String::new();
    for change in changes {
        let within =
            if change.within.is_empty() { String::new() } else { format!("{}: ", change.within.join(", ")) };
        let what = match (&change.from, &change.to) {
            (Some((from, _)), Some((to, _))) if from == to => format!("{to} has another value"),
            (Some((from, _)), Some((to, _))) => format!("{from} becomes {to}"),
            (None, Some((to, _))) => format!("{to} is new"),
            (Some((from, _)), None) => format!("{from} is gone"),
            (None, None) => continue,
        };
        let idle = if change.idle { "; the word has no effect yet" } else { "" };
        out.push_str(&format!("{within}{what} ({}{idle})\n", change.effect));
    }
    if let Some(plan) = plan {
        out.push_str(&format!("a reload: {plan}\n"));
    }
    out
}

/// The differences as one line of JSON: a list of `{within, from, to, effect, idle}`.
pub fn json(changes: &[Change]) -> String {
    let side = |side: &Option<(String, Option<Span>)>| {
        side.as_ref().map_or(Json::Null, |(line, at)| {
            Json::Object(vec![("line", Json::text(&**line)), ("at", Json::place(at.as_ref()))])
        })
    };
    let changes = changes.iter().map(|change| {
        Json::Object(vec![
            ("within", Json::List(change.within.iter().map(Json::text).collect())),
            ("from", side(&change.from)),
            ("to", side(&change.to)),
            ("effect", Json::text(change.effect)),
            ("idle", Json::Bool(change.idle)),
        ])
    });
    Json::List(changes.collect()).line()
}
