//! Takeover time after `kill -9` of the master, beyond the master down interval that the protocol demands.
//!
//! Two pairs of routers, one pair per program, priority 200 and 100, version 3. In each round the master of
//! either pair is killed; counted is from its last advertisement, plus the master down interval, to the first
//! advertisement of its successor (both by the kernel's time stamps in one capture on the successor's host)
//! and to the virtual address there (`ip -ts monitor`, user-space time stamps, for both programs alike).
//! Then pairs of unlike programs run at 10 ms to see that neither takes the other for dead.
//!
//! `cargo bench --bench takeover [-- ROUNDS]`, 20 rounds by default.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::time::Duration;

use lab::pcap::Vrrp;
use lab::{AddressMonitor, Capture, Error, Lan, Result, Subject, clock};

use support::daemon::Daemon;
use support::table::{Summary, head, millis_between, row};
use support::verdict;

const INTERVALS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_millis(100), Duration::from_millis(10)];
const VIP: &str = "10.9.0.100";
const MASTER: &str = "10.9.0.1";
const SOON: Duration = Duration::from_secs(15);
/// How long pairs of unlike programs are watched.
const WATCH: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let rounds = support::number(20);
    let early = INTERVALS.iter().map(|interval| takeovers(*interval, rounds)).collect::<Result<Vec<_>>>()?;
    let taken = coexistence()?;
    verdict::begin("advert_int");
    for (interval, early) in INTERVALS.iter().zip(early) {
        let interval = interval.as_secs_f64();
        verdict::clause(interval, "takeovers before the master fell silent", 0, early, early.0 == 0.0);
    }
    verdict::clause(0.01, "false takeovers of a live master", 0, taken, taken.0 == 0.0);
    Ok(())
}

/// One pair of routers of one program.
struct Pair {
    subject: Subject,
    lan: Lan,
    master: Option<Daemon>,
    _backup: Daemon,
    monitor: AddressMonitor,
    capture: Capture,
    /// Since when the master of this round is undisputed.
    settled: Duration,
    rounds: Vec<Round>,
}

/// What one round showed, in milliseconds beyond the master down interval.
struct Round {
    advert: f64,
    address: f64,
    /// Advertisements of the backup while the master lived.
    disputes: usize,
}

/// Early takeovers of either program.
fn takeovers(interval: Duration, rounds: u64) -> Result<(f64, f64)> {
    let [ours, theirs] = support::subjects();
    let mut pairs = [Pair::build(ours, interval)?, Pair::build(theirs, interval)?];
    for _ in 0..rounds {
        for pair in &mut pairs {
            pair.raise(interval)?;
        }
        for pair in &pairs {
            pair.wait_settled()?;
        }
        support::rest(interval.max(Duration::from_millis(100)))?;
        if interval < Duration::from_secs(1) {
            for pair in &mut pairs {
                let killed = pair.kill();
                pair.measure(interval, killed)?;
            }
        } else {
            // Both wait at the same time: their few microseconds of work do not meet in 3.6 s of waiting.
            let killed = pairs.each_mut().map(Pair::kill);
            for (pair, killed) in pairs.iter_mut().zip(killed) {
                pair.measure(interval, killed)?;
            }
        }
    }
    let title = format!(
        "Takeover after kill -9 at advert_int {}, {rounds} rounds: ms beyond {:.1} ms, median (min–max)",
        interval.as_secs_f64(),
        down_interval(interval).as_secs_f64() * 1e3
    );
    head(&title, &["program", "first advertisement", "virtual address", "early takeovers"]);
    let [ours, theirs] = pairs.each_ref().map(Pair::report);
    Ok((ours, theirs))
}

impl Pair {
    fn build(subject: Subject, interval: Duration) -> Result<Self> {
        let lan = pair_of_hosts()?;
        let monitor = AddressMonitor::start(&lan["beta"])?;
        let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
        let backup = Daemon::start(&subject, &lan["beta"], "beta", &config("vb0", 100, interval))?;
        backup.wait_entries(0, "BACKUP", 1, SOON)?;
        Ok(Self {
            subject,
            lan,
            master: None,
            _backup: backup,
            monitor,
            capture,
            settled: Duration::MAX,
            rounds: Vec::new(),
        })
    }

    fn raise(&mut self, interval: Duration) -> Result<()> {
        // What the dead master left on its host is nobody's any more.
        if self.lan["alpha"].has_address(VIP) {
            self.lan["alpha"].del_address(&format!("{VIP}/24"), "va0")?;
        }
        let config = config("va0", 200, interval);
        self.master = Some(Daemon::start(&self.subject, &self.lan["alpha"], "alpha", &config)?);
        Ok(())
    }

    fn wait_settled(&self) -> Result<()> {
        match &self.master {
            Some(master) => master.wait_entries(0, "MASTER", 1, SOON),
            None => Ok(()),
        }
    }

