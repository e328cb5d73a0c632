//! Memory that a start or a reload took, given back when it is over.

use std::{io, time::Duration};

use tracing::debug;

use crate::kernel::{Deadline, clock, memory};

/// After the start or a reload: the routers have their states by then, and what they say of themselves has been said.
const REST: Duration = Duration::from_secs(20);

/// When that is done next.
#[derive(Debug)]
pub(super) struct Thrift(Deadline);

impl Thrift {
    /// At rest after the start.
    ///
    /// # Errors
    /// When descriptors run out.
    pub(super) fn new() -> io::Result<Self> {
        let mut thrift = Self(Deadline::new()?);
        thrift.put_off();
        Ok(thrift)
    }

    /// At rest after what happens now.
    pub(super) fn put_off(&mut self) {
        // Whoever cannot be told when to give back keeps it.
        if let Err(error) = self.0.set(Some(clock::now() + REST)) {
            debug!("memory is not given back: {error}");
        }
    }

    /// Waits for that time, and gives back; a timer that cannot be waited for is for ever.
    pub(super) async fn give_back(&mut self) {
        if let Err(error) = self.0.expired().await {
            debug!("memory is not given back any more: {error}");
            return std::future::pending().await;
        }
        if let Err(error) = memory::give_back() {
            debug!("the engine keeps memory that it does not need: {error}");
        }
    }
}
