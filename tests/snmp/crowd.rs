//! A hundred and six hundred virtual routers that start at once, each with two notifications, beside a healthy snmpd: more than
//! its socket holds in either direction. All are MASTER in time, and every notification arrives.

#![expect(clippy::print_stdout, reason = "what was measured")]

use std::{collections::BTreeMap, fs, time::Duration};

use lab::{Control, Host, Lan, Result, Router, Snmpd, Snmptrapd, clock, lan::Join, wait};

use crate::{
    scene::{SOON, STATE_CHANGE, alone, globals, instance, logged, steadfast, told},
    transitions::HERE,
};

const INTERFACES: [&str; 3] = ["va0", "va1", "va2"];
/// Three times the advert_int of a second and the skew of priority 100.
const MASTER_DOWN: Duration = Duration::from_millis(3609);
/// How much later than that the last router may be MASTER.
const LATE: Duration = Duration::from_millis(500);

#[test]
fn a_hundred_routers_start_and_every_notification_arrives_on_a_unix_socket() -> Result<()> {
    crowd(34, None)
}

#[test]
fn a_hundred_routers_start_and_every_notification_arrives_on_tcp() -> Result<()> {
    crowd(34, Some("tcp:127.0.0.1:705"))
}

#[test]
fn six_hundred_routers_start_and_every_notification_arrives_on_a_unix_socket() -> Result<()> {
    crowd(200, None)
}

#[test]
fn six_hundred_routers_start_and_every_notification_arrives_on_tcp() -> Result<()> {
    crowd(200, Some("tcp:127.0.0.1:705"))
}

/// So many on each interface.
fn crowd(on_each: u8, agentx: Option<&str>) -> Result<()> {
    let _alone = alone();
    let mut lan = Lan::pair()?;
    for (number, interface) in INTERFACES.iter().enumerate().skip(1) {
        let address = |host: u8| format!("10.{}.0.{host}/24", 20 + number);
        let there = format!("vb{number}");
        lan.add_segment(
            Join::BackToBack,
            &[("alpha", interface, &address(1)), ("beta", &there, &address(2))],
        )?;
    }
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start(alpha)?;
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE);
    let snmpd = match agentx {
        Some(address) => snmpd.agentx(address),
        None => snmpd,
    };
    let snmpd = snmpd.start()?;
    let routers = INTERFACES.iter().enumerate().flat_map(|(number, interface)| {
        (1..=on_each).map(move |vrid| {
            let router = instance(&format!("VI_{number}_{vrid}"), interface, vrid, 100, "1");
            router.replace("10.99.0.", &format!("10.{}.0.", 100 + number))
        })
    });
    let config = globals(&snmpd) + &routers.collect::<String>();
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;

    let routers = INTERFACES.len() * usize::from(on_each);
    let all = |state: &str| {
        wait::until(&format!("all to be {state}"), SOON, || {
            let count = router.log().matches(&format!("Entering {state} STATE")).count();
            if count == routers { Ok(clock::wall()) } else { Err(format!("{count} are")) }
        })
    };
    let control = Control::start();
    let began = all("BACKUP")?;
    let took = all("MASTER")?.saturating_sub(began);
    let stalled = control.stop().within(began, began + took);
    let late = took.saturating_sub(MASTER_DOWN);
    println!("all are MASTER {late:?} after the master down interval");
    assert!(late < LATE + stalled, "{late:?}, of which the machine stalled {stalled:?}");
    let mut dropped = 0;
    wait::until("a notification of each transition", Duration::from_secs(30), || {
        // Counted, not parsed: the log is long, and snmpd and snmptrapd need the processors.
        let arrived = trapd.process().log().matches(STATE_CHANGE).count();
        dropped = drops(alpha).map_err(|e| e.to_string())?;
        let tail = router.process().log_tail();
        let seen = || {
            format!(
                "{arrived} arrived, {dropped} were dropped by the receiver's kernel; the log ends with\n{tail}"
            )
        };
        if arrived + dropped >= 2 * routers { Ok(()) } else { Err(seen()) }
    })?;
    println!("snmptrapd was too slow for {dropped} notifications");
    let told = told(&trapd.traps_of(STATE_CHANGE));
    let logged = logged(&router);
    // In order, each once, and none missing but those that snmptrapd was too slow for.
    let mut left = logged.iter();
    assert!(
        told.iter().all(|told| left.any(|logged| logged == told)),
        "{told:?} is not in the order of {logged:?}"
    );
    assert_eq!(told.len() + dropped, 2 * routers);
    let mut states: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    logged.iter().for_each(|(name, state)| states.entry(name).or_default().push(*state));
    assert_eq!(states.len(), routers);
    assert!(states.values().all(|states| states == &[1, 2]), "{states:?}");
    Ok(())
}

/// Datagrams that the host's kernel threw away because their receiver's buffer was full: SNMP over UDP has no answer
/// to that, and on a busy machine snmptrapd is not always run before 200 of them have come.
fn drops(host: &Host) -> Result<usize> {
    // Of the thread, because /proc/net shows the namespace of the process.
    let text = host.inside(|| fs::read_to_string("/proc/thread-self/net/snmp").unwrap_or_default())?;
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:")).map(str::split_whitespace);
    let (names, values) =
        lines.next().zip(lines.next()).unwrap_or_else(|| panic!("no UDP counters in {text}"));
    let found = names.zip(values).find(|(name, _)| *name == "RcvbufErrors");
    Ok(found.and_then(|(_, value)| value.parse().ok()).unwrap_or_else(|| panic!("no RcvbufErrors in {text}")))
}
