//! What tests of threads and lanes share.

use std::time::Duration;

use crate::kernel::rest;

/// Nothing takes longer.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// Waits until something is so; a test that waits for too long fails where it waits.
#[track_caller]
pub(super) fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    let so = async move {
        while !is_so() {
            rest(Duration::from_millis(10)).await;
        }
    };
    async move { tokio::time::timeout(SOON, so).await.unwrap_or_else(|_| panic!("not so at {place}")) }
}
