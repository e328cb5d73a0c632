//! Thousands of services with tens of thousands of servers: how long it takes until the kernel has them all.

use std::fmt::Write as _;

use lab::{Host, Lan, Result, Router, clock, wait};

use crate::{GUEST, SOON, ours};

/// A site from the field has 2,284 services with 37,205 servers; `SCALE=1` asks for all of it, and the usual is a fortieth.
const SERVICES: usize = 2_284;
const SERVERS: usize = 37_205;

/// One part of this many, by the environment.
fn scale() -> usize {
    std::env::var("SCALE").ok().and_then(|scale| scale.parse().ok()).filter(|scale| *scale > 0).unwrap_or(40)
}

fn service(number: usize) -> String {
    format!("10.{}.{}.{}", 64 + number / 62_500, number / 250 % 250, number % 250 + 1)
}

/// Services of nearly as many servers each, whose checks are not due for an hour, and how many servers the last has.
fn config(services: usize, servers: usize) -> (String, usize) {
    let mut text = String::new();
    let mut of_last = 0;
    for number in 0..services {
        let (first, next) = (servers * number / services, servers * (number + 1) / services);
        of_last = next - first;
        let _ = writeln!(
            text,
            "virtual_server {} 80 {{\ndelay_loop 3600\nlb_algo wrr\nlb_kind DR\nprotocol TCP",
            service(number)
        );
        for server in first..next {
            let (high, low) = (server / 250, server % 250 + 1);
            let _ = writeln!(
                text,
                "real_server 10.{}.{}.{low} 80 {{\nweight 2\nTCP_CHECK {{\n}}\n}}",
                128 + high / 250,
                high % 250
            );
        }
        text.push_str("}\n");
    }
    (text, of_last)
}

/// How many servers the kernel has of a service, or of all.
fn held(host: &Host, service: Option<&str>) -> usize {
    let shown = match service {
        Some(service) => host.look(&["ipvsadm", "-Ln", "-t", &format!("{service}:80")]),
        None => host.look(&["ipvsadm", "-Ln"]),
    };
    shown.unwrap_or_default().lines().filter(|line| line.contains("->") && !line.contains("Remote")).count()
}

#[test]
fn a_site_of_thousands_of_services_starts_and_stops() -> Result<()> {
    GUEST.tells(|| {
        let (services, servers) = (SERVICES / scale(), SERVERS / scale());
        let lan = Lan::pair()?;
        let host = &lan["alpha"];
        let (text, of_last) = config(services, servers);
        let last = service(services - 1);
        let file = host.write("director.conf", &text)?;
        let pid_file = host.dir().join("check.pid");
        let began = clock::now();
        let flags = ["-C", "-c", &*pid_file.to_string_lossy()];
        let router = Router::start_parts(&ours(), host, "director", &file, &flags)?;
        // The last of them is looked at, which costs the daemon nothing.
        wait::until_eq("the last service", SOON * 5, &of_last, || held(host, Some(&last)))?;
        let programmed = began.elapsed();
        wait::until_eq("all servers", SOON, &servers, || held(host, None))?;
        let ends = clock::now();
        router.process().terminate(SOON * 2)?;
        let stopped = ends.elapsed();
        wait::until_eq("no servers", SOON, &0, || held(host, None))?;
        lab::vm::figure(&format!(
            "{}: {services} services with {servers} servers programmed in {programmed:.1?}, stopped in {stopped:.1?}",
            ours()
        ));
        Ok(())
    })
}
