//! The language as data: every word keepalived knows, block by block, one file each.
//!
//! Parsing, the check of plain values, "not supported yet" and "unknown keyword" all come from these tables, so
//! adding a word is one entry here and one field where it takes effect. The ranges are keepalived's.

mod address_line;
mod arity;
mod bfd_instance;
mod checkers;
mod garp_group;
mod global_defs;
mod index;
mod real_server;
mod root;
mod route_line;
mod rule_line;
mod snmp_agent;
mod snmp_notify;
mod ssl;
mod track_file;
mod track_group;
mod virtual_server;
mod virtual_server_group;
mod vrrp_instance;
mod vrrp_script;
mod vrrp_sync_group;
mod vrrp_track_process;

use std::{collections::HashMap, sync::LazyLock};

use self::index::Index;

/// The words that may stand in one block, or after the first word of one kind of line.
#[derive(Debug)]
struct Table {
    name: &'static str,
    /// The block's own words.
    keywords: &'static [Keyword],
    /// Words it has in common with other blocks.
    shared: &'static [Keyword],
    /// Words that have another default here than elsewhere.
    defaults: &'static [(&'static str, &'static str)],
}

/// A block, or the words after the first one of one kind of line: a table, and where each word stands in it.
#[derive(Debug)]
pub struct Block {
    /// What the block is called in messages.
    pub name: &'static str,
    /// Whether a secret may stand in it, and so any word there that is not understood may be one.
    pub holds_secrets: bool,
    table: Table,
    index: Index,
}

impl Block {
    const fn new(table: Table) -> Self {
        let mut index = Index::new();
        let (mut holds_secrets, mut at) = (false, 0);
        while at < table.keywords.len() + table.shared.len() {
            let keyword = table.at(at);
            holds_secrets |= keyword.secret;
            index.insert(keyword.name, at);
            at += 1;
        }
        Self { name: table.name, holds_secrets, table, index }
    }

    /// The word's entry, if the block has it; case matters.
    pub fn keyword(&self, name: &str) -> Option<&'static Keyword> {
        self.index.places(name).map(|at| self.table.at(at)).find(|keyword| keyword.name == name)
    }

    /// Whether it has no words.
    pub fn is_empty(&self) -> bool {
        self.table.keywords.is_empty() && self.table.shared.is_empty()
    }

    /// What holds when a word of the block is not there and none that it inherits from; empty for off, none or nothing.
    pub fn default(&self, keyword: &Keyword) -> &'static str {
        let own = self.table.defaults.iter().find(|(name, _)| *name == keyword.name);
        own.map_or(keyword.default, |(_, default)| *default)
    }

    /// Every word of the block.
    pub fn all(&self) -> impl Iterator<Item = &'static Keyword> + use<> {
        self.table.keywords.iter().chain(self.table.shared)
    }
}

impl Table {
    /// A word by its number: its own first, then those it shares.
    const fn at(&self, number: usize) -> &'static Keyword {
        if number < self.keywords.len() {
            &self.keywords[number]
        } else {
            &self.shared[number - self.keywords.len()]
        }
    }
}

/// One word of the language.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// The word.
    pub name: &'static str,
    /// Its arguments in the usual notation: `SECS`, `[BOOL]`, `NAME [weight N]`.
    pub arguments: &'static str,
    /// What the first argument is, as far as it can be checked without context.
    pub value: Value,
    /// What holds when the file does not say: a value, another word of the block for its value, or prose; empty for
    /// off, none or nothing. [`Block::default`] knows better.
    pub default: &'static str,
    /// Words of the blocks around it, and of `global_defs`, that hold when the file does not say: block and word, the
    /// first that is there.
    pub inherits: &'static [(&'static str, &'static str)],
    /// The word of the same block that this is another spelling of; empty when it is none.
    pub same_as: &'static str,
    /// What the word means without its argument; empty when that means nothing.
    pub bare: &'static str,
    /// The release of keepalived that brought the word; empty when 2.2.7 or an older one has it.
    pub since: &'static str,
    /// Whether it does anything here.
    pub status: Status,
    /// What happens when the first argument is missing.
    pub missing: Missing,
    /// What happens when more words follow than it takes.
    pub surplus: Surplus,
    /// Whether what follows it is never shown.
    pub secret: bool,
    /// What the word does, in one line.
    pub help: &'static str,
}

