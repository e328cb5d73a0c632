//! The subscriber: an entry for each event, into every queue.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{entry::Entry, writer::Queue};

/// Queues entries; never waits.
pub(super) struct Collector {
    queues: Vec<Queue>,
    lost: Arc<AtomicU64>,
}

impl Collector {
    pub(super) fn new(queues: Vec<Queue>, lost: Arc<AtomicU64>) -> Self {
        Self { queues, lost }
    }
}

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if self.queues.is_empty() {
            return;
        }
        let mut seen = Seen::default();
        event.record(&mut seen);
        let entry = Arc::new(Entry::new(*event.metadata().level(), &seen.message, seen.fields));
        for queue in &self.queues {
            if !queue.push(&entry) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Message and fields of an event.
#[derive(Default)]
struct Seen {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => {
                // Into a String it never fails.
                let _ = write!(self.message, "{value:?}");
            }
            name => self.fields.push((name, format!("{value:?}"))),
        }
    }
}
