//! What a reload from one configuration to another would do, in words and as JSON.

use std::collections::{HashMap, HashSet};

use super::{Span, json::Json, show::Item};

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
const IDENTITY: &[&str] =
    &["virtual_router_id", "interface", "native_ipv6", "unicast_peer", "mcast_dst_ip", "use_vmac"];

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
    compare(old, new, &[], "takes effect with the reload", &mut found);
    found
}

fn compare(old: &[Item], new: &[Item], within: &[String], effect: &'static str, found: &mut Vec<Change>) {
    let mut olds: HashMap<String, Vec<&Item>> = HashMap::new();
    for item in old.iter().rev() {
        olds.entry(identity(item)).or_default().push(item);
    }
    for item in new {
        let before = olds.get_mut(&identity(item)).and_then(Vec::pop);
        let (Some(before), Some(inner)) = (before, &item.items) else {
            if before.is_none_or(|before| !before.says_the_same(item)) {
                found.push(change(within, before, Some(item), effect));
            }
            continue;
        };
        let mut path = within.to_vec();
        path.push(item.line());
        let before_inner = before.items.as_deref().unwrap_or_default();
        if !NAMED.contains(&&*item.keyword) && !before.says_the_same(item) {
            found.push(change(within, Some(before), Some(item), effect));
        }
        let effect = if within.is_empty() { effect_within(item, before_inner, inner) } else { effect };
        compare(before_inner, inner, &path, effect, found);
    }
    let left: HashSet<*const Item> = olds.into_values().flatten().map(std::ptr::from_ref).collect();
    let gone = old.iter().filter(|item| left.contains(&std::ptr::from_ref(*item)));
    found.extend(gone.map(|item| change(within, Some(item), None, effect)));
}

/// What makes two items the same thing with other settings.
fn identity(item: &Item) -> String {
    let listed = item.items.is_none() && super::keywords::homes(&item.keyword).is_empty();
    if listed || NAMED.contains(&&*item.keyword) { item.line() } else { item.keyword.clone() }
}

fn change(within: &[String], from: Option<&Item>, to: Option<&Item>, effect: &'static str) -> Change {
    let side = |item: Option<&Item>| item.map(|item| (item.line(), item.at.clone()));
    let keyword = from.or(to).map_or("", |item| &*item.keyword);
    let effect = match (keyword, from, to) {
        ("vrrp_instance", None, _) => "starts as a new router",
        ("vrrp_instance", _, None) => "stops: it sends priority 0 and its addresses are removed",
        ("virtual_server" | "real_server", None, _) => "is added and checked from the start",
        ("virtual_server" | "real_server", _, None) => "is removed",
        _ => effect,
    };
    Change { within: within.to_vec(), from: side(from), to: side(to), effect }
}

/// What a change inside a block at the top level means.
fn effect_within(block: &Item, old: &[Item], new: &[Item]) -> &'static str {
    if block.keyword != "vrrp_instance" {
        return "takes effect with the reload";
    }
    let differs = |word: &&&str| {
        let of = |items: &[Item]| items.iter().rfind(|item| item.keyword == **word).cloned();
        match (of(old), of(new)) {
            (None, None) => false,
            (Some(old), Some(new)) => !old.says_the_same(&new),
            _ => true,
        }
    };
    if IDENTITY.iter().any(|word| differs(&word)) {
        "is another virtual router: it stops and starts anew"
    } else {
        "changes while it runs, without a transition"
    }
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
