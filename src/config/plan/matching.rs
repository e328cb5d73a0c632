//! Which things of one kind go on.

use std::{collections::HashMap, hash::Hash};

/// Where a thing of the new configuration comes from, by its position in the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It is new.
    Added,
    /// It is there already, and nothing about it differs.
    Same(usize),
    /// It is there already, with other settings.
    Changed(usize),
}

impl Origin {
    /// Its position in the old configuration, if it is there.
    pub const fn before(self) -> Option<usize> {
        match self {
            Self::Added => None,
            Self::Same(before) | Self::Changed(before) => Some(before),
        }
    }
}

/// What becomes of the things of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// For each of the new configuration where it comes from.
    pub origins: Vec<Origin>,
    /// Those of the old configuration that end, by position.
    pub gone: Vec<usize>,
}

impl Matching {
    /// Those with the same key are the same thing.
    pub fn new<T, K: Eq + Hash + ?Sized>(
        old: &[T],
        new: &[T],
        key: impl Fn(&T) -> &K,
        same: impl Fn(&T, &T) -> bool,
    ) -> Self {
        let mut known: HashMap<&K, usize> =
            old.iter().enumerate().map(|(position, thing)| (key(thing), position)).collect();
        let found = new.iter().map(|thing| known.remove(key(thing))).collect();
        Self::from_pairs(old.len(), found, |before, now| same(&old[before], &new[now]))
    }

    /// Those that are equal are the same thing. For lists that are short, or stay mostly as they are.
    pub fn of_values<T: PartialEq>(old: &[T], new: &[T]) -> Self {
        let mut left: Vec<usize> = (0..old.len()).collect();
        let find = |thing: &T| {
            let place = left.iter().position(|before| old[*before] == *thing)?;
            Some(left.remove(place))
        };
        let found = new.iter().map(find).collect();
        Self::from_pairs(old.len(), found, |_, _| true)
    }

    /// For each new thing the old one that it is, of so many, and whether nothing about it differs.
    pub fn from_pairs(old: usize, found: Vec<Option<usize>>, same: impl Fn(usize, usize) -> bool) -> Self {
        let mut goes_on = vec![false; old];
        let origin = |(now, before): (usize, Option<usize>)| match before {
            None => Origin::Added,
            Some(before) => {
                goes_on[before] = true;
                if same(before, now) { Origin::Same(before) } else { Origin::Changed(before) }
            }
        };
        let origins = found.into_iter().enumerate().map(origin).collect();
        let gone = (0..old).filter(|before| !goes_on[*before]).collect();
        Self { origins, gone }
    }

    /// Whether all go on as they are, in the same order.
    pub fn is_same(&self) -> bool {
        let in_place = |(now, origin): (usize, &Origin)| *origin == Origin::Same(now);
        self.gone.is_empty() && self.origins.iter().enumerate().all(in_place)
    }

    /// How many are new, how many have other settings, and how many end.
    pub fn counts(&self) -> [usize; 3] {
        let count = |fits: fn(&Origin) -> bool| self.origins.iter().filter(|origin| fits(origin)).count();
        let added = count(|origin| *origin == Origin::Added);
        [added, count(|origin| matches!(origin, Origin::Changed(_))), self.gone.len()]
    }
}
