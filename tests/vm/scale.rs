//! Thousands of services with tens of thousands of servers: how long it takes until the kernel has them all, and none of them.

use std::fmt::Write as _;
use std::fs;

use lab::{Host, Lan, Process, Result, Router, Subject, clock, wait};
use nix::sys::signal::Signal;

use crate::{GUEST, SOON, ours};

/// A site from the field has 2,284 services with 37,205 servers; `SCALE=1` asks for all of it, and the usual is a fortieth.
const SERVICES: usize = 2_284;
const SERVERS: usize = 37_205;

/// One part of this many, by the environment.
pub(crate) fn scale() -> usize {
    std::env::var("SCALE").ok().and_then(|scale| scale.parse().ok()).filter(|scale| *scale > 0).unwrap_or(40)
}

fn service(number: usize) -> String {
    format!("10.{}.{}.{}", 64 + number / 62_500, number / 250 % 250, number % 250 + 1)
}

/// The address of a server by its number, and its number by that.
fn server(number: usize) -> String {
    let (high, low) = (number / 250, number % 250 + 1);
    format!("10.{}.{}.{low}", 128 + high / 250, high % 250)
}

fn place(server: &str) -> Option<usize> {
    let parts: Vec<usize> = server.split('.').filter_map(|part| part.parse().ok()).collect();
    let [_, first, high, low] = parts.try_into().ok()?;
    Some(((first - 128) * 250 + high) * 250 + low - 1)
}

/// Services of nearly as many servers each, whose checks are due at some time within an hour, and find out nothing: they wait
/// longer for an answer than the story lasts.
fn config(services: usize, servers: usize) -> String {
    let mut text = String::new();
    for number in 0..services {
        let _ = writeln!(
            text,
            "virtual_server {} 80 {{\ndelay_loop 3600\nlb_algo wrr\nlb_kind DR\nprotocol TCP",
            service(number)
        );
        for number in servers * number / services..servers * (number + 1) / services {
            let _ = writeln!(
                text,
                "real_server {} 80 {{\nweight 2\nTCP_CHECK {{\nconnect_timeout 1000\n}}\n}}",
                server(number)
            );
        }
        text.push_str("}\n");
    }
    text
}

/// A line for each service and server that the kernel has, at less expense than a program that prints them.
fn listed(host: &Host) -> Vec<String> {
    let listed = host.inside(|| fs::read_to_string("/proc/thread-self/net/ip_vs"));
    let listed = listed.ok().and_then(std::result::Result::ok).unwrap_or_default();
    // Three lines of heading.
    listed.lines().skip(3).map(str::to_owned).collect()
}

/// How many servers the kernel has.
fn held(host: &Host) -> usize {
    listed(host).iter().filter(|line| line.contains("->")).count()
}

/// The servers that are said to be left, in order.
fn left(log: &str) -> Vec<&str> {
    let said = log.lines().filter_map(|line| line.split_once("Shutting down service [")?.1.split_once(']'));
    said.map(|(address, _)| address).collect()
}

/// What all processes of a router have taken so far: seconds of the processor, and resident memory in MiB.
fn taken(router: &Process) -> (f64, f64) {
    let processes = || [router.pid()].into_iter().chain(router.children());
    let file = |pid: i32, name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let ticks = |pid| {
        let stat = file(pid, "stat");
        // Behind the name, which may have anything in it: user and system time.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11);
        fields.take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>()
    };
    let resident = |pid| {
        let status = file(pid, "status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|kib| kib.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default()
    };
    (processes().map(ticks).sum::<f64>() / 100.0, processes().map(resident).sum::<f64>() / 1024.0)
}

/// How many servers of so many have to be there at once: all of them. The peer gives up on servers that are slow to answer
/// before it has come to the last, where there are thousands.
fn enough(subject: &Subject, servers: usize) -> usize {
    match subject {
        Subject::Steadfast(_) => servers,
        Subject::Keepalived => servers - servers / 20,
    }
}

/// Has the kernel load its modules, and both programs read from the disk once, so that the one that begins does not wait for what the
/// other finds there.
fn warm_up() -> Result<()> {
    let lan = Lan::pair()?;
    let own = match ours() {
        Subject::Steadfast(path) => path.to_string_lossy().into_owned(),
        Subject::Keepalived => String::new(),
    };
    lan["alpha"]
        .sh(&format!("modprobe -a ip_vs ip_vs_wrr && cat {own} \"$(command -v keepalived)\" > /dev/null"))
        .map(drop)
}

/// From the start to the end; says what it took.
fn start_and_stop(subject: &Subject, services: usize, servers: usize) -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    // There they are lost.
    host.sh("ip route add 10.128.0.0/9 via 10.9.0.2")?;
    let file = host.write("director.conf", &config(services, servers))?;
    let pid_file = host.dir().join("check.pid");
    let began = clock::now();
    let flags = ["-C", "-c", &*pid_file.to_string_lossy()];
    let router = Router::start_parts(subject, host, "director", &file, &flags)?;
    wait::until("the servers", SOON * 5, || match held(host) {
        held if held >= enough(subject, servers) => Ok(()),
        held => Err(format!("{held} of {servers}")),
    })?;
    let programmed = began.elapsed();
    let (processor, memory) = taken(router.process());
    let ends = clock::now();
    router.process().signal(Signal::SIGTERM)?;
    wait::until("an empty table", SOON * 5, || match listed(host).len() {
        0 => Ok(()),
        left => Err(format!("{left} lines")),
    })?;
    let emptied = ends.elapsed();
    router.process().wait(SOON * 5)?;
    let ended = ends.elapsed();
    let log = router.log();
    let left = left(&log);
    assert!(left.iter().map(|server| place(server)).is_sorted(), "not in order: {left:?}");
    // A log that cannot take so many lines at once says so.
    assert!(
        left.len() >= enough(subject, servers) || log.contains("log lines were lost"),
        "{} of {servers}",
        left.len()
    );
    lab::note(&format!(
        "{subject}: {services} services with {servers} servers programmed in {programmed:.1?} ({processor:.1} s of the processor, \
         {memory:.0} MiB), gone {emptied:.1?} after the signal, ended after {ended:.1?}"
    ));
    Ok(())
}

#[test]
fn a_site_of_thousands_of_services_starts_and_stops() -> Result<()> {
    GUEST.tells(|| {
        let (services, servers) = (SERVICES / scale(), SERVERS / scale());
        warm_up()?;
        start_and_stop(&ours(), services, servers)?;
        if ours() != Subject::Keepalived
            && let Err(why) = start_and_stop(&Subject::Keepalived, services, servers)
        {
            // Its figures are for comparison: what it does not manage is one, too.
            lab::note(&format!("keepalived: {services} services with {servers} servers: {why}"));
        }
        Ok(())
    })
}
