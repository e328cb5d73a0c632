//! One snapshot per transaction (RFC 2741 §6.1).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Which SNMP request: session and transaction.
pub(super) type Transaction = (u32, u32);

/// How many transactions keep their snapshot: more managers than that ask at once only by chance, and lose
/// nothing but the sameness of a bulk's rows.
const KEPT: usize = 4;

/// How long one does. A master gives a request up after six seconds, so an older snapshot can only belong to a
/// master that uses one transaction number again and again.
const FRESH: Duration = Duration::from_secs(6);

/// The snapshots of the latest transactions.
pub(super) struct Snapshots<S> {
    kept: VecDeque<(Transaction, Duration, Arc<S>)>,
}

impl<S> Default for Snapshots<S> {
    fn default() -> Self {
        Self { kept: VecDeque::new() }
    }
}

impl<S> Snapshots<S> {
    /// The snapshot of `transaction`, which is `take`n the first time it is asked for.
    pub(super) fn of(
        &mut self,
        now: Duration,
        transaction: Transaction,
        take: impl FnOnce() -> Arc<S>,
    ) -> Arc<S> {
        self.kept.retain(|(_, taken, _)| now.saturating_sub(*taken) < FRESH);
        if let Some((.., snapshot)) = self.kept.iter().find(|(of, ..)| *of == transaction) {
            return Arc::clone(snapshot);
        }
        let snapshot = take();
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((transaction, now, Arc::clone(&snapshot)));
        snapshot
    }
}
