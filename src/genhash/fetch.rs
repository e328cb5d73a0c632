//! The connection to a server, with or without TLS.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    options::Options,
    response::{Part, Response, TooLong},
};
use crate::{kernel::clock, tls, units::Time};

/// Bytes of one read.
const READ: usize = 4096;
/// What a server may send, in bytes, and how long it may take, in times that nothing may happen, as in `HTTP_GET`: one that
/// sends without end, or a byte now and then, would be listened to for ever.
const MOST: u64 = 256 << 20;
const PATIENCE: u32 = 60;

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("Connection failed: {0}")]
    Connect(io::Error),
    #[error("the mark {0} cannot be set: {1}")]
    Mark(u32, io::Error),
    #[error("SSL handshake/communication error: {}", tls::explain(.0))]
    Tls(#[from] rustls::Error),
    #[error("`{0}` cannot be named in the handshake")]
    Name(String),
    #[error("no data received from remote webserver")]
    NoData,
    #[error("{0} bytes of the page are missing: the connection ended before")]
    CutOff(u64),
    #[error("connection to the server: {0}")]
    Broken(#[from] io::Error),
    #[error("the server has sent {} MiB and goes on", .0 >> 20)]
    TooMuch(u64),
    #[error("the page has no end within {0:?}")]
    TooLate(Duration),
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Asks for the page and hands out what comes.
pub(super) fn fetch(
    options: &Options,
    take: &mut impl FnMut(Part<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    let limits = Limits::new(options);
    let stream = connect(options)?;
    if options.use_ssl {
        let connection =
            ClientConnection::new(Arc::new(tls::client(options.use_sni, None)?), name(options)?)?;
        exchange(StreamOwned::new(connection, stream), (options, limits), take)
    } else {
        exchange(stream, (options, limits), take)
    }
}

/// Until when a server is listened to.
#[derive(Clone, Copy)]
struct Limits {
    bytes: u64,
    span: Duration,
    begun: Time,
}

impl Limits {
    /// From now on.
    fn new(options: &Options) -> Self {
        Self { bytes: MOST, span: options.timeout().saturating_mul(PATIENCE), begun: clock::now() }
    }

    /// Whether it may go on after so many bytes.
    fn check(self, read: u64) -> Result<(), Error> {
        if read > self.bytes {
            return Err(Error::TooMuch(self.bytes));
        }
        if clock::now().since(self.begun) > self.span { Err(Error::TooLate(self.span)) } else { Ok(()) }
    }
}

fn connect(options: &Options) -> Result<TcpStream, Error> {
    let address = SocketAddr::new(options.server, options.port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(Error::Connect)?;
    if let Some(mark) = options.fwmark {
        socket.set_mark(mark).map_err(|error| Error::Mark(mark, error))?;
    }
    let timeout = options.timeout();
    socket.connect_timeout(&address.into(), timeout).map_err(Error::Connect)?;
    socket.set_read_timeout(Some(timeout))?;
    socket.set_write_timeout(Some(timeout))?;
    Ok(socket.into())
}

fn exchange(
    mut stream: impl Read + Write,
    (options, limits): (&Options, Limits),
    take: &mut impl FnMut(Part<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    stream.write_all(options.request().as_bytes()).map_err(of_stream)?;
    stream.flush().map_err(of_stream)?;
    let mut response = Response::default();
    let (mut buffer, mut heard) = ([0; READ], 0);
    while !response.is_complete() {
        limits.check(heard)?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                heard += read as u64;
                response.handle_bytes(&buffer[..read], &mut |part| take(part).map_err(Error::from))?
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Many servers end a TLS session without a word.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(of_stream(error)),
        }
    }
    response.end().map_err(|missing| missing.map_or(Error::NoData, Error::CutOff))
}

/// An error of TLS comes wrapped in one of the stream.
fn of_stream(error: io::Error) -> Error {
    match error.downcast::<rustls::Error>() {
        Ok(error) => Error::Tls(error),
        Err(error) => Error::Broken(error),
    }
}

/// What is named in the handshake: the virtual host with `-I`, else nothing.
fn name(options: &Options) -> Result<ServerName<'static>, Error> {
    match options.use_virtualhost.as_ref().filter(|_| options.use_sni) {
        Some(host) => ServerName::try_from(host.clone()).map_err(|_| Error::Name(host.clone())),
        None => Ok(ServerName::IpAddress(options.server.into())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// A server that sends so many bytes at a time, without end.
    struct Endless {
        header: &'static [u8],
        at_a_time: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.header.is_empty() {
                buffer[..self.at_a_time].fill(b'x');
                return Ok(self.at_a_time);
            }
            self.header.read(buffer)
        }
    }

    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn refusal(at_a_time: usize, limits: Limits) -> String {
        let options = Options::parse_from(["genhash", "-s", "192.0.2.1", "-p", "80", "-u", "/"]);
        let server = Endless { header: b"HTTP/1.0 200 OK\r\n\r\n", at_a_time };
        exchange(server, (&options, limits), &mut |_| Ok(())).unwrap_err().to_string()
    }

    #[test]
    fn a_server_that_sends_without_end_or_a_byte_now_and_then_is_left() {
        let limits = Limits { bytes: 2 << 20, span: Duration::from_secs(60), begun: clock::now() };
        assert_eq!(refusal(READ, limits), "the server has sent 2 MiB and goes on");
        let limits = Limits { bytes: u64::MAX, span: Duration::from_millis(20), ..limits };
        assert_eq!(refusal(1, limits), "the page has no end within 20ms");
    }
}
