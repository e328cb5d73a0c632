//! How soon a notification is there, and what a storm of them does.
//!
//! Latency: one virtual router enters MASTER again and again; from its first advertisement, by the kernel's time stamp, to the
//! datagram at the receiver, by the receiver's clock. The two programs take turns.
//!
//! Storm: so many virtual routers become MASTER at once, with a healthy snmpd over unix and tcp AgentX: when the last one
//! advertises, after the master down interval has passed since the start, and which notifications arrive, in which order. snmpd
//! is told its `v1trapaddress`: without it, it looks through all addresses of the host for each notification, and would be what is
//! measured.
//!
//! `cargo bench --bench traps [-- latency [COUNT]]`, `cargo bench --bench traps -- storm [SIZE …]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../support/mod.rs"]
mod support;

mod receiver;

use std::{collections::BTreeMap, env, time::Duration};

use lab::{Capture, Lan, Result, Snmpd, Subject, clock, pcap, wait};

use receiver::{Arrived, Receiver};
use support::{
    daemon::Daemon,
    fleet,
    sniffer::Sniffer,
    table::{Summary, head, millis_between, row},
};

/// Where notifications go; snmpd and the receiver are on one host.
const HERE: &str = "127.0.0.1:162";
const SOON: Duration = Duration::from_secs(20);
/// Three times the advert_int of a second and the skew of priority 100.
const MASTER_DOWN: f64 = 3.609;
/// How long after the master down interval a storm is watched; what has not happened then does not count any more.
const STORM: Duration = Duration::from_secs(20);
/// The number of MASTER in KEEPALIVED-MIB.
const MASTER: u8 = 2;

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let arguments: Vec<String> = env::args().collect();
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let numbers: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if asked("latency") || !asked("storm") {
        latency(if asked("latency") { numbers.first().copied().unwrap_or(200) } else { 200 })?;
    }
    if asked("storm") || !asked("latency") {
        let sizes =
            if asked("storm") && !numbers.is_empty() { &numbers[..] } else { &[100, 600, 1000, 2000] };
        storms(sizes)?;
    }
    Ok(())
}

fn latency(count: usize) -> Result<()> {
    let mut routers = Vec::new();
    for subject in support::subjects() {
        routers.push(Flapping::start(subject)?);
    }
    let mut series = [Vec::new(), Vec::new()];
    for _ in 0..count {
        for (router, series) in routers.iter_mut().zip(&mut series) {
            series.push(router.flap()?);
        }
    }
    head(
        &format!("From the first advertisement to the notification, {count} times: ms, median (min–max)"),
        &["program", "latency"],
    );
    for (router, transitions) in routers.into_iter().zip(series) {
        let subject = router.subject.clone();
        let latencies = router.latencies(&transitions)?;
        row(&[&subject, &format!("{:.3}", Summary::of(latencies))]);
    }
    Ok(())
}

/// A virtual router whose link goes down and up.
struct Flapping {
    subject: Subject,
    daemon: Daemon,
    capture: Capture,
    receiver: Receiver,
    _snmpd: Snmpd,
    lan: Lan,
}

impl Flapping {
    fn start(subject: Subject) -> Result<Self> {
        let lan = Lan::pair()?;
        let alpha = &lan["alpha"];
        let receiver = Receiver::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
        let config = format!(
            "global_defs {{\n  router_id bench\n  vrrp_version 3\n  enable_snmp_vrrp\n  enable_traps\n  snmp_socket {}\n}}\n\
             vrrp_instance VI_0 {{\n  interface va0\n  virtual_router_id 51\n  priority 100\n  advert_int 0.02\n  \
             virtual_ipaddress {{\n    10.99.0.51/32\n  }}\n}}\n",
            snmpd.agentx()
        );
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        let daemon = Daemon::start(&subject, alpha, "alpha", &config)?;
        daemon.wait_entries(0, "MASTER", 1, SOON)?;
        receiver.wait_for(1, MASTER, SOON)?;
        Ok(Self { subject, daemon, capture, receiver, _snmpd: snmpd, lan })
    }

    /// FAULT, BACKUP, MASTER; when the notification of the last one was there.
    fn flap(&mut self) -> Result<Duration> {
        let alpha = &self.lan["alpha"];
        let (mark, masters) = (self.daemon.process().mark(), self.receiver.count(MASTER));
        alpha.link_down("va0")?;
        self.daemon.wait_entries(mark, "FAULT", 1, SOON)?;
        alpha.link_up("va0")?;
        self.receiver.wait_for(masters + 1, MASTER, SOON).map(|arrived| arrived.at)
    }

