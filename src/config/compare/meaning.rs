//! What a line comes to, however it is written: two lines that mean the same make no difference.

use std::net::IpAddr;

use crate::config::{
    Instance,
    keywords::{Block, Value},
    show::Item,
    text::is_blank,
    value,
};

/// Lists whose lines begin with an address and its prefix length, which is that of a host when it is not written.
const PREFIXED: &[&str] = &["virtual_ipaddress", "virtual_ipaddress_excluded", "static_ipaddress"];
/// Blocks that are told apart by an address and a port.
const ENDPOINTS: &[&str] = &["virtual_server", "real_server"];

/// A line in one spelling, secrets included: for comparing, never for showing. `table` is the language of the block it
/// is in, else it is in a list named `list`.
pub(super) fn of(item: &Item, table: Option<&'static Block>, list: Option<&str>) -> String {
    let Some(known) = table.and_then(|table| table.keyword(&item.keyword)) else {
        return listed(item, list);
    };
    let mut words = words(item.unmasked());
    let first = words.first().map(String::as_str);
    let in_one_spelling = match known.value {
        Value::Flag => return known.usual().to_owned(),
        Value::Boolean => Some(match first {
            None | Some("on" | "true" | "yes") => "on".to_owned(),
            Some("off" | "false" | "no") => "off".to_owned(),
            Some(other) => other.to_owned(),
        }),
        Value::Integer(..) | Value::Numeral(..) => first.map(integer),
        Value::Seconds(..) | Value::Milliseconds(..) => {
            first.map(|word| value::micro(word).map_or_else(|| word.to_owned(), |micro| micro.to_string()))
        }
        Value::OneOfAnyCase(_) => first.map(str::to_lowercase),
        Value::Address => first.map(address),
        Value::Body(_) if ENDPOINTS.contains(&known.name) => {
            words = words.iter().map(|word| integer(&address(word))).collect();
            None
        }
        Value::Script => {
            words = value::arguments(item.unmasked()).unwrap_or(words);
            None
        }
        Value::Text
        | Value::OneOf(_)
        | Value::Named(_)
        | Value::Network
        | Value::Interface
        | Value::Lines(_)
        | Value::Body(_) => None,
    };
    if let Some(word) = in_one_spelling {
        words.splice(..words.len().min(1), [word]);
    }
    joined(known.usual(), words)
}

/// A line of a list: an address or a name, then options and their numbers.
fn listed(item: &Item, list: Option<&str>) -> String {
    let mut all = words(&item.keyword).into_iter().chain(words(item.unmasked()));
    let first = all.next().unwrap_or_default();
    let first = match value::prefixed_address(&first) {
        Some((host, prefix)) if list.is_some_and(|list| PREFIXED.contains(&list)) => {
            let bits = if host.is_ipv6() { 128 } else { 32 };
            let prefix = prefix.map_or_else(|| bits.to_string(), integer);
            format!("{host}/{prefix}")
        }
        _ => address(&first),
    };
    joined(&first, all.map(|word| integer(&address(&word))).collect())
}

/// Words with what divides them out of the way: a blank may be part of one.
fn joined(first: &str, words: Vec<String>) -> String {
    words.into_iter().fold(first.to_owned(), |line, word| line + "\0" + &word)
}

fn integer(word: &str) -> String {
    value::integer(word).map_or_else(|| word.to_owned(), |number| number.to_string())
}

fn address(word: &str) -> String {
    word.parse::<IpAddr>().map_or_else(|_| word.to_owned(), |address| address.to_string())
}

/// The words of a line: quotes protect blanks, and are no part of a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        if c == '"' {
            quoted = !quoted;
            word.get_or_insert_default();
        } else if !quoted && is_blank(c) {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(c);
        }
    }
    words.extend(word);
    words
}

/// Whether a word of two instances comes to the same, whatever is written; `None` for words that the instances only keep
/// as they are written.
pub(super) fn same(word: &str, old: &Instance, new: &Instance) -> Option<bool> {
    Some(match word {
        "state" => old.initial_state == new.initial_state,
        "interface" => old.interface == new.interface,
        "virtual_router_id" => old.vrid == new.vrid,
        "priority" => old.priority == new.priority,
        "version" => old.version == new.version,
        "advert_int" => old.advert_interval == new.advert_interval,
        "preempt" | "nopreempt" => old.preempt == new.preempt,
        "preempt_delay" => old.preempt_delay == new.preempt_delay,
        "mcast_src_ip" | "unicast_src_ip" => old.source == new.source,
        "mcast_dst_ip" => old.multicast_group == new.multicast_group,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_protect_blanks() {
        assert_eq!(words("a  \"b c\" d\"e\" \"\""), ["a", "b c", "de", ""]);
    }
}
