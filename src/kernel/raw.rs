//! The VRRP socket: IP protocol 112 on one interface, whole IPv4 packets in and out.
//!
//! One socket per interface serves all its virtual routers; who a packet is for is decided by its VRID,
//! not here. The caller writes the IPv4 header (IP_HDRINCL), so it alone decides source, TTL and
//! identification (vrrp-protocol: TTL 255, TOS 0xc0); the kernel fills in the header checksum.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
    task::{Context, Poll},
};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendto},
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

use super::sys;
use crate::units::IfIndex;

/// IANA's protocol number of VRRP.
const VRRP: i32 = 112;
/// RFC 791 precedence "internetwork control"; also decides the queue the packet leaves through.
const TOS: u32 = 0xc0;
/// Room for some 3,000 advertisements (the kernel counts about 700 bytes for each, and doubles this).
const RECEIVE_BUFFER: i32 = 1 << 20;
/// Packets handed to the kernel in one system call.
const BATCH: usize = 64;

/// A raw socket for protocol 112, bound to one interface.
///
/// It hears unicast packets and those groups it has joined, on its interface only, and never its own
/// multicasts. It is bound to the interface as it is now: one that is deleted and comes back under the
/// same name needs a new socket.
#[derive(Debug)]
pub struct VrrpSocket {
    /// Not UDP: tokio's type is the safe way to wait for any datagram socket.
    socket: UdpSocket,
    index: IfIndex,
}

/// A packet to send: complete with its IPv4 header, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// The complete IPv4 packet.
    pub packet: &'a [u8],
    /// Where the kernel routes it to: the group or the unicast peer.
    pub destination: IpAddr,
}