    /// From the first advertisement of a reign to its notification, in ms.
    fn latencies(self, arrivals: &[Duration]) -> Result<Vec<f64>> {
        let packets = self.capture.stop()?;
        let adverts: Vec<Duration> = pcap::vrrp(&packets).map(|advert| advert.time).collect();
        // A reign begins with an advertisement long after the one before it: the link was down in between.
        let pause = Duration::from_millis(50);
        let begins: Vec<Duration> = adverts
            .windows(2)
            .filter(|pair| pair[1].saturating_sub(pair[0]) > pause)
            .map(|pair| pair[1])
            .collect();
        let latency = |arrival: &Duration| {
            let begin = begins.iter().rev().find(|begin| *begin <= arrival)?;
            Some(millis_between(*begin, *arrival))
        };
        Ok(arrivals.iter().filter_map(latency).collect())
    }
}

fn storms(sizes: &[usize]) -> Result<()> {
    let mut rows = Vec::new();
    for size in sizes {
        for transport in ["unix", "tcp"] {
            for subject in support::subjects() {
                rows.push((*size, transport, subject.clone(), Storm::watch(&subject, *size, transport)?));
            }
        }
    }
    head(
        "All become MASTER at once; s after the start and the master down interval",
        &[
            "instances",
            "AgentX",
            "program",
            "MASTER",
            "last of them after",
            "notifications",
            "of",
            "in order",
            "last of them after",
            "dropped by the receiver's kernel",
        ],
    );
    for (size, transport, subject, storm) in rows {
        row(&[
            &size,
            &transport,
            &subject,
            &storm.masters,
            &format!("{:.2}", storm.last_master),
            &storm.told,
            &(2 * size),
            &(if storm.in_order { "yes" } else { "no" }),
            &format!("{:.2}", storm.last_told),
            &storm.dropped,
        ]);
    }
    Ok(())
}

/// What came of a storm; seconds after the master down interval.
struct Storm {
    masters: usize,
    last_master: f64,
    told: usize,
    in_order: bool,
    last_told: f64,
    dropped: usize,
}

impl Storm {
    fn watch(subject: &Subject, size: usize, transport: &str) -> Result<Self> {
        let lan = fleet::hosts(size)?;
        let alpha = &lan["alpha"];
        let receiver = Receiver::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink(HERE).line("v1trapaddress 127.0.0.1");
        let snmpd = if transport == "tcp" { snmpd.agentx("tcp:127.0.0.1:705") } else { snmpd };
        let snmpd = snmpd.start()?;
        let global = format!("  enable_snmp_vrrp\n  enable_traps\n  snmp_socket {}\n", snmpd.agentx());
        let config = fleet::config(size, 100, &global);
        let sniffer = Sniffer::start(&lan["beta"])?;
        let began = clock::wall();
        let _daemon = Daemon::start(subject, alpha, "alpha", &config)?;
        let deadline = STORM + Duration::from_secs_f64(MASTER_DOWN);
        // Whoever does not get there in time is what this is about.
        let _ = wait::until("all notifications", deadline, || {
            super_rest()?;
            if receiver.arrived().len() >= 2 * size { Ok(()) } else { Err(String::new()) }
        });
        let mut first: BTreeMap<(u8, u8), Duration> = BTreeMap::new();
        for heard in sniffer.stop()? {
            first.entry(heard.router()).or_insert(heard.at);
        }
        let after =
            |at: Option<Duration>| at.map_or(f64::NAN, |at| millis_between(began, at) / 1e3 - MASTER_DOWN);
        let arrived = receiver.arrived();
        Ok(Self {
            masters: first.len(),
            last_master: after(first.values().max().copied()),
            told: arrived.len(),
            in_order: in_order(&arrived),
            last_told: after(arrived.last().map(|arrived| arrived.at)),
            dropped: receiver.dropped()?,
        })
    }
}

/// A log of thousands of datagrams is not looked at every 3 ms.
fn super_rest() -> std::result::Result<(), String> {
    support::rest(Duration::from_millis(100)).map_err(|error| error.to_string())
}

/// Every router's BACKUP before its MASTER, each once, and the numbers that the events had in the daemon, by sysUpTime, not
/// running backwards.
fn in_order(arrived: &[Arrived]) -> bool {
    let mut states: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    arrived.iter().for_each(|one| states.entry(&one.instance).or_default().push(one.state));
    states.values().all(|states| states.is_sorted_by(|one, next| one < next))
        && arrived.is_sorted_by_key(|one| one.uptime)
}
