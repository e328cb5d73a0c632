//! One try of a check, of whatever kind.

use std::ops::ControlFlow;

use super::{
    dns::Dns,
    http::{Clients, Http},
    misc::Misc,
    opening::Opening,
    phases::Phases,
    ping::Ping,
    smtp::Smtp,
    tcp::Connect,
    udp::Udp,
};
use crate::config::settings::Check;

/// How a try has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server is well.
    Passed {
        /// What it adds to the weight of its server.
        adds: i64,
    },
    /// It is not, and why.
    Failed(String),
    /// Nothing is known of it, and why: something here.
    Untold(String),
}

/// The kinds of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `TCP_CHECK`
    Tcp,
    /// `HTTP_GET`
    Http,
    /// `SSL_GET`
    Ssl,
    /// `SMTP_CHECK`
    Smtp,
    /// `DNS_CHECK`
    Dns,
    /// `MISC_CHECK`
    Misc,
    /// `UDP_CHECK`
    Udp,
    /// `PING_CHECK`
    Ping,
    /// `BFD_CHECK`
    Bfd,
    /// `FILE_CHECK`
    File,
}

impl Kind {
    /// That of a check.
    pub fn of(check: &Check) -> Self {
        match check {
            Check::Tcp(_) => Self::Tcp,
            Check::Http(_) => Self::Http,
            Check::Ssl(_) => Self::Ssl,
            Check::Smtp(_) => Self::Smtp,
            Check::Dns(_) => Self::Dns,
            Check::Misc(_) => Self::Misc,
            Check::Udp(_) => Self::Udp,
            Check::Ping(_) => Self::Ping,
            Check::Bfd(_) => Self::Bfd,
            Check::File(_) => Self::File,
        }
    }

    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP_CHECK",
            Self::Http => "HTTP_GET",
            Self::Ssl => "SSL_GET",
            Self::Smtp => "SMTP_CHECK",
            Self::Dns => "DNS_CHECK",
            Self::Misc => "MISC_CHECK",
            Self::Udp => "UDP_CHECK",
            Self::Ping => "PING_CHECK",
            Self::Bfd => "BFD_CHECK",
            Self::File => "FILE_CHECK",
        }
    }
}

/// What a check does each time.
#[derive(Debug)]
pub enum Probe {
    /// It connects.
    Tcp(Connect),
    /// It fetches a page.
    Http(Http),
    /// It talks to a mail server.
    Smtp(Smtp),
    /// It asks a name server.
    Dns(Dns),
    /// It runs a program.
    Misc(Misc),
    /// It sends a datagram.
    Udp(Udp),
    /// It sends an echo request.
    Ping(Ping),
}

impl Probe {
    /// That of a check of a server of this weight; `clients` begin its connections over TLS. `None` for a check that follows
    /// something.
    pub fn of(check: &Check, weight: u32, clients: &Clients) -> Option<Self> {
        Some(match check {
            Check::Tcp(check) => Self::Tcp(Connect::new(&check.connection)),
            Check::Http(check) => Self::Http(Http::new(check, None)),
            Check::Ssl(check) => Self::Http(Http::new(check, Some(clients))),
            Check::Smtp(check) => Self::Smtp(Smtp::new(check)),
            Check::Dns(check) => Self::Dns(Dns::new(check)),
            Check::Misc(check) => Self::Misc(Misc::new(check, weight)),
            Check::Udp(check) => Self::Udp(Udp::new(check)),
            Check::Ping(check) => Self::Ping(Ping::new(check)),
            Check::Bfd(_) | Check::File(_) => return None,
        })
    }

    /// Goes on where another one of the same check was.
    #[must_use]
    pub fn succeed(mut self, before: &Self) -> Self {
        if let (Self::Misc(misc), Self::Misc(before)) = (&mut self, before) {
            misc.succeed(before);
        }
        self
    }

    /// Begins the connection of a try, where there is one that others need not wait for.
    pub fn begin(&self) -> Option<Opening> {
        match self {
            Self::Tcp(connect) => Some(connect.begin()),
            Self::Http(http) => Some(http.begin()),
            _ => None,
        }
    }

    /// Asks how far the connection has come: the try has ended, or goes on. Waits for nothing.
    pub fn ask(
        &self,
        opening: Option<Opening>,
        phases: &mut Phases,
    ) -> ControlFlow<Outcome, Option<Opening>> {
        match (self, opening.map(|opening| opening.ask(phases))) {
            (_, Some(Opening::Missed(ended))) => ControlFlow::Break(ended),
            (Self::Tcp(_), Some(Opening::Made(_closed_at_once))) => {
                ControlFlow::Break(Outcome::Passed { adds: 0 })
            }
            (_, opening) => ControlFlow::Continue(opening),
        }
    }

    /// Goes on with a try, of the page of that number where there are several; it ends within its own limits. How long it took is
    /// noted in `phases`.
    pub async fn go_on(&self, opening: Option<Opening>, page: usize, phases: &mut Phases) -> Outcome {
        match self {
            Self::Tcp(connect) => connect.run(opening.unwrap_or_else(|| connect.begin()), phases).await,
            Self::Http(http) => http.run(opening.unwrap_or_else(|| http.begin()), page, phases).await,
            // Each try has room for the largest of these, which is not to be one that few ask for.
            Self::Smtp(smtp) => Box::pin(smtp.run(phases)).await,
            Self::Dns(dns) => Box::pin(dns.run(phases)).await,
            Self::Misc(misc) => misc.run().await,
            Self::Udp(udp) => udp.run(phases).await,
            Self::Ping(ping) => Box::pin(ping.run(phases)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use socket2::{Domain, Socket, Type};

    use super::*;
    use crate::kernel::dial::Origin;

    #[tokio::test]
    async fn a_server_nearby_is_known_to_be_well_or_not_before_anything_is_waited_for() {
        // A port that nobody else gets, and nobody listens at yet.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let (target, limit) = (socket.local_addr().unwrap().as_socket().unwrap(), Duration::from_secs(5));
        let probe = Probe::Tcp(Connect { target, origin: Origin::default(), limit });
        let at_once = || {
            let mut phases = Phases::begin();
            let standing = probe.ask(probe.begin(), &mut phases);
            (standing.break_value(), phases.connect.is_some())
        };
        let refused = Outcome::Failed("ECONNREFUSED: Connection refused".into());
        assert_eq!(at_once(), (Some(refused), false));
        socket.listen(5).unwrap();
        assert_eq!(at_once(), (Some(Outcome::Passed { adds: 0 }), true));
    }
}
