//! The rejected packets that somebody has not been told of yet: a position in their stream.

use std::sync::Arc;

use crate::registry::{Cursor, Rejection, Rejections};

/// Those that were not handed out. Where one of them is on its way when the daemon ends, nobody is told of it again.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    cursor: Cursor,
}

impl Rejected {
    /// The oldest one; what the stream has forgotten meanwhile counts among those that nobody is told of.
    pub(super) fn next(&mut self, rejections: &Rejections) -> Option<Arc<Rejection>> {
        let late_for = self.cursor.catch_up(&rejections.stream);
        rejections.forget(late_for, self.cursor.position() - 1);
        let next = self.cursor.peek(&rejections.stream)?;
        self.cursor.advance_past(next.seq);
        Some(next)
    }

    /// Leaves out those that there are.
    pub(super) fn pass_over(&mut self, rejections: &Rejections) {
        self.cursor.advance_past(rejections.stream.newest());
    }

    /// Waits for the next one.
    pub(super) async fn changed(&self, rejections: &Rejections) {
        self.cursor.ready(&rejections.stream, 0).await;
    }
}
