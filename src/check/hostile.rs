//! Servers that want a check no good: every one ends in its time, with little memory and a clear word.

use std::{
    io::{Read as _, Write as _},
    mem::discriminant,
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Clients, Outcome, Phases, Probe};
use crate::config::{self, Elsewhere, Options};

/// No try here takes longer; the limits of the checks are fractions of a second.
const LIMIT: Duration = Duration::from_secs(30);

/// The check in a file of one service with one server, which is at that address and port.
fn probe(check: &str, at: SocketAddr) -> Probe {
    let text = format!(
        "virtual_server 10.0.0.1 80 {{\n protocol TCP\n connect_timeout 0.2\n real_server {} {} {{\n {check}\n }}\n}}\n",
        at.ip(),
        at.port()
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    Probe::of(&config.virtual_servers[0].real_server[0].checks[0], 1, &Clients::new(None)).unwrap()
}

/// What comes of a check at a server that does this to whoever connects, the same whether the connection is there when it is asked for
/// or has to be waited for. The threads end with the connections.
async fn against(check: &str, server: fn(TcpStream)) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let probe = probe(check, listener.local_addr().unwrap());
    thread::spawn(move || {
        for _ in 0..2 {
            let met = listener.accept().unwrap().0;
            thread::spawn(move || server(met));
        }
    });
    let (asked, waited) = tokio::join!(tried(&probe, true), tried(&probe, false));
    assert_eq!(discriminant(&asked), discriminant(&waited), "{asked:?} and {waited:?}");
    waited
}

/// One try, of which the connection is asked for, or only waited for.
async fn tried(probe: &Probe, asks: bool) -> Outcome {
    let (mut phases, mut opening) = (Phases::begin(), probe.begin());
    if asks {
        match probe.ask(opening, &mut phases) {
            ControlFlow::Break(ended) => return ended,
            ControlFlow::Continue(on_its_way) => opening = on_its_way,
        }
    }
    tokio::time::timeout(LIMIT, probe.go_on(opening, 0, &mut phases)).await.expect("it has no end")
}

const PAGE: &str = "HTTP_GET {\n url {\n path /\n }\n }";
const SECRET_PAGE: &str = "SSL_GET {\n url {\n path /\n }\n }";
const MAIL: &str = "SMTP_CHECK {\n }";
const ALL: [&str; 3] = [PAGE, SECRET_PAGE, MAIL];

fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Reads until the other side goes away.
fn drain(mut stream: TcpStream) {
    let mut piece = [0; 4096];
    while matches!(stream.read(&mut piece), Ok(1..)) {}
}

/// Writes this again and again until nobody takes it.
fn flood(mut stream: TcpStream, first: &[u8], again: &[u8]) {
    let mut written = stream.write_all(first);
    while written.is_ok() {
        written = stream.write_all(again);
    }
}

#[tokio::test]
async fn one_that_never_answers() {
    for check in ALL {
        let why = why(against(check, drain).await);
        assert!(why.contains("within 200ms"), "{why}");
    }
}

#[tokio::test]
async fn one_that_closes_at_once_or_resets() {
    for check in ALL {
        why(against(check, drop).await);
        why(against(check, |stream| {
            let reset = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            reset.unwrap();
        })
        .await);
    }
}

#[tokio::test]
async fn one_that_sends_without_end() {
    let header = why(against(PAGE, |stream| flood(stream, b"HTTP/1.0 200 OK\r\n", &[b'x'; 4096])).await);
    assert!(header.contains("header does not end"), "{header}");
    let line = why(against(MAIL, |stream| flood(stream, b"220 ", &[b'x'; 4096])).await);
    assert!(line.contains("a line without an end"), "{line}");
    why(against(SECRET_PAGE, |stream| flood(stream, b"", &[b'x'; 4096])).await);
}

