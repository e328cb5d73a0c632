//! Every advertisement on all interfaces of a host, with the kernel's time stamps: thousands in a second, for minutes.

use std::{
    io::{self, IoSliceMut},
    os::fd::{AsRawFd as _, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use lab::{Error, Host, Result};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
            recvmsg, setsockopt, socket, sockopt,
        },
        time::TimeSpec,
    },
};

/// Room for what arrives between two looks, thousands of packets.
const RECEIVE_BUFFER: usize = 64 << 20;
/// Between two looks: few wake-ups, so that the machine stays as quiet as what is measured needs it.
const LOOK: Duration = Duration::from_millis(25);
const PROTOCOL_VRRP: u8 = 112;

/// An advertisement that was sent or received.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Since the epoch, by the kernel's clock.
    pub(crate) at: Duration,
    /// The IP packet.
    pub(crate) packet: Vec<u8>,
}

impl Heard {
    /// The third byte of its source, which numbers the interface in [`fleet`](super::fleet), and the VRID.
    pub(crate) fn router(&self) -> (u8, u8) {
        (self.packet[14], self.message(1))
    }

    /// Its priority.
    pub(crate) fn priority(&self) -> u8 {
        self.message(2)
    }

    fn message(&self, at: usize) -> u8 {
        let header = usize::from(self.packet[0] & 0x0f) * 4;
        self.packet.get(header + at).copied().unwrap_or_default()
    }
}

/// A packet socket and the thread that reads it.
pub(crate) struct Sniffer {
    end: Arc<AtomicBool>,
    reader: JoinHandle<io::Result<Vec<Heard>>>,
}

impl Sniffer {
    /// From now on, whatever comes to the host or leaves it.
    pub(crate) fn start(host: &Host) -> Result<Self> {
        let socket = host.inside(open)?.map_err(|error| failed(&error))?;
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let reader = thread::spawn(move || read(&socket, &ended));
        Ok(Self { end, reader })
    }

    /// Ends it; what it has heard, in order.
    pub(crate) fn stop(self) -> Result<Vec<Heard>> {
        super::rest(Duration::from_millis(100))?;
        self.end.store(true, Ordering::Relaxed);
        let heard = self.reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        heard.map_err(|error| failed(&error))
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Unexpected(format!("capturing: {error}"))
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    Ok(socket)
}

fn read(socket: &OwnedFd, end: &AtomicBool) -> io::Result<Vec<Heard>> {
    let mut heard = Vec::new();
    let mut buffer = [0; 2048];
    let mut control = cmsg_space!(TimeSpec);
    loop {
        // Asked before the socket is emptied: what was sent before the end is heard.
        let is_last = end.load(Ordering::Relaxed);
        loop {
            let mut into = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_DONTWAIT;
            let (length, at) =
                match recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut into, Some(&mut control), flags) {
                    Ok(message) => (message.bytes, stamp(message.cmsgs()?)),
                    Err(Errno::EAGAIN) => break,
                    Err(error) => return Err(error.into()),
                };
            let packet = &buffer[..length];
            let is_vrrp = length >= 28 && packet[0] >> 4 == 4 && packet[9] == PROTOCOL_VRRP;
            if let (true, Some(at)) = (is_vrrp, at) {
                heard.push(Heard { at, packet: packet.to_vec() });
            }
        }
        if is_last {
            return Ok(heard);
        }
        super::rest(LOOK).map_err(io::Error::other)?;
    }
}

fn stamp(mut messages: impl Iterator<Item = ControlMessageOwned>) -> Option<Duration> {
    messages.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(at) => Some(at.into()),
        _ => None,
    })
}
