//! Tells the neighbours on a link that an address now lives here: gratuitous ARP or an unsolicited neighbour
//! advertisement, as a frame of our own making, so that it carries the MAC and the source that it should.
//!
//! It only sends; the answers of ARP and neighbour discovery are the kernel's business.

use std::{
    io,
    net::IpAddr,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socket};

use super::{arp, nd, sys};
use crate::units::IfIndex;

/// A packet socket that sends announcements out of one interface.
#[derive(Debug)]
pub struct AnnounceSocket(OwnedFd);

impl AnnounceSocket {
    /// EPERM without CAP_NET_RAW, ENODEV when there is no such interface.
    pub fn open(index: IfIndex) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // No protocol: frames that come in are not copied for a socket that never reads.
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        sys::bind_packet_socket(socket.as_fd(), index)?;
        Ok(Self(socket))
    }

    /// Announces `address` at `mac` once, without waiting; `router` says whether this host forwards IPv6 there, which
    /// only matters to a neighbour advertisement. ENETDOWN when the interface is down, ENOBUFS or `WouldBlock` when
    /// its queue is full, ENXIO when it is gone.
    pub fn announce(&self, mac: [u8; 6], address: IpAddr, router: bool) -> io::Result<()> {
        match address {
            IpAddr::V4(address) => self.send(&arp::gratuitous_frame(mac, address)),
            IpAddr::V6(address) => self.send(&nd::advertisement_frame(mac, address, router)),
        }
    }

    fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.0.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use nix::libc;

    use super::*;

    #[tokio::test]
    async fn an_interface_that_does_not_exist_is_named_by_its_errno() {
        for index in [0x7fff_fff0, u32::MAX] {
            let error = AnnounceSocket::open(IfIndex(index)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{error} (this test needs CAP_NET_RAW)");
        }
    }
}
