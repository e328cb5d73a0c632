//! Every advertisement, or every opening of a connection, on all interfaces of a host, with the kernel's time stamps: thousands
//! in a second, for minutes.

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
use socket2::{SockFilter, SockRef};

/// Room for what arrives between two looks, thousands of packets.
const RECEIVE_BUFFER: usize = 64 << 20;
/// Between two looks: few wake-ups, so that the machine stays as quiet as what is measured needs it.
const LOOK: Duration = Duration::from_millis(25);
const PROTOCOL_VRRP: u8 = 112;
const PROTOCOL_TCP: u8 = 6;

/// Openings of TCP connections over IPv4 as they arrive: a program of classic BPF, which the kernel runs on packets from the
/// IP header on.
static OPENINGS: [SockFilter; 10] = [
    // BPF_LD | BPF_W | BPF_ABS at SKF_AD_OFF + SKF_AD_PKTTYPE, BPF_JMP | BPF_JEQ | BPF_K: PACKET_HOST, so that each is seen once.
    SockFilter::new(0x20, 0, 0, 0xffff_f004),
    SockFilter::new(0x15, 0, 7, 0),
    // BPF_LD | BPF_B | BPF_ABS: the protocol is TCP.
    SockFilter::new(0x30, 0, 0, 9),
    SockFilter::new(0x15, 0, 5, 6),
    // BPF_LDX | BPF_B | BPF_MSH, BPF_LD | BPF_B | BPF_IND, BPF_ALU | BPF_AND | BPF_K: of SYN and ACK, SYN alone.
    SockFilter::new(0xb1, 0, 0, 0),
    SockFilter::new(0x50, 0, 0, 13),
    SockFilter::new(0x54, 0, 0, 0x12),
    SockFilter::new(0x15, 0, 1, 0x02),
    // BPF_RET | BPF_K: all of it, or nothing.
    SockFilter::new(0x06, 0, 0, u32::MAX),
    SockFilter::new(0x06, 0, 0, 0),
];

/// A packet that was sent or received.
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

    /// Whom it is to.
    pub(crate) fn to(&self) -> [u8; 4] {
        [16, 17, 18, 19].map(|at| self.packet[at])
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
    /// From now on, whatever advertisement comes to the host or leaves it.
    pub(crate) fn start(host: &Host) -> Result<Self> {
        let socket = host.inside(open)?.map_err(|error| failed(&error))?;
        Ok(Self::of(socket, is_vrrp))
    }

    /// From now on, every opening of a TCP connection to the host.
    pub(crate) fn of_openings(host: &Host) -> Result<Self> {
        let filtered =
            || open().and_then(|socket| SockRef::from(&socket).attach_filter(&OPENINGS).map(|()| socket));
        let socket = host.inside(filtered)?.map_err(|error| failed(&error))?;
        // What came before the filter did.
        Ok(Self::of(socket, |packet| packet.len() >= 40 && packet[9] == PROTOCOL_TCP))
    }

    fn of(socket: OwnedFd, keeps: fn(&[u8]) -> bool) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let reader = thread::spawn(move || read(&socket, keeps, &ended));
        Self { end, reader }
    }

    /// Ends it; what it has heard, in order.
    pub(crate) fn stop(self) -> Result<Vec<Heard>> {
        super::rest(Duration::from_millis(100))?;
        self.end.store(true, Ordering::Relaxed);
        let heard = self.reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        heard.map_err(|error| failed(&error))
    }
}

fn is_vrrp(packet: &[u8]) -> bool {
    packet.len() >= 28 && packet[0] >> 4 == 4 && packet[9] == PROTOCOL_VRRP
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

fn read(socket: &OwnedFd, keeps: fn(&[u8]) -> bool, end: &AtomicBool) -> io::Result<Vec<Heard>> {
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
            if let (true, Some(at)) = (keeps(packet), at) {
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
