//! Configurations from the field, with the failures that they were written for. Their digests are those of the pages that are
//! served here, and what they wait half a minute for comes after a second.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use lab::{Error, Host, Lan, Process, Result, Router, wait};

use crate::site::Site;
use crate::{GUEST, SOON, ours};

/// The pages that are served, with their digests, and the digests in the seeds.
const PAGES: [(&str, &str, &str); 2] = [
    ("app-A", "e677317389f78a6da71dcff017e2fc75", "ec90a42b99ea9a2f5ecbe213ac9eba03"),
    ("app-B", "485b320d0a8588e016ae6b6d041634d2", "640205b7b0fc66c1ea91c463fac6334c"),
];

/// A seed's text; `None`, and a line that says so, where the corpus is not beside the repository.
fn seed(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/seeds").join(name);
    let Ok(mut text) = fs::read_to_string(&path) else {
        lab::note(&format!("{name} is not told of: {} is absent", path.display()));
        return None;
    };
    for (_, digest, of_seed) in PAGES {
        text = text.replace(of_seed, digest);
    }
    for time in ["delay_loop 30", "delay_loop 20", "delay_loop 15"] {
        text = text.replace(time, "delay_loop 1");
    }
    Some(text.replace("delay_before_retry 2", "delay_before_retry 0.5"))
}

/// A server's directory with its pages: at /testurl and /testurl2.
fn pages(host: &Host, server: &str, texts: [&str; 2]) -> Result<String> {
    let dir = host.dir().join(server);
    for (place, text) in ["testurl", "testurl2"].iter().zip(texts) {
        fs::create_dir_all(dir.join(place)).map_err(|error| Error::io("create a directory", error))?;
        host.write(&format!("{server}/{place}/test.jsp"), &format!("{text}\n"))?;
    }
    Ok(dir.to_string_lossy().into_owned())
}

/// A server of pages.
fn http(host: &Host, address: &str, dir: &str) -> Result<Process> {
    host.spawn(&format!("http-{address}"), &["busybox", "httpd", "-f", "-p", address, "-h", dir])
}

const WEB: &str = "-A -t 192.168.200.15:80 -s wrr -p 50";
const TLS: &str = "-A -t 192.168.200.15:443 -s rr -p 360";
const MAIL: &str = "-A -t 192.168.200.15:25 -s wlc -p 50";

fn line(port: u16, server: u8, weight: u8) -> String {
    format!("-a -t 192.168.200.15:{port} -r 192.168.100.{server}:{port} -m -w {weight}")
}

#[test]
fn pages_with_a_sorry_server_and_two_services_beside_them() -> Result<()> {
    GUEST.tells(|| {
        let Some(config) = seed("healthcheck.conf") else { return Ok(()) };
        let addresses = [2, 3, 4, 5, 100].map(|number| format!("192.168.100.{number}"));
        let mut addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        addresses.push("192.168.200.15");
        let site = Site::new(&addresses)?;
        let host = site.host();
        let two = pages(host, "two", ["app-A", "app-B"])?;
        let three = pages(host, "three", ["app-B", "none"])?;
        let web = |number: u8, dir: &str| http(host, &format!("192.168.100.{number}:80"), dir);
        let (second, third) = (web(2, &two)?, web(3, &three)?);
        let secure = [site.server("192.168.100.2:443")?, site.server("192.168.100.3:443")?];
        let _mail = [site.server("192.168.100.4:25")?, site.server("192.168.100.5:25")?];
        let (of_mail, of_tls) = ([line(25, 4, 1), line(25, 5, 2)], [line(443, 2, 1), line(443, 3, 1)]);
        let is = |web: &[String], tls: &[String]| {
            let lines = web.iter().chain(tls).chain(&of_mail).map(String::as_str);
            site.wait_table(&lines.chain([WEB, TLS, MAIL]).collect::<Vec<_>>())
        };
        let router = site.start(&config)?;
        let (two_up, three_up) = (line(80, 2, 2), line(80, 3, 1));
        is(&[two_up.clone(), three_up.clone()], &of_tls)?;
        third.kill();
        is(std::slice::from_ref(&two_up), &of_tls)?;
        second.kill();
        is(&[line(80, 100, 1)], &of_tls)?;
        let other = pages(host, "other", ["broken", "app-B"])?;
        let wrong = web(2, &other)?;
        let _third = web(3, &three)?;
        // The right one is well long before the wrong one could be.
        is(std::slice::from_ref(&three_up), &of_tls)?;
        wrong.kill();
        let _second = web(2, &two)?;
        is(&[two_up.clone(), three_up.clone()], &of_tls)?;
        let [first, last] = secure;
        drop(first);
        is(&[two_up.clone(), three_up.clone()], &of_tls[1..])?;
        drop(last);
        is(&[two_up, three_up], &[])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn pages_over_tls_with_their_digests() -> Result<()> {
    GUEST.tells(|| {
        let Some(config) = seed("ssl_get.conf") else { return Ok(()) };
        let site = Site::new(&["192.168.200.15", "192.168.100.2", "192.168.100.3"])?;
        let host = site.host();
        let dir = host.dir().display();
        host.sh(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {dir}/key.pem -out {dir}/cert.pem -days 2 -subj /CN=lab 2>/dev/null"
        ))?;
        let start = |number: u8, pages: &str| {
            let serve = format!(
                "cd {pages} && exec openssl s_server -accept 192.168.100.{number}:443 -key {dir}/key.pem -cert {dir}/cert.pem \
                 -WWW -quiet"
            );
            host.spawn(&format!("tls-{number}"), &["sh", "-c", &serve])
        };
        let two = pages(host, "two", ["app-A", "app-B"])?;
        let three = pages(host, "three", ["app-B", "none"])?;
        let other = pages(host, "other", ["app-A", "broken"])?;
        let (second, third) = (start(2, &two)?, start(3, &three)?);
        let router = site.start(&config)?;
        let (two_up, three_up) = (line(443, 2, 1), line(443, 3, 1));
        site.wait_table(&[TLS, &two_up, &three_up])?;
        second.kill();
        site.wait_table(&[TLS, &three_up])?;
        let wrong = start(2, &other)?;
        third.kill();
        site.wait_table(&[TLS])?;
        wrong.kill();
        let _second = start(2, &two)?;
        site.wait_table(&[TLS, &two_up])?;
        router.stop()?;
        site.wait_table(&[])
    })
}

/// A page through the director.
fn fetch(client: &Host) -> Result<String> {
    let address = SocketAddr::from(([192, 168, 200, 10], 80));
    let fetched = client.inside(|| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /testurl/test.jsp HTTP/1.0\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).map(|_| page)
    })?;
    fetched.map_err(|error| Error::io("fetch a page", error))
}

