//! What a reload from one configuration to another would do, in words and as JSON.

mod effect;

use std::collections::{HashMap, HashSet};

use self::effect::Kind;
use super::{Span, json::Json, keywords, show::Item, value};

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
/// Words of an instance without which it is another virtual router to the network.
const IDENTITY: &[&str] = &[
    "virtual_router_id",
    "interface",
    "native_ipv6",
    "mcast_dst_ip",
    "mcast_src_ip",
    "unicast_src_ip",
    "use_vmac",
    "use_ipvlan",
];
/// Lists of an instance of which only the presence counts for that.
const PRESENCE: &[&str] = &["unicast_peer"];
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
}

/// The differences, in the order of the new configuration, what is gone last in each block.
pub fn changes(old: &[Item], new: &[Item]) -> Vec<Change> {
    let mut found = Vec::new();
    Within { lines: Vec::new(), block: "", list: None, all: None }.compare(old, new, &mut found);
    found
}

/// Where two lists of items stand.
struct Within<'a> {
    lines: Vec<String>,
    /// The block at the top level; empty at the top level itself.
    block: &'a str,
    /// The list or check that the items are lines of.
    list: Option<&'a str>,
    /// What every change in here means, whatever it is.
    all: Option<&'static str>,
}

impl Within<'_> {
    fn compare(&self, old: &[Item], new: &[Item], found: &mut Vec<Change>) {
        let mut olds: HashMap<String, Vec<&Item>> = HashMap::new();
        for item in old.iter().rev() {
            olds.entry(identity(item)).or_default().push(item);
        }
        let mut renamed = if self.block.is_empty() { renamed_instances(old, new) } else { Vec::new() };
        for item in new {
            let renamed =
                renamed.extract_if(.., |(_, to)| std::ptr::eq(*to, item)).next().map(|(from, _)| from);
            let before = match renamed {
                Some(from) => {
                    found.push(self.change(Some(from), Some(item), "goes on under another name"));
                    olds.get_mut(&identity(from)).and_then(Vec::pop)
                }
                None => olds.get_mut(&identity(item)).and_then(Vec::pop),
            };
            let (Some(before), Some(inner)) = (before, &item.items) else {
                if before.is_none_or(|before| !before.says_the_same(item)) {
                    found.push(self.change(before, Some(item), self.effect(before, Some(item))));
                }
                continue;
            };
            let before_inner = before.items.as_deref().unwrap_or_default();
            if !NAMED.contains(&&*item.keyword) && !before.says_the_same(item) {
                found.push(self.change(Some(before), Some(item), self.effect(Some(before), Some(item))));
            }
            self.inside(item, before_inner, inner).compare(before_inner, inner, found);
        }
        let left: HashSet<*const Item> = olds.into_values().flatten().map(std::ptr::from_ref).collect();
        let gone = old.iter().filter(|item| left.contains(&std::ptr::from_ref(*item)));
        found.extend(gone.map(|item| self.change(Some(item), None, self.effect(Some(item), None))));
    }

    /// The same, one block further in.
    fn inside<'b>(&'b self, item: &'b Item, old: &[Item], new: &[Item]) -> Within<'b> {
        let mut lines = self.lines.clone();
        lines.push(item.line());
        if self.block.is_empty() {
            let another = item.keyword == "vrrp_instance" && router(old) != router(new);
            return Within {
                lines,
                block: &item.keyword,
                list: None,
                all: another.then_some(ANOTHER_ROUTER),
            };
        }
        // What is in a real server counts for itself; what is in a list or a check, for the list or check.
        let list = self.list.or((item.keyword != "real_server").then_some(&item.keyword));
        Within { lines, block: self.block, list, all: self.all }
    }

    fn change(&self, from: Option<&Item>, to: Option<&Item>, effect: &'static str) -> Change {
        let side = |item: Option<&Item>| item.map(|item| (item.line(), item.at.clone()));
        Change { within: self.lines.clone(), from: side(from), to: side(to), effect }
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
}

/// What makes two items the same thing with other settings.
fn identity(item: &Item) -> String {
    let listed = item.items.is_none() && keywords::homes(&item.keyword).is_empty();
    if listed || NAMED.contains(&&*item.keyword) { item.line() } else { item.keyword.clone() }
}

/// The last line of a word in a block.
fn last<'a>(items: &'a [Item], word: &str) -> Option<&'a Item> {
    items.iter().rfind(|item| item.keyword == word)
}

/// What makes an instance the same virtual router to the network.
fn router(instance: &[Item]) -> Vec<String> {
    let written = IDENTITY.iter().map(|word| last(instance, word).map_or_else(String::new, Item::line));
    let present = PRESENCE.iter().map(|word| last(instance, word).is_some().to_string());
    let address = last(instance, "virtual_ipaddress").and_then(|list| list.items.as_ref()?.first());
    let family = address.and_then(|line| value::prefixed_address(&line.keyword));
    let family = family.is_some_and(|(address, _)| address.is_ipv6()).to_string();
    written.chain(present).chain([family]).collect()
}

/// Instances that have another name and are the same virtual router; the old name must be gone.
fn renamed_instances<'a>(old: &'a [Item], new: &'a [Item]) -> Vec<(&'a Item, &'a Item)> {
    let inner = |item: &'a Item| item.items.as_deref().unwrap_or_default();
    let instances = |items: &'a [Item]| {
        items.iter().filter(|item| item.keyword == "vrrp_instance").collect::<Vec<&'a Item>>()
    };
    let (olds, news) = (instances(old), instances(new));
    let names = |items: &[&Item]| items.iter().map(|item| item.line()).collect::<HashSet<_>>();
    let (old_names, new_names) = (names(&olds), names(&news));
    let told = |item: &&'a Item| last(inner(item), "virtual_router_id").is_some();
    let gone = olds.into_iter().filter(|item| !new_names.contains(&item.line())).filter(told);
    let mut gone: HashMap<_, _> = gone.map(|item| (router(inner(item)), item)).collect();
    let appeared = news.into_iter().filter(|item| !old_names.contains(&item.line()));
    appeared.filter_map(|item| Some((gone.remove(&router(inner(item)))?, item))).collect()
}

/// The differences as lines for people.
pub fn text(changes: &[Change]) -> String {
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
        out.push_str(&format!("{within}{what} ({})\n", change.effect));
    }
    out
}

/// The differences as one line of JSON: a list of `{within, from, to, effect}`.
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
        ])
    });
    Json::List(changes.collect()).line()
}
