//! Unix and TCP behind one face.

use std::fmt;
use std::future::Future;
use std::io::{self, Write as _};
use std::net as ip;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};

use crate::address::MasterAddress;

/// When the host of a TCP master counts as gone: nothing we sent was acknowledged by its kernel for this long.
const HOST_GONE: Duration = Duration::from_secs(4);

/// A connection to the master.
///
/// The kernel is asked to tell of bytes to read alone. Whoever asks for room to write, too, is woken whenever the master has
/// read an answer, and that is once more for each variable of a walk. tokio's streams always ask for both; the ends of its
/// pipes ask for one each, and are polled and read in just the same way, whatever they are the ends of.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    /// A second descriptor of the same socket.
    reader: pipe::Receiver,
    /// Another one, while there is no room to write.
    room: Option<pipe::Sender>,
}

impl Stream {
    async fn connect(master: MasterAddress) -> io::Result<Self> {
        Self::of(match master {
            // A socket whose queue is full answers WouldBlock at once: a failed attempt like any other.
            MasterAddress::Unix(path) => Socket::Unix(UnixStream::connect(path).await?.into_std()?),
            MasterAddress::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                // Requests and answers are small, and each waits for the other.
                stream.set_nodelay(true)?;
                // A stopped master's kernel still acknowledges; a host that is gone does not, and retransmissions
                // to it are soon minutes apart.
                SockRef::from(&stream).set_tcp_user_timeout(Some(HOST_GONE))?;
                Socket::Tcp(stream.into_std()?)
            }
        })
    }

    /// Over a socket that does not block.
    fn of(socket: Socket) -> io::Result<Self> {
        let reader = pipe::Receiver::from_owned_fd_unchecked(socket.twin()?)?;
        Ok(Self { socket, reader, room: None })
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
        if !or_writable {
            self.room = None;
            return Some(self.reader.read(buffer).await);
        }
        let room = match self.room.take().map_or_else(|| self.room(), Ok) {
            Ok(room) => self.room.insert(room),
            Err(error) => return Some(Err(error)),
        };
        tokio::select! {
            biased;
            outcome = self.reader.read(buffer) => Some(outcome),
            outcome = room.writable() => outcome.err().map(Err),
        }
    }

    fn room(&self) -> io::Result<pipe::Sender> {
        pipe::Sender::from_owned_fd_unchecked(self.socket.twin()?)
    }

    /// Writes what the kernel takes at once.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.socket.write(bytes);
        if outcome.is_err() {
            // What it knows of room is over.
            self.room = None;
        }
        outcome
    }
}

#[derive(Debug)]
enum Socket {
    Unix(net::UnixStream),
    Tcp(ip::TcpStream),
}

impl Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    /// A second descriptor.
    fn twin(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
        .try_clone_to_owned()
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);
    const MOMENT: Duration = Duration::from_millis(20);

    /// A stream, and the master at its other end.
    fn pair() -> (Stream, net::UnixStream) {
        let (ours, theirs) = net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Stream::of(Socket::Unix(ours)).unwrap(), theirs)
    }

    fn run(story: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { timeout(SOON, story).await }).unwrap();
    }

    #[test]
    fn everything_is_read_whatever_fits_into_the_buffer_and_then_the_end() {
        run(async {
            let (mut stream, mut master) = pair();
            let mut buffer = [0; 4];
            for sent in [&b"ab"[..], b"abcd", b"abcdef", b"a"] {
                master.write_all(sent).unwrap();
                let mut read = Vec::new();
                while read.len() < sent.len() {
                    let count = stream.read_or_writable(&mut buffer, false).await.unwrap().unwrap();
                    read.extend_from_slice(&buffer[..count]);
                }
                assert_eq!(read, sent);
                assert!(timeout(MOMENT, stream.read_or_writable(&mut buffer, false)).await.is_err());
            }
            master.write_all(b"z").unwrap();
            drop(master);
            for left in [1, 0] {
                assert_eq!(stream.read_or_writable(&mut buffer, false).await.unwrap().unwrap(), left);
            }
        });
    }

    #[test]
    fn room_to_write_is_told_of_each_time_it_is_waited_for() {
        run(async {
            let (mut stream, mut master) = pair();
            let mut buffer = [0; 4];
            for _ in 0..3 {
                let mut written = 0;
                while let Ok(count) = stream.try_write(&[7; 4096]) {
                    written += count;
                }
                assert!(timeout(MOMENT, stream.read_or_writable(&mut buffer, true)).await.is_err());
                // Reading comes first, also then.
                master.write_all(b"x").unwrap();
                assert_eq!(stream.read_or_writable(&mut buffer, true).await.unwrap().unwrap(), 1);
                master.read_exact(&mut vec![0; written]).unwrap();
                assert!(stream.read_or_writable(&mut buffer, true).await.is_none());
            }
        });
    }
}
