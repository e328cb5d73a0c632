//! What callers on D-Bus ask for: handed on to whoever does it.

use tokio::sync::mpsc;

use super::{
    dumps::{Dump, Dumps},
    engine::Command,
    orders::Desk,
};
use crate::notify;

/// Hands errands on.
pub(super) struct Errands {
    pub(super) dumps: Dumps,
    pub(super) reload: mpsc::Sender<()>,
    pub(super) engine: Desk<Command>,
}

impl notify::Errands for Errands {
    fn print_data(&self) {
        self.dumps.write(Dump::Data);
    }

    fn print_stats(&self, clear: bool) {
        self.dumps.write(if clear { Dump::StatsClear } else { Dump::Stats });
    }

    fn reload(&self) {
        // One that waits already reads what is there then.
        let _ = self.reload.try_send(());
    }

    fn announce(&self, instance: &str) {
        // An engine that is asked for so much that there is no room has other things to do.
        let _ = self.engine.send(Command::Announce { router: instance.to_owned() });
    }
}
