//! genhash: the digest of a page, beside keepalived's on the same server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use lab::{Host, Lan, Result, wait};

use crate::world::SOON;

/// Ours.
fn genhash() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_genhash"))
}

/// The request that one connection brings, which is answered so.
fn serve(host: &Host, answer: &'static [u8]) -> Result<(u16, mpsc::Receiver<String>)> {
    let listener = host.inside(|| TcpListener::bind("10.9.0.1:0"))?.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection");
            stream.set_read_timeout(Some(SOON)).expect("a limit");
            let mut request = Vec::new();
            let mut piece = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut piece).expect("a request");
                assert!(read > 0, "it ended early");
                request.extend_from_slice(&piece[..read]);
            }
            let _ = tell.send(String::from_utf8_lossy(&request).into_owned());
            // The peer may have what it wants already.
            let _ = stream.write_all(answer);
        }
    });
    Ok((port, told))
}

/// What is printed, without how long it took.
fn printed(host: &Host, program: &str, words: &str) -> Result<String> {
    let argv: Vec<_> = [program].into_iter().chain(words.split_whitespace()).collect();
    let output = host.run(&argv)?;
    Ok(output
        .lines()
        .filter(|line| !line.starts_with("Global response time"))
        .map(|line| format!("{line}\n"))
        .collect())
}

#[test]
fn requests_digests_and_what_is_shown_are_those_of_keepalived() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let ours = genhash().display().to_string();
    let ok = b"HTTP/1.1 200 OK\r\nX-Y: z\r\n\r\nhello\n\x01\xff";
    let stories: [(&str, &'static [u8]); 8] = [
        ("", ok),
        ("-v", ok),
        ("-v -P 1.1 -V www.example.org", ok),
        ("-P 1.0c", ok),
        ("--protocol 1.0C --verbose --fwmark 5 --timeout 3", ok),
        ("-v", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"),
        ("-v", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        ("-v", b"HTTP/1.0 500 Bad\r\nContent-Length: 0\r\n\r\n"),
    ];
    for (flags, answer) in stories {
        let (port, requests) = serve(host, answer)?;
        let words = format!("-s 10.9.0.1 -p {port} -u /a {flags}");
        let [expected, found] = ["genhash", &ours].map(|program| printed(host, program, &words));
        assert_eq!(found?, expected?, "{words}");
        let request = || requests.recv_timeout(SOON).expect("a request");
        assert_eq!(request(), request(), "{words}");
    }
    Ok(())
}

#[test]
fn a_page_behind_tls_has_the_digest_that_keepalived_finds() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let folder = host.dir().join("pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("page.html"), "behind TLS\n").expect("a page");
    let server = format!(
        "cd {} && openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -subj /CN=nobody -days 2
        exec openssl s_server -accept 10.9.0.1:8443 -cert certificate -key key -WWW",
        folder.display()
    );
    let server = host.spawn("tls", &["sh", "-ec", &server])?;
    wait::until_true("the server", SOON, || server.log().contains("ACCEPT"))?;
    let ours = genhash().display().to_string();
    for flags in ["-S", "-S -v", "-S -I -V some.example"] {
        let words = format!("{flags} -s 10.9.0.1 -p 8443 -u /page.html");
        assert_eq!(printed(host, &ours, &words)?, printed(host, "genhash", &words)?, "{words}");
    }
    server.kill();
    Ok(())
}

/// Backends that exist: what their certificate is made with, and what they have beside; whether they can be reached.
const BACKENDS: [(&str, &str, bool); 16] = [
    ("rsa:2048", "-tls1_3", true),
    ("rsa:4096", "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305", true),
    ("rsa:1024", "-tls1_2 -cipher DEFAULT@SECLEVEL=0", true),
    ("rsa:2048 -sha1", "-tls1_2 -cipher DEFAULT@SECLEVEL=0 -sigalgs RSA+SHA1", true),
    ("ec -pkeyopt ec_paramgen_curve:prime256v1", "", true),
    ("ec -pkeyopt ec_paramgen_curve:secp521r1", "-tls1_3", true),
    ("ed25519", "", true),
    ("ed448", "", true),
    ("ec -pkeyopt ec_paramgen_curve:secp521r1", "-tls1_2", false),
    ("ed448", "-tls1_2", false),
    ("ec -pkeyopt ec_paramgen_curve:secp256k1", "", false),
    ("rsa:2048", "-tls1_1 -cipher DEFAULT@SECLEVEL=0", false),
    ("rsa:2048", "-tls1_2 -cipher AES128-GCM-SHA256", false),
    ("rsa:2048", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", false),
    ("rsa:2048", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", false),
    ("rsa:2048", "-tls1_3 -curves P-521", false),
];

#[test]
fn a_backend_that_has_nothing_of_what_is_offered_is_told_from_one_that_has() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let (dir, ours) = (host.dir().display(), genhash().display().to_string());
    for (number, (key, has, is_reached)) in BACKENDS.into_iter().enumerate() {
        let port = 8443 + number;
        let server = format!(
            "cd {dir} && openssl req -x509 -newkey {key} -nodes -keyout key{number} -out certificate{number} -subj /CN=nobody -days 2
            exec openssl s_server -accept 10.9.0.1:{port} -cert certificate{number} -key key{number} -www {has}"
        );
        let server = host.spawn("tls", &["sh", "-ec", &server])?;
        wait::until_true("the server", SOON, || server.log().contains("ACCEPT"))?;
        let output = host.exec(&[&ours, "-S", "-s", "10.9.0.1", "-p", &port.to_string(), "-u", "/"])?;
        server.kill();
        assert_eq!(output.status.success(), is_reached, "{key} {has}: {}", output.stderr);
        let says = "offered are TLS 1.2 and 1.3, keys agreed on by X25519, P-256 or P-384";
        assert_eq!(output.stderr.contains(says), !is_reached, "{key} {has}: {}", output.stderr);
    }
    Ok(())
}

#[test]
fn a_page_that_was_cut_off_has_no_digest() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let (port, _requests) = serve(host, b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc")?;
    let ours = genhash().display().to_string();
    let output = host.exec(&[&ours, "-s", "10.9.0.1", "-p", &port.to_string(), "-u", "/"])?;
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
    assert!(output.stderr.contains("7 bytes of the page are missing"), "{}", output.stderr);
    Ok(())
}

#[test]
fn whoever_asks_a_server_that_is_not_there_learns_it_from_the_exit_status() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let daemon = env!("CARGO_BIN_EXE_steadfast");
    let ours = genhash().display().to_string();
    let [own, of_daemon]: [&[&str]; 2] = [&[&ours], &[daemon, "-n", "--genhash"]];
    for program in [own, of_daemon] {
        let output = host.exec(&[program, &["-s", "10.9.0.1", "-p", "9", "-u", "/"]].concat())?;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
        assert!(output.stderr.starts_with("Connection failed"), "{}", output.stderr);
    }
    Ok(())
}
