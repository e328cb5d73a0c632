//! Connections of TCP to other hosts, which the runtime hears of only when they have to be waited for.
//!
//! A server nearby has often answered when a crowd of connections has begun: to ask the kernel once more is one system call, where
//! a wait takes three of them and a turn of the runtime.

use std::{io, net::SocketAddr, time::Duration};

use nix::libc;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::{
    io::{AsyncRead, Interest},
    net::TcpStream,
};

use super::{Missed, Origin, prepare};
use crate::{
    kernel::{clock, error::describe, readable::readable},
    units::Time,
};

/// A connection on its way.
#[derive(Debug)]
pub struct Begun {
    socket: Socket,
    target: SocketAddr,
    since: Time,
}

/// A connection.
#[derive(Debug)]
pub struct Made(Held);

/// As what it is held.
#[derive(Debug)]
enum Held {
    /// The runtime does not know it yet.
    Raw(Socket),
    Registered(TcpStream),
}

impl Begun {
    /// Begins a connection.
    ///
    /// # Errors
    /// See [`Missed`].
    pub fn new(target: SocketAddr, origin: &Origin) -> Result<Self, Missed> {
        Self::through(socket(target)?, target, origin)
    }

    /// The same for whoever says something as soon as there is a connection: what it says carries the last acknowledgement of the
    /// handshake, which is a packet less, and wakes up a server once instead of twice (tcp(7), TCP_QUICKACK).
    ///
    /// # Errors
    /// See [`Missed`].
    pub fn to_speak(target: SocketAddr, origin: &Origin) -> Result<Self, Missed> {
        let socket = socket(target)?;
        socket.set_tcp_quickack(false).map_err(|error| Missed::Here(describe(&error)))?;
        Self::through(socket, target, origin)
    }

    fn through(socket: Socket, target: SocketAddr, origin: &Origin) -> Result<Self, Missed> {
        let here = |error: io::Error| Missed::Here(describe(&error));
        let target = prepare(SockRef::from(&socket), target, origin).map_err(here)?;
        match socket.connect(&target.into()) {
            Ok(()) => {}
            Err(error) if is_on_its_way(&error) => {}
            Err(error) => return Err(Missed::from_io(&error)),
        }
        Ok(Self { socket, target, since: clock::now() })
    }

    /// How long it has been on its way.
    pub fn age(&self) -> Duration {
        clock::now().since(self.since)
    }

    /// Asks whether there is a connection already; otherwise it is to be waited for.
    ///
    /// # Errors
    /// [`Missed::There`]: what comes of a connection on its way comes from the other side, a firewall's EACCES as well.
    pub fn ask(self) -> Result<Result<Made, Self>, Missed> {
        let is_made = is_made(SockRef::from(&self.socket), self.target);
        let is_made = is_made.map_err(|error| Missed::There(describe(&error)))?;
        Ok(if is_made { Ok(Made(Held::Raw(self.socket))) } else { Err(self) })
    }

    /// Waits until there is a connection; whoever calls it sets the limit.
    ///
    /// # Errors
    /// As [`Self::ask`], and [`Missed::Here`] without a descriptor.
    pub async fn wait(self) -> Result<Made, Missed> {
        let Self { socket, target, .. } = self;
        let stream = TcpStream::from_std(socket.into()).map_err(|error| Missed::Here(describe(&error)))?;
        let ask = || match is_made(SockRef::from(&stream), target) {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(error),
        };
        let made = stream.async_io(Interest::WRITABLE, ask).await;
        made.map_err(|error| Missed::There(describe(&error)))?;
        Ok(Made(Held::Registered(stream)))
    }
}

impl Made {
    /// Sends the first of what is to be said: how many bytes of it the kernel has taken.
    ///
    /// # Errors
    /// Those of send(2).
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let sent = match &self.0 {
            Held::Raw(socket) => socket.send_with_flags(bytes, libc::MSG_NOSIGNAL),
            Held::Registered(stream) => stream.try_write(bytes),
        };
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            sent => sent,
        }
    }

    /// The connection for whoever reads from it alone: nobody is told that there is room for more to be sent.
    ///
    /// # Errors
    /// See [`Missed`].
    pub fn into_reader(self) -> Result<Box<dyn AsyncRead + Unpin>, Missed> {
        match self.0 {
            Held::Raw(socket) => match readable(socket.into()) {
                Ok(reader) => Ok(Box::new(reader)),
                Err(error) => Err(Missed::Here(describe(&error))),
            },
            Held::Registered(stream) => Ok(Box::new(stream)),
        }
    }

    /// The connection for the runtime, which hears of it from now on.
    ///
    /// # Errors
    /// See [`Missed`].
    pub fn into_stream(self) -> Result<TcpStream, Missed> {
        match self.0 {
            Held::Raw(socket) => {
                TcpStream::from_std(socket.into()).map_err(|error| Missed::Here(describe(&error)))
            }
            Held::Registered(stream) => Ok(stream),
        }
    }
}

