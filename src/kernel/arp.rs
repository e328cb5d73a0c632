//! Gratuitous ARP: tells the link that an address now lives behind this MAC (RFC 5227 §3, RFC 826).
//!
//! It only sends; ARP's answers are the kernel's business.

use std::{
    io,
    net::Ipv4Addr,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socket};

use super::sys;
use crate::units::IfIndex;

/// Bytes of the frame; the driver pads it to Ethernet's minimum.
pub const FRAME_LEN: usize = 42;

const BROADCAST: [u8; 6] = [0xff; 6];
/// Ethertype ARP; hardware type Ethernet, protocol type IPv4, address lengths 6 and 4, opcode request.
const ETHERTYPE_TO_OPCODE: [u8; 10] = [0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1];

/// A packet socket that sends ARP frames out of one interface.
#[derive(Debug)]
pub struct ArpSocket(OwnedFd);

impl ArpSocket {
    /// EPERM without CAP_NET_RAW, ENODEV when there is no such interface.
    pub fn open(index: IfIndex) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // No protocol: frames that come in are not copied for a socket that never reads.
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        sys::bind_packet_socket(socket.as_fd(), index)?;
        Ok(Self(socket))
    }

    /// Broadcasts one gratuitous ARP for `address` at `mac` without waiting. ENETDOWN when the interface
    /// is down, ENOBUFS or `WouldBlock` when its queue is full, ENXIO when it is gone.
    pub fn gratuitous(&self, mac: [u8; 6], address: Ipv4Addr) -> io::Result<()> {
        send(self.0.as_raw_fd(), &gratuitous_frame(mac, address), MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }
}

/// The frame as keepalived sends it (vrrp-protocol §6.8): an ARP request with sender and target address
/// both the virtual address, and the broadcast address as target MAC.
pub fn gratuitous_frame(mac: [u8; 6], address: Ipv4Addr) -> [u8; FRAME_LEN] {
    let mut frame = [0; FRAME_LEN];
    frame[0..6].copy_from_slice(&BROADCAST);
    frame[6..12].copy_from_slice(&mac);
    frame[12..22].copy_from_slice(&ETHERTYPE_TO_OPCODE);
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&address.octets());
    frame[32..38].copy_from_slice(&BROADCAST);
    frame[38..42].copy_from_slice(&address.octets());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// keepalived 2.2.7's first gratuitous ARP for 10.9.0.100, from the capture v2_noauth.pcap.
    #[rustfmt::skip]
    const KEEPALIVED: [u8; FRAME_LEN] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x08, 0x06,
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
        0x02, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x0a, 0x09, 0x00, 0x64,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0a, 0x09, 0x00, 0x64,
    ];

    #[test]
    fn the_frame_is_keepaliveds_byte_for_byte() {
        let mac = [0x02, 0x00, 0x00, 0x00, 0x0a, 0x01];
        assert_eq!(gratuitous_frame(mac, Ipv4Addr::new(10, 9, 0, 100)), KEEPALIVED);
    }

    #[tokio::test]
    async fn an_interface_that_does_not_exist_is_named_by_its_errno() {
        let error = ArpSocket::open(IfIndex(0x7fff_fff0)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV), "{error} (this test needs CAP_NET_RAW)");
        assert_eq!(ArpSocket::open(IfIndex(u32::MAX)).unwrap_err().raw_os_error(), Some(nix::libc::ENODEV));
    }
}
