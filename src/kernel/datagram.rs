//! UDP sockets: those that answer, and those that tell.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

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

/// A socket for datagrams to this address and from it alone; the kernel chooses where from. To be called inside a runtime.
///
/// # Errors
/// When there is no way there.
pub fn connect(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let anywhere: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    socket.bind(&SockAddr::from(anywhere))?;
    socket.connect(&SockAddr::from(to))?;
    UdpSocket::from_std(socket.into())
}
