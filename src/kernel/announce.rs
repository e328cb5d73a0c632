//! Tells the neighbours on a link that an address now lives here: gratuitous ARP or an unsolicited neighbour
//! advertisement, as a frame of our own making, so that it carries the MAC and the source that it should.
//!
//! It only sends; the answers of ARP and neighbour discovery are the kernel's business.

use std::{
    io,
    net::IpAddr,
    os::fd::{AsFd, OwnedFd},
};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::{arp, nd, sys};
use crate::units::IfIndex;

/// A packet socket that sends announcements, out of whichever interface.
///
/// One is enough for all of them, and has to be: closing it, the kernel waits until no processor can still be using it,
/// which takes milliseconds.
#[derive(Debug)]
pub struct AnnounceSocket(OwnedFd);

impl AnnounceSocket {
    /// EPERM without CAP_NET_RAW.
    pub fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // No protocol: frames that come in are not copied for a socket that never reads.
        Ok(Self(socket(AddressFamily::Packet, SockType::Raw, flags, None)?))
    }

    /// Announces once out of an interface, without waiting, that `address` is at `mac`; `router` says whether this host
    /// forwards IPv6 there, which only matters to a neighbour advertisement. ENETDOWN when the interface is down, ENOBUFS
    /// or `WouldBlock` when its queue is full, ENXIO when there is no such interface.
    pub fn announce(&self, index: IfIndex, mac: [u8; 6], address: IpAddr, router: bool) -> io::Result<()> {
        match address {
            IpAddr::V4(address) => self.send(index, &arp::gratuitous_frame(mac, address)),
            IpAddr::V6(address) => self.send(index, &nd::advertisement_frame(mac, address, router)),
        }
    }

    fn send(&self, index: IfIndex, frame: &[u8]) -> io::Result<()> {
        sys::send_frame(self.0.as_fd(), index, frame)
    }
}
