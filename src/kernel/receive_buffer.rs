//! How many bytes a socket may queue until it is read.

use std::{io, os::fd::AsRawFd};

use nix::libc;

use super::sys;

/// The size of a receive buffer, as far as the configuration decides it. The kernel makes it twice as large, for its own
/// part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiveBuffer {
    /// In bytes; when nobody says, what usually does, whatever the system's limit is.
    pub bytes: Option<u32>,
    /// Beyond the system's limit (net.core.rmem_max), which needs CAP_NET_ADMIN.
    pub force: bool,
}

impl ReceiveBuffer {
    /// Gives it to a socket, or `usual` bytes where nothing is said; without CAP_NET_ADMIN as much as the system's limit
    /// allows.
    pub(super) fn give(self, socket: &impl AsRawFd, usual: u32) -> io::Result<()> {
        let bytes = libc::c_int::try_from(self.bytes.unwrap_or(usual)).unwrap_or(libc::c_int::MAX);
        let force = self.force || self.bytes.is_none();
        if force && sys::set_receive_buffer(socket, bytes, sys::Limit::Ignored).is_ok() {
            return Ok(());
        }
        sys::set_receive_buffer(socket, bytes, sys::Limit::Kept)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use nix::sys::socket::{getsockopt, sockopt};

    use super::*;

    #[test]
    fn the_systems_limit_holds_unless_it_is_forced_or_nobody_says() {
        let limit = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
        let limit: u32 = limit.trim().parse().unwrap();
        let size = |bytes, force| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            ReceiveBuffer { bytes, force }
                .give(&socket, limit + 4096)
                .expect("this test needs CAP_NET_ADMIN");
            u32::try_from(getsockopt(&socket, sockopt::RcvBuf).unwrap()).unwrap()
        };
        assert_eq!(size(Some(50_000), false), 100_000, "the kernel doubles it");
        assert_eq!(size(Some(limit + 4096), false), 2 * limit);
        assert_eq!(size(Some(limit + 4096), true), 2 * (limit + 4096));
        assert_eq!(size(None, false), 2 * (limit + 4096));
    }
}
