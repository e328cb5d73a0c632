//! Health checks of servers that want the daemon no good: each is down for a reason that is said, and none of them fills the memory.
//! What is judged of their bytes is in `check::hostile`; here they say as much as they can.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lab::{Error, Host, Lan, Result, Router, Subject, wait};

use crate::world::SOON;

/// What the memory of a daemon may grow by, in KiB: an answer without an end is some hundred MiB.
const GROWTH: u64 = 16 << 10;

/// Answers echo requests with replies to others: of another number, another process, too short and too long.
const ECHO: &str = r#"
import socket, struct
def packet(kind, ident, number, body):
    head = struct.pack("!BBHHH", kind, 0, 0, ident, number)
    whole = head + body + b"\0" * (len(body) % 2)
    total = sum(struct.unpack("!%dH" % (len(whole) // 2), whole))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return struct.pack("!BBHHH", kind, 0, total ^ 0xffff, ident, number) + body
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
while True:
    datagram, address = sock.recvfrom(65535)
    said = datagram[(datagram[0] & 15) * 4:]
    if said[0] != 8:
        continue
    ident, number = struct.unpack("!HH", said[4:8])
    for reply in [
        packet(0, ident, (number + 1) & 0xffff, said[8:]),
        packet(0, ident ^ 1, number, said[8:]),
        packet(0, ident, number ^ 0x100, b""),
        packet(0, ident, (number + 7) & 0xffff, b"x" * 60000),
        packet(8, ident, number, said[8:]),
    ]:
        sock.sendto(reply, address)
"#;

/// Has everybody who connects to a port of a host served so; how many bytes were taken in all.
fn serve(host: &Host, port: u16, answer: fn(TcpStream, &AtomicU64)) -> Result<Arc<AtomicU64>> {
    let listener = host.inside(|| TcpListener::bind(("10.9.0.2", port)))?;
    let listener = listener.map_err(|error| Error::io(format!("listen at {port}"), error))?;
    let taken = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&taken);
    thread::spawn(move || {
        // Until the test ends.
        for stream in listener.incoming().flatten() {
            let counts = Arc::clone(&counts);
            let limit = stream.set_write_timeout(Some(Duration::from_secs(5)));
            thread::spawn(move || limit.map(|()| answer(stream, &counts)));
        }
    });
    Ok(taken)
}

/// Says the first, then again and again the same, until nobody takes it.
fn flood(mut stream: TcpStream, first: &[u8], again: &[u8], counts: &AtomicU64) {
    let mut written = stream.write_all(first);
    while written.is_ok() {
        counts.fetch_add(again.len() as u64, Ordering::Relaxed);
        written = stream.write_all(again);
    }
}

const OK: &[u8] = b"HTTP/1.0 200 OK\r\n";

/// The highest that the memory of the daemon's processes has been, in KiB.
fn memory(router: &Router) -> u64 {
    let pids = [router.process().pid()].into_iter().chain(router.process().children());
    let highest = |pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    pids.map(highest).sum()
}

#[test]
fn servers_without_an_end_are_down_and_fill_no_memory() -> Result<()> {
    let lan = Lan::pair()?;
    let (director, beta) = (&lan["alpha"], &lan["beta"]);
    let _header = serve(beta, 9001, |stream, counts| flood(stream, OK, &[b'x'; 1 << 16], counts))?;
    let page = serve(beta, 9002, |stream, counts| {
        let first = [OK, b"\r\n"].concat();
        flood(stream, &first, &[b'x'; 1 << 16], counts);
    })?;
    let _mail = serve(beta, 9003, |stream, counts| flood(stream, b"220-", &[b'x'; 1 << 16], counts))?;
    let _reset = serve(beta, 9005, |mut stream, _| {
        // Its hello has come.
        let _ = stream.read(&mut [0; 2048]);
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    })?;
    let dir = beta.dir().display();
    beta.sh(&format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {dir}/key.pem -out {dir}/cert.pem \
         -days 2 -subj /CN=lab 2>/dev/null"
    ))?;
    let secret = format!(
        "(printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; exec yes) | exec openssl s_server -accept 10.9.0.2:9004 -key {dir}/key.pem \
         -cert {dir}/cert.pem -quiet"
    );
    let _secret = beta.spawn("endless-tls", &["sh", "-c", &secret])?;
    beta.set_kernel("net/ipv4/icmp_echo_ignore_all", "1")?;
    let _echo = beta.spawn("echo", &["python3", "-c", ECHO])?;

    let page_of = |kind| format!("{kind} {{\n url {{\n path /\n }}\n retry 0\n }}");
    let checks = [
        (9001, page_of("HTTP_GET"), "its header does not end within"),
        (9002, page_of("HTTP_GET"), " end"),
        (9003, "SMTP_CHECK {\n retry 0\n }".to_owned(), "a line without an end"),
        (9004, page_of("SSL_GET"), " end"),
        (9005, page_of("SSL_GET"), "TLS: "),
        (9006, "PING_CHECK {\n retry 0\n }".to_owned(), "no reply within"),
    ];
    let servers: String = checks
        .iter()
        .map(|(port, check, _)| format!("real_server 10.9.0.2 {port} {{\n {check}\n}}\n"))
        .collect();
    let config = format!(
        "virtual_server 10.9.0.100 80 {{\n delay_loop 0.5\n warmup 0\n lb_algo rr\n lb_kind NAT\n protocol TCP\n \
         connect_timeout 0.5\n{servers}}}\n"
    );
    let config = director.write("director.conf", &config)?;
    let ours = Subject::Steadfast(env!("CARGO_BIN_EXE_steadfast").into());
    let router = Router::start_parts(&ours, director, "director", &config, &["-C"])?;
    router.wait_log("starting with", SOON)?;
    let before = memory(&router);
    for (port, _, why) in &checks {
        let line = router.wait_log(&format!("[10.9.0.2]:tcp:{port} failed"), SOON)?;
        assert!(line.contains(why), "{line}");
    }
    // It asks again and again.
    let first = page.load(Ordering::Relaxed);
    wait::until_true("another page", SOON, || page.load(Ordering::Relaxed) > first + (64 << 20))?;
    let after = memory(&router);
    assert!(first > 64 << 20 && after < before + GROWTH, "{first} bytes of a page, {before} and {after} KiB");
    println!("{first} bytes of a page, memory {before} KiB at the start, {after} KiB at the most");
    router.stop()?;
    Ok(())
}