fn socket(target: SocketAddr) -> Result<Socket, Missed> {
    let kind = Type::STREAM.nonblocking().cloexec();
    Socket::new(Domain::for_address(target), kind, None).map_err(|error| Missed::Here(describe(&error)))
}

/// Whether a connection is made that was on its way: connect(2) says so when it is asked again, as SO_ERROR would of one that has failed.
fn is_made(socket: SockRef<'_>, target: SocketAddr) -> io::Result<bool> {
    match socket.connect(&target.into()) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EISCONN) => Ok(true),
        Err(error) if is_on_its_way(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_on_its_way(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EALREADY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(target: SocketAddr) -> Begun {
        Begun::new(target, &Origin::default()).unwrap()
    }

    /// It has a port, and does not listen.
    fn closed() -> (Socket, SocketAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let target = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, target)
    }

    #[tokio::test]
    async fn a_server_nearby_is_asked_once_and_what_is_sent_first_arrives() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let made = begin(listener.local_addr().unwrap()).ask().unwrap().unwrap();
        assert!(matches!(made.0, Held::Raw(_)));
        assert_eq!(made.send(b"hello").unwrap(), 5);
        let mut reader = made.into_reader().unwrap();
        let (mut server, mut heard) = (listener.accept().unwrap().0, [0; 5]);
        std::io::Read::read_exact(&mut server, &mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        std::io::Write::write_all(&mut server, b"world").unwrap();
        tokio::io::AsyncReadExt::read_exact(&mut reader, &mut heard).await.unwrap();
        assert_eq!(&heard, b"world");
    }

    /// A server has no connection before its handshake has ended. The kernel does not wait for what is said for ever (40 ms), so a busy
    /// machine may need another try.
    #[test]
    fn who_speaks_first_ends_the_handshake_with_what_it_says() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let target = listener.local_addr().unwrap();
        let is_one_packet = || {
            let made = Begun::to_speak(target, &Origin::default()).unwrap().ask().unwrap().unwrap();
            let before = listener.accept();
            assert_eq!(made.send(b"hello").unwrap(), 5);
            before.is_err() && listener.accept().is_ok()
        };
        assert!((0..20).any(|_| is_one_packet()));
        let _made = begin(target).ask().unwrap().unwrap();
        assert!(listener.accept().is_ok(), "who says nothing is there at once");
    }

    #[tokio::test]
    async fn a_port_that_is_closed_is_the_servers_whether_it_is_asked_or_waited_for() {
        let (_socket, target) = closed();
        let refused = |missed| matches!(missed, Missed::There(why) if why.contains("refused"));
        assert!(refused(begin(target).ask().unwrap_err()));
        assert!(refused(begin(target).wait().await.unwrap_err()));
    }

    /// Which is EPIPE, and of other errors that a firewall may answer with EACCES: all of them are of the other side.
    #[tokio::test]
    async fn a_server_that_ends_and_resets_at_once_is_the_one_to_blame() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let begun = [(); 2].map(|()| {
            let begun = begin(listener.local_addr().unwrap());
            let met = Socket::from(listener.accept().unwrap().0);
            met.shutdown(std::net::Shutdown::Write).unwrap();
            met.set_linger(Some(Duration::ZERO)).unwrap();
            begun
        });
        let [asked, waited] = begun;
        let blamed = |missed| matches!(missed, Missed::There(why) if why.contains("EPIPE"));
        assert!(blamed(asked.ask().unwrap_err()));
        assert!(blamed(waited.wait().await.unwrap_err()));
    }

    #[tokio::test]
    async fn a_server_that_has_no_room_yet_is_waited_for() {
        let (socket, target) = closed();
        socket.listen(0).unwrap();
        let first = begin(target).ask().unwrap().unwrap();
        let Err(second) = begin(target).ask().unwrap() else { panic!("there is room for one") };
        let room = async {
            drop(socket.accept().unwrap());
            drop(first);
        };
        let (made, ()) = tokio::join!(second.wait(), room);
        assert!(matches!(made.unwrap().0, Held::Registered(_)));
    }
}
