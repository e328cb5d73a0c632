//! Everybody who is connected.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{net::UnixStream, time::timeout};
use tracing::warn;

use super::{connection, instruct::Desk};
use crate::{
    kernel::LocalSocket,
    registry::{Instructions, Registry},
};

/// Connections at a time: more than the people and programs that look after one host.
const MOST: usize = 64;

/// How long nobody is let in when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);

/// The server.
#[derive(Debug)]
pub struct Server {
    socket: LocalSocket,
    registry: Arc<Registry>,
    instructions: Arc<dyn Instructions>,
}

impl Server {
    /// Answers with what the registry says, and gives instructions to whoever takes them.
    pub fn new(socket: LocalSocket, registry: Arc<Registry>, instructions: Arc<dyn Instructions>) -> Self {
        Self { socket, registry, instructions }
    }

    /// Serves for ever.
    pub async fn run(self) -> Infallible {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, caller)) if connections.len() < MOST => {
                        let desk = Desk { caller, instructions: &*self.instructions };
                        connections.push(connection::serve(stream, &self.registry, desk));
                    }
                    Ok((stream, _)) => refuse(&stream),
                    Err(error) => {
                        warn!("the control socket accepts nobody for a moment: {error}");
                        let _over = timeout(REST, pending::<()>()).await;
                    }
                },
                Some(()) = connections.next() => {}
            }
        }
    }
}

/// Tells one too many why it is not served. What does not fit into its empty socket is not worth waiting for.
fn refuse(stream: &UnixStream) {
    let _anyway = stream.try_write(connection::error("too many connections").as_bytes());
}
