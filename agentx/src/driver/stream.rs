//! Unix and TCP behind one face.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
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

    /// Waits until it can be read, or also until it can be written.
    pub(super) async fn ready(&self, or_writable: bool) -> io::Result<()> {
        let interest = if or_writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        match self {
            Self::Unix(stream) => stream.ready(interest).await?,
            Self::Tcp(stream) => stream.ready(interest).await?,
        };
        Ok(())
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_read(buffer),
            Self::Tcp(stream) => stream.try_read(buffer),
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
