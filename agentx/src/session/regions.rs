//! Which regions the master holds for us, and since when there is nothing that shows it.
//!
//! A master keeps a registration for as long as the session, and yet it can be gone: net-snmp lets any subagent
//! unregister any region, against RFC 2741 §7.1.5. Nothing tells of it. A request for something in the region shows that it is still ours; where
//! none comes for a while, registering it once more does: the master refuses the duplicate, or has lost the first.
//! net-snmp logs a duplicate, so this is done rarely, and not where somebody asks anyway.
//!
//! A rival who has unregistered the region and then registered it with the same priority is not seen: the master refuses ours as
//! a duplicate in the same words, whoever holds the other. AgentX has nothing that names the holder or has the master ask;
//! to unregister and register anew would show it, but would take the region from ourselves each time. Requests that stay
//! away, which [`Regions`] counts as doubt only, are then all there is to see.

use std::time::Duration;

use super::Region;
use crate::oid::Oid;

/// For each region when the master was seen to hold it last; `None` when it does not.
#[derive(Debug, Default)]
pub(super) struct Regions(Vec<Option<Duration>>);

impl Regions {
    /// So many, none of them held.
    pub(super) fn new(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// The master holds the region at this place; returns whether that is news.
    pub(super) fn hold(&mut self, place: usize, now: Duration) -> bool {
        self.0.get_mut(place).is_some_and(|held| held.replace(now).is_none())
    }

    /// The master does not hold it.
    pub(super) fn release(&mut self, place: usize) {
        if let Some(held) = self.0.get_mut(place) {
            *held = None;
        }
    }

    /// The master holds none.
    pub(super) fn clear(&mut self) {
        self.0.fill(None);
    }

    /// How many the master holds.
    pub(super) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The places of those that the master does not hold.
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(|(_, held)| held.is_none()).map(|(place, _)| place)
    }

    /// The master asked for `oid`, or for what follows it.
    pub(super) fn asked(&mut self, now: Duration, oid: &Oid, regions: &[Region]) {
        for (held, region) in self.0.iter_mut().zip(regions) {
            if held.is_some() && oid.starts_with(&region.subtree) {
                *held = Some(now);
            }
        }
    }

    /// When the first of them is in doubt, after `check_after` without a sign.
    pub(super) fn doubted_at(&self, check_after: Duration) -> Option<Duration> {
        self.0.iter().flatten().min().map(|seen| *seen + check_after)
    }

    /// The places of those that are in doubt.
    pub(super) fn doubted(&self, now: Duration, check_after: Duration) -> impl Iterator<Item = usize> {
        let doubted = move |held: &Option<Duration>| held.is_some_and(|seen| seen + check_after <= now);
        self.0.iter().enumerate().filter(move |(_, held)| doubted(held)).map(|(place, _)| place)
    }
}