    /// Kills the master; returns when.
    fn kill(&mut self) -> Duration {
        let killed = clock::wall();
        if let Some(master) = self.master.take() {
            master.kill9();
        }
        killed
    }

    fn measure(&mut self, interval: Duration, killed: Duration) -> Result<()> {
        support::rest(down_interval(interval) + Duration::from_millis(50))?;
        let address = self.monitor.wait_change(VIP, true, killed, SOON);
        let succeeded = |seen: &[Vrrp]| succession(seen).is_some();
        let seen = self.capture.wait_vrrp("a successor", SOON, succeeded)?;
        let (last, first) = succession(&seen).ok_or_else(|| Error::Unexpected("no successor".into()))?;
        let theory = last + down_interval(interval);
        self.settled = killed.saturating_sub(interval.max(Duration::from_millis(50)));
        let disputes = seen
            .iter()
            .filter(|advert| !of_master(advert) && advert.time > self.settled && advert.time < last)
            .count();
        self.rounds.push(Round {
            advert: millis_between(theory, first),
            // After an early takeover the address may have been there before the kill.
            address: address.map_or(f64::NAN, |change| millis_between(theory, change.time)),
            disputes,
        });
        Ok(())
    }

    /// Prints a row; how many takeovers were early.
    fn report(&self) -> f64 {
        let timely = || self.rounds.iter().filter(|round| !round.is_early());
        let early = self.rounds.len() - timely().count();
        row(&[
            &self.subject,
            &Summary::of(timely().map(|round| round.advert)),
            &Summary::of(timely().map(|round| round.address)),
            &early,
        ]);
        number(early)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few at the most")]
fn number(count: usize) -> f64 {
    count as f64
}

impl Round {
    /// The backup did not wait for the master's silence: the master was late, or the backup was early.
    fn is_early(&self) -> bool {
        self.disputes > 0 || self.advert < 0.0 || self.address.is_nan()
    }
}

/// Pairs of unlike programs at 10 ms, and of like ones: how regular the master is, and whether the backup
/// ever takes it for dead: how often it did, by the master's program.
fn coexistence() -> Result<(f64, f64)> {
    let interval = Duration::from_millis(10);
    let title = format!("Coexistence at advert_int 0.01 for {} s", WATCH.as_secs());
    let columns = ["master", "backup", "period ms, median (min–max)", "false takeovers"];
    head(&title, &columns);
    let mut taken = [0.0; 2];
    for (master, taken) in support::subjects().into_iter().zip(&mut taken) {
        for backup in support::subjects() {
            let lan = pair_of_hosts()?;
            let alpha = Daemon::start(&master, &lan["alpha"], "alpha", &config("va0", 200, interval))?;
            alpha.wait_entries(0, "MASTER", 1, SOON)?;
            let beta = Daemon::start(&backup, &lan["beta"], "beta", &config("vb0", 100, interval))?;
            beta.wait_entries(0, "BACKUP", 1, SOON)?;
            let capture = Capture::start(&lan["beta"], "vb0", "ip proto 112")?;
            support::rest(WATCH)?;
            let mark = beta.process().log();
            let seen: Vec<Vrrp> = lab::pcap::vrrp(&capture.stop()?).collect();
            let times: Vec<Duration> = seen.iter().filter(|a| of_master(a)).map(|a| a.time).collect();
            let periods = times.windows(2).map(|pair| millis_between(pair[0], pair[1]));
            let takeovers = mark.matches(") Entering MASTER STATE").count();
            row(&[&master, &backup, &Summary::of(periods), &takeovers]);
            *taken += number(takeovers);
        }
    }
    Ok((taken[0], taken[1]))
}

fn pair_of_hosts() -> Result<Lan> {
    Lan::builder()
        .host("alpha", "va0", "10.9.0.1/24")
        .host("beta", "vb0", "10.9.0.2/24")
        .back_to_back()
        .build()
}

/// When the master's last advertisement came, and the first one of another router after it.
fn succession(seen: &[Vrrp]) -> Option<(Duration, Duration)> {
    let last = seen.iter().rposition(of_master)?;
    let first = seen.get(last + 1)?;
    Some((seen[last].time, first.time))
}

fn of_master(advert: &Vrrp) -> bool {
    advert.src.to_string() == MASTER
}

/// RFC 9568 §6.1 for the backup's priority of 100: three intervals and (256 - 100) / 256 of one.
fn down_interval(interval: Duration) -> Duration {
    interval * 3 + interval * 156 / 256
}

fn config(interface: &str, priority: u8, interval: Duration) -> String {
    format!(
        "global_defs {{\n  router_id bench\n  vrrp_version 3\n}}\nvrrp_instance VI {{\n  state BACKUP\n  \
         interface {interface}\n  virtual_router_id 51\n  priority {priority}\n  advert_int {}\n  \
         virtual_ipaddress {{\n    {VIP}/24\n  }}\n}}\n",
        interval.as_secs_f64()
    )
}
