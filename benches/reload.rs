//! How long a reload takes, and how much later than due advertisements leave meanwhile.
//!
//! First beside keepalived, both programs in turn: 1,000 virtual routers of two addresses each on four interfaces, all of
//! them MASTER, advertising every second; their configuration is read anew without a difference, with another priority of
//! one of them, with another priority of all, and with one of them gone and back. Counted from SIGHUP to the line of the
//! log that says that it is done; on a capture at the other end of the first interface, how much longer than a second the
//! longest pause of one of its 250 routers was; and how late the vrrp lane was at worst with anything from the signal on, as
//! the registry has it. Then Steadfast alone, as IPVS may not be there: one virtual router beside 2,284 virtual servers with
//! 37,205 real servers, read anew without a difference, with one more service and with one more server.
//!
//! `cargo bench --bench reload [-- ROUNDS]`, 5 rounds unless told.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::collections::HashMap;
use std::time::Duration;

use lab::{Host, Lan, Result, Subject, clock};
use nix::sys::signal::Signal;

use support::daemon::Daemon;
use support::table::{Summary, head, row};
use support::watch::Capture;
use support::{fleet, shapes, verdict};

const ROUTERS: usize = 1_000;
const SOON: Duration = Duration::from_secs(120);
/// Between reloads.
const QUIET: Duration = Duration::from_millis(1_500);

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let rounds = support::number(5);
    let columns =
        ["what differs", "program", "reload ms", "longest pause beyond 1 s, ms", "worst lag of the lane, ms"];
    head(&format!("A reload with {ROUTERS} masters, {rounds} times"), &columns);
    let (mut stalls, mut late) = (Vec::new(), 0.0_f64);
    for subject in support::subjects() {
        let lan = fleet::hosts(ROUTERS)?;
        let base = fleet::config(ROUTERS, 150, "");
        let daemon = Daemon::start(&subject, &lan["alpha"], "alpha", &base)?;
        daemon.wait_entries(0, "MASTER", ROUTERS, SOON)?;
        support::rest(Duration::from_secs(2))?;
        let mut worst: f64 = 0.0;
        for (what, text) in variants(&base) {
            let runs = (0..rounds).map(|round| {
                let text = if round % 2 == 0 { &text } else { &base };
                reload(&subject, &lan, &daemon, text)
            });
            let runs = runs.collect::<Result<Vec<_>>>()?;
            let of = |figure: fn(&Run) -> f64| Summary::of(runs.iter().map(figure));
            let pause = of(|run| run.pause);
            worst = worst.max(pause.max);
            let lag = match subject {
                Subject::Steadfast(_) => of(|run| run.lag).to_string(),
                Subject::Keepalived => "-".to_owned(),
            };
            late = late.max(of(|run| run.lag).max);
            row(&[&what, &subject, &of(|run| run.elapsed), &pause, &lag]);
        }
        stalls.push(worst);
    }
    late = late.max(services(rounds)?);
    verdict::begin("reload");
    verdict::clause(
        "1,000 masters",
        "longest pause beyond 1 s",
        "5 ms",
        (stalls[0], stalls[1]),
        stalls[0] < 5.0,
    );
    verdict::clause("either", "worst lag of the vrrp lane", "5 ms", (late, f64::NAN), late < 5.0);
    Ok(())
}

/// What one reload took, in milliseconds.
struct Run {
    elapsed: f64,
    pause: f64,
    /// The registry's; 0 of keepalived.
    lag: f64,
}

