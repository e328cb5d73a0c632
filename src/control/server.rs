//! Everybody who is connected.

use std::{convert::Infallible, panic::AssertUnwindSafe, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tokio::net::UnixStream;
use tracing::{error, warn};

use super::{connection, instruct::Desk};
use crate::{
    kernel::{Caller, LocalSocket, rest},
    registry::{Instructions, Registry, Reloads},
};

/// Connections at a time: more than the people and programs that look after one host.
const MOST: usize = 64;
/// As many of them at the most are not root's: whoever may connect cannot keep root out.
const MOST_OF_OTHERS: usize = 48;

/// How long nobody is let in when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);

/// The server.
#[derive(Debug)]
pub struct Server {
    socket: LocalSocket,
    registry: Arc<Registry>,
    instructions: Arc<dyn Instructions>,
    reloads: Arc<dyn Reloads>,
    /// Where the journal of transitions is, if there is one.
    journal: Option<PathBuf>,
}

impl Server {
    /// Answers with what the registry says, and gives instructions and orders to whoever takes them.
    pub fn new(
        socket: LocalSocket,
        registry: Arc<Registry>,
        instructions: Arc<dyn Instructions>,
        reloads: Arc<dyn Reloads>,
    ) -> Self {
        Self { socket, registry, instructions, reloads, journal: None }
    }

    /// The same, that looks up in a journal what memory has forgotten.
    pub fn with_journal(self, journal: Option<PathBuf>) -> Self {
        Self { journal, ..self }
    }

    /// Serves for ever.
    pub async fn run(&self) -> Infallible {
        let mut connections = FuturesUnordered::new();
        let mut others = 0;
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, caller))
                        if connections.len() < MOST && (caller.is_root() || others < MOST_OF_OTHERS) =>
                    {
                        others += usize::from(!caller.is_root());
                        connections.push(self.serve(stream, caller));
                    }
                    Ok((stream, _)) => refuse(&stream),
                    Err(error) => {
                        warn!("the control socket accepts nobody for a moment: {error}");
                        rest(REST).await;
                    }
                },
                Some(caller) = connections.next() => others -= usize::from(!caller.is_root()),
            }
        }
    }

    /// Serves one of them. What a mistake of ours costs is this connection, and not the lane.
    async fn serve(&self, stream: UnixStream, caller: Caller) -> Caller {
        let desk = Desk { caller, instructions: &*self.instructions, reloads: &*self.reloads };
        let from = (&self.registry, self.journal.as_deref());
        let served = AssertUnwindSafe(connection::serve(stream, from, desk)).catch_unwind();
        if served.await.is_err() {
            error!("a connection to the control socket ended with a panic");
        }
        caller
    }
}

/// Tells one too many why it is not served. What does not fit into its empty socket is not worth waiting for.
fn refuse(stream: &UnixStream) {
    let _anyway = stream.try_write(connection::error("too many connections").as_bytes());
}
