//! What a word of the language means, from the tables: for one word, and for all of them as a page.

use super::keywords::{self, Block, Keyword, Missing, Status, Value};

/// What the word means in every block that has it, and how to ask for one of them; `None` when no block does.
pub fn word(name: &str) -> Option<String> {
    let (mut out, mut blocks) = (String::new(), 0);
    each_block(&mut |block| {
        if let Some(keyword) = block.keyword(name) {
            out.push_str(&entry(block, keyword));
            blocks += 1;
        }
    });
    if blocks > 1 {
        out.push_str(&format!("{blocks} blocks have it: config explain BLOCK {name} shows one of them\n"));
    }
    (!out.is_empty()).then_some(out)
}

fn entry(block: &Block, keyword: &Keyword) -> String {
    let arguments = if keyword.arguments.is_empty() { "" } else { " " };
    let mut out = format!(
        "{}{arguments}{} (in {})\n    {}\n",
        keyword.name, keyword.arguments, block.name, keyword.help
    );
    for (title, text) in facts(block, keyword) {
        out.push_str(&format!("    {title}: {text}\n"));
    }
    out
}

/// What the word means in one block. The error says whether there is no such block, or where the word is at home.
pub fn word_in(block: &str, name: &str) -> Result<String, String> {
    let mut found = None;
    each_block(&mut |known| {
        if known.name == block && found.is_none_or(|block: &Block| block.keyword(name).is_none()) {
            found = Some(known);
        }
    });
    let Some(found) = found else {
        return Err(format!("there is no block {block}"));
    };
    let Some(keyword) = found.keyword(name) else {
        let near = keywords::similar(found, name).map(|near| format!("; did you mean {near}?"));
        let homes = keywords::homes(name);
        let elsewhere = (!homes.is_empty()).then(|| format!("; it belongs in {}", homes.join(" or ")));
        let hint = elsewhere.or(near).unwrap_or_default();
        return Err(format!("{block} has no keyword {name}{hint}"));
    };
    Ok(entry(found, keyword))
}

/// The word, of all blocks, that comes nearest to one that does not exist.
pub fn nearest(name: &str) -> Option<&'static str> {
    let mut found = None;
    each_block(&mut |block| {
        // Where two are as near, the one of the earlier block.
        found = found.into_iter().chain(keywords::closest(block, name)).min_by_key(|(changes, _)| *changes);
    });
    found.map(|(_, word)| word)
}

/// A block of the language.
#[derive(Debug)]
pub struct Chapter {
    /// What it is called.
    pub block: &'static str,
    /// Its words, in the order of the tables.
    pub words: Vec<Word>,
}

/// A word of a block.
#[derive(Debug)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// Its arguments in the usual notation.
    pub arguments: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// What else there is to say of it, each with a title.
    pub facts: Vec<(&'static str, String)>,
}

/// The whole language, for whoever lays it out.
pub fn chapters() -> Vec<Chapter> {
    let mut chapters = Vec::new();
    each_block(&mut |block| {
        let word = |keyword: &'static Keyword| Word {
            name: keyword.name,
            arguments: keyword.arguments,
            help: keyword.help,
            facts: facts(block, keyword),
        };
        chapters.push(Chapter { block: block.name, words: block.all().map(word).collect() });
    });
    chapters
}

