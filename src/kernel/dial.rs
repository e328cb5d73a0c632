//! Connections and datagrams to other hosts, from where they are to leave: address, port, device and mark.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
};

use nix::{errno::Errno, libc, net::if_::if_nametoindex};
use socket2::{Protocol, SockRef};
use tokio::net::UdpSocket;

pub mod tcp;

/// Where packets leave from; what is `None` or 0 is left to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `bindto`.
    pub address: Option<IpAddr>,
    /// `bind_port`.
    pub port: Option<u16>,
    /// `bind_if`; a link-local address cannot be reached without it.
    pub device: Option<Box<str>>,
    /// `fwmark`.
    pub mark: u32,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    /// Something here, which says nothing of the other side.
    #[error("{0}")]
    Here(String),
    /// The other side, or the way there.
    #[error("{0}")]
    There(String),
}

/// Errors of connect(2) and send(2) that are about this host: it has too little of something, or gives the address to nobody.
const OF_THIS_HOST: [i32; 7] = [
    libc::EMFILE,
    libc::ENFILE,
    libc::ENOMEM,
    libc::ENOBUFS,
    libc::EAGAIN,
    libc::EADDRINUSE,
    libc::EADDRNOTAVAIL,
];

impl Missed {
    /// What an error of connect(2) or send(2) means. A route or a firewall of this host that lets nothing through is on the way there,
    /// too: whoever is sent to the server does not get through either.
    pub fn from_io(error: &io::Error) -> Self {
        let text = super::error::describe(error);
        match error.raw_os_error() {
            Some(errno) if OF_THIS_HOST.contains(&errno) => Self::Here(text),
            _ => Self::There(text),
        }
    }

    /// What an error means with which a datagram is waited for: some packet from the other side, or the way there, has said so, a
    /// firewall's EACCES as well.
    pub fn from_peer(error: &io::Error) -> Self {
        Self::There(super::error::describe(error))
    }
}

/// A socket for datagrams that hears of one peer only.
///
/// # Errors
/// See [`Missed`].
pub async fn udp(target: SocketAddr, origin: &Origin) -> Result<UdpSocket, Missed> {
    let here = |error: io::Error| Missed::Here(super::error::describe(&error));
    let domain = socket2::Domain::for_address(target);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM.nonblocking(), None).map_err(here)?;
    let target = prepare(SockRef::from(&socket), target, origin).map_err(here)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(here)?;
    socket.connect(target).await.map_err(|error| Missed::from_io(&error))?;
    Ok(socket)
}

/// A socket for echo requests to one peer and their replies, which needs no privilege but that of [`PingGroup`].
///
/// [`PingGroup`]: super::PingGroup
///
/// # Errors
/// See [`Missed`].
pub async fn echo(target: SocketAddr, origin: &Origin) -> Result<UdpSocket, Missed> {
    let here = |error: io::Error| Missed::Here(super::error::describe(&error));
    let protocol = if target.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let domain = socket2::Domain::for_address(target);
    let socket =
        socket2::Socket::new(domain, socket2::Type::DGRAM.nonblocking(), Some(protocol)).map_err(here)?;
    let target = prepare(SockRef::from(&socket), target, origin).map_err(here)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(here)?;
    socket.connect(target).await.map_err(|error| Missed::from_io(&error))?;
    Ok(socket)
}

/// Ties a socket to where its packets are to leave; the target has its device where it needs one.
fn prepare(socket: SockRef<'_>, target: SocketAddr, origin: &Origin) -> io::Result<SocketAddr> {
    if origin.mark != 0 {
        socket.set_mark(origin.mark)?;
    }
    if let Some(device) = &origin.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if origin.address.is_some() || origin.port.is_some() {
        let any: IpAddr =
            if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let local = SocketAddr::new(origin.address.unwrap_or(any), origin.port.unwrap_or(0));
        if origin.port.is_some() {
            // The connection before may still be in TIME_WAIT.
            socket.set_reuse_address(true)?;
        }
        socket.bind(&scoped(local, origin)?.into())?;
    }
    scoped(target, origin)
}

/// An address with its device, where it is link-local.
fn scoped(address: SocketAddr, origin: &Origin) -> io::Result<SocketAddr> {
    match (address, &origin.device) {
        (SocketAddr::V6(v6), Some(device)) if v6.ip().is_unicast_link_local() => {
            let index = if_nametoindex(&**device).map_err(|errno: Errno| io::Error::from(errno))?;
            Ok(SocketAddrV6::new(*v6.ip(), v6.port(), 0, index).into())
        }
        _ => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_nobody_listens_at_is_the_other_sides_and_an_address_of_others_is_ours() {
        // It has the port, and does not listen.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let closed = socket.local_addr().unwrap().as_socket().unwrap();
        let missed = tcp::Begun::new(closed, &Origin::default()).unwrap().ask().unwrap_err();
        assert!(matches!(&missed, Missed::There(why) if why.contains("refused")), "{missed:?}");
        let elsewhere = Origin { address: Some([192, 0, 2, 1].into()), ..Origin::default() };
        let missed = tcp::Begun::new(closed, &elsewhere).unwrap_err();
        assert!(matches!(missed, Missed::Here(_)), "{missed:?}");
        let device = Origin { device: Some("no-such-link".into()), ..Origin::default() };
        assert!(matches!(udp(closed, &device).await.unwrap_err(), Missed::Here(_)));
    }

    #[tokio::test]
    async fn packets_leave_from_where_they_are_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = Origin { address: Some([127, 0, 0, 9].into()), ..Origin::default() };
        let begun = tcp::Begun::new(listener.local_addr().unwrap(), &origin).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), origin.address.unwrap());
        begun.wait().await.unwrap();
    }
}
