//! How the session with the master is doing, as STEADFAST-MIB says, and what the log says of a master that comes and goes.

use std::{
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use lab::{Lan, Result, Router, SnmpClient, Snmpd, Snmptrapd, State, wait};

use crate::{
    scene::{KEEPALIVED, ROUTER_ID, SOON, STATE_CHANGE, calm, globals, instance, steadfast},
    transitions::HERE,
};

/// Below STEADFAST-MIB::steadfastObjects.
const STATE: &str = "3.1";
const SESSIONS: &str = "3.3";
const REGIONS: &str = "3.4";
const LAST_ERROR: &str = "3.6";
const SENT: &str = "4.1";
const REPEATED: &str = "4.2";
const ACKNOWLEDGED: &str = "4.3";
const GIVEN_UP: &str = "4.4";

/// A scalar without its type.
fn own(client: &SnmpClient, scalar: &str) -> Result<String> {
    let value = client.get(&format!("{KEEPALIVED}.1000.1.{scalar}.0"))?;
    Ok(value.split_once(": ").map_or(value.as_str(), |(_, bare)| bare).trim_matches('"').to_owned())
}

fn wait_served(client: &SnmpClient) -> Result<()> {
    wait::until("the MIB", SOON, || client.get(ROUTER_ID).map_err(|error| error.to_string())).map(drop)
}

#[test]
fn sessions_and_notifications_are_counted_and_the_last_error_is_kept() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start(alpha)?;
    let mut snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    let config = globals(&snmpd) + &instance("VI", "va0", 51, 100, "0.1");
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    let client = snmpd.client();
    wait_served(&client)?;
    // BACKUP, MASTER.
    trapd.wait_traps(STATE_CHANGE, 2, SOON)?;
    let shown =
        || [STATE, SESSIONS, REGIONS, ACKNOWLEDGED].map(|scalar| own(&client, scalar).unwrap_or_default());
    let of = |values: [&str; 4]| values.map(str::to_owned);
    wait::until_eq("a registered session", SOON, &of(["4", "1", "3", "2"]), shown)?;
    assert_eq!(own(&client, LAST_ERROR)?, "");
    // While there is none to take it, a transition.
    snmpd.kill();
    let mark = router.mark();
    alpha.link_down("va0")?;
    router.wait_entering_since(mark, "VI", State::Fault, SOON)?;
    snmpd.restart()?;
    wait_served(&client)?;
    wait::until_eq("another session", SOON, &of(["4", "2", "3", "3"]), shown)?;
    assert!(own(&client, LAST_ERROR)?.contains("connection"), "{}", own(&client, LAST_ERROR)?);
    let number = |scalar| own(&client, scalar).map(|value| value.parse::<u64>().expect("a number"));
    assert_eq!(number(SENT)?, number(ACKNOWLEDGED)? + number(REPEATED)?);
    assert_eq!(number(GIVEN_UP)?, 0);
    Ok(())
}

/// A master that takes every connection and ends it at once.
struct Fickle {
    path: PathBuf,
    taken: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Fickle {
    fn at(path: &Path) -> std::io::Result<Self> {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        let (taken, ended) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, is_over) = (Arc::clone(&taken), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                drop(stream);
                count.fetch_add(1, Ordering::SeqCst);
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        Ok(Self { path: path.to_owned(), taken, ended, thread: Some(thread) })
    }
}

impl Drop for Fickle {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it, unless somebody else just has.
        let _ = std::os::unix::net::UnixStream::connect(&self.path);
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

#[test]
fn a_master_that_comes_and_goes_gets_a_line_for_each_change_and_one_that_is_no_use_no_flood() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let mut snmpd = Snmpd::builder(&lan["alpha"]).start()?;
    let config = globals(&snmpd) + &instance("VI", "va0", 51, 100, "0.1");
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    let client = snmpd.client();
    wait_served(&client)?;
    router.wait_log("region 1.3.6.1.4.1.9586.100.5.2 is registered", SOON)?;
    // Everything that is said of the master names it.
    let said = |mark: usize| router.process().log_since(mark).matches("master=").count();
    let mark = router.mark();
    for _ in 0..3 {
        snmpd.restart()?;
        wait_served(&client)?;
    }
    // Three times the end of a session, an attempt in vain, and three regions.
    assert!(said(mark) <= 3 * 5, "{}", router.process().log_since(mark));
    snmpd.stop()?;
    let path = snmpd.agentx().trim_start_matches("unix:").to_owned();
    let mark = router.mark();
    let fickle = Fickle::at(Path::new(&path)).expect("the place is free");
    wait::until_true("twenty attempts", SOON, || fickle.taken.load(Ordering::SeqCst) >= 20)?;
    assert!(said(mark) <= 5, "{}", router.process().log_since(mark));
    drop(fickle);
    snmpd.restart()?;
    wait_served(&client)?;
    assert!(own(&client, SESSIONS)?.parse::<u64>().expect("a number") >= 4);
    Ok(())
}
