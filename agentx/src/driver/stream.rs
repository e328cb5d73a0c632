//! Unix and TCP behind one face.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::address::MasterAddress;

/// When the host of a TCP master counts as gone: nothing we sent was acknowledged by its kernel for this long.
const HOST_GONE: Duration = Duration::from_secs(4);

/// A connection to the master.
#[derive(Debug)]
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    async fn connect(master: MasterAddress) -> io::Result<Self> {
        match master {
            // A socket whose queue is full answers WouldBlock at once: a failed attempt like any other.
            MasterAddress::Unix(path) => UnixStream::connect(path).await.map(Self::Unix),
            MasterAddress::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                // Requests and answers are small, and each waits for the other.
                stream.set_nodelay(true)?;
                // A stopped master's kernel still acknowledges; a host that is gone does not, and retransmissions
                // to it are soon minutes apart.
                SockRef::from(&stream).set_tcp_user_timeout(Some(HOST_GONE))?;
                Ok(Self::Tcp(stream))
            }
        }
    }

    /// Reads as soon as there is something, 0 bytes at the end; or returns `None` when it can be written, if that is wanted.
    /// What is cancelled has read nothing.
    ///
    /// A read that leaves room in the buffer has emptied the socket, so no second one finds that out: with a request of the
    /// master for each variable of a walk, that would be a system call for each.
    pub(super) async fn read_or_writable(
        &mut self,
        buffer: &mut [u8],
        or_writable: bool,
    ) -> Option<io::Result<usize>> {
        poll_fn(|context| {
            let mut into = ReadBuf::new(buffer);
            if let Poll::Ready(outcome) = self.poll_read(context, &mut into) {
                return Poll::Ready(Some(outcome.map(|()| into.filled().len())));
            }
            if or_writable && self.poll_write_ready(context).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }

    fn poll_read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Unix(stream) => Pin::new(stream).poll_read(context, into),
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, into),
        }
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Unix(stream) => stream.poll_write_ready(context),
            Self::Tcp(stream) => stream.poll_write_ready(context),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Tcp(stream) => stream.try_write(bytes),
        }
    }
}

/// An attempt to connect, which dropping gives up.
pub(super) struct Connecting(Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>);

impl Connecting {
    pub(super) fn to(master: &MasterAddress) -> Self {
        Self(Box::pin(Stream::connect(master.clone())))
    }
}

impl Future for Connecting {
    type Output = io::Result<Stream>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connecting")
    }
}
