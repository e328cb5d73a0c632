//! Orders of managers for weights, as commands to the lane.

use super::Command;
use crate::{
    daemon::orders::Desk,
    registry::{NotDone, Server, Weights},
};

impl Weights for Desk<Command> {
    fn weigh(&self, server: Server, weight: i64) -> Result<(), NotDone> {
        self.ask(|done| Command::Weigh { server, weight, done })
    }
}
