//! What callers on D-Bus ask for: handed on to whoever does it.

use tokio::sync::{mpsc, oneshot};

use super::{
    dumps::{Dump, Dumps},
    engine::Command,
    orders::Desk,
    reload,
};
use crate::{
    notify,
    registry::{NotDone, Operator, ReloadOrder, Reloads as _},
};

/// Hands errands on.
pub(super) struct Errands {
    pub(super) dumps: Dumps,
    /// A reload, by nobody that is known.
    pub(super) reload: mpsc::Sender<()>,
    /// One by somebody.
    pub(super) reloads: reload::Desk,
    pub(super) engine: Desk<Command>,
}

impl notify::Errands for Errands {
    fn print_data(&self) {
        self.dumps.write(Dump::Data);
    }

    fn print_stats(&self, clear: bool) {
        self.dumps.write(if clear { Dump::StatsClear } else { Dump::Stats });
    }

    fn reload(&self, by: Option<Operator>) {
        // Nobody waits for the outcome; one that waits already reads what is there then.
        let _ = match by {
            Some(by) => self.reloads.ask(ReloadOrder { by, dry_run: false, done: oneshot::channel().0 }),
            None => self.reload.try_send(()).map_err(|_| NotDone),
        };
    }

    fn announce(&self, instance: &str) {
        // An engine that is asked for so much that there is no room has other things to do.
        let _ = self.engine.send(Command::Announce { router: instance.to_owned() });
    }
}
