//! Who may see and change what: communities, where they are used from, and subtrees.

use std::{fmt, net::IpAddr, sync::Arc};

use agentx::Oid;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The names that somebody sees: of the subtrees that hold a name the longest decides (RFC 3415 §4 without masks).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtrees {
    /// A subtree and whether it is seen, in the order of their names.
    rules: Vec<(Oid, bool)>,
}

impl Subtrees {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self { rules: vec![(Oid::null(), true)] }
    }

    /// Subtrees and whether each is seen. Nothing else is; of two rules for one subtree the last counts.
    pub fn new(rules: impl IntoIterator<Item = (Oid, bool)>) -> Self {
        let mut sorted: Vec<(Oid, bool)> = Vec::new();
        for (subtree, seen) in rules {
            match sorted.binary_search_by(|(other, _)| other.cmp(&subtree)) {
                Ok(at) => sorted[at].1 = seen,
                Err(at) => sorted.insert(at, (subtree, seen)),
            }
        }
        Self { rules: sorted }
    }

    /// Whether a name is seen.
    pub(super) fn admits(&self, name: &Oid) -> bool {
        self.rule(name).is_some_and(|(_, seen)| *seen)
    }

    /// Where the first name that is seen can be, after one that is not.
    pub(super) fn resume(&self, name: &Oid) -> Option<Oid> {
        let behind = self.rule(name).and_then(|(subtree, _)| behind(subtree));
        let begins = self.rules.iter().filter(|(subtree, seen)| *seen && subtree > name);
        begins.map(|(subtree, _)| subtree.clone()).chain(behind).min()
    }

    /// The rule of the longest subtree that holds a name: the last of those before it that does.
    fn rule(&self, name: &Oid) -> Option<&(Oid, bool)> {
        self.rules.iter().rfind(|(subtree, _)| name.starts_with(subtree))
    }
}

/// The first name behind a whole subtree.
fn behind(subtree: &Oid) -> Option<Oid> {
    let mut subids = subtree.subids().to_vec();
    while let Some(last) = subids.pop() {
        if let Some(next) = last.checked_add(1) {
            subids.push(next);
            return Oid::try_from(&subids[..]).ok();
        }
    }
    None
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The addresses that have the first `length` bits of this one.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Self {
        Self { address, length }
    }

    fn contains(self, address: IpAddr) -> bool {
        let alike = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        alike >= u32::from(self.length)
    }
}

/// What somebody is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it holds; everywhere when empty.
    pub sources: Vec<Prefix>,
    /// What it is.
    pub access: Access,
}

impl Grant {
    /// Whether it does not matter from where: also where a prefix holds every address of its family.
    pub(super) fn is_everywhere(&self) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|prefix| prefix.length == 0)
    }

    /// Whether it holds for who asks from there.
    pub(super) fn holds_for(&self, source: IpAddr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|prefix| prefix.contains(source))
    }
}

/// What may be seen, and whether it may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What may be seen.
    pub subtrees: Arc<Subtrees>,
    /// Whether SET is allowed there.
    pub write: bool,
}

/// A community of SNMPv1 and v2c: a password that everybody on the way can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Community {
    name: Zeroizing<Vec<u8>>,
    /// What it gives.
    pub grant: Grant,
}

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Community").field("grant", &self.grant).finish_non_exhaustive()
    }
}

impl Community {
    /// A community by its name.
    #[must_use]
    pub fn new(name: &str, grant: Grant) -> Self {
        Self { name: Zeroizing::new(name.as_bytes().to_vec()), grant }
    }

    /// Whether somebody has named it. How long that takes says nothing of how much of the name was right.
    pub(super) fn is_named(&self, name: &[u8]) -> bool {
        self.name.ct_eq(name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_subtree_decides() {
        let view =
            Subtrees::new([(oid("1.3.6"), true), (oid("1.3.6.1.4"), false), (oid("1.3.6.1.4.1.9586"), true)]);
        for (name, seen) in [
            ("1.3.6.1.2.1", true),
            ("1.3.6.1.4.1.8072", false),
            ("1.3.6.1.4.1.9586.100", true),
            ("1.2", false),
        ] {
            assert_eq!(view.admits(&oid(name)), seen, "{name}");
        }
        assert_eq!(view.resume(&oid("1.2.5")), Some(oid("1.3.6")));
        assert_eq!(view.resume(&oid("1.3.6.1.4.1.8072.1")), Some(oid("1.3.6.1.4.1.9586")));
        assert_eq!(view.resume(&oid("1.3.6.1.4.1.9587")), Some(oid("1.3.6.1.5")));
        assert_eq!(view.resume(&oid("1.4")), None);
        assert!(Subtrees::all().admits(&oid("0.0")));
        assert!(!Subtrees::new([]).admits(&oid("1.3")));
    }

    #[test]
    fn behind_the_last_number_is_behind_the_one_above() {
        assert_eq!(behind(&oid("1.3.4294967295")), Some(oid("1.4")));
        assert_eq!(behind(&Oid::null()), None);
    }

    #[test]
    fn prefixes_hold_addresses_of_their_family() {
        let prefix = |text: &str, length| Prefix::new(text.parse().unwrap(), length);
        assert!(prefix("10.1.2.3", 8).contains("10.255.0.1".parse().unwrap()));
        assert!(!prefix("10.1.2.3", 32).contains("10.1.2.4".parse().unwrap()));
        assert!(prefix("2001:db8::", 32).contains("2001:db8:5::1".parse().unwrap()));
        assert!(!prefix("::", 0).contains("10.0.0.1".parse().unwrap()));
    }
}