#[tokio::test]
async fn one_that_drips() {
    // Each byte in time, and no end: the limit of the whole try is 60 steps.
    let drip = |mut stream: TcpStream| {
        while stream.write_all(b"x").is_ok() {
            thread::park_timeout(Duration::from_millis(100));
        }
    };
    // A handshake is one step.
    let secret = why(against(SECRET_PAGE, drip).await);
    assert!(secret.contains("TLS"), "{secret}");
    let (page, mail) = tokio::join!(against(PAGE, drip), against(MAIL, drip));
    for slow in [why(page), why(mail)] {
        assert!(slow.contains("no end of it within 12s"), "{slow}");
    }
}

#[tokio::test]
async fn one_whose_page_or_greeting_has_no_end() {
    let page = |stream| flood(stream, b"HTTP/1.0 200 OK\r\n\r\n", &[b'x'; 1 << 16]);
    let mail = |stream| flood(stream, b"", b"220-and more\r\n");
    let (page, mail) = tokio::join!(against(PAGE, page), against(MAIL, mail));
    // Whichever limit comes first, that of its size or that of the whole try.
    let page = why(page);
    assert!(page.contains("does not end within") || page.contains("no end of it within"), "{page}");
    why(mail);
}

#[tokio::test]
async fn one_that_resets_in_the_middle_of_its_answer() {
    let reset = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    };
    let why = why(against(PAGE, reset).await);
    assert!(why.contains("reset") || why.contains("no data"), "{why}");
}

#[tokio::test]
async fn one_whose_tls_is_none() {
    let servers: [fn(TcpStream); 4] = [
        // handshake_failure
        |stream| answer(stream, &[0x15, 3, 3, 0, 2, 2, 40]),
        |stream| answer(stream, b"HTTP/1.0 400 Bad Request\r\n\r\n"),
        // The beginning of a record that is longer than records are.
        |stream| answer(stream, &[0x16, 3, 3, 0xff, 0xff, 2, 0, 0]),
        // A hello of SSL 3.
        |stream| answer(stream, &[0x16, 3, 0, 0, 6, 2, 0, 0, 2, 3, 0]),
    ];
    for (number, server) in servers.into_iter().enumerate() {
        let why = why(against(SECRET_PAGE, server).await);
        assert!(why.starts_with("TLS: "), "{why}");
        assert_eq!(why.contains("offered are TLS 1.2 and 1.3"), number == 0, "{why}");
    }
}

/// What comes of a question to a name server that makes these datagrams of it, again and again until it is told to end.
async fn of_name_server(answers: fn(&[u8]) -> Vec<Vec<u8>>) -> Outcome {
    of_datagrams("DNS_CHECK {\n name lab.example\n }", answers).await
}

async fn of_datagrams(check: &str, answers: fn(&[u8]) -> Vec<Vec<u8>>) -> Outcome {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let probe = probe(check, socket.local_addr().unwrap());
    let ends = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&ends);
    let server = thread::spawn(move || {
        let (mut question, mut asks) = ([0; 512], None);
        while !until.load(Ordering::Relaxed) {
            asks = socket.recv_from(&mut question).ok().or(asks);
            for datagram in asks.iter().flat_map(|(length, _)| answers(&question[..*length])) {
                let _ = asks.map(|(_, from)| socket.send_to(&datagram, from));
            }
        }
    });
    let outcome = tried(&probe, true).await;
    ends.store(true, Ordering::Relaxed);
    server.join().unwrap();
    outcome
}

#[tokio::test]
async fn a_name_server_that_says_nothing_or_nothing_that_was_asked_for() {
    for useless in [
        (|_| vec![]) as fn(&[u8]) -> Vec<Vec<u8>>,
        |_| vec![vec![0xff; 500]; 50],
        |question| vec![question[..1].to_vec(), question[..11].to_vec(), vec![]],
        // Its own question, and an answer to another one.
        |question| {
            vec![question.to_vec(), [&[!question[0], question[1], 0x81, 0x80], &question[4..]].concat()]
        },
    ] {
        let why = why(of_name_server(useless).await);
        assert_eq!(why, "no answer within 200ms");
    }
    let refuses: fn(&[u8]) -> Vec<Vec<u8>> =
        |question| vec![[&question[..2], &[0x81, 0x85], &question[4..]].concat()];
    assert_eq!(why(of_name_server(refuses).await), "the answer is error 5");
}

