//! The service behind the virtual address: a program that says on whose host it runs.
//!
//! It is this binary, started again in the host's namespace, so that stopping it is ending a process.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lab::{Error, Host, Process, Result, wait};

/// First argument of the second role: `demo serve NAME ADDRESS:PORT`.
pub(crate) const VERB: &str = "serve";

const PORT: u16 = 80;
const PATIENCE: Duration = Duration::from_millis(500);

/// Starts the service on all addresses of the host and waits until it answers there.
pub(crate) fn start(host: &Host) -> Result<Process> {
    let demo = env::current_exe().map_err(|e| Error::io("find the running program", e))?;
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).to_string();
    let process = host.spawn("service", &[&demo.to_string_lossy(), VERB, host.name(), &address])?;
    wait::until("the service to answer", Duration::from_secs(5), || ask(host, Ipv4Addr::LOCALHOST))?;
    Ok(process)
}

/// Which host answers on port 80 of `address`, asked from `host`.
pub(crate) fn ask(host: &Host, address: Ipv4Addr) -> std::result::Result<String, String> {
    let asked = host.inside(|| {
        let mut stream = TcpStream::connect_timeout(&(address, PORT).into(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = asked.map_err(|e| e.to_string())?.map_err(|e: std::io::Error| e.to_string())?;
    match answer.rsplit_once("\r\n\r\n") {
        Some((_, name)) => Ok(name.trim().to_owned()),
        None => Err(format!("an answer that is not one: `{answer}`")),
    }
}

/// The service itself: one answer per connection, until it is killed.
pub(crate) fn serve(name: &str, address: &str) -> Result<()> {
    let listener = TcpListener::bind(address).map_err(|e| Error::io(format!("listen on {address}"), e))?;
    for stream in listener.incoming().flatten() {
        // Whoever only looks whether the port is open (the check script) hangs up at once.
        let _ = answer(stream, name);
    }
    Ok(())
}

fn answer(mut stream: TcpStream, name: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = [0; 512];
    if stream.read(&mut request)? == 0 {
        return Ok(());
    }
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{name}\n")
}
