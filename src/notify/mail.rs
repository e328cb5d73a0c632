//! Mail: one for each change of state that `smtp_alert` asks to be mailed.

use std::{future::pending, io, sync::Arc};

use futures_util::future::LocalBoxFuture;
use tracing::{info, warn};

use super::{
    kept::Keeper,
    letter::Mailed,
    postbox::Postbox,
    smtp::{Delivered, Envelope, deliver},
};
use crate::{
    kernel::{Deadline, clock},
    registry::{Cursor, MailConfig, Registry, SinkRow},
};

/// Writes mails and has them delivered, one connection at a time.
pub(super) struct Mail {
    pub(super) keeper: Keeper,
    registry: Arc<Registry>,
    row: Arc<SinkRow>,
    config: MailConfig,
    envelope: Option<Arc<Envelope>>,
    cursor: Cursor,
    mailed: Mailed,
    postbox: Postbox,
    /// When delivery is tried again.
    next: Deadline,
    sending: Option<LocalBoxFuture<'static, Delivered>>,
}

impl Mail {
    /// Begins with the first transition of the stream after `since`. Addresses that are none are reported.
    pub(super) fn new(
        registry: &Arc<Registry>,
        row: &Arc<SinkRow>,
        config: &MailConfig,
        since: u64,
    ) -> io::Result<Self> {
        let mut cursor = Cursor::default();
        cursor.advance_past(since);
        Ok(Self {
            keeper: Keeper::default(),
            registry: Arc::clone(registry),
            row: Arc::clone(row),
            config: config.clone(),
            envelope: envelope(row, config),
            cursor,
            mailed: Mailed::default(),
            postbox: Postbox::default(),
            next: Deadline::new()?,
            sending: None,
        })
    }

    /// Goes on for this row after a reload: mails that wait go where it says.
    pub(super) fn follow(&mut self, row: &Arc<SinkRow>, config: &MailConfig) {
        if !Arc::ptr_eq(&self.row, row) {
            self.row = Arc::clone(row);
            self.config = config.clone();
            self.envelope = envelope(row, config);
        }
    }

    /// Runs for ever. Cancelling it loses nothing.
    pub(super) async fn run(&mut self) {
        loop {
            self.send();
            let set = self.next.set(self.postbox.poll_timeout());
            tokio::select! {
                () = self.cursor.ready(&self.registry.transitions, 0) => self.take(),
                delivered = ended(&mut self.sending) => self.handle_delivered(&delivered),
                _ = self.next.expired(), if set.is_ok() => {}
            }
        }
    }

    /// Delivers what there is up to that transition, as far as the first attempt goes; whoever calls it sets the limit.
    pub(super) async fn finish(&mut self, until: u64) {
        while self.cursor.position() <= until {
            self.take();
        }
        self.postbox.hurry();
        loop {
            self.send();
            if self.sending.is_none() {
                return;
            }
            let delivered = ended(&mut self.sending).await;
            self.handle_delivered(&delivered);
        }
    }

    /// Gives up what is not delivered yet.
    pub(super) fn kill(&mut self) {
        let left = self.postbox.len();
        if left > 0 {
            warn!("{}: {left} mails were not delivered", self.row.name);
            self.row.add_lost(left as u64);
        }
    }

    /// Takes one transition from the stream.
    fn take(&mut self) {
        self.row.add_lost(self.cursor.catch_up(&self.registry.transitions));
        let Some(transition) = self.cursor.peek(&self.registry.transitions) else { return };
        self.cursor.advance_past(transition.seq);
        self.row.set_position(transition.seq);
        let letter = self.mailed.letter(&self.registry.topology(), &transition, self.config.faults);
        let letter = letter.filter(|_| self.envelope.is_some());
        if letter.is_some_and(|letter| self.postbox.handle_letter(letter)) {
            self.row.add_lost(1);
        }
    }

    /// Begins to deliver what is due.
    fn send(&mut self) {
        let Some(envelope) = self.envelope.as_ref().filter(|_| self.sending.is_none()) else { return };
        if let Some(letters) = self.postbox.poll_letters(clock::now()) {
            let delivering = deliver(self.config.clone(), Arc::clone(envelope), letters);
            self.sending = Some(Box::pin(delivering));
        }
    }

    fn handle_delivered(&mut self, delivered: &Delivered) {
        let Delivered { taken, refused, untold, lost, error } = delivered;
        self.sending = None;
        self.postbox.handle_delivered(clock::now(), *taken, error.is_some());
        for refused in refused {
            warn!("{}: the mail server refuses {refused}", self.row.name);
        }
        if *untold > 0 {
            warn!("{}: the mail server refuses {untold} more", self.row.name);
        }
        self.row.add_lost(*lost);
        for _ in *lost..*taken as u64 {
            self.row.add_delivered();
        }
        let waiting = self.postbox.len();
        if self.row.set_problem(error.clone()) {
            match error {
                Some(error) => warn!("{}: {error}; {waiting} mails wait", self.row.name),
                None => info!("{}: mails are delivered again", self.row.name),
            }
        }
    }
}

/// From whom and to whom, unless there is nobody.
fn envelope(row: &SinkRow, config: &MailConfig) -> Option<Arc<Envelope>> {
    let (envelope, bad) = Envelope::new(config);
    if !bad.is_empty() {
        let problem = format!("no mail address: {}", bad.join(", "));
        warn!("{}: {problem}", row.name);
        row.set_problem(Some(problem).filter(|_| envelope.is_none()));
    }
    envelope.map(Arc::new)
}

/// The end of what is on its way; pending for ever when nothing is.
async fn ended(sending: &mut Option<LocalBoxFuture<'static, Delivered>>) -> Delivered {
    match sending {
        Some(sending) => sending.await,
        None => pending().await,
    }
}
