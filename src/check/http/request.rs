//! What is sent for a page, byte by byte as keepalived sends it.

use std::net::SocketAddr;

use crate::config::settings::HttpProtocol;

/// A request. Without a virtual host the host is the address and port that it is sent to.
pub(super) fn bytes(path: &str, protocol: HttpProtocol, host: Option<&str>, target: SocketAddr) -> Vec<u8> {
    let version = if protocol == HttpProtocol::V1_1 { "1.1" } else { "1.0" };
    let close = if protocol == HttpProtocol::V1_0 { "" } else { "Connection: close\r\n" };
    let host = host.map_or_else(|| target.to_string(), str::to_owned);
    format!("GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_keepaliveds() {
        let text = |protocol, host, target: &str| {
            String::from_utf8(bytes("/x", protocol, host, target.parse().unwrap())).unwrap()
        };
        assert_eq!(
            text(HttpProtocol::V1_0, None, "10.0.0.1:80"),
            "GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 10.0.0.1:80\r\n\r\n"
        );
        assert_eq!(
            text(HttpProtocol::V1_1, Some("www.example.org"), "10.0.0.1:80"),
            "GET /x HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.example.org\r\n\r\n"
        );
        assert!(
            text(HttpProtocol::V1_0Close, None, "[fd00::1]:443").ends_with("Host: [fd00::1]:443\r\n\r\n")
        );
    }
}
