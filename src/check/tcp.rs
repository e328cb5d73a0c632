//! `TCP_CHECK`: a connection is enough.

use std::{net::SocketAddr, time::Duration};

use tokio::time::timeout;

use super::{Opening, Outcome, Phases};
use crate::{
    config::settings::Connection,
    kernel::dial::{
        Missed, Origin,
        tcp::{Begun, Made},
    },
};

/// Each step of a try may take `connect_timeout`, and all of them so many times that: a server that sends a byte now and then
/// does not keep a check for ever.
const STEPS: u32 = 60;

/// Where to, where from, and how long it may take.
#[derive(Clone, Debug)]
pub struct Connect {
    pub(super) target: SocketAddr,
    pub(super) origin: Origin,
    /// `connect_timeout`.
    pub(super) limit: Duration,
}

impl Connect {
    /// As the words that all connections have in common say.
    pub(super) fn new(connection: &Connection) -> Self {
        Self {
            target: SocketAddr::new(connection.connect_ip.0, connection.connect_port.0),
            origin: Origin {
                address: connection.bindto,
                port: connection.bind_port,
                device: connection.bind_if.clone(),
                mark: *connection.fwmark,
            },
            limit: *connection.connect_timeout,
        }
    }

    /// How long a try of several steps may take.
    pub(super) fn longest(&self) -> Duration {
        self.limit * STEPS
    }

    /// Begins a connection.
    pub(super) fn begin(&self) -> Opening {
        Begun::new(self.target, &self.origin).into()
    }

    /// Begins one on which something is said as soon as it is there.
    pub(super) fn begin_to_speak(&self) -> Opening {
        Begun::to_speak(self.target, &self.origin).into()
    }

    /// Begins a connection and waits for it.
    pub(super) async fn open(&self, phases: &mut Phases) -> Result<Made, Outcome> {
        self.finish(self.begin().ask(phases), phases).await
    }

    /// The connection, which is waited for unless it is there, or how the try ends without one.
    pub(super) async fn finish(&self, opening: Opening, phases: &mut Phases) -> Result<Made, Outcome> {
        let begun = match opening {
            Opening::Begun(begun) => begun,
            Opening::Made(made) => return Ok(made),
            Opening::Missed(ended) => return Err(ended),
        };
        // It has begun with others, and whoever began them may have had something else to do meanwhile.
        let limit = self.limit.saturating_sub(begun.age());
        // Tries that need not wait have no room for what that takes.
        match Box::pin(timeout(limit, begun.wait())).await {
            Ok(made) => made.inspect(|_| phases.connected()).map_err(|missed| outcome(&missed)),
            Err(_) => Err(Outcome::Failed(format!("no connection within {:?}", self.limit))),
        }
    }

    pub(super) async fn run(&self, opening: Opening, phases: &mut Phases) -> Outcome {
        let made = self.finish(opening, phases).await;
        made.map_or_else(|ended| ended, |_closed_at_once| Outcome::Passed { adds: 0 })
    }
}

/// What a connection that was not made says of the server.
pub(super) fn outcome(missed: &Missed) -> Outcome {
    match missed {
        Missed::Here(why) => Outcome::Untold(why.clone()),
        Missed::There(why) => Outcome::Failed(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(target: SocketAddr) -> Connect {
        Connect { target, origin: Origin::default(), limit: Duration::from_secs(5) }
    }

    #[tokio::test]
    async fn a_server_that_listens_is_well_and_one_that_does_not_is_not() {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let connect = to(socket.local_addr().unwrap().as_socket().unwrap());
        assert_eq!(
            connect.run(connect.begin(), &mut Phases::begin()).await,
            Outcome::Failed("ECONNREFUSED: Connection refused".into())
        );
        socket.listen(5).unwrap();
        assert_eq!(connect.run(connect.begin(), &mut Phases::begin()).await, Outcome::Passed { adds: 0 });
    }

    #[tokio::test]
    async fn a_server_that_never_answers_has_failed_within_the_limit() {
        // Nobody accepts, and there is no room for one more.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let target = socket.local_addr().unwrap().as_socket().unwrap();
        let connect = Connect { limit: Duration::from_millis(50), ..to(target) };
        let _first = connect.open(&mut Phases::begin()).await;
        let _second = connect.open(&mut Phases::begin()).await;
        assert_eq!(
            connect.run(connect.begin(), &mut Phases::begin()).await,
            Outcome::Failed("no connection within 50ms".into())
        );
    }
}
