//! Every kind of check, up and down, as IPVS shows it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lab::{Result, Subject, wait};

use crate::datagrams::{Datagrams, dns};
use crate::site::Site;
use crate::{GUEST, SOON, ours};

const ADDRESSES: [&str; 3] = ["10.64.0.1", "10.64.1.1", "10.64.1.2"];
const SERVICE: &str = "-A -t 10.64.0.1:80 -s rr";
const ONE: &str = "-a -t 10.64.0.1:80 -r 10.64.1.1:80 -m -w 1";
const TWO: &str = "-a -t 10.64.0.1:80 -r 10.64.1.2:80 -m -w 1";

/// Two servers with that check.
fn config(check: &str) -> String {
    let server = |number: u8| format!("  real_server 10.64.1.{number} 80 {{\n    {check}\n  }}\n");
    format!(
        "global_defs {{\n  script_user root\n}}\nvirtual_server 10.64.0.1 80 {{\n  delay_loop 1\n  warmup 0\n  lb_algo rr\n  \
         lb_kind NAT\n  protocol TCP\n  connect_timeout 10\n{}{}}}\n",
        server(1),
        server(2)
    )
}

/// Reads a request up to its empty line, and answers.
fn respond(stream: &mut TcpStream, response: &[u8]) {
    let mut request = Vec::new();
    let mut piece = [0; 512];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => request.extend(&piece[..length]),
            _ => return,
        }
    }
    let _ = stream.write_all(response);
}

fn page(stream: &mut TcpStream) {
    respond(stream, b"HTTP/1.0 200 OK\r\n\r\nhello");
}

/// A server whose pages are others than they must be serves once they are as they must be, and one that is gone serves no more.
fn tell_of_pages(check: &str) -> Result<()> {
    let site = Site::new(&ADDRESSES)?;
    let first = site.server_that("10.64.1.1:80", page)?;
    let wrong =
        site.server_that("10.64.1.2:80", |stream| respond(stream, b"HTTP/1.0 200 OK\r\n\r\nother"))?;
    let router = site.start(&config(check))?;
    site.wait_table(&[SERVICE, ONE])?;
    drop(wrong);
    let _right = site.server_that("10.64.1.2:80", page)?;
    site.wait_table(&[SERVICE, ONE, TWO])?;
    drop(first);
    site.wait_table(&[SERVICE, TWO])?;
    router.stop()?;
    site.wait_table(&[])
}

#[test]
fn pages_with_their_digest() -> Result<()> {
    GUEST.tells(|| {
        // Of "hello".
        let url = |path| format!("url {{\n path {path}\n digest 5d41402abc4b2a76b9719d911017c592\n }}");
        tell_of_pages(&format!(
            "HTTP_GET {{\n {}\n {}\n retry 1\n delay_before_retry 0.5\n fast_recovery\n }}",
            url("/a"),
            url("/b")
        ))
    })
}

#[test]
fn pages_with_something_in_them() -> Result<()> {
    GUEST.tells(|| {
        // keepalived finds the beginning of a page at some tries only.
        let begin = if ours() == Subject::Keepalived { "" } else { "^" };
        tell_of_pages(&format!(
            "HTTP_GET {{\n url {{\n path /\n regex \"{begin}HEL+o\"\n regex_options caseless\n }}\n retry 0\n }}"
        ))
    })
}

