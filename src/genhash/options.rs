//! The command line, as keepalived's.

use std::{net::IpAddr, time::Duration};

use clap::{Parser, ValueEnum};

/// Prints the digest of a page, for `digest` of HTTP_GET and SSL_GET.
#[derive(Clone, Debug, Parser)]
#[command(name = "genhash", disable_version_flag = true)]
pub(super) struct Options {
    /// Connect with TLS; any certificate will do
    #[arg(short = 'S', long)]
    pub(super) use_ssl: bool,
    /// Name the virtual host in the handshake (SNI)
    #[arg(short = 'I', long)]
    pub(super) use_sni: bool,
    /// Address of the server
    #[arg(short = 's', long, value_name = "ADDRESS")]
    pub(super) server: IpAddr,
    /// Its port
    #[arg(short = 'p', long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: u16,
    /// What to ask for
    #[arg(short = 'u', long, value_name = "PATH", value_parser = one_line)]
    pub(super) url: String,
    /// The Host field; address and port when absent
    #[arg(short = 'V', long, value_name = "HOST", value_parser = one_line)]
    pub(super) use_virtualhost: Option<String>,
    /// Show header, body and how long it took
    #[arg(short = 'v', long)]
    pub(super) verbose: bool,
    /// Version of HTTP; 1.0c is 1.0 with `Connection: close`
    #[arg(short = 'P', long, value_enum, ignore_case = true, default_value_t = Protocol::V10)]
    pub(super) protocol: Protocol,
    /// Mark of the connection's packets
    #[arg(short = 'm', long, value_name = "MARK")]
    pub(super) fwmark: Option<u32>,
    /// Seconds that nothing may happen for
    #[arg(short = 't', long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// The digest; digest lines of a configuration have MD5
    #[arg(short = 'H', long, value_enum, ignore_case = true, default_value_t = Hash::Md5)]
    pub(super) hash: Hash,
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// HTTP/1.0
    #[value(name = "1.0")]
    V10,
    /// HTTP/1.0, and the connection is to be closed
    #[value(name = "1.0c")]
    V10Close,
    /// HTTP/1.1
    #[value(name = "1.1")]
    V11,
}

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Hash {
    /// MD5, 16 bytes
    Md5,
    /// SHA-1, 20 bytes
    Sha1,
}

impl Options {
    /// How long nothing may happen.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// The request.
    pub(super) fn request(&self) -> String {
        let version = if self.protocol == Protocol::V11 { "1.1" } else { "1.0" };
        let close = if self.protocol == Protocol::V10 { "" } else { "Connection: close\r\n" };
        let host = match (&self.use_virtualhost, self.server) {
            (Some(name), _) => name.clone(),
            (None, IpAddr::V4(address)) => format!("{address}:{}", self.port),
            (None, IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
        };
        let url = &self.url;
        format!("GET {url} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
    }
}

/// Text that does not end the line that it is written into.
fn one_line(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(|sign: char| sign.is_control()) {
        return Err("it is empty, or has control characters in it");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["genhash"].into_iter().chain(line.split(' ')))
    }

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
    }

    #[test]
    fn requests_are_those_of_keepalived() {
        let request = |line: &str| options(&format!("-p 8090 -u /a {line}")).unwrap().request();
        let expected = "GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:8090\r\n\r\n";
        assert_eq!(request("-s 127.0.0.1"), expected);
        let closed = |version: &str| {
            format!(
                "GET /a HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: v.example\r\n\r\n"
            )
        };
        assert_eq!(request("-s 127.0.0.1 -P 1.1 -V v.example"), closed("1.1"));
        assert_eq!(request("-s 127.0.0.1 -P 1.0C --use-virtualhost v.example"), closed("1.0"));
        assert!(request("-s ::1").contains("Host: [::1]:8090\r\n"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "-s localhost -p 80 -u /",
            "-s 127.0.0.1 -p 99999 -u /",
            "-s 127.0.0.1 -p 0 -u /",
            "-s 127.0.0.1 -p 80",
            "-s 127.0.0.1 -p 80 -u / -P 2",
            "-s 127.0.0.1 -p 80 -u / -t x",
            "-s 127.0.0.1 -p 80 -u / extra",
            "-s 127.0.0.1 -p 80 -u /\r\nX:",
        ] {
            assert!(options(line).is_err(), "{line}");
        }
    }
}