/// The reference page of the language, in Markdown.
pub fn page() -> String {
    let mut out = "# The words of keepalived.conf\n\n\
        Made from the tables in `src/config/keywords`. A word without effect is read and checked, and a start says \
        so once. Since: the release of keepalived that brought the word; 2.2.7 has those without one, and no keepalived those of Steadfast.\n"
        .to_owned();
    each_block(&mut |block| {
        out.push_str(&format!(
            "\n## {}\n\n| word | arguments | value | default | since | effect | meaning |\n|---|---|---|---|---|---|---|\n",
            block.name
        ));
        for keyword in block.all() {
            out.push_str(&format!(
                "| `{}` | {} | {} | {} | {} | {} | {} |\n",
                keyword.name,
                cell(keyword.arguments),
                cell(&value(keyword.value)),
                cell(&default(block, keyword)),
                cell(keyword.since),
                cell(&status(keyword.status)),
                cell(keyword.help)
            ));
        }
    });
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// Every block once, those of line options too.
fn each_block(see: &mut impl FnMut(&'static Block)) {
    let mut seen: Vec<&'static Block> = Vec::new();
    keywords::visit(keywords::ROOT, &mut |block| {
        let lists = block.all().filter_map(|keyword| match keyword.value {
            Value::Lines(options) if !options.is_empty() => Some(options),
            _ => None,
        });
        for block in std::iter::once(block).chain(lists) {
            if !seen.iter().any(|known| std::ptr::eq(*known, block)) {
                seen.push(block);
            }
        }
    });
    seen.into_iter().for_each(see);
}

/// Where the value comes from when the word is not there.
pub(super) fn default(block: &Block, keyword: &Keyword) -> String {
    let sources = keyword.inherits.iter().map(|(from, word)| match *from {
        "" => format!("its own {word}"),
        from => format!("{word} of {from}"),
    });
    let default = block.default(keyword);
    sources.chain((!default.is_empty()).then(|| default.to_owned())).collect::<Vec<_>>().join(", else ")
}

fn facts(block: &Block, keyword: &Keyword) -> Vec<(&'static str, String)> {
    let missing = match keyword.missing {
        Missing::Allowed => String::new(),
        Missing::Reported => "without it the line is reported and skipped".to_owned(),
        Missing::Fatal => "without it the configuration cannot be used".to_owned(),
    };
    let facts = [
        ("value", value(keyword.value)),
        ("same as", keyword.same_as.to_owned()),
        ("alone", keyword.bare.to_owned()),
        ("default", default(block, keyword)),
        ("argument", missing),
        ("since", keyword.since.to_owned()),
        ("effect", status(keyword.status)),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// What an argument may be, in words.
pub(super) fn value(value: Value) -> String {
    let units = |micro: u64| {
        let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value {
        Value::Flag | Value::Text | Value::Body(_) | Value::Lines(_) => String::new(),
        Value::Boolean => "on, off, true, false, yes or no; on when absent".to_owned(),
        Value::Integer(min, max) => format!("a whole number from {min} to {max}"),
        Value::Seconds(min, max) => format!("seconds from {} to {}", units(min), units(max)),
        Value::Milliseconds(min, max) => format!("milliseconds from {} to {}", min / 1000, max / 1000),
        Value::Numeral(min, max) => format!("a whole number from {min} to {max}; 0x10 and 020 are 16"),
        Value::Named(names) => {
            format!("a number up to {}, or a name that /etc/iproute2/{} has", names.max(), names.file())
        }
        Value::OneOf(words) => words.join(", "),
        Value::OneOfAnyCase(words) => format!("{}, in upper or lower case", words.join(", ")),
        Value::Address => "an IP address".to_owned(),
        Value::Network => "an IP address and prefix length; default, any or all".to_owned(),
        Value::Interface => "the name of an interface".to_owned(),
        Value::Script => "a command, in quotes when it has arguments; then user and group".to_owned(),
    }
}

fn status(status: Status) -> String {
    match status {
        Status::Supported => "yes".to_owned(),
        Status::NotYet => "none yet".to_owned(),
        Status::Until(what) => format!("none until {what}"),
        Status::Outdated(instead) => format!("yes; deprecated, use {instead}"),
        Status::Removed(why) => format!("removed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_explained_in_every_block_that_has_it() {
        let text = word("priority").unwrap();
        assert!(text.contains("(in vrrp_instance)") && text.contains("from 1 to 255"), "{text}");
        assert!(word("weight").unwrap().matches("(in ").count() > 3);
        assert!(word("auth_hmac").unwrap().contains("since: 2.4"));
        let text = word("retry").unwrap();
        assert!(
            text.contains("default: retry of real_server, else retry of virtual_server, else 3"),
            "{text}"
        );
        assert!(word("persistence_timeout").unwrap().contains("alone: 360"));
        assert_eq!(word("nonsense"), None);
        let text = word_in("vrrp_script", "weight").unwrap();
        assert!(text.starts_with("weight N [reverse] (in vrrp_script)"), "{text}");
        assert_eq!(
            word_in("vrrp_script", "priority").unwrap_err(),
            "vrrp_script has no keyword priority; it belongs in vrrp_instance"
        );
        assert_eq!(word_in("vrrp_scrip", "weight").unwrap_err(), "there is no block vrrp_scrip");
        assert_eq!(nearest("prioritty"), Some("priority"));
    }

    #[test]
    fn the_nearest_word_of_all_blocks_is_meant() {
        let mut words = Vec::new();
        each_block(&mut |block| words.extend(block.all().map(|keyword| keyword.name)));
        // An earlier block may have one that is nearly the same.
        for word in words {
            assert_eq!(nearest(word), Some(word));
        }
    }
}
