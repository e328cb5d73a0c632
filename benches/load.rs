//! What a busy machine does to the routers: every core with work of usual priority, a disk that is written to, and a hundred
//! scripts started per second, for ten minutes at advert_int 0.1 with `vrrp_rt_priority`.
//!
//! Both programs at the same time, each with a master that starts the scripts and a live standby, in labs of their own:
//! they suffer from the same machine. Steadfast's lag is what its own registry says at the end.
//!
//! `cargo bench --bench load [-- SECONDS]`.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::fmt::Write as _;
use std::time::Duration;

use lab::{Capture, Lan, Load, Result, Subject, pcap, wait};

use support::daemon::Daemon;
use support::table::{head, row};
use support::verdict;

const SOON: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(100);
/// Tracked scripts of the master, each started once a second.
const SCRIPTS: usize = 100;
/// From a master's silence to its standby's takeover, without the skew: three intervals.
const SILENCE: f64 = 300.0;
/// What Steadfast says of its lag when it ends begins so.
const LAG: &str = "The vrrp lane: ";

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let span = Duration::from_secs(support::number(600));
    let cells = support::subjects().map(|subject| Cell::build(&subject));
    let cells = cells.into_iter().collect::<Result<Vec<_>>>()?;
    let load = Load::start(&cells[0].lan["alpha"])?;
    let marks: Vec<_> = cells.iter().map(Cell::mark).collect();
    support::rest(span)?;
    drop(load);
    let title = format!("{} s on a busy machine, advert_int 0.1", span.as_secs());
    head(
        &title,
        &[
            "program",
            "adverts",
            "late by more than 10 ms",
            "largest advert gap ms",
            "false takeovers",
            "CPU s",
        ],
    );
    let seen =
        cells.into_iter().zip(marks).map(|(cell, mark)| cell.tell(mark)).collect::<Result<Vec<_>>>()?;
    head("what Steadfast's vrrp lanes say of themselves", &["router", "lag"]);
    for (role, lag) in seen.iter().flat_map(|seen| &seen.lags) {
        row(&[role, lag]);
    }
    let [ours, theirs] = seen.as_slice() else { return Ok(()) };
    judge(span, ours, theirs);
    Ok(())
}

fn judge(span: Duration, ours: &Seen, theirs: &Seen) {
    verdict::begin("seconds");
    let span = span.as_secs();
    let both = |what: fn(&Seen) -> f64| (what(ours), what(theirs));
    let takeovers = both(|seen| seen.takeovers);
    verdict::clause(span, "false takeovers", 0, takeovers, takeovers.0 == 0.0);
    let gap = both(|seen| seen.gap);
    verdict::clause(span, "largest advert gap, ms", SILENCE, gap, gap.0 < SILENCE);
    #[expect(clippy::cast_precision_loss, reason = "two routers")]
    let lags = both(|seen| seen.lags.len() as f64);
    // keepalived has no word on it.
    verdict::clause(span, "routers whose registry tells the lag", "both", lags, lags.0 == 2.0);
}

/// What came of one program.
struct Seen {
    takeovers: f64,
    /// Of advertisements, in ms.
    gap: f64,
    /// What its routers say of their lag.
    lags: Vec<(&'static str, String)>,
}

/// One program.
struct Cell {
    lan: Lan,
    subject: Subject,
    master: Daemon,
    standby: Daemon,
    capture: Capture,
}

impl Cell {
    fn build(subject: &Subject) -> Result<Self> {
        let lan = Lan::builder()
            .host("alpha", "va0", "10.9.0.1/24")
            .host("beta", "vb0", "10.9.0.2/24")
            .back_to_back()
            .build()?;
        let mut scripts = String::new();
        let mut tracked = String::new();
        for number in 0..SCRIPTS {
            // A script that a busy machine does not let end in a second is to be no fault. Writing to a String cannot fail.
            let _ = write!(
                scripts,
                "vrrp_script s{number} {{\n  script /bin/true\n  interval 1\n  timeout 20\n  weight 1\n}}\n"
            );
            let _ = writeln!(tracked, "    s{number} weight 0");
        }
        let tracked = format!("  track_script {{\n{tracked}  }}\n");
        let master = global() + &scripts + &instance("va0", 200, &tracked);
        let master = Daemon::start(subject, &lan["alpha"], "alpha", &master)?;
        master.wait_entries(0, "MASTER", 1, SOON)?;
        let standby = Daemon::start(subject, &lan["beta"], "beta", &(global() + &instance("vb0", 100, "")))?;
        standby.wait_entries(0, "BACKUP", 1, SOON)?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        wait::until_true("adverts", SOON, || capture.vrrp().is_ok_and(|seen| seen.len() > 5))?;
        Ok(Self { lan, subject: subject.clone(), master, standby, capture })
    }

    fn mark(&self) -> (usize, Duration) {
        (self.standby.process().mark(), self.master.cpu())
    }

    /// Prints a row, and returns what is judged, with what the routers say of their lag.
    fn tell(self, (mark, cpu): (usize, Duration)) -> Result<Seen> {
        let cpu = self.master.cpu() - cpu;
        let takeovers = self.standby.process().log_since(mark).matches(") Entering MASTER STATE").count();
        let packets = self.capture.stop()?;
        let adverts: Vec<_> = pcap::vrrp(&packets).filter(|advert| advert.priority() >= 200).collect();
        let gaps = adverts.windows(2).map(|two| two[1].time.saturating_sub(two[0].time));
        let late = gaps.clone().filter(|gap| *gap > INTERVAL + Duration::from_millis(10)).count();
        let gap = gaps.max().unwrap_or(Duration::MAX).as_secs_f64() * 1e3;
        row(&[
            &self.subject,
            &adverts.len(),
            &late,
            &format!("{gap:.1}"),
            &takeovers,
            &format!("{:.1}", cpu.as_secs_f64()),
        ]);
        let mut lags = Vec::new();
        for (role, daemon) in [("master", &self.master), ("standby", &self.standby)] {
            daemon.process().terminate(SOON)?;
            let log = daemon.process().log();
            let said = log.lines().find_map(|line| line.split_once(LAG));
            lags.extend(said.map(|(_, lag)| (role, lag.to_owned())));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few at the most")]
        let takeovers = takeovers as f64;
        Ok(Seen { takeovers, gap, lags })
    }
}

/// keepalived starts all scripts of a second in a row, in its VRRP process: with the usual limit of real-time work it is
/// killed for that at its start.
fn global() -> String {
    "global_defs {\n  router_id bench\n  vrrp_version 3\n  vrrp_rt_priority 50\n  \
     vrrp_rlimit_rttime 1000000\n  script_user root\n}\n"
        .to_owned()
}

fn instance(interface: &str, priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance VI {{\n  state BACKUP\n  interface {interface}\n  virtual_router_id 51\n  \
         priority {priority}\n  advert_int 0.1\n{lines}  virtual_ipaddress {{\n    10.9.0.100/24\n  }}\n}}\n"
    )
}
