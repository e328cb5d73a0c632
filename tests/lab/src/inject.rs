//! Putting frames on the wire from a host, byte for byte.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, sendto, socket,
};

use crate::error::{Error, Result};
use crate::host::Host;

/// A packet socket on one interface of a host.
#[derive(Debug)]
pub struct Injector {
    socket: OwnedFd,
    interface: LinkAddr,
    name: String,
}

impl Injector {
    /// Opens the socket inside the host's namespace.
    pub fn open(host: &Host, interface: &str) -> Result<Self> {
        let (socket, address) = host.inside(|| {
            let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None);
            (socket, link_address(interface))
        })?;
        let name = format!("{interface} of {}", host.name());
        let socket = socket.map_err(|e| Error::io(format!("open a packet socket on {}", host.name()), e))?;
        let address = address.ok_or_else(|| Error::Unexpected(format!("{name} does not exist")))?;
        Ok(Self { socket, interface: address, name })
    }

    /// Sends one frame, Ethernet header included, unchanged. Shorter than 14 bytes is refused by the kernel. A frame
    /// takes about 10 µs, and the kernel drops what a receiver has not read in time (a few hundred): a flood goes out in
    /// batches, each awaited at the receiver.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        sendto(self.socket.as_raw_fd(), frame, &self.interface, MsgFlags::empty())
            .map(drop)
            .map_err(|e| Error::io(format!("send {} bytes on {}", frame.len(), self.name), e))
    }
}

/// The kernel lists every interface with its link-level address, which names the interface by index.
fn link_address(interface: &str) -> Option<LinkAddr> {
    let listed = getifaddrs().ok()?;
    let mut links = listed.filter(|entry| entry.interface_name == interface);
    links.find_map(|entry| entry.address.as_ref().and_then(packet_address))
}

fn packet_address(address: &SockaddrStorage) -> Option<LinkAddr> {
    (address.family() == Some(AddressFamily::Packet)).then(|| address.as_link_addr().copied()).flatten()
}
