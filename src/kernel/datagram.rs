//! UDP sockets that answer.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::UdpSocket;

/// A socket that hears datagrams at an address; one of IPv6 leaves IPv4 to others. To be called inside a runtime.
///
/// # Errors
/// When the address is not of this host, or somebody else listens there.
pub fn listen(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(at))?;
    UdpSocket::from_std(socket.into())
}
