//! The checks against servers that Debian has: nginx, dnsmasq, ncat, and the mail server of Python.

use lab::{Process, Result, Router};

use crate::site::Site;
use crate::{GUEST, SOON};

/// The director, and a server for every check.
const ADDRESSES: [&str; 7] =
    ["10.64.0.1", "10.64.1.1", "10.64.1.2", "10.64.1.3", "10.64.1.4", "10.64.1.5", "10.64.1.6"];

/// What a server is checked with, and how IPVS shows its service and itself: the protocol's letter and the port.
const CHECKS: [(&str, &str, char, u16); 6] = [
    (
        "pages",
        "HTTP_GET {\n http_protocol 1.1\n virtualhost lab.example\n \
         url {\n path /page\n digest 5d41402abc4b2a76b9719d911017c592\n }\n url {\n path /away\n status_code 302\n }\n \
         url {\n path /none\n status_code 404\n }\n retry 0\n }",
        't',
        80,
    ),
    (
        "tls",
        "SSL_GET {\n enable_sni\n virtualhost lab.example\n url {\n path /page\n status_code 200\n regex \"hello\"\n }\n \
         retry 0\n }",
        't',
        443,
    ),
    ("mail", "SMTP_CHECK {\n helo_name lab.example\n retry 0\n }", 't', 25),
    ("names", "DNS_CHECK {\n type A\n name lab.example\n retry 0\n }", 'u', 53),
    ("echo", "UDP_CHECK {\n payload 6869\n require_reply 6869\n retry 0\n }", 'u', 7),
    ("any", "TCP_CHECK {\n retry 0\n }", 't', 9),
];

/// A service with one server for each check.
fn config() -> String {
    let service = |(number, (_, check, letter, port)): (usize, &(&str, &str, char, u16))| {
        let protocol = if *letter == 't' { "TCP" } else { "UDP" };
        format!(
            "virtual_server 10.64.0.1 {port} {{\n delay_loop 1\n warmup 0\n lb_algo rr\n lb_kind NAT\n protocol {protocol}\n \
             connect_timeout 10\n real_server 10.64.1.{} {port} {{\n {check}\n }}\n}}\n",
            number + 1
        )
    };
    CHECKS.iter().enumerate().map(service).collect()
}

/// The table when these servers are well.
fn table(well: &[bool]) -> Vec<String> {
    let lines = CHECKS.iter().zip(well).enumerate().map(|(number, ((_, _, letter, port), well))| {
        let of = format!("-{letter} 10.64.0.1:{port}");
        let server = format!("-a {of} -r 10.64.1.{}:{port} -m -w 1", number + 1);
        [Some(format!("-A {of} -s rr")), well.then_some(server)]
    });
    lines.flatten().flatten().collect()
}

/// One process for both servers of pages: the one over TLS wants to be asked for by its name.
const NGINX: &str = "daemon off;\nmaster_process off;\npid DIR/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n access_log off;\n \
                     client_body_temp_path DIR/body;\n proxy_temp_path DIR/proxy;\n fastcgi_temp_path DIR/fastcgi;\n \
                     uwsgi_temp_path DIR/uwsgi;\n scgi_temp_path DIR/scgi;\n \
                     server {\n listen ADDRESS default_server;\n return 444;\n }\n \
                     server {\n listen ADDRESS;\n server_name lab.example;\n root DIR/pages;\n \
                     location = /away {\n return 302 http://elsewhere.example/;\n }\n }\n}\n";
const TLS: &str = "server {\n listen ADDRESS ssl default_server;\n ssl_reject_handshake on;\n }\n server {\n listen ADDRESS ssl;\n \
                   server_name lab.example;\n ssl_certificate DIR/cert.pem;\n ssl_certificate_key DIR/key.pem;\n root DIR/pages;\n }\n}\n";

/// The servers, in the order of [`CHECKS`].
fn servers(site: &Site) -> Result<Vec<Process>> {
    let host = site.host();
    let dir = host.dir().to_string_lossy().into_owned();
    host.sh(&format!(
        "mkdir -p {dir}/pages && printf hello > {dir}/pages/page && openssl req -x509 -newkey ec -pkeyopt \
         ec_paramgen_curve:prime256v1 -nodes -keyout {dir}/key.pem -out {dir}/cert.pem -days 2 -subj /CN=lab.example 2>/dev/null"
    ))?;
    let nginx = |name: &str, address: &str, text: &str| -> Result<String> {
        let text = text.replace("DIR", &dir).replace("ADDRESS", address);
        Ok(host.write(name, &text)?.to_string_lossy().into_owned())
    };
    let plain = nginx("plain.nginx", "10.64.1.1:80", NGINX)?;
    let over_tls = NGINX.split("server {").next().unwrap_or_default().to_owned() + TLS;
    let tls = nginx("tls.nginx", "10.64.1.2:443", &over_tls)?;
    let commands: [&[&str]; 6] = [
        &["nginx", "-c", &plain],
        &["nginx", "-c", &tls],
        &["python3", "-W", "ignore", "-m", "smtpd", "-n", "-c", "DebuggingServer", "10.64.1.3:25"],
        &[
            "dnsmasq",
            "--no-daemon",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
            "--bind-interfaces",
            "--listen-address=10.64.1.4",
            "--host-record=lab.example,10.64.1.1",
        ],
        &["ncat", "--udp", "--listen", "--keep-open", "--exec", "/bin/cat", "10.64.1.5", "7"],
        &["ncat", "--listen", "--keep-open", "10.64.1.6", "9"],
    ];
    commands.iter().zip(CHECKS).map(|(argv, (name, ..))| host.spawn(name, argv)).collect()
}

/// Whether IPVS comes to have the servers that are well.
fn wait_well(site: &Site, router: &Router, well: &[bool]) -> Result<()> {
    let table = table(well);
    let lines: Vec<&str> = table.iter().map(String::as_str).collect();
    site.wait_table(&lines).map_err(|error| lab::Error::Unexpected(format!("{error}\n{}", router.log())))
}

#[test]
fn servers_of_every_kind_that_debian_has() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&ADDRESSES)?;
        let router = site.start(&config())?;
        router.wait_log("10.64.1.6]:tcp:9 failed", SOON)?;
        let mut well = [false; CHECKS.len()];
        wait_well(&site, &router, &well)?;
        let servers = servers(&site)?;
        well.fill(true);
        wait_well(&site, &router, &well)?;
        for (number, server) in servers.iter().enumerate() {
            server.kill();
            well[number] = false;
            wait_well(&site, &router, &well)?;
        }
        router.stop()?;
        site.wait_table(&[])
    })
}
