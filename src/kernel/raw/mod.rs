//! The VRRP socket: IP protocol 112 on one interface over one family, whole IP packets in and out; and the one that
//! hears VRRP behind an authentication header, protocol 51.
//!
//! One socket per interface and family serves all its virtual routers; who a packet is for is decided by its VRID,
//! not here. The caller writes the IP header (IP_HDRINCL, IPV6_HDRINCL), so it alone decides source, hop limit and
//! checksum of the message: a router may say farewell from an address that is gone, and what it sends is known to
//! the last byte. The kernel fills in the header checksum of IPv4. It hands received packets over without looking at
//! the message's checksum, so that a wrong one is counted and named and does not just vanish.

mod filter;
mod inbox;

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
    task::{Context, Poll},
};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{
        MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage, sendmmsg, sendto,
        setsockopt, sockopt,
    },
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};

pub use self::inbox::Inbox;
use super::{
    ReceiveBuffer,
    readable::{Readable, readable},
};
use crate::units::{Family, IfIndex};

/// IANA's protocol number of VRRP.
const VRRP: u8 = 112;
/// That of the IP authentication header.
const AH: u8 = 51;
/// The priority of network control (TC_PRIO_CONTROL), which decides the queue the packet leaves through.
const PRIORITY: i32 = 6;
/// Room for some 3,000 advertisements (the kernel counts about 700 bytes for each, and doubles this).
const RECEIVE_BUFFER: u32 = 1 << 20;
/// Packets handed to the kernel in one system call.
const BATCH: usize = 64;

/// What a socket hears. Any socket sends either: the caller's header says which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// VRRP right behind the IP header.
    Vrrp,
    /// VRRP behind an authentication header, over IPv4 only.
    Authenticated,
}

impl Hears {
    fn protocol(self) -> Protocol {
        Protocol::from(i32::from(match self {
            Self::Vrrp => VRRP,
            Self::Authenticated => AH,
        }))
    }
}

/// A raw socket for VRRP, bound to one interface.
///
/// It hears unicast packets and those groups it has joined, on its interface only, and never its own
/// multicasts. Over IPv6 it hears the groups of other programs, too: the kernel looks at IPV6_MULTICAST_ALL only for
/// sockets that have an address, so the receiver has to look at the destination. It is bound to the interface as it is now:
/// one that is deleted and comes back under the same name needs a new socket.
#[derive(Debug)]
pub struct VrrpSocket {
    /// It is sent to without waiting for room.
    socket: Readable,
    index: IfIndex,
    family: Family,
    hears: Hears,
}

/// A packet to send: complete with its IP header, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// The complete IP packet, of the socket's family.
    pub packet: &'a [u8],
    /// Where the kernel routes it to: the group or the unicast peer.
    pub destination: IpAddr,
}

impl VrrpSocket {
    /// Opens the socket on the interface of that name and index; ENODEV when the name belongs to another
    /// index by now, EPERM without CAP_NET_RAW, EAFNOSUPPORT when the kernel was started without IPv6. Needs a tokio
    /// runtime with I/O enabled.
    pub fn open(interface: &str, index: IfIndex, family: Family) -> io::Result<Self> {
        Self::open_hearing(interface, index, family, Hears::Vrrp)
    }

    /// As [`open`](Self::open), for VRRP behind an authentication header, over IPv4.
    pub fn open_authenticated(interface: &str, index: IfIndex) -> io::Result<Self> {
        Self::open_hearing(interface, index, Family::V4, Hears::Authenticated)
    }

    fn open_hearing(interface: &str, index: IfIndex, family: Family, hears: Hears) -> io::Result<Self> {
        if nix::net::if_::if_nametoindex(interface)? != index.0 {
            return Err(Errno::ENODEV.into());
        }
        let domain = match family {
            Family::V4 => Domain::IPV4,
            Family::V6 => Domain::IPV6,
        };
        let socket = Socket::new(domain, Type::RAW, Some(hears.protocol()))?;
        // First of all, so that no packet of another interface is ever queued for long.
        socket.bind_device(Some(interface.as_bytes()))?;
        if hears == Hears::Authenticated {
            // What IPsec of this host protects with such headers is none of our business.
            socket.attach_filter(&filter::VRRP_BEHIND_AH)?;
        }
        match family {
            Family::V4 => {
                socket.set_multicast_all_v4(false)?;
                socket.set_header_included_v4(true)?;
                // Multicasts leave through the bound device; IP_MULTICAST_IF would not be looked at.
                socket.set_multicast_loop_v4(false)?;
            }
            Family::V6 => {
                socket.set_header_included_v6(true)?;
                socket.set_multicast_loop_v6(false)?;
                inbox::ask_for_header(&socket)?;
            }
        }
        setsockopt(&socket, sockopt::Priority, &PRIORITY)?;
        ReceiveBuffer::default().give(&socket, RECEIVE_BUFFER)?;
        socket.set_nonblocking(true)?;
        let socket = readable(socket.into())?;
        Ok(Self { socket, index, family, hears })
    }

