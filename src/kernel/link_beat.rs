//! Asking a network interface itself whether it has a link, for drivers that do not tell the kernel
//! (`linkbeat_interfaces`).
//!
//! The driver may have to talk to its hardware, and the kernel holds the lock of the network configuration for as long,
//! so it is nothing for a lane that sends advertisements.

use std::{
    fmt,
    io::{self, ErrorKind},
    os::fd::AsFd as _,
};

use nix::{errno::Errno, libc};
use socket2::{Domain, Socket, Type};

use super::sys;

/// The register of an IEEE 802.3 transceiver that says how it is (clause 22.2.4.2), and its bits.
const STATUS_REGISTER: u16 = 1;
const LINK_STATUS: u16 = 1 << 2;
/// What is read where there is no transceiver.
const NO_TRANSCEIVER: u16 = 0xffff;

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The registers of the transceiver (SIOCGMIIREG); needs CAP_NET_ADMIN.
    Mii,
    /// The driver (ETHTOOL_GLINK of ethtool(8)).
    Ethtool,
    /// The flags that the kernel keeps (SIOCGIFFLAGS of netdevice(7)).
    Flags,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mii => "MII",
            Self::Ethtool => "ETHTOOL",
            Self::Flags => "IOCTL",
        })
    }
}

/// What an interface said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The way that it understood.
    pub method: Method,
    /// Whether it has a link.
    pub has_link: bool,
}

/// What interfaces are asked through: those of the network namespace it was opened in.
#[derive(Debug)]
pub struct LinkBeat {
    /// Nothing is sent through it.
    socket: Socket,
}

impl LinkBeat {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        Ok(Self { socket: Socket::new(Domain::IPV4, Type::DGRAM, None)? })
    }

    /// Whether the interface of that name has a link, by the first of these ways that its driver understands.
    /// `NotFound` when there is no such interface, else the refusal of the last.
    pub fn ask(&self, interface: &str, methods: [Method; 3]) -> io::Result<Answer> {
        let mut refusal = io::Error::from(ErrorKind::Unsupported);
        for method in methods {
            match self.ask_by(interface, method) {
                Ok(has_link) => return Ok(Answer { method, has_link }),
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {
                    return Err(ErrorKind::NotFound.into());
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    fn ask_by(&self, interface: &str, method: Method) -> io::Result<bool> {
        let socket = self.socket.as_fd();
        match method {
            Method::Mii => {
                // The bit stays low once the link was lost, until it has been read.
                sys::mii_register(socket, interface, STATUS_REGISTER)?;
                match sys::mii_register(socket, interface, STATUS_REGISTER)? {
                    NO_TRANSCEIVER => Err(Errno::EOPNOTSUPP.into()),
                    status => Ok(status & LINK_STATUS != 0),
                }
            }
            Method::Ethtool => sys::ethtool_link(socket, interface),
            Method::Flags => {
                let flags = libc::c_int::from(sys::interface_flags(socket, interface)?);
                Ok(flags & libc::IFF_RUNNING != 0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_does_not_understand_is_asked_in_another_way() {
        let link_beat = LinkBeat::open().unwrap();
        // The loopback has no transceiver, and says of its link what the kernel does.
        let answer = link_beat.ask("lo", [Method::Mii, Method::Ethtool, Method::Flags]).unwrap();
        assert_ne!(answer.method, Method::Mii);
    }

    #[test]
    fn an_interface_that_is_not_there_has_nothing_to_say() {
        let link_beat = LinkBeat::open().unwrap();
        for name in ["no-such-link", "much-too-long-for-a-link", "", "a\0b"] {
            let error = link_beat.ask(name, [Method::Mii, Method::Ethtool, Method::Flags]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{name}");
        }
    }
}