/// What a word's argument is.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// No argument; one that is given is ignored.
    Flag,
    /// on, off, true, false, yes or no; absent means true.
    Boolean,
    /// Free text, or something only its own code can judge.
    Text,
    /// A whole number in this range.
    Integer(i64, i64),
    /// Decimal seconds; the range is in microseconds.
    Seconds(u64, u64),
    /// Decimal milliseconds; the range is in microseconds.
    Milliseconds(u64, u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, in upper or lower case.
    OneOfAnyCase(&'static [&'static str]),
    /// A whole number in this range, as C has them: `0x10` and `020` are 16.
    Numeral(u64, u64),
    /// A number, or a name that iproute2 has for it.
    Named(Names),
    /// An IPv4 or IPv6 address.
    Address,
    /// An address with a prefix length; `default`, `any` or `all` for every address.
    Network,
    /// The name of an interface.
    Interface,
    /// A command, perhaps with user and group.
    Script,
    /// A `{ }` of lines that are not keywords; the block lists the options such a line may have.
    Lines(&'static Block),
    /// A `{ }` of keywords.
    Body(&'static Block),
}

/// Numbers with names, as the files of iproute2 list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// Routing tables: `rt_tables`.
    Tables,
    /// Who made a route or rule: `rt_protos`.
    Protocols,
    /// Scopes of addresses and routes: `rt_scopes`.
    Scopes,
    /// Realms of routes: `rt_realms`.
    Realms,
    /// Values of the TOS byte: `rt_dsfield`.
    DsField,
    /// Groups of interfaces: `group`.
    Groups,
}

impl Names {
    /// The file that has them.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Tables => "rt_tables",
            Self::Protocols => "rt_protos",
            Self::Scopes => "rt_scopes",
            Self::Realms => "rt_realms",
            Self::DsField => "rt_dsfield",
            Self::Groups => "group",
        }
    }

    /// The largest number.
    pub const fn max(self) -> u32 {
        match self {
            Self::Tables | Self::Groups => u32::MAX,
            Self::Protocols | Self::Scopes | Self::DsField => 255,
            Self::Realms => 65_535,
        }
    }
}

/// Whether a word has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what keepalived makes it do.
    Supported,
    /// It is understood and has no effect yet.
    NotYet,
    /// It is understood, and what it is about follows it; but nothing else is there yet that it needs, which the text
    /// names.
    Until(&'static str),
    /// It does what keepalived makes it do, and keepalived itself asks not to use it; the text says what to write.
    Outdated(&'static str),
    /// keepalived no longer has it; the text says why.
    Removed(&'static str),
}

/// What a missing first argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing: the argument is optional.
    Allowed,
    /// The line is reported and skipped.
    Reported,
    /// keepalived ends with exit code 2.
    Fatal,
}

/// What words behind those that a keyword takes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// keepalived ignores them.
    Ignored,
    /// The line is reported and skipped, with the block that it opens.
    Refused,
    /// keepalived ends with exit code 2.
    Fatal,
}

impl Keyword {
    const fn supported(mut self) -> Self {
        self.status = Status::Supported;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn until(mut self, what: &'static str) -> Self {
        self.status = Status::Until(what);
        self
    }

    const fn removed(mut self, why: &'static str) -> Self {
        self.status = Status::Removed(why);
        self
    }

    const fn outdated(mut self, instead: &'static str) -> Self {
        self.status = Status::Outdated(instead);
        self
    }

    /// Whether it has an effect.
    pub const fn works(&self) -> bool {
        matches!(self.status, Status::Supported | Status::Outdated(_))
    }

    /// What holds when the word is not there.
    const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Where the value comes from when the word is not there.
    const fn inherits(mut self, from: &'static [(&'static str, &'static str)]) -> Self {
        self.inherits = from;
        self
    }

    /// The spelling by which it and the others that mean the same are known.
    pub fn usual(&self) -> &'static str {
        if self.same_as.is_empty() { self.name } else { self.same_as }
    }