    /// The interface it is bound to.
    pub fn index(&self) -> IfIndex {
        self.index
    }

    /// The family it speaks.
    pub fn family(&self) -> Family {
        self.family
    }

    /// What it hears.
    pub fn hears(&self) -> Hears {
        self.hears
    }

    /// Has it queue so many bytes of packets until they are read, or as many as usual.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        buffer.give(&self.socket, RECEIVE_BUFFER)
    }

    /// Joins a multicast group on this interface (224.0.0.18, ff02::12, or another one that is configured);
    /// EADDRINUSE when it is joined already.
    pub fn join(&self, group: IpAddr) -> io::Result<()> {
        let socket = SockRef::from(&self.socket);
        match group {
            IpAddr::V4(group) => {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(self.index.0))
            }
            IpAddr::V6(group) => socket.join_multicast_v6(&group, self.index.0),
        }
    }

    /// Joins a group that the socket has joined before, after the interface has forgotten it: one whose IPv6 was switched
    /// off and on again (by its MTU, for one) has forgotten all groups, and the socket does not notice.
    pub fn join_again(&self, group: IpAddr) -> io::Result<()> {
        let socket = SockRef::from(&self.socket);
        // That the interface does not know the group is why this is called.
        let _ = match group {
            IpAddr::V4(group) => {
                socket.leave_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(self.index.0))
            }
            IpAddr::V6(group) => socket.leave_multicast_v6(&group, self.index.0),
        };
        self.join(group)
    }

    /// Waits for a packet, IP header included; what does not fit into `inbox` is cut off. Cancelling it loses no
    /// packet. The interface going down and up again is no error and not the end of the socket.
    pub async fn recv<'a>(&self, inbox: &'a mut Inbox) -> io::Result<&'a [u8]> {
        loop {
            self.socket.readable().await?;
            match self.receive(inbox) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => {
                    received?;
                    return Ok(inbox.packet());
                }
            }
        }
    }

    /// Ready when a packet is there to be read, for a task that waits for several sockets at once.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_read_ready(context)
    }

    /// As [`recv`](Self::recv) for a packet that is there already, else `ErrorKind::WouldBlock`.
    ///
    /// It asks the kernel, not tokio: what has arrived since the runtime last looked counts too.
    pub fn try_recv<'a>(&self, inbox: &'a mut Inbox) -> io::Result<&'a [u8]> {
        self.receive(inbox)?;
        Ok(inbox.packet())
    }

    fn receive(&self, inbox: &mut Inbox) -> io::Result<()> {
        match inbox.take(self.socket.as_raw_fd(), self.family) {
            Err(Errno::EAGAIN) => {
                // So that `poll_readable` waits for the next packet.
                self.socket.try_io(|| Err(io::ErrorKind::WouldBlock.into()))
            }
            taken => Ok(taken?),
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
            let run = run(&packets[next..]);
            let sent = match self.family {
                Family::V4 => self.send_run(run, v4),
                Family::V6 => self.send_run(run, v6),
            };
            match sent {
                Ok(sent) => next += sent.max(1),
                Err(error) => {
                    refused(next, error);
                    next += 1;
                }
            }
        }
    }

    /// One sendmmsg: the number of packets that left before one was refused; the first one's error.
    fn send_run<S: SockaddrLike + Copy>(
        &self,
        run: &[Outgoing<'_>],
        address: impl Fn(IpAddr) -> Option<S>,
    ) -> io::Result<usize> {
        let Some(first) = run.first() else {
            return Ok(0);
        };
        let slices: Vec<_> = run.iter().map(|out| [IoSlice::new(out.packet)]).collect();
        let addresses: Vec<_> = run.iter().map(|out| address(out.destination)).collect();
        let mut headers = MultiHeaders::preallocate(run.len(), None);
        let descriptor = self.socket.as_raw_fd();
        let sent = sendmmsg(descriptor, &mut headers, &slices, &addresses, [], flags(first.destination))?;
        Ok(sent.count())
    }
}

/// A destination of an IPv4 socket; without one the kernel refuses the packet.
fn v4(address: IpAddr) -> Option<SockaddrIn> {
    let IpAddr::V4(address) = address else { return None };
    Some(std::net::SocketAddrV4::new(address, 0).into())
}

/// A destination of an IPv6 socket. Its link is the one that the socket is bound to.
fn v6(address: IpAddr) -> Option<SockaddrIn6> {
    let IpAddr::V6(address) = address else { return None };
    Some(std::net::SocketAddrV6::new(address, 0, 0, 0).into())
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
        for family in [Family::V4, Family::V6] {
            let error = VrrpSocket::open("lo", IfIndex(0x7fff_fff0), family).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
            let error = VrrpSocket::open("no-such-link", IfIndex(1), family).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        }
    }
}