#[tokio::test]
async fn one_whose_datagrams_are_none_that_are_wanted() {
    let check = "UDP_CHECK {\n payload 00\n require_reply 68656c6c6f\n }";
    let of = async |answers| why(of_datagrams(check, answers).await);
    assert_eq!(of(|_| vec![]).await, "no answer within 200ms");
    assert_eq!(of(|_| vec![b"garbage".to_vec(); 50]).await, "the answer differs at byte 0");
    let long = of(|_| vec![[b"hello", [b'x'; 60_000].as_slice()].concat(); 3]).await;
    assert!(long.starts_with("an answer of "), "{long}");
}

#[tokio::test]
async fn one_that_speaks_something_else() {
    // What the check has said is read before the end: without that the end would be a reset.
    let garbage = |mut stream: TcpStream| {
        let _ = stream.write_all(b"\x00\xff\r\n\r\n\x16\x03\x09garbage");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        drain(stream);
    };
    assert!(why(against(PAGE, garbage).await).contains("without a status"));
    assert!(why(against(SECRET_PAGE, garbage).await).contains("TLS"));
    assert!(why(against(MAIL, garbage).await).contains("bad greeting"));
}

/// Reads the request, answers with this, and closes in good order.
fn answer(mut stream: TcpStream, response: &[u8]) {
    let mut piece = [0; 4096];
    let _ = stream.read(&mut piece);
    let _ = stream.write_all(response);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    drain(stream);
}

#[tokio::test]
async fn a_page_is_judged_by_status_and_digest() {
    let page = |words: &str| format!("HTTP_GET {{\n url {{\n path /p\n {words}\n }}\n }}");
    let ok = |stream| answer(stream, b"HTTP/1.0 200 OK\r\n\r\nhello");
    let well = Outcome::Passed { adds: 0 };
    assert_eq!(against(&page(""), ok).await, well);
    assert_eq!(against(&page("digest 5d41402abc4b2a76b9719d911017c592"), ok).await, well);
    let other = why(against(&page("digest 00000000000000000000000000000000"), ok).await);
    assert_eq!(other, "/p: the page has the digest 5d41402abc4b2a76b9719d911017c592");
    assert_eq!(against(&page("regex \"l{2}o$\""), ok).await, well);
    let other = why(against(&page("regex world"), ok).await);
    assert_eq!(other, "/p: the page does not match the regex");
    let unwanted = why(against(&page("regex HE\n regex_no_match\n regex_options caseless"), ok).await);
    assert_eq!(unwanted, "/p: the page matches the regex");
    let missing = |stream| answer(stream, b"HTTP/1.0 404 no\r\n\r\n");
    assert_eq!(why(against(&page(""), missing).await), "/p: status 404");
    assert_eq!(against(&page("status_code 404"), missing).await, well);
    let silent = |stream| answer(stream, b"");
    assert_eq!(why(against(&page(""), silent).await), "/p: no data received");
}

#[tokio::test]
async fn a_page_that_is_complete_on_a_connection_that_stays_open_has_not_ended() {
    let open = |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        drain(stream);
    };
    assert!(why(against(PAGE, open).await).contains("no end of the answer"));
}

#[tokio::test]
async fn a_mail_server_is_greeted_and_left() {
    let server = |mut stream: TcpStream| {
        for line in ["220 hi\r\n", "250 ok\r\n", "221 bye\r\n"] {
            let _ = stream.write_all(line.as_bytes());
            let _ = stream.read(&mut [0; 512]);
        }
    };
    assert_eq!(against(MAIL, server).await, Outcome::Passed { adds: 0 });
}