    /// What this is another spelling of.
    const fn same_as(mut self, word: &'static str) -> Self {
        self.same_as = word;
        self
    }

    /// What the word means without its argument.
    const fn alone(mut self, value: &'static str) -> Self {
        self.bare = value;
        self
    }

    /// The release that brought the word.
    const fn since(mut self, release: &'static str) -> Self {
        self.since = release;
        self
    }

    /// Without the argument the program ends.
    const fn required(mut self) -> Self {
        self.missing = Missing::Fatal;
        self
    }

    /// With more words than it takes the line is skipped.
    const fn sole(mut self) -> Self {
        self.surplus = Surplus::Refused;
        self
    }

    /// With more words than it takes the program ends.
    const fn sole_or_end(mut self) -> Self {
        self.surplus = Surplus::Fatal;
        self
    }

    /// Without the argument the line is reported.
    const fn expected(mut self) -> Self {
        self.missing = Missing::Reported;
        self
    }
}

/// A word that is understood and has no effect yet; the methods above change that.
const fn keyword(name: &'static str, arguments: &'static str, value: Value, help: &'static str) -> Keyword {
    Keyword {
        name,
        arguments,
        value,
        default: "",
        inherits: &[],
        same_as: "",
        bare: "",
        since: "",
        status: Status::NotYet,
        missing: Missing::Allowed,
        surplus: Surplus::Ignored,
        secret: false,
        help,
    }
}

static NO_OPTIONS: Block = Block::new(Table { name: "a list", keywords: &[], shared: &[], defaults: &[] });

/// The top level of a file.
pub static ROOT: &Block = &root::BLOCK;

/// The options of a line in `virtual_ipaddress` and its like.
pub static ADDRESS_LINE: &Block = &address_line::OPTIONS;
/// The words of a line in `virtual_routes` and `static_routes`.
pub static ROUTE_LINE: &Block = &route_line::OPTIONS;
/// The words of a line in `virtual_rules` and `static_rules`.
pub static RULE_LINE: &Block = &rule_line::OPTIONS;

pub(super) use route_line::{ENCAP_IP, ENCAP_IP6, NEXT_HOP};

/// Where else a word is known: the blocks whose keyword it is.
pub fn homes(name: &str) -> &'static [&'static str] {
    static HOMES: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
        let mut homes: HashMap<_, Vec<_>> = HashMap::new();
        visit(ROOT, &mut |block| {
            for keyword in block.all() {
                let blocks = homes.entry(keyword.name).or_default();
                if !blocks.contains(&block.name) {
                    blocks.push(block.name);
                }
            }
        });
        homes
    });
    HOMES.get(name).map_or(&[], Vec::as_slice)
}

