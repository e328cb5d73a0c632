//! Orders of managers for weights, as commands to the lane.

use std::sync::Arc;

use super::Command;
use crate::{
    daemon::orders::Desk,
    registry::{NotDone, RealServerRow, Weights},
};

impl Weights for Desk<Command> {
    fn weigh(&self, server: &Arc<RealServerRow>, weight: i64) -> Result<(), NotDone> {
        self.ask(|done| Command::Weigh { server: Arc::clone(server), weight, done })
    }
}
