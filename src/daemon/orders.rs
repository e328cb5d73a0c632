//! Orders of managers, as commands to the engine.

use std::{sync::mpsc::sync_channel, time::Duration};

use tokio::sync::mpsc;

use super::engine::Command;
use crate::registry::{Instruction, Instructions, Lineage, NotDone, Orders, Setting};

/// How long an order may take. The engine needs some microseconds for it; snmpd asks again after a second.
const WITHIN: Duration = Duration::from_millis(500);

/// Takes orders for the engine. It does not keep the engine waiting for commands when everybody else who could give one is
/// gone: that ends the daemon.
#[derive(Debug)]
pub(super) struct Desk(mpsc::WeakSender<Command>);

impl Desk {
    /// Of the engine that hears `commands`.
    pub(super) fn new(commands: &mpsc::Sender<Command>) -> Self {
        Self(commands.downgrade())
    }
}

impl Orders for Desk {
    // Whoever waits here is not the lane that sends advertisements, which is the one waited for.
    fn carry_out(&self, router: Lineage, setting: Setting) -> Result<(), NotDone> {
        let engine = self.0.upgrade().ok_or(NotDone)?;
        let (done, answer) = sync_channel(1);
        engine.try_send(Command::Set { router, setting, done }).map_err(|_| NotDone)?;
        answer.recv_timeout(WITHIN).map_err(|_| NotDone)
    }
}

impl Instructions for Desk {
    fn give(&self, instruction: Instruction) -> Result<(), NotDone> {
        let engine = self.0.upgrade().ok_or(NotDone)?;
        engine.try_send(Command::Intervene(Box::new(instruction))).map_err(|_| NotDone)
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
