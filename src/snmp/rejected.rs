//! The rejected packets that the AgentX master has not been told of yet: a position in their stream.

use std::sync::Arc;

use crate::registry::{Cursor, Rejection, Rejections};

/// Those that are not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    cursor: Cursor,
    /// Number of the newest one that was shown.
    shown: u64,
}

impl Rejected {
    /// The oldest one; what the stream has forgotten meanwhile counts among those that nobody is told of.
    pub(super) fn next(&mut self, rejections: &Rejections) -> Option<Arc<Rejection>> {
        rejections.leave_out(self.cursor.catch_up(&rejections.stream));
        let next = self.cursor.peek(&rejections.stream)?;
        self.shown = next.seq;
        Some(next)
    }

    /// The one of that number is delivered, or passed over.
    pub(super) fn done_with(&mut self, number: u64) {
        self.cursor.advance_past(number);
    }

    /// Waits for one that was not shown yet.
    pub(super) async fn changed(&self, rejections: &Rejections) {
        let ahead = (self.shown + 1).saturating_sub(self.cursor.position());
        self.cursor.ready(&rejections.stream, ahead).await;
    }
}
