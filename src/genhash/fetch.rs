//! The connection to a server, with or without TLS.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    options::Options,
    response::{Part, Response, TooLong},
};
use crate::tls;

/// Bytes of one read.
const READ: usize = 4096;

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("Connection failed: {0}")]
    Connect(io::Error),
    #[error("the mark {0} cannot be set: {1}")]
    Mark(u32, io::Error),
    #[error("SSL handshake/communication error: {0}")]
    Tls(#[from] rustls::Error),
    #[error("`{0}` cannot be named in the handshake")]
    Name(String),
    #[error("no data received from remote webserver")]
    NoData,
    #[error("{0} bytes of the page are missing: the connection ended before")]
    CutOff(u64),
    #[error("connection to the server: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Asks for the page and hands out what comes.
pub(super) fn fetch(
    options: &Options,
    take: &mut impl FnMut(Part<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    let stream = connect(options)?;
    if options.use_ssl {
        let connection =
            ClientConnection::new(Arc::new(tls::client(options.use_sni, None)?), name(options)?)?;
        exchange(StreamOwned::new(connection, stream), options, take)
    } else {
        exchange(stream, options, take)
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
    options: &Options,
    take: &mut impl FnMut(Part<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    stream.write_all(options.request().as_bytes()).map_err(of_stream)?;
    stream.flush().map_err(of_stream)?;
    let mut response = Response::default();
    let mut buffer = [0; READ];
    while !response.is_complete() {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
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
