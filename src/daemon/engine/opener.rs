//! The thread that opens sockets, joins groups on them and closes them.
//!
//! To join a group and to close a socket that has joined one, the kernel takes the lock of the whole network
//! configuration (rtnl), which any other program may hold for seconds: whoever deletes a thousand interfaces does. The
//! lane that sends advertisements does not wait for it; it orders here, and hears through [`Openings`] what came of it.

use std::{
    io,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
};

use tokio::{runtime::Handle, sync::mpsc as lanes};
use tracing::warn;

use crate::{
    kernel::{KernelError, ReceiveBuffer, VrrpSocket, error::describe, raw::Hears},
    units::{Family, IfIndex},
};

/// What only this thread does to sockets.
pub(super) enum Order {
    /// Open one, or join more groups on it.
    Open(Wanted),
    /// Join anew what the interface may have forgotten.
    JoinAgain(Arc<VrrpSocket>, Vec<IpAddr>),
    /// Close it. Whoever orders it has no other reference, or the last one closes it.
    Close(Arc<VrrpSocket>),
}

/// A socket that is wanted.
#[derive(Clone)]
pub(super) struct Wanted {
    /// Tells orders apart: an interface that comes back may have the index of the one before.
    pub(super) serial: u64,
    /// The interface.
    pub(super) name: String,
    pub(super) index: IfIndex,
    pub(super) family: Family,
    pub(super) hears: Hears,
    /// How much it is to queue, if it is not open yet.
    pub(super) buffer: ReceiveBuffer,
    /// The socket, if it is open already.
    pub(super) socket: Option<Arc<VrrpSocket>>,
    /// The groups that it is to join.
    pub(super) groups: Vec<IpAddr>,
}

/// What came of an [`Order::Open`].
pub(super) struct Opening {
    /// Of the order.
    pub(super) serial: u64,
    /// The socket, if it is open.
    pub(super) socket: Option<Arc<VrrpSocket>>,
    /// The groups that it has joined.
    pub(super) joined: Vec<IpAddr>,
    /// Why it is not open, or has not joined a group.
    pub(super) failure: Option<String>,
}

/// Where orders go. The thread ends when nobody can order any more.
#[derive(Clone, Debug)]
pub(super) struct Opener(mpsc::Sender<Order>);

/// What comes of them; no more at a time than there are sockets.
pub(super) type Openings = lanes::UnboundedReceiver<Opening>;

impl Opener {
    /// Starts the thread. What it opens belongs to the calling thread's tokio runtime.
    pub(super) fn start() -> Result<(Self, Openings), KernelError> {
        let (orders, received) = mpsc::channel();
        let (tell, openings) = lanes::unbounded_channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("sockets".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for order in received {
                    carry_out(order, &tell);
                }
            })
            .map_err(|error| KernelError::from_io("starting the thread that opens sockets", &error))?;
        Ok((Self(orders), openings))
    }

    /// Orders something; false when there is no thread any more.
    pub(super) fn order(&self, order: Order) -> bool {
        self.0.send(order).is_ok()
    }
}

fn carry_out(order: Order, tell: &lanes::UnboundedSender<Opening>) {
    match order {
        Order::Open(wanted) => {
            let serial = wanted.serial;
            // Somebody waits for the answer, whatever happens.
            let opening = catch_unwind(AssertUnwindSafe(|| open(wanted))).unwrap_or_else(|_| Opening {
                serial,
                socket: None,
                joined: Vec::new(),
                failure: Some("the thread that opens it panicked".to_owned()),
            });
            // The engine is gone only when everything ends.
            let _ = tell.send(opening);
        }
        Order::JoinAgain(socket, groups) => {
            for group in groups {
                if let Err(error) = socket.join_again(group) {
                    warn!("cannot join {group} on interface {}: {}", socket.index(), describe(&error));
                }
            }
        }
        Order::Close(socket) => drop(socket),
    }
}

fn open(wanted: Wanted) -> Opening {
    let Wanted { serial, name, index, family, hears, buffer, socket, groups } = wanted;
    let with_buffer = |socket: VrrpSocket| {
        if buffer.bytes.is_some()
            && let Err(error) = socket.set_receive_buffer(buffer)
        {
            warn!("cannot size the receive buffer on {name}, it is as usual: {}", describe(&error));
        }
        Arc::new(socket)
    };
    let opened = match (socket, hears) {
        (Some(socket), _) => Ok(socket),
        (None, Hears::Vrrp) => VrrpSocket::open(&name, index, family).map(with_buffer),
        (None, Hears::Authenticated) => VrrpSocket::open_authenticated(&name, index).map(with_buffer),
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(error) => {
            return Opening { serial, socket: None, joined: Vec::new(), failure: Some(describe(&error)) };
        }
    };
    let mut failure: Option<io::Error> = None;
    let mut joined = Vec::new();
    for group in groups {
        match socket.join(group) {
            Ok(()) => joined.push(group),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Opening { serial, socket: Some(socket), joined, failure: failure.as_ref().map(describe) }
}
