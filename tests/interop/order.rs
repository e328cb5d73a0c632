//! A thousand transitions to scripts, FIFOs, mail, D-Bus and SNMP at once: nothing is missing, everywhere in the same order,
//! and who is slow keeps nobody else waiting.

use std::{fs, path::Path};

use lab::mail::{MailServer, Temper};
use lab::{Bus, Capture, Control, FifoReader, Host, Result, Router, Snmpd, Snmptrapd, State, wait};

use crate::dbus;
use crate::groups;
use crate::mail;
use crate::scripts::{lines, script};
use crate::world::{LATE, SOON, V3, assert_steady, is_keepalived, ours};

/// Instances on the one link.
const INSTANCES: u8 = 50;
/// How often the link goes down and comes up: a FAULT, a BACKUP and a MASTER of each, after their first two states.
const ROUNDS: usize = 6;
/// vrrpInstanceStateChange, and the columns with an instance's name and state.
const STATE_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
const NAME_COLUMN: &str = ".1.3.6.1.4.1.9586.100.5.2.3.1.2";
const STATE_COLUMN: &str = ".1.3.6.1.4.1.9586.100.5.2.3.1.4";

fn name(number: u8) -> String {
    format!("VI_{number}")
}

/// A file with many instances, each of which tells everybody.
fn text(notify: &Path, [read, unread]: [&Path; 2], snmpd: &Snmpd) -> String {
    let mut text = format!(
        "global_defs {{\n  router_id lab\n  script_user root\n  notify_fifo {}\n  vrrp_notify_fifo {}\n{}  \
         smtp_connect_timeout 1\n  smtp_alert\n  enable_dbus\n  enable_snmp_vrrp\n  enable_traps\n  \
         snmp_socket {}\n}}\n",
        unread.display(),
        read.display(),
        mail::globals("10.8.0.2"),
        snmpd.agentx(),
    );
    for number in 1..=INSTANCES {
        let mut setup = V3.alpha(100 + number).line(format!("notify {}", notify.display()));
        setup.vrid = number;
        setup.vips = vec![format!("10.9.0.{}/24", 100 + number)];
        text += &setup.instance(&name(number));
    }
    text
}

/// `NAME STATE` of every transition in the log, which is written as the stream is.
fn published(router: &Router) -> Vec<String> {
    let log = router.log();
    let told = log.lines().filter_map(|line| {
        let (name, rest) = line.split_once("(VI_")?.1.split_once(')')?;
        let state = rest.strip_prefix(" Entering ").and_then(|rest| rest.split(' ').next());
        let state = state.or_else(|| rest.starts_with(" Stopped").then_some("STOP"))?;
        Some(format!("VI_{name} {state}"))
    });
    told.collect()
}

/// The same of lines of a FIFO.
fn written(lines: &[String]) -> Vec<String> {
    let told = lines.iter().filter_map(|line| {
        let (name, rest) = line.strip_prefix("INSTANCE \"")?.split_once("\" ")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    });
    told.collect()
}

/// The same of runs of a script, in the order in which they were started, which their process ids tell.
fn run(lines: &[String]) -> Vec<String> {
    let mut runs: Vec<(u32, String)> = lines
        .iter()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (pid, _, name, state) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some((pid.parse().ok()?, format!("{name} {state}")))
        })
        .collect();
    runs.sort_unstable();
    let limit = fs::read_to_string("/proc/sys/kernel/pid_max").expect("the kernel has a limit");
    let limit: u32 = limit.trim().parse().expect("it is a number");
    // The kernel begins with small numbers again at its limit: the first run is the one behind the widest gap.
    let gap = |at: &usize| at.checked_sub(1).map_or(0, |before| runs[*at].0 - runs[before].0);
    let widest = (0..runs.len()).max_by_key(gap).filter(|at| gap(at) > limit / 2);
    runs.rotate_left(widest.unwrap_or(0));
    runs.into_iter().map(|(_, told)| told).collect()
}

/// The same of mails.
fn mailed(server: &MailServer) -> Vec<String> {
    let mails = server.mails();
    let told = mails.iter().filter_map(|mail| {
        let rest = mail.field("Subject")?.strip_prefix("[lab] VRRP Instance ")?;
        let (name, rest) = rest.split_once(" - Entering ")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    });
    told.collect()
}

/// The same of signals on the bus.
fn signalled(bus: &Bus) -> Vec<String> {
    let signals = bus.signals();
    let told = signals.iter().filter_map(|signal| {
        let (vrid, rest) = signal.strip_prefix("va0/")?.split_once("/IPv4 ")?;
        let state = match rest {
            "1" => "BACKUP",
            "2" => "MASTER",
            "3" => "FAULT",
            "98" => "STOP",
            other => other,
        };
        Some(format!("VI_{vrid} {state}"))
    });
    told.collect()
}

/// The same of SNMP notifications.
fn notified(station: &Snmptrapd) -> Vec<String> {
    let traps = station.traps_of(STATE_CHANGE);
    let told = traps.iter().filter_map(|trap| {
        let state = match trap.value(STATE_COLUMN)? {
            "1" => "BACKUP",
            "2" => "MASTER",
            "3" => "FAULT",
            "5" => "STOP",
            other => other,
        };
        Some(format!("{} {state}", trap.value(NAME_COLUMN)?))
    });
    told.collect()
}

fn wait_all(router: &Router, mark: usize, state: State) -> Result<()> {
    (1..=INSTANCES)
        .try_for_each(|number| router.wait_entering_since(mark, &name(number), state, SOON).map(drop))
}

