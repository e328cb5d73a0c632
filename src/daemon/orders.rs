//! Orders of managers, as commands to a lane.

use std::{
    sync::mpsc::{SyncSender, sync_channel},
    time::Duration,
};

use tokio::sync::mpsc;

use super::engine::Command;
use crate::registry::{Instruction, Instructions, Lineage, NotDone, Orders, Setting};

/// How long an order may take. A lane needs some microseconds for it; snmpd asks again after a second.
const WITHIN: Duration = Duration::from_millis(500);

/// Takes orders for a lane. It does not keep the lane waiting for commands when everybody else who could give one is
/// gone: that ends the daemon.
#[derive(Debug)]
pub(super) struct Desk<C>(mpsc::WeakSender<C>);

impl<C> Desk<C> {
    /// Of the lane that hears `commands`.
    pub(super) fn new(commands: &mpsc::Sender<C>) -> Self {
        Self(commands.downgrade())
    }

    /// Sends a command, if there is room for it.
    pub(super) fn send(&self, command: C) -> Result<(), NotDone> {
        self.0.upgrade().ok_or(NotDone)?.try_send(command).map_err(|_| NotDone)
    }

    /// Sends a command, and waits until the lane says through the channel in it that it is done. Whoever waits here is not
    /// the lane, which is the one waited for.
    pub(super) fn ask(&self, command: impl FnOnce(SyncSender<()>) -> C) -> Result<(), NotDone> {
        let (done, answer) = sync_channel(1);
        self.send(command(done))?;
        answer.recv_timeout(WITHIN).map_err(|_| NotDone)
    }
}

impl Orders for Desk<Command> {
    fn carry_out(&self, router: Lineage, setting: Setting) -> Result<(), NotDone> {
        self.ask(|done| Command::Set { router, setting, done })
    }
}

impl Instructions for Desk<Command> {
    fn give(&self, instruction: Instruction) -> Result<(), NotDone> {
        self.send(Command::Intervene(Box::new(instruction)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Priority;

    const SETTING: Setting = Setting::BasePriority(Priority(7));

    #[test]
    fn an_order_is_done_when_the_engine_says_so_and_not_for_ever() {
        let (commands, mut engine) = mpsc::channel(1);
        let desk = Desk::new(&commands);
        let known = Lineage::default();
        let router = || known.clone();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let Some(Command::Set { router: heard, setting: SETTING, done }) = engine.blocking_recv()
                else {
                    panic!("another command")
                };
                assert_eq!(heard, router());
                done.send(()).unwrap();
            });
            assert_eq!(desk.carry_out(router(), SETTING), Ok(()));
        });
        assert_eq!(desk.carry_out(router(), SETTING), Err(NotDone), "nobody answers");
        assert_eq!(desk.carry_out(router(), SETTING), Err(NotDone), "there is no room");
        drop(commands);
        assert_eq!(desk.carry_out(router(), SETTING), Err(NotDone), "there is no engine");
    }
}
