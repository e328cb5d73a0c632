//! A host with thousands of real servers on addresses of its own, and the configuration that has them checked.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use lab::{Error, Host, Lan, Result};
use socket2::{Domain, Socket, Type};

use crate::round::Kind;

/// Where all servers listen.
pub(crate) const PORT: u16 = 8080;
/// Connections that may wait: as many servers may be checked at once.
const BACKLOG: i32 = 8192;
/// Servers of a service.
const OF_ONE: usize = 50;
/// The page that is served, and its digest.
const PAGE: &[u8] = b"HTTP/1.0 200 OK\r\n\r\nhello";
const DIGEST: &str = "5d41402abc4b2a76b9719d911017c592";

/// The address of a server by its number.
pub(crate) fn server(number: usize) -> Ipv4Addr {
    let [_, high, low, last] = u32::try_from(number + 1).unwrap_or_default().to_be_bytes();
    Ipv4Addr::new(10, 64 + high, low, last)
}

/// Two hosts; the servers are on `alpha`, and answer until the program ends.
pub(crate) fn build(kind: Kind) -> Result<Lan> {
    let lan = Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .back_to_back()
        .build()?;
    lan["alpha"].add_address("10.64.0.1/12", "lo")?;
    serve(&lan["alpha"], kind)?;
    Ok(lan)
}

fn serve(host: &Host, kind: Kind) -> Result<()> {
    let listen = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        socket.listen(BACKLOG).map(|()| TcpListener::from(socket))
    };
    let listener = host.inside(listen)?.map_err(|error| Error::Unexpected(format!("listening: {error}")))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if kind == Kind::Http {
                answer(stream);
            }
        }
    });
    Ok(())
}

/// Reads a request up to its empty line, and answers.
fn answer(mut stream: TcpStream) {
    let (mut request, mut piece) = (Vec::new(), [0; 512]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => request.extend(&piece[..length]),
            _ => return,
        }
    }
    // A checker that has gone is no trouble.
    let _ = stream.write_all(PAGE);
}

/// So many servers with a check each, once a second, and a virtual router.
pub(crate) fn config(kind: Kind, size: usize) -> String {
    let mut text = "global_defs {\n router_id bench\n vrrp_version 3\n}\nvrrp_instance VI {\n state BACKUP\n interface va0\n \
                    virtual_router_id 51\n priority 150\n advert_int 0.1\n virtual_ipaddress {\n 10.9.0.100/24\n }\n}\n"
        .to_owned();
    let check = match kind {
        Kind::Tcp => "TCP_CHECK {\n }".to_owned(),
        Kind::Http => format!("HTTP_GET {{\n url {{\n path /\n digest {DIGEST}\n }}\n }}"),
    };
    let servers: Vec<Ipv4Addr> = (0..size).map(server).collect();
    for (number, some) in servers.chunks(OF_ONE).enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "virtual_server 10.65.{}.{} 80 {{\n delay_loop 1\n warmup 1\n lb_algo rr\n lb_kind NAT\n protocol TCP\n",
            number / 250,
            number % 250 + 1
        );
        for address in some {
            let _ = write!(text, " real_server {address} {PORT} {{\n {check}\n }}\n");
        }
        text.push_str("}\n");
    }
    text
}
