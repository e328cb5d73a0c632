//! When virtual addresses come to a host and go: thousands of them at once, at little cost to the machine.
//!
//! `ip monitor` would be woken by every one, and write a line of each, on one of the processors that what is measured
//! needs.

use std::{
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use lab::{Error, Host, Result, clock, wait};
use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt,
        socket, sockopt,
    },
};

/// Room for what comes between two looks, thousands of reports.
const RECEIVE_BUFFER: usize = 32 << 20;
/// Between two looks, and so how exact the times are.
const LOOK: Duration = Duration::from_millis(1);
/// RTNLGRP_IPV4_IFADDR, the fifth group.
const ADDRESSES: u32 = 1 << 4;
const NEW_ADDRESS: u16 = 20;
const GONE_ADDRESS: u16 = 21;
/// Netlink's own header, and struct ifaddrmsg.
const HEADERS: usize = 16 + 8;
const LOCAL: u16 = 2;
/// Of the virtual addresses of all benchmarks.
const VIRTUAL: [u8; 2] = [10, 200];

/// What was reported until now: how many, and when the last was seen, since the epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) added: usize,
    pub(crate) last_added: Duration,
    pub(crate) removed: usize,
    pub(crate) last_removed: Duration,
}

/// A subscription and the thread that reads it. It ends with this.
pub(crate) struct Addresses {
    seen: Arc<Mutex<Seen>>,
    /// Held by this and the reader, which ends when it is the only one.
    alive: Arc<()>,
    reader: Option<JoinHandle<io::Result<()>>>,
}

impl Addresses {
    /// From now on, on all interfaces of a host.
    pub(crate) fn watch(host: &Host) -> Result<Self> {
        let socket = host.inside(open)?.map_err(|error| failed(&error))?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let alive = Arc::new(());
        let (to, life) = (Arc::clone(&seen), Arc::clone(&alive));
        let reader = Some(thread::spawn(move || read(&socket, &to, &life)));
        Ok(Self { seen, alive, reader })
    }

    /// What was seen until now.
    pub(crate) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last of `count` addresses came, since the epoch.
    pub(crate) fn last_of(&self, count: usize, deadline: Duration) -> Result<Duration> {
        wait::until("all addresses", deadline, || match self.seen() {
            Seen { added, last_added, .. } if added >= count => Ok(last_added),
            Seen { added, .. } => Err(format!("{added} of {count}")),
        })
    }

    /// Ends it; what it has seen.
    pub(crate) fn stop(mut self) -> Result<Seen> {
        super::rest(Duration::from_millis(100))?;
        self.alive = Arc::default();
        if let Some(reader) = self.reader.take() {
            let ended = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            ended.map_err(|error| failed(&error))?;
        }
        Ok(self.seen())
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Unexpected(format!("watching addresses: {error}"))
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, ADDRESSES))?;
    Ok(socket)
}

fn read(socket: &OwnedFd, seen: &Mutex<Seen>, life: &Arc<()>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while Arc::strong_count(life) > 1 {
        loop {
            let length = match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            };
            note(&buffer[..length], &mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        }
        super::rest(LOOK).map_err(io::Error::other)?;
    }
    Ok(())
}

fn note(datagram: &[u8], seen: &mut Seen) {
    let at = clock::wall();
    let mut rest = datagram;
    while let Some(header) = rest.get(..HEADERS) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let is_virtual = rest.get(HEADERS..length).is_some_and(is_virtual);
        match kind {
            NEW_ADDRESS if is_virtual => (seen.added, seen.last_added) = (seen.added + 1, at),
            GONE_ADDRESS if is_virtual => (seen.removed, seen.last_removed) = (seen.removed + 1, at),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// Whether IFA_LOCAL among these attributes is a virtual address.
fn is_virtual(mut attributes: &[u8]) -> bool {
    while let [a, b, c, d, value @ ..] = attributes {
        let (length, kind) = (usize::from(u16::from_ne_bytes([*a, *b])), u16::from_ne_bytes([*c, *d]));
        if kind == LOCAL {
            return value.starts_with(&VIRTUAL);
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..).unwrap_or_default();
    }
    false
}
