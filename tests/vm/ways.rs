//! The ways that checks take: where they come from, and what a firewall answers on them.

use std::time::Duration;

use lab::{Result, Subject, wait};
use nix::sys::signal::Signal;

use crate::datagrams::{Datagrams, dns};
use crate::site::{Server, Site};
use crate::{GUEST, SOON, ours};

/// Several turns of a check.
const TURNS: Duration = Duration::from_secs(4);

/// A word that says where a check comes from, one in its place that says something else, and what a firewall lets by nobody who comes
/// from elsewhere.
const ORIGINS: [(&str, &str, &str); 4] = [
    ("fwmark 7", "", "meta mark != 7"),
    ("bindto 10.9.0.1\n      bind_port 4321", "", "th sport != 4321"),
    ("bindto 10.64.2.1", "", "ip saddr != 10.64.2.1"),
    // The kernel has no way there.
    ("bind_if va0", "bind_if lo", "ip saddr 10.64.2.9"),
];

/// A pool whose servers are asked at the neighbour's, each at another port: one with the word, and one without.
fn pool(port: u16, protocol: &str, check: &str, lines: &str) -> String {
    let servers = ORIGINS.iter().zip(1..).flat_map(|((with, without, _), number)| {
        [(number, with), (number + 10, without)].map(|(last, word)| {
            format!(
                "  real_server 10.64.1.{last} {port} {{\n    {check} {{\n      connect_ip 10.9.0.2\n      connect_port {}\n      \
                 {word}\n      {lines}\n      retry 0\n    }}\n  }}\n",
                80 + number
            )
        })
    });
    format!(
        "virtual_server 10.64.0.1 {port} {{\n  alpha\n  delay_loop 1\n  warmup 0\n  lb_algo rr\n  lb_kind NAT\n  \
         protocol {protocol}\n  connect_timeout 10\n{}}}\n",
        servers.collect::<String>()
    )
}

