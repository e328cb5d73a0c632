//! Orders of managers for weights, as commands to the lane.

use std::{sync::mpsc::sync_channel, time::Duration};

use tokio::sync::mpsc;

use super::Command;
use crate::registry::{NotDone, Server, Weights};

/// How long an order may take, as one to the vrrp lane.
const WITHIN: Duration = Duration::from_millis(500);

/// Takes orders for the lane.
#[derive(Debug)]
pub(super) struct Desk(mpsc::WeakSender<Command>);

impl Desk {
    /// Of the lane that hears `commands`.
    pub(super) fn new(commands: &mpsc::Sender<Command>) -> Self {
        Self(commands.downgrade())
    }
}

impl Weights for Desk {
    fn weigh(&self, server: Server, weight: i64) -> Result<(), NotDone> {
        let lane = self.0.upgrade().ok_or(NotDone)?;
        let (done, answer) = sync_channel(1);
        lane.try_send(Command::Weigh { server, weight, done }).map_err(|_| NotDone)?;
        answer.recv_timeout(WITHIN).map_err(|_| NotDone)
    }
}
