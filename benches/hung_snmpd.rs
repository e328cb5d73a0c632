//! What a hung snmpd does to the routers: SIGSTOP for 170 s at advert_int 0.1, with a live standby.
//!
//! Four cells, both programs over unix and over tcp AgentX, at the same time in labs of their own: each
//! router sends ten small packets a second, so they do not disturb each other. The master serves SNMP with
//! traps; a second virtual router on a link of its own is made to fail and to come back three times while
//! snmpd is stopped. Counted until 20 s after SIGCONT, so that a slow return is seen as well.
//!
//! `cargo bench --bench hung_snmpd [-- SECONDS]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::thread;
use std::time::Duration;

use lab::lan::Join;
use lab::monitor::Change;
use lab::{
    AddressMonitor, Capture, Error, Lan, Result, SnmpClient, Snmpd, Snmptrapd, Subject, clock, pcap, wait,
};

use support::daemon::Daemon;
use support::table::{head, row};

const VIP: &str = "10.9.0.100";
/// KEEPALIVED-MIB::vrrpInstanceStateChange
const TRAP_OID: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
/// KEEPALIVED-MIB::version.0
const VERSION_OID: &str = ".1.3.6.1.4.1.9586.100.5.1.1.0";
const SOON: Duration = Duration::from_secs(20);
/// How long after SIGCONT everything is still counted.
const AFTERMATH: Duration = Duration::from_secs(20);
/// How often the second virtual router fails meanwhile.
const FAILURES: u32 = 3;

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let hang = Duration::from_secs(support::number(170));
    let cells: Vec<(Subject, &str)> = ["unix", "tcp"]
        .into_iter()
        .flat_map(|transport| support::subjects().map(|subject| (subject, transport)))
        .collect();
    let told: Vec<Result<Story>> = thread::scope(|scope| {
        let running: Vec<_> = cells
            .iter()
            .map(|(subject, transport)| scope.spawn(|| Cell::build(subject, transport)?.hang(hang)))
            .collect();
        running
            .into_iter()
            .map(|cell| {
                let ended = cell.join();
                ended.unwrap_or_else(|_| Err(Error::Unexpected("a cell panicked".into())))
            })
            .collect()
    });
    let title = format!("snmpd stopped for {} s, advert_int 0.1", hang.as_secs());
    let columns = [
        "program",
        "AgentX",
        "largest advert gap ms",
        "false takeovers",
        "VIP on both hosts s",
        "transitions",
        "notifications lost",
        "MIB answers after SIGCONT s",
    ];
    head(&title, &columns);
    for ((subject, transport), story) in cells.iter().zip(told) {
        let story = story?;
        row(&[
            subject,
            transport,
            &format!("{:.1}", story.gap.as_secs_f64() * 1e3),
            &story.takeovers,
            &format!("{:.2}", story.both.as_secs_f64()),
            &story.transitions,
            &story.lost,
            &story.answer,
        ]);
    }
    Ok(())
}

/// One program over one transport.
struct Cell {
    lan: Lan,
    snmpd: Snmpd,
    trapd: Snmptrapd,
    master: Daemon,
    standby: Daemon,
    monitors: [AddressMonitor; 2],
    capture: Capture,
}

/// What happened between SIGSTOP and the end of the aftermath.
struct Story {
    gap: Duration,
    takeovers: usize,
    both: Duration,
    transitions: usize,
    lost: usize,
    answer: String,
}

impl Cell {
    fn build(subject: &Subject, transport: &str) -> Result<Self> {
        let mut lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .back_to_back()
            .build()?;
        lan.add_segment(
            Join::BackToBack,
            &[("alpha", "va1", "10.8.0.1/24"), ("beta", "vb1", "10.8.0.2/24")],
        )?;
        let trapd = Snmptrapd::start(&lan["beta"])?;
        let snmpd = Snmpd::builder(&lan["alpha"]).trap_sink("10.9.0.2:162");
        let snmpd = match transport {
            "tcp" => snmpd.agentx("tcp:127.0.0.1:705").start()?,
            _ => snmpd.start()?,
        };
        let monitors = [AddressMonitor::start(&lan["alpha"])?, AddressMonitor::start(&lan["beta"])?];
        let snmp = format!("  enable_snmp_vrrp\n  enable_traps\n  snmp_socket {}\n", snmpd.agentx());
        let routers = instance("VI", "va0", 51, 200, VIP) + &instance("VI_2", "va1", 52, 200, "10.8.0.100");
        let master = Daemon::start(subject, &lan["alpha"], "alpha", &(global(&snmp) + &routers))?;
        master.wait_entries(0, "MASTER", 2, SOON)?;
        let router = global("") + &instance("VI", "vb0", 51, 100, VIP);
        let standby = Daemon::start(subject, &lan["beta"], "beta", &router)?;
        standby.wait_entries(0, "BACKUP", 1, SOON)?;
        answering(&snmpd.client(), SOON)?;
        // The traps of the start are over when the number of them has stood still for a while.
        let mut before = usize::MAX;
        wait::until("the traps of the start", SOON, || {
            support::rest(Duration::from_secs(1)).map_err(|e| e.to_string())?;
            let now = trapd.traps_of(TRAP_OID).len();
            let still = std::mem::replace(&mut before, now) == now;
            if still && now > 0 { Ok(()) } else { Err(format!("{now}")) }
        })?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        Ok(Self { lan, snmpd, trapd, master, standby, monitors, capture })
    }