#[test]
fn two_directors_and_the_virtual_routers_that_lead_to_them() -> Result<()> {
    GUEST.tells(|| {
        let Some(config) = seed("mixing.conf") else { return Ok(()) };
        let mut lan = Lan::builder()
            .host("alpha", "eth0", "192.168.200.1/24")
            .host("beta", "eth0", "192.168.200.2/24")
            .host("client", "eth0", "192.168.200.50/24")
            .host("servers", "eth0", "")
            .build()?;
        let inside = [("alpha", "eth1", "192.168.100.201/24"), ("beta", "eth1", "192.168.100.202/24")];
        lan.add_segment(
            lab::lan::Join::Bridge,
            &[&inside[..], &[("servers", "eth1", "192.168.100.2/24")]].concat(),
        )?;
        let servers = &lan["servers"];
        // Answers go through whoever is the virtual router inside.
        servers.sh("ip addr add 192.168.100.3/24 dev eth1; ip route add default via 192.168.100.10")?;
        let two = pages(servers, "two", ["app-A", "app-B"])?;
        let three = pages(servers, "three", ["app-B", "none"])?;
        let _web = [http(servers, "192.168.100.2:80", &two)?, http(servers, "192.168.100.3:80", &three)?];
        let _tls = [http(servers, "192.168.100.2:443", &two)?, http(servers, "192.168.100.3:443", &three)?];
        let other = config
            .replace("state MASTER", "state OTHER")
            .replace("state BACKUP", "state MASTER")
            .replace("state OTHER", "state BACKUP")
            .replace("priority 150", "priority 50")
            .replace("priority 100", "priority 150")
            .replace("priority 50\n", "priority 100\n");
        let start = |name: &str, config: &str| {
            let host = &lan[name];
            host.sh("sysctl -qw net.ipv4.ip_forward=1")?;
            let file = host.write("director.conf", config)?;
            let pid_file = host.dir().join("check.pid");
            Router::start_parts(&ours(), host, name, &file, &["-c", &pid_file.to_string_lossy()])
        };
        let alpha = start("alpha", &config)?;
        let beta = start("beta", &other)?;
        for (address, holder) in
            [("192.168.200.10", "alpha"), ("192.168.100.10", "alpha"), ("192.168.200.12", "beta")]
        {
            lan.wait_holder(address, holder, SOON)?;
        }
        let table = [
            "-A -t 192.168.200.10:80 -s wrr -p 50",
            "-a -t 192.168.200.10:80 -r 192.168.100.2:80 -m -w 2",
            "-a -t 192.168.200.10:80 -r 192.168.100.3:80 -m -w 1",
            "-A -t 192.168.200.12:443 -s rr -p 360",
            "-a -t 192.168.200.12:443 -r 192.168.100.2:443 -m -w 1",
            "-a -t 192.168.200.12:443 -r 192.168.100.3:443 -m -w 1",
        ];
        let wait_table = |name: &str| {
            wait::until_eq("the table of a director", SOON, &table.join("\n"), || {
                let shown = lan[name].look(&["ipvsadm", "-Sn"]).unwrap_or_default();
                shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
            })
        };
        wait_table("alpha")?;
        wait_table("beta")?;
        let client = &lan["client"];
        let answers = || match fetch(client) {
            Ok(page) if page.contains("app-") => Ok(()),
            other => Err(format!("{other:?}")),
        };
        wait::until("a page through alpha", SOON, answers)?;
        alpha.kill9();
        for link in ["eth0", "eth1"] {
            lan["alpha"].link_down(link)?;
        }
        for address in ["192.168.200.10", "192.168.200.11", "192.168.100.10"] {
            wait::until_true("beta takes over", SOON, || lan["beta"].has_address(address))?;
        }
        wait_table("beta")?;
        wait::until("a page through beta", SOON, answers)?;
        beta.stop()?;
        wait::until_eq("an empty table", SOON, &Ok(String::new()), || {
            lan["beta"].run(&["ipvsadm", "-Sn"]).map_err(|error| error.to_string())
        })
    })
}
