//! Hundreds of transitions to every sink at once: nothing is missing, everywhere in the same order, and who is slow keeps
//! nobody else waiting.

use std::{fs, path::Path};

use lab::mail::{MailServer, Temper};
use lab::{Capture, Control, FifoReader, Host, Result, Router, State, wait};

use crate::groups;
use crate::mail;
use crate::scripts::{lines, script};
use crate::world::{LATE, SOON, V3, assert_steady, is_keepalived, ours};

/// Instances on the one link.
const INSTANCES: u8 = 50;

fn name(number: u8) -> String {
    format!("VI_{number}")
}

/// A file with many instances, each of which tells `notify`, the FIFOs and mail.
fn text(notify: &Path, [read, unread]: [&Path; 2]) -> String {
    let mut text = format!(
        "global_defs {{\n  router_id lab\n  script_user root\n  notify_fifo {}\n  vrrp_notify_fifo {}\n{}  \
         smtp_connect_timeout 1\n  smtp_alert\n}}\n",
        unread.display(),
        read.display(),
        mail::globals("10.8.0.2"),
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

#[test]
fn every_sink_tells_the_same_in_the_same_order_and_none_waits_for_another() -> Result<()> {
    if is_keepalived("mail while the mail server is away") {
        return Ok(());
    }
    let lan = groups::lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let paths: [_; 3] = ["read", "unread", "runs"].map(|name| alpha.dir().join(name));
    let [read, unread, runs] = [&paths[0], &paths[1], &paths[2]];
    let notify = notify(alpha, runs)?;
    let server = MailServer::start(beta, mail::PORT)?;
    // Until everybody else has been told, nobody is mailed.
    server.set_temper(Temper::Hangs);
    let capture = Capture::start(beta, "vb0", "ip proto 112")?;
    let control = Control::start();
    let router = Router::start(&ours(), alpha, alpha.name(), &text(&notify, [read, unread]))?;
    let mut reader = FifoReader::open(read, SOON)?;
    wait_all(&router, 0, State::Master)?;
    for _ in 0..2 {
        let mark = router.mark();
        alpha.link_down("va0")?;
        wait_all(&router, mark, State::Fault)?;
        alpha.link_up("va0")?;
        wait_all(&router, mark, State::Master)?;
    }
    let expected = published(&router);
    // BACKUP and MASTER, then FAULT, BACKUP and MASTER twice.
    assert_eq!(expected.len(), 8 * usize::from(INSTANCES));
    wait_same("lines", &expected, || written(&reader.lines()))?;
    wait_same("runs", &expected, || run(&lines(runs)))?;
    assert!(server.mails().is_empty(), "the mail server was to hang");
    let since = capture.vrrp()?.len();
    let adverts =
        capture.wait_vrrp("adverts", SOON, |seen| seen.len() > since + 10 * usize::from(INSTANCES))?;
    let last: Vec<_> = adverts[since..].iter().filter(|advert| advert.vrid() == 1).cloned().collect();
    assert_steady(&last, "10.9.0.1", V3.interval(), LATE, &control.stop());
    server.set_temper(Temper::Takes);
    wait_same("mails", &expected, || mailed(&server))?;
    router.stop()?;
    let stopped: Vec<_> = (1..=INSTANCES).map(|number| format!("{} STOP", name(number))).collect();
    let expected = [expected, stopped].concat();
    wait_same("lines", &expected, || written(&reader.lines()))?;
    wait_same("runs", &expected, || run(&lines(runs)))
}

/// A script that writes down its process id and what it is told.
fn notify(host: &Host, runs: &Path) -> Result<std::path::PathBuf> {
    script(host, "notify.sh", &format!("echo \"$$ $*\" >> {}", runs.display()))
}
