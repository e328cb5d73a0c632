//! Where a received packet lies: the packet as it was on the wire, whatever the kernel makes of it.
//!
//! A raw socket of IPv4 delivers the IP header. One of IPv6 delivers what is behind the headers and tells the rest
//! beside it, if asked; the header is put together again here, without the traffic class and the flow label, which
//! nobody looks at.

use std::{
    io::IoSliceMut,
    net::Ipv6Addr,
    os::fd::{AsFd, RawFd},
};

use nix::{
    errno::Errno,
    sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, SockaddrIn6, recv, recvmsg, setsockopt, sockopt},
};

use super::VRRP;
use crate::units::Family;

/// Length of an IPv6 header without extensions (RFC 8200 §3).
const HEADER_LEN: usize = 40;

/// Room for one packet, to be used again and again: nothing is allocated per packet. The default has no room at all.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    length: usize,
    control: Vec<u8>,
}

/// Has an IPv6 socket tell what belongs into the header: destination and hop limit.
pub(super) fn ask_for_header(socket: &impl AsFd) -> Result<(), Errno> {
    setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true)
}

impl Inbox {
    /// Room for packets of `size` bytes, IP header included; of longer ones the beginning is kept.
    pub fn new(size: usize) -> Self {
        let control = nix::cmsg_space!(nix::libc::in6_pktinfo, nix::libc::c_int);
        Self { bytes: vec![0; size.max(HEADER_LEN)], length: 0, control }
    }

    /// The packet received last.
    pub fn packet(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Receives a packet that is there, else EAGAIN.
    pub(super) fn take(&mut self, socket: RawFd, family: Family) -> Result<(), Errno> {
        self.length = 0;
        self.length = match family {
            Family::V4 => recv(socket, &mut self.bytes, MsgFlags::MSG_DONTWAIT)?,
            Family::V6 => self.take_v6(socket)?,
        };
        Ok(())
    }

    fn take_v6(&mut self, socket: RawFd) -> Result<usize, Errno> {
        let (header, payload) = self.bytes.split_at_mut(HEADER_LEN);
        let mut slices = [IoSliceMut::new(payload)];
        let message: RecvMsg<'_, '_, SockaddrIn6> =
            recvmsg(socket, &mut slices, Some(&mut self.control), MsgFlags::MSG_DONTWAIT)?;
        // What the kernel does not tell stays 0, which no receiver of advertisements accepts.
        let (mut destination, mut hop_limit) = (Ipv6Addr::UNSPECIFIED, 0);
        for told in message.cmsgs()? {
            match told {
                ControlMessageOwned::Ipv6PacketInfo(info) => destination = info.ipi6_addr.s6_addr.into(),
                ControlMessageOwned::Ipv6HopLimit(limit) => hop_limit = u8::try_from(limit).unwrap_or(0),
                _ => {}
            }
        }
        let source = message.address.map_or(Ipv6Addr::UNSPECIFIED, |from| from.ip());
        let length = u16::try_from(message.bytes).unwrap_or(u16::MAX);
        header[0..4].copy_from_slice(&[0x60, 0, 0, 0]);
        header[4..6].copy_from_slice(&length.to_be_bytes());
        header[6] = VRRP;
        header[7] = hop_limit;
        header[8..24].copy_from_slice(&source.octets());
        header[24..40].copy_from_slice(&destination.octets());
        Ok(HEADER_LEN + message.bytes)
    }
}
