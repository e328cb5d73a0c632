//! One try of a check, of whatever kind.

use super::tcp;
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
    Tcp(tcp::Connect),
}

impl Probe {
    /// That of a check; `None` for one that follows something, and for one that nobody carries out yet.
    pub fn of(check: &Check) -> Option<Self> {
        match check {
            Check::Tcp(check) => Some(Self::Tcp(tcp::Connect::new(&check.connection))),
            _ => None,
        }
    }

    /// One try, which ends within its own limits.
    pub async fn run(&self) -> Outcome {
        match self {
            Self::Tcp(connect) => connect.run().await,
        }
    }
}