fn wait_same(what: &str, expected: &[String], mut seen: impl FnMut() -> Vec<String>) -> Result<()> {
    wait::until(what, SOON, || {
        let seen = seen();
        if seen == expected {
            return Ok(());
        }
        let place = seen.iter().zip(expected).take_while(|(one, other)| one == other).count();
        Err(format!("{} of {}, the same up to {place}", seen.len(), expected.len()))
    })
}

/// A router with everybody who is told by it.
struct Scene {
    lan: lab::Lan,
    router: Router,
    runs: std::path::PathBuf,
    reader: FifoReader,
    /// Of a FIFO that is full after some lines.
    unread: FifoReader,
    station: Snmptrapd,
    _snmpd: Snmpd,
    bus: Bus,
    server: MailServer,
}

impl Scene {
    fn start() -> Result<Self> {
        let lan = groups::lan()?;
        let alpha = &lan["alpha"];
        let [read, unread, runs] = ["read", "unread", "runs"].map(|name| alpha.dir().join(name));
        let notify = notify(alpha, &runs)?;
        let server = MailServer::start(&lan["beta"], mail::PORT)?;
        server.set_temper(Temper::Hangs);
        let station = Snmptrapd::start(alpha)?;
        let snmpd = Snmpd::builder(alpha).trap_sink("127.0.0.1:162").start()?;
        let bus = Bus::start(alpha, &dbus::rules())?;
        let text = text(&notify, [&read, &unread], &snmpd);
        let router = Router::start(&ours(), alpha, alpha.name(), &text)?;
        let reader = FifoReader::open(&read, SOON)?;
        let unread = FifoReader::open(&unread, SOON)?;
        unread.narrow()?;
        wait_all(&router, 0, State::Master)?;
        Ok(Self { lan, router, runs, reader, unread, station, _snmpd: snmpd, bus, server })
    }

    /// All instances lose their link and get it back. Whoever can be told has been told when it returns.
    fn flap(&mut self) -> Result<()> {
        let alpha = &self.lan["alpha"];
        let mark = self.router.mark();
        alpha.link_down("va0")?;
        wait_all(&self.router, mark, State::Fault)?;
        let mark = self.router.mark();
        alpha.link_up("va0")?;
        wait_all(&self.router, mark, State::Master)?;
        self.wait_prompt().map(drop)
    }

    /// Waits until those have been told who are never in trouble; returns what.
    fn wait_prompt(&mut self) -> Result<Vec<String>> {
        let expected = published(&self.router);
        wait_same("lines", &expected, || written(&self.reader.lines()))?;
        wait_same("runs", &expected, || run(&lines(&self.runs)))?;
        wait_same("notifications", &expected, || notified(&self.station))?;
        Ok(expected)
    }

    /// Advertisements leave as if nobody was told of anything.
    fn assert_steady(&self) -> Result<()> {
        let capture = Capture::start(&self.lan["beta"], "vb0", "ip proto 112")?;
        let control = Control::start();
        let adverts = capture.wait_vrrp("adverts", SOON, |seen| seen.len() > 10 * usize::from(INSTANCES))?;
        let of_one: Vec<_> = adverts.iter().filter(|advert| advert.vrid() == 1).cloned().collect();
        assert_steady(&of_one, "10.9.0.1", V3.interval(), LATE, &control.stop());
        Ok(())
    }
}

#[test]
fn every_sink_tells_the_same_in_the_same_order_and_none_waits_for_another() -> Result<()> {
    if is_keepalived("mail while the mail server is away") {
        return Ok(());
    }
    let mut scene = Scene::start()?;
    scene.flap()?;
    // Three rounds in, nobody but those who can be told at once has been told of the last two: the mail server and the bus
    // hang, one FIFO is full, and scripts of one instance have not ended.
    scene.bus.pause()?;
    scene.flap()?;
    scene.flap()?;
    scene.assert_steady()?;
    let so_far = scene.wait_prompt()?;
    assert!(scene.server.mails().is_empty(), "the mail server was to hang");
    assert!(signalled(&scene.bus).len() < so_far.len(), "the bus was to hang");
    scene.server.set_temper(Temper::Takes);
    scene.bus.resume()?;
    wait_same("signals", &so_far, || signalled(&scene.bus))?;
    scene.bus.die()?;
    for _ in 3..ROUNDS {
        scene.flap()?;
    }
    let expected = scene.wait_prompt()?;
    assert_eq!(expected.len(), (2 + 3 * ROUNDS) * usize::from(INSTANCES));
    scene.bus.come_back()?;
    wait_same("signals", &expected, || signalled(&scene.bus))?;
    wait_same("mails", &expected, || mailed(&scene.server))?;
    let read = written(&scene.unread.lines());
    assert!(!read.is_empty() && read.len() < expected.len() / 2, "{} lines had room", read.len());
    wait_same("lines of the full FIFO", &expected, || written(&scene.unread.lines()))?;
    assert!(scene.router.stop()?.success());
    let stopped: Vec<_> = (1..=INSTANCES).map(|number| format!("{} STOP", name(number))).collect();
    let expected = [expected, stopped].concat();
    assert_eq!(scene.wait_prompt()?, expected);
    wait_same("signals", &expected, || signalled(&scene.bus))?;
    wait_same("lines", &expected, || written(&scene.unread.lines()))
}

/// A script that writes down its process id and what it is told. Of the first instance it takes its time.
fn notify(host: &Host, runs: &Path) -> Result<std::path::PathBuf> {
    let slow = "[ \"$2\" != VI_1 ] || exec sleep 3";
    script(host, "notify.sh", &format!("echo \"$$ $*\" >> {}\n{slow}", runs.display()))
}