#[test]
fn pages_over_tls() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let dir = site.host().dir();
        let (key, cert) = (dir.join("key.pem"), dir.join("cert.pem"));
        let (key, cert) = (key.to_string_lossy(), cert.to_string_lossy());
        site.host().sh(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {cert} -days 2 -subj /CN=lab 2>/dev/null"
        ))?;
        let start = |address: &str| {
            let argv = ["openssl", "s_server", "-accept", address, "-key", &key, "-cert", &cert, "-www", "-quiet"];
            site.host().spawn(&format!("tls-{address}"), &argv)
        };
        let first = start("10.64.1.1:80")?;
        let router = site.start(&config("SSL_GET {\n url {\n path /\n status_code 200\n }\n retry 0\n }"))?;
        site.wait_table(&[SERVICE, ONE])?;
        let _second = start("10.64.1.2:80")?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        first.kill();
        site.wait_table(&[SERVICE, TWO])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn pages_over_tls_for_whoever_has_a_certificate() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let dir = site.host().dir().display();
        let make = |name: &str| {
            site.host().sh(&format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {dir}/{name}.key \
                 -out {dir}/{name}.pem -days 2 -subj /CN={name} 2>/dev/null"
            ))
        };
        ["server", "ours", "other"].iter().try_for_each(|name| make(name).map(drop))?;
        // Each lets in nobody but whom it knows.
        let start = |address: &str, knows: &str| {
            let serve = format!(
                "exec openssl s_server -accept {address} -key {dir}/server.key -cert {dir}/server.pem -Verify 1 \
                 -verify_return_error -CAfile {dir}/{knows}.pem -www -quiet"
            );
            site.host().spawn(&format!("tls-{address}"), &["sh", "-c", &serve])
        };
        let (_first, _second) = (start("10.64.1.1:80", "ours")?, start("10.64.1.2:80", "other")?);
        let shown = format!("SSL {{\n  certificate {dir}/ours.pem\n  key {dir}/ours.key\n}}\n");
        let pools = config("SSL_GET {\n url {\n path /\n status_code 200\n }\n retry 0\n }");
        let router = site.start(&format!("{shown}{pools}"))?;
        site.wait_table(&[SERVICE, ONE])?;
        router.wait_log("10.64.1.2]:tcp:80 failed", SOON)?;
        site.wait_table(&[SERVICE, ONE])?;
        router.stop()?;
        // Without one nobody lets it in.
        let router = site.start(&pools)?;
        router.wait_log("10.64.1.1]:tcp:80 failed", SOON)?;
        router.wait_log("10.64.1.2]:tcp:80 failed", SOON)?;
        site.wait_table(&[SERVICE])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn a_program_says_whether_and_how_much() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let status = site.host().write("status", "0\n")?;
        let program =
            site.host().write("judge", &format!("#!/bin/sh\nexit $(cat {})\n", status.display()))?;
        site.host().run(&["chmod", "755", &program.to_string_lossy()])?;
        let check =
            format!("weight 10\n MISC_CHECK {{\n misc_path \"{}\"\n misc_dynamic\n }}", program.display());
        let router = site.start(&config(&check))?;
        let with = |weight: u32| {
            [1, 2].map(|number| format!("-a -t 10.64.0.1:80 -r 10.64.1.{number}:80 -m -w {weight}"))
        };
        let both = |weight| {
            let [one, two] = with(weight);
            site.wait_table(&[SERVICE, &one, &two])
        };
        both(10)?;
        for (says, weight) in [("5", 3), ("2", 0), ("12", 10), ("0", 10)] {
            site.host().write("status", says)?;
            both(weight)?;
        }
        site.host().write("status", "1")?;
        site.wait_table(&[SERVICE])?;
        site.host().write("status", "6")?;
        both(4)?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn mail_servers() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let well = |stream: &mut TcpStream| {
            for line in ["220 hi\r\n", "250 ok\r\n", "221 bye\r\n"] {
                let _ = stream.write_all(line.as_bytes());
                let _ = stream.read(&mut [0; 512]);
            }
        };
        let first = site.server_that("10.64.1.1:80", well)?;
        let _ill = site.server_that("10.64.1.2:80", |stream| drop(stream.write_all(b"554 no\r\n")))?;
        let router = site.start(&config("SMTP_CHECK {\n retry 0\n }"))?;
        site.wait_table(&[SERVICE, ONE])?;
        drop(first);
        site.wait_table(&[SERVICE])?;
        let _again = site.server_that("10.64.1.1:80", well)?;
        site.wait_table(&[SERVICE, ONE])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn name_servers_and_others_that_answer_datagrams() -> Result<()> {
    GUEST.tells(|| {
        for check in [
            "DNS_CHECK {\n name lab.example\n type A\n retry 0\n }",
            "UDP_CHECK {\n require_reply\n retry 0\n }",
        ] {
            let site = Site::new(&ADDRESSES)?;
            let first = Datagrams::new(site.host(), "10.64.1.1:80", |question| dns(question, 0))?;
            let router = site.start(&config(check))?;
            site.wait_table(&[SERVICE, ONE])?;
            let _second = Datagrams::new(site.host(), "10.64.1.2:80", |question| dns(question, 0))?;
            site.wait_table(&[SERVICE, ONE, TWO])?;
            drop(first);
            site.wait_table(&[SERVICE, TWO])?;
            router.stop()?;
            site.wait_table(&[])?;
        }
        Ok(())
    })
}

#[test]
fn hosts_that_answer_echo_requests() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&["10.64.0.1", "10.64.1.1"])?;
        let range = || site.host().run(&["cat", "/proc/sys/net/ipv4/ping_group_range"]);
        let before = range()?;
        site.host().sh("ip route add unreachable 10.64.1.2")?;
        let router = site.start(&config("PING_CHECK {\n retry 0\n }"))?;
        site.wait_table(&[SERVICE, ONE])?;
        site.host().sh("ip route del unreachable 10.64.1.2; ip addr add 10.64.1.2/32 dev lo")?;
        site.wait_table(&[SERVICE, ONE, TWO])?;
        site.host().sh("ip addr del 10.64.1.1/32 dev lo; ip route add unreachable 10.64.1.1")?;
        site.wait_table(&[SERVICE, TWO])?;
        router.stop()?;
        site.wait_table(&[])?;
        wait::until_eq("the groups that may ping", SOON, &before, || range().unwrap_or_default())
    })
}