/// What may differ, and the other configuration.
fn variants(base: &str) -> [(&'static str, String); 4] {
    let first = base.find("vrrp_instance VI_0 ").unwrap_or(0);
    let second = base.find("vrrp_instance VI_1 ").unwrap_or(first);
    [
        ("nothing", format!("{base}\n! a comment\n")),
        ("the priority of one", base.replacen("priority 150", "priority 149", 1)),
        ("the priority of all", base.replace("priority 150", "priority 149")),
        ("one is gone or back", format!("{}{}", &base[..first], &base[second..])),
    ]
}

/// Asks for a reload, and waits until it is done and every router has advertised after it.
fn reload(subject: &Subject, lan: &Lan, daemon: &Daemon, text: &str) -> Result<Run> {
    let capture = Capture::start(&lan["beta"], "v0")?;
    support::rest(QUIET)?;
    let elapsed = timed(subject, &lan["alpha"], daemon, text)?;
    support::rest(QUIET)?;
    let mut last: HashMap<u8, Duration> = HashMap::new();
    let mut pause: f64 = 0.0;
    for advert in capture.stop()? {
        if let Some(before) = last.insert(advert.vrid(), advert.time) {
            pause = pause.max((advert.time.saturating_sub(before).as_secs_f64() - 1.0) * 1e3);
        }
    }
    Ok(Run { elapsed, pause, lag: lag(subject, &lan["alpha"])? })
}

/// How late the vrrp lane was at worst since the last reload, in milliseconds.
fn lag(subject: &Subject, host: &Host) -> Result<f64> {
    let Subject::Steadfast(program) = subject else { return Ok(0.0) };
    let pid = host.dir().join("alpha.run/pid");
    let (program, pid) = (program.to_string_lossy(), pid.to_string_lossy());
    let said = host.exec(&[&program, "-p", &pid, "ctl", "--json", "status"])?.stdout;
    let key = "\"worst_lag_since_reload_ms\":";
    let number =
        said.split_once(key).and_then(|(_, rest)| rest.split([',', '}']).next()?.trim().parse().ok());
    number.ok_or_else(|| lab::Error::Unexpected("`ctl status` tells of no lag since the reload".to_owned()))
}

/// Milliseconds until a reload is done.
fn timed(subject: &Subject, host: &Host, daemon: &Daemon, text: &str) -> Result<f64> {
    let done = match subject {
        Subject::Steadfast(_) => "Configuration reloaded",
        Subject::Keepalived => "Reload complete",
    };
    host.write("alpha.conf", text)?;
    let mark = daemon.process().mark();
    let asked = clock::now();
    daemon.process().signal(Signal::SIGHUP)?;
    daemon.process().wait_log_since(mark, done, SOON)?;
    Ok((clock::now() - asked).as_secs_f64() * 1e3)
}

/// Returns the worst lag.
fn services(rounds: u64) -> Result<f64> {
    let columns = ["what differs", "reload ms", "worst lag of the lane, ms"];
    head("A reload with 2,284 virtual servers and 37,205 real servers", &columns);
    let [subject, _] = support::subjects();
    let lan = fleet::hosts(1)?;
    let alpha = &lan["alpha"];
    let base = fleet::config(1, 150, "") + &shapes::services(2_284, 37_205);
    let daemon = Daemon::start(&subject, alpha, "alpha", &base)?;
    daemon.wait_entries(0, "MASTER", 1, SOON)?;
    let server = "    real_server 192.0.2.253 80 {\n        TCP_CHECK { }\n    }\n";
    let service = format!(
        "virtual_server 192.0.2.254 80 {{\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n{server}}}\n"
    );
    let protocol = "    protocol TCP\n";
    let one_more = base.replacen(protocol, &format!("{protocol}{server}"), 1);
    let mut worst: f64 = 0.0;
    for (what, text) in [
        ("nothing", format!("{base}\n")),
        ("one service is there or not", base.clone() + &service),
        ("one server is there or not", one_more),
    ] {
        let runs = (0..rounds).map(|round| {
            let text = if round % 2 == 0 { &text } else { &base };
            Ok((timed(&subject, alpha, &daemon, text)?, lag(&subject, alpha)?))
        });
        let runs = runs.collect::<Result<Vec<_>>>()?;
        let lags = Summary::of(runs.iter().map(|(_, lag)| *lag));
        worst = worst.max(lags.max);
        row(&[&what, &Summary::of(runs.iter().map(|(elapsed, _)| *elapsed)), &lags]);
    }
    Ok(worst)
}
