//! Object identifiers: what SNMP sorts by.
//!
//! An [`Oid`] is a sequence of `u32` sub-identifiers, compared one by one as unsigned numbers, a prefix
//! before its extensions (RFC 2741 §7.2.3.2). That is exactly the order of `[u32]`, so the derived `Ord`
//! is the protocol's order. A clone shares the numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The most sub-identifiers an object identifier may have (RFC 2741 §5.1).
pub const MAX_SUBIDS: usize = 128;

/// An object identifier of 0 to [`MAX_SUBIDS`] sub-identifiers; the one without any is AgentX's null OID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Arc<[u32]>);

impl Oid {
    /// The null OID: no sub-identifiers.
    #[must_use]
    pub fn null() -> Self {
        Self(Arc::default())
    }

    /// Whether this is the null OID.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.is_empty()
    }

    /// The sub-identifiers, first to last.
    #[must_use]
    pub fn subids(&self) -> &[u32] {
        &self.0
    }

    /// Whether `prefix` is this OID or one of its ancestors.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// What follows `prefix`, or `None` when this OID is not below it.
    #[must_use]
    pub fn suffix(&self, prefix: &Self) -> Option<&[u32]> {
        self.0.strip_prefix(&*prefix.0)
    }

    /// This OID and one more sub-identifier, for the program's own constants.
    ///
    /// # Panics
    /// When the result has more than [`MAX_SUBIDS`]; [`Oid::try_join`] is for lengths that come from outside.
    #[must_use]
    pub fn child(&self, subid: u32) -> Self {
        self.join(&[subid])
    }

    /// This OID followed by `suffix`, for the program's own constants.
    ///
    /// # Panics
    /// When the result has more than [`MAX_SUBIDS`]; [`Oid::try_join`] is for lengths that come from outside.
    #[must_use]
    pub fn join(&self, suffix: &[u32]) -> Self {
        match self.try_join(suffix) {
            Ok(oid) => oid,
            Err(_) => panic!("{self} with {} more sub-identifiers", suffix.len()),
        }
    }

    /// This OID followed by `suffix`.
    ///
    /// # Errors
    /// [`InvalidOid::TooLong`] when the result has more than [`MAX_SUBIDS`].
    pub fn try_join(&self, suffix: &[u32]) -> Result<Self, InvalidOid> {
        Self::try_concat([self.subids(), suffix])
    }

    /// The parts one after the other, put together in one place before anything is allocated.
    pub(crate) fn try_concat<const N: usize>(parts: [&[u32]; N]) -> Result<Self, InvalidOid> {
        let mut subids = [0; MAX_SUBIDS];
        let mut len = 0;
        for part in parts {
            if let Some(place) = subids.get_mut(len..len + part.len()) {
                place.copy_from_slice(part);
            }
            len += part.len();
        }
        let subids = subids.get(..len).ok_or(InvalidOid::TooLong(len))?;
        Ok(Self(Arc::from(subids)))
    }
}

/// Why something is not an object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOid {
    /// More than [`MAX_SUBIDS`] sub-identifiers.
    #[error("an object identifier has at most {MAX_SUBIDS} sub-identifiers, this one has {0}")]
    TooLong(usize),
    /// A part between two dots that is not a number from 0 to 4294967295.
    #[error("\"{0}\" is not a sub-identifier: write numbers from 0 to 4294967295 with dots between them")]
    Subid(String),
}

impl TryFrom<&[u32]> for Oid {
    type Error = InvalidOid;

    fn try_from(subids: &[u32]) -> Result<Self, InvalidOid> {
        if subids.len() > MAX_SUBIDS {
            return Err(InvalidOid::TooLong(subids.len()));
        }
        Ok(Self(Arc::from(subids)))
    }
}

impl<const N: usize> From<[u32; N]> for Oid {
    fn from(subids: [u32; N]) -> Self {
        const { assert!(N <= MAX_SUBIDS) };
        Self(Arc::from(subids))
    }
}

impl FromStr for Oid {
    type Err = InvalidOid;

    /// Reads `1.3.6.1` or `.1.3.6.1`; the empty text is the null OID.
    fn from_str(text: &str) -> Result<Self, InvalidOid> {
        let text = text.strip_prefix('.').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::null());
        }
        let subids = text
            .split('.')
            .map(|part| part.parse().map_err(|_| InvalidOid::Subid(part.to_owned())))
            .collect::<Result<Vec<u32>, _>>()?;
        Self::try_from(subids.as_slice())
    }
}

impl fmt::Display for Oid {
    /// Dotted numbers without a leading dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, subid) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{subid}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let oid: Oid = ".1.3.6.1.4.1.9586.100.5".parse().unwrap();
        assert_eq!(oid, Oid::from([1, 3, 6, 1, 4, 1, 9586, 100, 5]));
        assert_eq!(oid.to_string(), "1.3.6.1.4.1.9586.100.5");
        assert_eq!("".parse(), Ok(Oid::null()));
        assert_eq!("1..3".parse::<Oid>(), Err(InvalidOid::Subid(String::new())));
        assert_eq!("1.4294967296".parse::<Oid>(), Err(InvalidOid::Subid("4294967296".into())));
    }

    #[test]
    fn order_is_by_unsigned_subidentifiers_with_prefixes_first() {
        let sorted = ["1.3", "1.3.0", "1.3.9", "1.3.10", "1.3.2147483649", "1.4"];
        let mut oids: Vec<Oid> = sorted.iter().rev().map(|text| text.parse().unwrap()).collect();
        oids.sort();
        assert_eq!(oids.iter().map(Oid::to_string).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn at_most_128_subidentifiers() {
        assert!(Oid::try_from(&[1; 128][..]).is_ok());
        assert_eq!(Oid::try_from(&[1; 129][..]), Err(InvalidOid::TooLong(129)));
        assert_eq!(Oid::from([1; 127]).try_join(&[1, 2]), Err(InvalidOid::TooLong(129)));
    }

    #[test]
    fn suffix_is_what_follows_the_prefix() {
        let base = Oid::from([1, 3, 6]);
        assert_eq!(base.child(1).suffix(&base), Some(&[1][..]));
        assert_eq!(base.suffix(&base.child(1)), None);
        assert!(base.join(&[4, 5]).starts_with(&base));
    }
}
