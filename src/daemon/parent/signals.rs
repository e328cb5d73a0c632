//! The signals that the parent hears.

use std::io;

use futures_util::{StreamExt as _, stream, stream::SelectAll};
use tokio::signal::unix::{SignalKind, signal};

use crate::daemon::signum;

/// A signal that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// SIGTERM or SIGINT.
    Stop(i32),
    /// One that is the engine's business.
    Other(i32),
}

/// All of them, from its making on.
pub(super) struct Signals(SelectAll<stream::BoxStream<'static, Heard>>);

impl Signals {
    /// Hears those that keepalived does something for. With `ignore_interrupt` SIGINT is none of them, and has no effect.
    pub(super) fn new(ignore_interrupt: bool) -> io::Result<Self> {
        let mut all = SelectAll::new();
        for number in [signum::STOP, signum::INTERRUPT] {
            let ignored = ignore_interrupt && number == signum::INTERRUPT;
            all.push(heard(number, Some(Heard::Stop(number)).filter(|_| !ignored))?);
        }
        for number in signum::OF_ENGINES {
            all.push(heard(number, Some(Heard::Other(number)))?);
        }
        Ok(Self(all))
    }

    /// The next one. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Heard {
        match self.0.next().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }

    /// The next one that stops the daemon; others are of no use before there is an engine.
    pub(super) async fn stop(&mut self) {
        while !matches!(self.next().await, Heard::Stop(_)) {}
    }
}

/// Every arrival of a signal, as this.
fn heard(number: i32, what: Option<Heard>) -> io::Result<stream::BoxStream<'static, Heard>> {
    let signal = signal(SignalKind::from_raw(number))?;
    let arrivals = stream::unfold(signal, |mut signal| async { Some((signal.recv().await?, signal)) });
    Ok(arrivals.filter_map(move |()| std::future::ready(what)).boxed())
}