/// The word of `block` that `name` is most likely meant for.
pub fn similar(block: &'static Block, name: &str) -> Option<&'static str> {
    closest(block, name).map(|(_, word)| word)
}

/// The word of `block` that `name` is most likely meant for, with the number of changes between them beside those of
/// case.
pub(super) fn closest(block: &'static Block, name: &str) -> Option<(usize, &'static str)> {
    let same = |keyword: &&Keyword| keyword.name.eq_ignore_ascii_case(name);
    if let Some(keyword) = block.all().find(same) {
        return Some((0, keyword.name));
    }
    let name = &name.to_ascii_lowercase();
    let length = name.chars().count();
    let limit = 1 + length / 5;
    let near = block.all().filter(|keyword| keyword.name.len().abs_diff(length) <= limit);
    let nearest =
        near.map(|keyword| (distance(&keyword.name.to_ascii_lowercase(), name), keyword.name)).min();
    let nearest = nearest.filter(|(changes, _)| *changes <= limit);
    // One change is a slip of the finger; beyond that a common beginning tells more.
    nearest.filter(|(changes, _)| *changes <= 1).or_else(|| namesake(block, name)).or(nearest)
}

/// The only word of `block` that begins as `name`, in lower case, does up to its first `_`: `HTTP_GET` for `http_check`.
fn namesake(block: &'static Block, name: &str) -> Option<(usize, &'static str)> {
    let beginning = &name[..=name.find('_')?];
    let begins = |keyword: &&Keyword| {
        keyword.name.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    let mut all = block.all().filter(begins);
    let word = all.next().filter(|_| all.next().is_none())?.name;
    let changes = distance(&word.to_ascii_lowercase(), name);
    (beginning.len() > 3 && changes <= name.chars().count() / 2).then_some((changes, word))
}

/// Whether a secret follows the word, in any block.
pub(super) fn takes_secret(word: &str) -> bool {
    secret_words().contains(&word)
}

/// Whether a word may be meant for one that a secret follows. Words as short as `key` resemble too many others.
pub(super) fn resembles_secret(word: &str) -> bool {
    const MOST_CHANGES: usize = 2;
    const SHORTEST: usize = 8;
    let word = word.to_lowercase();
    // Every word that is shown is asked about, and few are of such a length.
    let length = word.chars().count();
    secret_words().iter().filter(|meant| meant.len() >= SHORTEST).any(|meant| {
        let may = length.abs_diff(meant.len()) <= MOST_CHANGES && !word.starts_with('-');
        word == *meant
            || meant.contains('_') && word.contains(meant)
            || may && distance(meant, &word) <= MOST_CHANGES
    })
}

fn secret_words() -> &'static [&'static str] {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut words = Vec::new();
        visit(ROOT, &mut |block| {
            words.extend(block.all().filter(|keyword| keyword.secret).map(|keyword| keyword.name));
        });
        words.sort_unstable();
        words.dedup();
        words
    });
    &WORDS
}

/// Every block of keywords that can be reached from `block`, itself first.
pub fn visit(block: &'static Block, see: &mut impl FnMut(&'static Block)) {
    see(block);
    for keyword in block.all() {
        if let Value::Body(inner) = keyword.value {
            visit(inner, see);
        }
    }
}

/// Edit distance in which swapping two neighbours counts as one change.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().take(64).collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_twice_in_a_block() {
        visit(ROOT, &mut |block| {
            let mut names: Vec<_> = block.all().map(|keyword| keyword.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{}", block.name);
        });
    }

    #[test]
    fn other_spellings_and_sources_exist() {
        let mut blocks = Vec::new();
        visit(ROOT, &mut |block| blocks.push(block));
        let has = |block: &str, word: &str| {
            blocks.iter().any(|known| known.name == block && known.keyword(word).is_some())
        };
        for block in &blocks {
            for keyword in block.all() {
                assert!(
                    keyword.same_as.is_empty() || block.keyword(keyword.same_as).is_some(),
                    "{keyword:?}"
                );
                for (from, word) in keyword.inherits {
                    assert!(has(if from.is_empty() { block.name } else { from }, word), "{keyword:?}");
                }
            }
        }
    }

    #[test]
    fn a_typo_finds_its_word() {
        let instance = &vrrp_instance::BLOCK;
        assert_eq!(similar(instance, "virtual_ipadress"), Some("virtual_ipaddress"));
        assert_eq!(similar(instance, "prioirty"), Some("priority"));
        assert_eq!(similar(instance, "completely_else"), None);
        assert_eq!(similar(instance, "Virtual_Router_ID"), Some("virtual_router_id"), "case is no change");
        assert_eq!(similar(instance, "VIRTUAL_IPADRESS"), Some("virtual_ipaddress"));
        assert_eq!(similar(ROOT, "VRRP_instance"), Some("vrrp_instance"));
        for (word, meant) in [
            ("HTTP_CHEK", Some("HTTP_GET")),
            ("HTTP_CHECK", Some("HTTP_GET")),
            ("SSL_CHECK", Some("SSL_GET")),
            ("TCP_CHEK", Some("TCP_CHECK")),
            ("http_check", Some("HTTP_GET")),
            ("HTTP_nothing_of_the_kind", None),
        ] {
            assert_eq!(similar(&real_server::BLOCK, word), meant, "{word}");
        }
    }

    #[test]
    fn a_word_knows_its_blocks() {
        assert_eq!(homes("router_id"), ["global_defs"]);
        assert_eq!(homes("auth_pass"), ["authentication"]);
        assert!(homes("nonsense").is_empty());
    }
}