#[test]
fn checks_come_from_where_they_are_told_to() -> Result<()> {
    GUEST.tells(|| {
        let site = Site::new(&["10.64.0.1", "10.64.2.1"])?;
        let neighbour = site.neighbour();
        neighbour.sh("ip route add 10.64.2.1 via 10.9.0.1")?;
        let rules =
            ORIGINS.iter().zip(81..).map(|((.., others), port)| format!("th dport {port} {others} reject; "));
        site.host().sh(&format!(
            "nft 'table inet lab {{ chain out {{ type filter hook output priority 0; {} }}; }}'",
            rules.collect::<String>()
        ))?;
        let places: Vec<String> = (81..85).map(|port| format!("10.9.0.2:{port}")).collect();
        let _servers: Vec<_> =
            places.iter().map(|place| Server::new(neighbour, place, |_| {})).collect::<Result<_>>()?;
        let _datagrams: Vec<_> = places
            .iter()
            .map(|place| Datagrams::new(neighbour, place, <[u8]>::to_vec))
            .collect::<Result<_>>()?;
        let pools = [pool(80, "TCP", "TCP_CHECK", ""), pool(53, "UDP", "UDP_CHECK", "require_reply")];
        let router = site.start(&pools.concat())?;
        let servers = |service: &str, port: u16| {
            let line =
                |number: u8| format!("-a {service} 10.64.0.1:{port} -r 10.64.1.{number}:{port} -m -w 1");
            let service = format!("-A {service} 10.64.0.1:{port} -s rr");
            [vec![service], (1..5).map(line).collect()].concat()
        };
        let mut all = [servers("-t", 80), servers("-u", 53)].concat();
        if ours() == Subject::Keepalived {
            // Its datagrams leave from wherever the kernel finds a way.
            all.push("-a -u 10.64.0.1:53 -r 10.64.1.14:53 -m -w 1".to_owned());
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        site.wait_table(&all)?;
        wait::throughout("the table of IPVS", TURNS, || site.is_table(&all))?;
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn who_is_behind_a_firewall_that_answers_is_down() -> Result<()> {
    GUEST.tells(|| {
        let families = [("10.64.0.1", "10.64.1."), ("2001:db8:64::1", "2001:db8:65::")];
        let checks = [
            "DNS_CHECK {\n name lab.example\n type A\n retry 0\n }",
            "UDP_CHECK {\n require_reply\n retry 0\n }",
            "PING_CHECK {\n retry 0\n }",
        ];
        let (mut addresses, mut config, mut lines) = (Vec::new(), String::new(), Vec::new());
        for (service, servers) in families {
            let named = |address: &str| {
                if address.contains(':') { format!("[{address}]:80") } else { format!("{address}:80") }
            };
            addresses.push(service.to_owned());
            lines.push(format!("-A -t {} -s rr", named(service)));
            config += &format!(
                "virtual_server {service} 80 {{\n  delay_loop 1\n  warmup 0\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n  \
                 connect_timeout 20\n"
            );
            for (check, number) in checks.iter().zip(1..) {
                let server = format!("{servers}{number}");
                config += &format!("  real_server {server} 80 {{\n    {check}\n  }}\n");
                lines.push(format!("-a -t {} -r {} -m -w 1", named(service), named(&server)));
                addresses.push(server);
            }
            config += "}\n";
        }
        let site = Site::new(&addresses.iter().map(String::as_str).collect::<Vec<_>>())?;
        let _answers = Datagrams::new(site.host(), "[::]:80", |question| dns(question, 0))?;
        let router = site.start(&config)?;
        let all: Vec<&str> = lines.iter().map(String::as_str).collect();
        let of_none: Vec<&str> = all.iter().copied().filter(|line| line.starts_with("-A")).collect();
        // Of an echo request that is dropped IPv6 says nothing.
        let of_the_last = [&of_none[..], &all[all.len() - 1..]].concat();
        site.wait_table(&all)?;
        wait::throughout("the table of IPVS", TURNS, || site.is_table(&all))?;
        for (hook, rejects, left) in [
            // Which is ENOPROTOOPT and EACCES here, long before a check's own time is up.
            (
                "input",
                [
                    "ip daddr 10.64.1.0/24 udp dport 80 reject with icmp prot-unreachable",
                    "ip daddr 10.64.1.0/24 icmp type echo-request reject with icmp prot-unreachable",
                    "ip6 daddr 2001:db8:65::/64 udp dport 80 reject with icmpv6 admin-prohibited",
                    "ip6 daddr 2001:db8:65::/64 icmpv6 type echo-request reject with icmpv6 admin-prohibited",
                ],
                of_none,
            ),
            // EPERM.
            (
                "output",
                [
                    "ip daddr 10.64.1.0/24 udp dport 80 drop",
                    "ip daddr 10.64.1.0/24 icmp type echo-request drop",
                    "ip6 daddr 2001:db8:65::/64 udp dport 80 drop",
                    "",
                ],
                of_the_last,
            ),
        ] {
            site.host().sh(&format!(
                "nft 'table inet lab {{ chain lab {{ type filter hook {hook} priority 0; {}; }}; }}'",
                rejects.join("; ")
            ))?;
            site.wait_table(&left)?;
            site.host().sh("nft delete table inet lab")?;
            site.wait_table(&all)?;
        }
        let log = router.log();
        assert!(!log.contains("no answer within") && !log.contains("no reply within"), "{log}");
        router.stop()?;
        site.wait_table(&[])
    })
}

#[test]
fn a_limit_on_open_files_delays_nobody_where_it_can_be_raised_and_is_named_where_it_cannot() -> Result<()> {
    GUEST.tells(|| {
        let Subject::Steadfast(program) = ours() else { return Ok(()) };
        // Who is asked there is silent, but one, who refuses.
        let server = |last: &str| {
            format!(
                "  real_server {last} 80 {{\n    TCP_CHECK {{\n      connect_timeout 10\n      retry 0\n    }}\n  }}\n"
            )
        };
        let silent: String = (1..=199).map(|number| server(&format!("10.64.1.{number}"))).collect();
        let config = format!(
            "virtual_server 10.64.0.1 80 {{\n  delay_loop 1\n  warmup 2\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n{silent}{}}}\n",
            server("10.64.2.1")
        );
        let site = Site::new(&["10.64.2.1"])?;
        site.host().sh("nft 'table inet lab { chain lab { type filter hook output priority 0; ip daddr 10.64.1.0/24 drop; }; }'")?;
        site.host().sh("ip route add 10.64.1.0/24 via 10.9.0.2")?;
        let config = site.host().write("director.conf", &config)?;
        let (program, config) = (program.to_string_lossy(), config.display());
        let known = "of 200 health checks no more than 64 go on at once, the others are late: no more than 128 files may be open";
        for (without, is_named) in [("", false), ("setpriv --bounding-set=-sys_resource", true)] {
            let pid = site.host().dir().join(format!("{is_named}.pid"));
            let start = format!("ulimit -n 128; exec {without} {program} -n -l -C -f {config} -p {}", pid.display());
            let director = site.host().spawn("director", &["sh", "-c", &start])?;
            let refused = "[10.64.2.1]:tcp:80 failed: ECONNREFUSED";
            director.wait_log(refused, SOON)?;
            if !is_named {
                // All go on at once: the one who refuses is not behind those who are silent.
                director.wait_log("no connection within 10s", SOON)?;
                let log = director.log();
                let line = |text| log.lines().position(|line| line.contains(text));
                assert!(line(refused) < line("no connection within 10s"), "{log}");
            }
            let log = director.log();
            assert_eq!(log.contains(known), is_named, "{log}");
            assert!(!log.contains("EMFILE"), "{log}");
            director.signal(Signal::SIGTERM)?;
            director.wait(SOON)?;
        }
        site.wait_table(&[])
    })
}