impl VrrpSocket {
    /// Opens the socket on the interface of that name and index; ENODEV when the name belongs to another
    /// index by now, EPERM without CAP_NET_RAW. Needs a tokio runtime with I/O enabled.
    pub fn open(interface: &str, index: IfIndex) -> io::Result<Self> {
        if nix::net::if_::if_nametoindex(interface)? != index.0 {
            return Err(Errno::ENODEV.into());
        }
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(VRRP)))?;
        // First of all, so that no packet of another interface is ever queued for long.
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_multicast_all_v4(false)?;
        socket.set_header_included_v4(true)?;
        // Multicasts leave through the bound device; IP_MULTICAST_IF would not be looked at.
        socket.set_multicast_loop_v4(false)?;
        socket.set_tos_v4(TOS)?;
        if sys::force_receive_buffer(&socket, RECEIVE_BUFFER).is_err() {
            // Without CAP_NET_ADMIN: as much as the system's limit allows.
            socket.set_recv_buffer_size(RECEIVE_BUFFER as usize)?;
        }
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, index })
    }

    /// The interface it is bound to.
    pub fn index(&self) -> IfIndex {
        self.index
    }

    /// Joins a multicast group on this interface (224.0.0.18, or `vrrp_mcast_group4`); EADDRINUSE when it
    /// is joined already.
    pub fn join(&self, group: IpAddr) -> io::Result<()> {
        let IpAddr::V4(group) = group else { return Err(Errno::EAFNOSUPPORT.into()) };
        let interface = InterfaceIndexOrAddress::Index(self.index.0);
        socket2::SockRef::from(&self.socket).join_multicast_v4_n(&group, &interface)
    }

    /// Waits for a packet and copies it, IPv4 header included, into `buf`; what does not fit is cut off.
    /// 2048 bytes hold any advertisement (255 addresses make 1,072). Cancelling it loses no packet. The
    /// interface going down and up again is no error and not the end of the socket.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf).await
    }

    /// Ready when a packet is there to be read, for a task that waits for several sockets at once.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(context)
    }

    /// As [`recv`](Self::recv) for a packet that is there already, else `ErrorKind::WouldBlock`.
    ///
    /// It asks the kernel, not tokio: what has arrived since the runtime last looked counts too.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        match nix::sys::socket::recv(self.socket.as_raw_fd(), buf, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN) => {
                // So that `poll_readable` waits for the next packet.
                self.socket.try_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into()))
            }
            received => Ok(received?),
        }
    }

    /// Sends one packet without waiting: to a group on this link, to a unicast address as the routing table
    /// says (among the routes of this interface).
    ///
    /// Refusals are the kernel's errno, which [`describe`](super::error::describe) names: ENETUNREACH while
    /// the interface is down, ENODEV when it is gone, ENOBUFS, EMSGSIZE, `WouldBlock` when the queue is full.
    pub fn send(&self, packet: &[u8], destination: IpAddr) -> io::Result<()> {
        let to = SockaddrStorage::from(SocketAddr::new(destination, 0));
        sendto(self.socket.as_raw_fd(), packet, &to, flags(destination))?;
        Ok(())
    }

    /// Sends the packets in order, up to 64 in one system call; each that is refused is reported with its
    /// position and the others still leave.
    pub fn send_many(&self, packets: &[Outgoing<'_>], mut refused: impl FnMut(usize, io::Error)) {
        let mut next = 0;
        while next < packets.len() {
            match self.send_run(run(&packets[next..])) {
                Ok(sent) => next += sent.max(1),
                Err(error) => {
                    refused(next, error);
                    next += 1;
                }
            }
        }
    }

    /// One sendmmsg: the number of packets that left before one was refused; the first one's error.
    fn send_run(&self, run: &[Outgoing<'_>]) -> io::Result<usize> {
        let Some(first) = run.first() else {
            return Ok(0);
        };
        let slices: Vec<_> = run.iter().map(|out| [IoSlice::new(out.packet)]).collect();
        let addresses: Vec<_> =
            run.iter().map(|out| Some(SockaddrStorage::from(SocketAddr::new(out.destination, 0)))).collect();
        let mut headers = MultiHeaders::preallocate(run.len(), None);
        let descriptor = self.socket.as_raw_fd();
        let sent = sendmmsg(descriptor, &mut headers, &slices, &addresses, [], flags(first.destination))?;
        Ok(sent.count())
    }
}

/// The leading packets that can share a system call: flags are per call, and differ by kind of destination.
fn run<'a, 'p>(packets: &'a [Outgoing<'p>]) -> &'a [Outgoing<'p>] {
    let multicast = |out: &Outgoing<'_>| out.destination.is_multicast();
    let same = packets.iter().take(BATCH).take_while(|out| multicast(out) == multicast(&packets[0])).count();
    &packets[..same]
}

/// MSG_DONTROUTE keeps a group's packets on the link whatever the routing table says.
fn flags(destination: IpAddr) -> MsgFlags {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    // nix has no name for this one.
    let on_link = MsgFlags::from_bits_retain(libc::MSG_DONTROUTE);
    if destination.is_multicast() { flags | on_link } else { flags }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn to(destination: [u8; 4]) -> Outgoing<'static> {
        Outgoing { packet: &[], destination: destination.into() }
    }

    #[test]
    fn a_batch_ends_where_the_kind_of_destination_changes() {
        let group = to([224, 0, 0, 18]);
        let peer = to([192, 0, 2, 2]);
        assert_eq!(run(&[group, group, peer, group]), [group, group]);
        assert_eq!(run(&[peer, group]), [peer]);
        assert_eq!(run(&[group; 100]).len(), BATCH);
    }

    #[test]
    fn only_multicast_bypasses_the_routing_table() {
        let on_link = |destination: Ipv4Addr| flags(destination.into()).bits() & libc::MSG_DONTROUTE != 0;
        assert!(on_link(Ipv4Addr::new(224, 0, 0, 18)));
        assert!(!on_link(Ipv4Addr::new(192, 0, 2, 2)));
    }

    #[tokio::test]
    async fn an_index_that_is_not_the_names_is_refused() {
        let error = VrrpSocket::open("lo", IfIndex(0x7fff_fff0)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        let error = VrrpSocket::open("no-such-link", IfIndex(1)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    }
}
