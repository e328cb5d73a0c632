//! Where the master listens, in the forms that net-snmp accepts.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The port AgentX was assigned (RFC 2741 §8.1.1).
pub const DEFAULT_PORT: u16 = 705;

/// Where net-snmp's master listens unless `agentXSocket` says otherwise.
pub const DEFAULT_SOCKET: &str = "/var/agentx/master";

/// The address of a master agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterAddress {
    /// A unix stream socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A name or address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Default for MasterAddress {
    fn default() -> Self {
        Self::Unix(PathBuf::from(DEFAULT_SOCKET))
    }
}

/// Why a text is no address of a master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// A datagram transport.
    #[error("\"{0}\": AgentX needs a stream; use unix:/path or tcp:host:port, as snmpd's agentXSocket does")]
    NotAStream(String),
    /// No path, host or port.
    #[error(
        "\"{0}\" is not the address of a master agent: write unix:/path, tcp:host:port or tcp6:[address]:port"
    )]
    Form(String),
}

impl FromStr for MasterAddress {
    type Err = InvalidAddress;

    /// Reads `unix:/path`, `/path`, `tcp:host:port`, `tcp6:[address]:port`, `host:port`, `host` or `port`.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let form = || InvalidAddress::Form(text.to_owned());
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        let Some((transport, rest)) = text.split_once(':') else {
            return host_and_port(text).ok_or_else(form);
        };
        match transport.to_ascii_lowercase().as_str() {
            "unix" | "local" if !rest.is_empty() => Ok(Self::Unix(PathBuf::from(rest))),
            "tcp" | "tcp6" | "tcpv6" | "tcpipv6" => host_and_port(rest).ok_or_else(form),
            "udp" | "udp6" | "udpv6" | "udpipv6" | "dtls" | "dtlsudp" => {
                Err(InvalidAddress::NotAStream(text.to_owned()))
            }
            _ => host_and_port(text).ok_or_else(form),
        }
    }
}

/// `host:port`, `[address]:port`, `host` or `port`.
fn host_and_port(text: &str) -> Option<MasterAddress> {
    if let Ok(port) = text.parse() {
        return Some(MasterAddress::Tcp { host: "localhost".to_owned(), port });
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| MasterAddress::Tcp { host: host.to_owned(), port })
}

impl fmt::Display for MasterAddress {
    /// A form that [`MasterAddress::from_str`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp6:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Result<MasterAddress, InvalidAddress> {
        Ok(MasterAddress::Tcp { host: host.to_owned(), port })
    }

    #[test]
    fn reads_every_form() {
        let unix = |path: &str| Ok(MasterAddress::Unix(path.into()));
        assert_eq!("unix:/var/agentx/master".parse(), unix("/var/agentx/master"));
        assert_eq!("/run/master".parse(), unix("/run/master"));
        assert_eq!("unix:run/master".parse(), unix("run/master"));
        assert_eq!("tcp:localhost:1705".parse(), tcp("localhost", 1705));
        assert_eq!("TCP:localhost".parse(), tcp("localhost", 705));
        assert_eq!("tcp:1705".parse(), tcp("localhost", 1705));
        assert_eq!("tcp6:[::1]:1705".parse(), tcp("::1", 1705));
        assert_eq!("[2001:db8::1]".parse(), tcp("2001:db8::1", 705));
        assert_eq!("192.0.2.1:705".parse(), tcp("192.0.2.1", 705));
        assert_eq!("705".parse(), tcp("localhost", 705));
    }

    #[test]
    fn refuses_datagrams_and_nonsense() {
        assert_eq!(
            "udp:localhost:705".parse::<MasterAddress>(),
            Err(InvalidAddress::NotAStream("udp:localhost:705".into()))
        );
        for text in ["", "unix:", "tcp:", "tcp:host:", "tcp:host:99999", "tcp6:[::1", "[::1]705", ":705"] {
            assert_eq!(text.parse::<MasterAddress>(), Err(InvalidAddress::Form(text.into())), "{text}");
        }
    }

    #[test]
    fn display_reads_back() {
        for text in ["unix:/run/master", "tcp:localhost:705", "tcp6:[::1]:705"] {
            assert_eq!(text.parse::<MasterAddress>().unwrap().to_string(), text);
        }
    }
}