    fn hang(self, hang: Duration) -> Result<Story> {
        let marks = [self.master.process().mark(), self.standby.process().mark()];
        let trapped = self.trapd.traps_of(TRAP_OID).len();
        let (began, end) = (clock::wall(), clock::now() + hang);
        self.snmpd.pause()?;
        for _ in 0..FAILURES {
            support::rest(hang / (FAILURES + 1) - Duration::from_secs(1))?;
            self.lan["alpha"].link_down("va1")?;
            support::rest(Duration::from_secs(1))?;
            self.lan["alpha"].link_up("va1")?;
        }
        wait::until_true("the end of the hang", hang + SOON, || clock::now() >= end)?;
        self.snmpd.resume()?;
        let resumed = clock::now();
        let answered = answering(&self.snmpd.client(), AFTERMATH).map(|()| resumed.elapsed());
        support::rest(AFTERMATH.saturating_sub(resumed.elapsed()))?;
        let span = began..clock::wall();

        let both = overlap(&self.monitors.each_ref().map(AddressMonitor::changes), &span);
        let transitions = self.master.process().log_since(marks[0]);
        let transitions = transitions.lines().filter(|line| line.contains(") Entering ")).count();
        let standby = self.standby.process().log_since(marks[1]);
        let lost = transitions.saturating_sub(self.trapd.traps_of(TRAP_OID).len() - trapped);
        let adverts = self.capture.stop()?;
        let of_master = pcap::vrrp(&adverts).filter(|advert| advert.priority() == 200);
        let mut times: Vec<Duration> = of_master.map(|advert| advert.time).collect();
        times.push(span.end);
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        Ok(Story {
            gap: gaps.max().unwrap_or(Duration::MAX),
            takeovers: standby.matches(") Entering MASTER STATE").count(),
            both,
            transitions,
            lost,
            answer: match answered {
                Ok(after) => format!("{:.2}", after.as_secs_f64()),
                Err(_) => format!("not within {}", AFTERMATH.as_secs()),
            },
        })
    }
}

/// Waits until the MIB is served, asking anew five times a second.
fn answering(client: &SnmpClient, deadline: Duration) -> Result<()> {
    wait::until("the MIB to answer", deadline, || {
        let asked = client.try_tool("snmpget", &["-t", "0.2", "-r", "0"], &[VERSION_OID]);
        let said = asked.map_err(|error| error.to_string())?;
        if said.stdout.contains("STRING") { Ok(()) } else { Err(said.stdout + &said.stderr) }
    })
}

/// For how long within `span` both hosts held the address.
fn overlap(changes: &[Vec<Change>; 2], span: &std::ops::Range<Duration>) -> Duration {
    let [one, two] = changes.each_ref().map(|changes| holdings(changes, span.end));
    let pairs = one.iter().flat_map(|a| two.iter().map(move |b| (a, b)));
    let common = pairs.map(|(a, b)| {
        let start = a.0.max(b.0).max(span.start);
        a.1.min(b.1).saturating_sub(start)
    });
    common.sum()
}

/// From when to when a host held the address.
fn holdings(changes: &[Change], end: Duration) -> Vec<(Duration, Duration)> {
    let mut spans = Vec::new();
    let mut since = None;
    for change in changes.iter().filter(|c| c.address.split('/').next() == Some(VIP)) {
        match (change.added, since) {
            (true, None) => since = Some(change.time),
            (false, Some(start)) => {
                spans.push((start, change.time));
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|start| (start, end)));
    spans
}

fn global(lines: &str) -> String {
    format!("global_defs {{\n  router_id bench\n  vrrp_version 3\n{lines}}}\n")
}

fn instance(name: &str, interface: &str, vrid: u8, priority: u8, vip: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n  state BACKUP\n  interface {interface}\n  virtual_router_id {vrid}\n  \
         priority {priority}\n  advert_int 0.1\n  virtual_ipaddress {{\n    {vip}/24\n  }}\n}}\n"
    )
}
