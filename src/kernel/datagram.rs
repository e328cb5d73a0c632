//! UDP sockets: those that answer, and those that tell.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::fd::AsRawFd as _,
};

use nix::{
    libc::{in_addr, in_pktinfo, in6_pktinfo},
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
    },
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

use super::KernelError;

/// A socket that hears datagrams at an address, and answers from the one that was asked: of a host with several addresses the
/// kernel would choose another one, which whoever asked does not know.
#[derive(Debug)]
pub struct Answering(UdpSocket);

/// Who has asked, and where.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// Who.
    pub from: SocketAddr,
    at: At,
}

/// The address of this host that was asked, as the kernel tells it.
#[derive(Clone, Copy, Debug)]
enum At {
    V4(in_pktinfo),
    V6(in6_pktinfo),
    Unknown,
}

impl Answering {
    /// One of IPv6 leaves IPv4 to others. To be called inside a runtime.
    ///
    /// # Errors
    /// When the address is not of this host, or somebody else listens there, or the port is for the privileged.
    pub fn listen(at: SocketAddr) -> Result<Self, KernelError> {
        let listening = |error| {
            KernelError::from_io(format!("listening at {at}"), &error).needing(Some("CAP_NET_BIND_SERVICE"))
        };
        Self::bind(at).map_err(listening)
    }

    fn bind(at: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
        if at.is_ipv6() {
            socket.set_only_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(at))?;
        UdpSocket::from_std(socket.into()).map(Self)
    }

    /// Waits until there is something.
    ///
    /// # Errors
    /// When that cannot be known.
    pub async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }

    /// What is there: how long it is, and from whom.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; others when the kernel has something to say of an earlier answer.
    pub fn try_receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Asker)> {
        self.0.try_io(Interest::READABLE, || {
            let mut control = nix::cmsg_space!(in6_pktinfo);
            let mut slices = [IoSliceMut::new(buffer)];
            let message = recvmsg::<SockaddrStorage>(
                self.0.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                MsgFlags::MSG_DONTWAIT,
            )?;
            // Of what interface it came does not matter: the way back may be another one.
            let at = message.cmsgs()?.find_map(|told| match told {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    Some(At::V4(in_pktinfo { ipi_ifindex: 0, ipi_addr: in_addr { s_addr: 0 }, ..info }))
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    Some(At::V6(in6_pktinfo { ipi6_ifindex: 0, ..info }))
                }
                _ => None,
            });
            let from = message.address.and_then(|from| {
                let v4 = from.as_sockaddr_in().map(|from| SocketAddr::V4(SocketAddrV4::from(*from)));
                v4.or_else(|| from.as_sockaddr_in6().map(|from| SocketAddr::V6(SocketAddrV6::from(*from))))
            });
            let from = from.ok_or_else(|| io::Error::other("a datagram of nobody"))?;
            Ok((message.bytes, Asker { from, at: at.unwrap_or(At::Unknown) }))
        })
    }

    /// Sends an answer, from where was asked.
    ///
    /// # Errors
    /// When it cannot be sent now, or not there.
    pub fn try_answer(&self, answer: &[u8], to: Asker) -> io::Result<()> {
        let control = match &to.at {
            At::V4(info) => vec![ControlMessage::Ipv4PacketInfo(info)],
            At::V6(info) => vec![ControlMessage::Ipv6PacketInfo(info)],
            At::Unknown => Vec::new(),
        };
        let (socket, address) = (self.0.as_raw_fd(), SockaddrStorage::from(to.from));
        let sent = sendmsg(socket, &[IoSlice::new(answer)], &control, MsgFlags::MSG_DONTWAIT, Some(&address));
        Ok(sent.map(drop)?)
    }
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
