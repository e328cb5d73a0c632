//! Everybody who is connected.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{net::UnixStream, time::timeout};
use tracing::warn;

use super::connection;
use crate::{kernel::LocalSocket, registry::Registry};

/// Connections at a time: more than the people and programs that look after one host.
const MOST: usize = 64;

/// How long nobody is let in when the system has no more descriptors.
const REST: Duration = Duration::from_millis(100);

/// The server.
#[derive(Debug)]
pub struct Server {
    socket: LocalSocket,
    registry: Arc<Registry>,
}

impl Server {
    /// Answers with what the registry says.
    pub fn new(socket: LocalSocket, registry: Arc<Registry>) -> Self {
        Self { socket, registry }
    }

    /// Serves for ever.
    pub async fn run(self) -> Infallible {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < MOST => {
                        connections.push(connection::serve(stream, &self.registry));
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
