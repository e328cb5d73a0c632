//! One reload after the other, whoever asks for them: a signal, the time of a file, or an operator, who is told the outcome.

use tokio::sync::mpsc;

use super::reloader::{Adopted, Reloader};
use crate::{
    daemon::{
        engine::Command,
        tether::{Voice, Word},
    },
    notify,
    registry::{NotDone, ReloadOrder, Reloads},
};

/// Orders of operators that may wait.
const WAITING: usize = 16;

/// Takes orders of operators.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Desk(mpsc::Sender<ReloadOrder>);

impl Desk {
    /// With the orders that it takes.
    pub(in crate::daemon) fn new() -> (Self, mpsc::Receiver<ReloadOrder>) {
        let (ask, orders) = mpsc::channel(WAITING);
        (Self(ask), orders)
    }
}

impl Reloads for Desk {
    fn ask(&self, order: ReloadOrder) -> Result<(), NotDone> {
        self.0.try_send(order).map_err(|_| NotDone)
    }
}

/// Those who wait for a reload, and what is needed to carry it out.
pub(in crate::daemon) struct Queue {
    pub(in crate::daemon) reloader: Reloader,
    /// Signals and times. One that waits already reads what is there then.
    pub(in crate::daemon) asked: mpsc::Receiver<()>,
    /// Of operators.
    pub(in crate::daemon) orders: mpsc::Receiver<ReloadOrder>,
    pub(in crate::daemon) engine: mpsc::Sender<Command>,
    /// Who follows what runs from then on.
    pub(in crate::daemon) adopt: mpsc::Sender<Adopted>,
    pub(in crate::daemon) voice: Voice,
    pub(in crate::daemon) keeper: notify::Keeper,
}

impl notify::Part for Queue {
    fn name(&self) -> String {
        "reloading".to_owned()
    }

    /// For ever.
    async fn run(&mut self) {
        loop {
            tokio::select! {
                Some(()) = self.asked.recv() => self.reload(None).await,
                Some(order) = self.orders.recv() => self.carry_out(order).await,
                else => std::future::pending().await,
            }
        }
    }

    fn keeper(&mut self) -> &mut notify::Keeper {
        &mut self.keeper
    }
}

impl Queue {
    async fn carry_out(&mut self, order: ReloadOrder) {
        if order.dry_run {
            let forecast = self.reloader.foresee().await;
            // Whoever has asked may have gone.
            let _ = order.done.send(forecast);
        } else {
            self.reload(Some(order)).await;
        }
    }

    async fn reload(&mut self, order: Option<ReloadOrder>) {
        self.voice.say(Word::Reloading);
        let (by, done) = order.map(|order| (order.by, order.done)).unzip();
        let outcome = self.reloader.reload(&self.engine, (by, done.is_some())).await;
        let answer = match outcome {
            Some(Ok((adopted, forecast))) => {
                // The manage lane takes it, unless it ends.
                let _ = self.adopt.send(adopted).await;
                forecast.map(Ok)
            }
            Some(Err(refused)) => Some(Err(refused)),
            None => None,
        };
        // Also when what ran before goes on.
        self.voice.say(Word::Ready);
        if let (Some(done), Some(answer)) = (done, answer) {
            let _ = done.send(answer);
        }
    }
}
