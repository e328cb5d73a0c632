//! The subagent against net-snmp's snmpd, with its outages.
//!
//! Needs root, for network namespaces, and the packages iproute2, snmpd, snmp and snmptrapd.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::print_stdout, reason = "what was measured")]

#[allow(dead_code, reason = "each family of tests uses a part of it")]
mod support;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use agentx::driver::monotonic;
use agentx::notification::{Sender, queue};
use agentx::session::{DEFAULT_PRIORITY, Timing};
use agentx::wire::{Body, ByteOrder, ErrorCode};
use agentx::{
    Change, Column, CommitFailed, Config, Index, Link, Oid, Region, Scalar, Status, Subagent, Syntax, Table,
    UndoFailed, Value, VarBind, View, seek_sorted,
};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use support::probe::Probe;
use support::{Host, TCP_MASTER, during, wait_for};
use tokio::sync::{oneshot, watch};

/// How soon after snmpd's return everything has to be registered again.
const BACK_WITHIN: Duration = Duration::from_secs(1);

/// NET-SNMP-MIB::netSnmpPlaypen, for experiments.
const SCALARS: [u32; 10] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1];
const TABLE: [u32; 10] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2];
const TRAP: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 0, 1];

const ROOT: &str = ".1.3.6.1.4.1.8072.9999.9999";
const THRESHOLD: &str = ".1.3.6.1.4.1.8072.9999.9999.1.2.0";

struct World {
    threshold: Arc<Mutex<i32>>,
    rows: Vec<u32>,
}

struct SetThreshold {
    cell: Arc<Mutex<i32>>,
    new: i32,
    old: Option<i32>,
}

impl Change for SetThreshold {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        let mut cell = self.cell.lock().map_err(|_| CommitFailed)?;
        self.old = Some(std::mem::replace(&mut *cell, self.new));
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        if let Some(old) = self.old.take() {
            *self.cell.lock().map_err(|_| UndoFailed)? = old;
        }
        Ok(())
    }
}

fn set_threshold(world: &World, (): &(), value: &Value) -> Result<Box<dyn Change>, ErrorCode> {
    match *value {
        Value::Integer(new @ 0..=100) => {
            Ok(Box::new(SetThreshold { cell: Arc::clone(&world.threshold), new, old: None }))
        }
        _ => Err(ErrorCode::WrongValue),
    }
}

static GREETING: Scalar<World> =
    Scalar::new(&[1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 1], "greeting", Syntax::DisplayString, |_| {
        Some(Value::text("hello"))
    });

static THRESHOLD_SCALAR: Scalar<World> = Scalar {
    write: Some(set_threshold),
    access: agentx::Access::ReadWrite,
    ..Scalar::new(&[1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 2], "threshold", Syntax::Integer32, |world| {
        world.threshold.lock().ok().map(|threshold| Value::Integer(*threshold))
    })
};

static COLUMNS: [Column<World, usize>; 4] = [
    Column::hidden(1, "rowIndex", Syntax::Integer32, agentx::Access::NotAccessible),
    Column::new(2, "rowName", Syntax::DisplayString, |world, row| {
        Some(Value::text(format!("row {}", world.rows[*row])))
    }),
    Column::new(3, "rowTotal", Syntax::Counter64, |world, row| {
        Some(Value::Counter64(u64::from(world.rows[*row]) << 32))
    }),
    Column::new(4, "rowEven", Syntax::Enum(&[("true", 1), ("false", 2)]), |world, row| {
        (world.rows[*row] % 4 != 3).then(|| Value::Integer(if world.rows[*row] % 2 == 0 { 1 } else { 2 }))
    }),
];

static ROWS: Table<World, usize> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2, 1],
    name: "rowEntry",
    index: &[Index { name: "rowIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |world, after, include| {
        let at = seek_sorted(&world.rows, after, include, |row| [*row])?;
        Some((vec![world.rows[at]], at))
    },
};

/// A subagent on a thread of its own, ended with its owner.
struct Running {
    notifications: Sender,
    status: watch::Receiver<Status>,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(host: &Host, master: &str) -> Self {
        Self::start_with(host, master, |config| config)
    }

    /// With a configuration made from the usual one.
    fn start_with(host: &Host, master: &str, change: impl Fn(Config) -> Config) -> Self {
        let (notifications, source) = queue(1000);
        let (shutdown, ended) = oneshot::channel();
        let world =
            Arc::new(World { threshold: Arc::new(Mutex::new(7)), rows: (1..=150).map(|n| n * 3).collect() });
        let mib = View::new().scalar(&GREETING).scalar(&THRESHOLD_SCALAR).table(&ROWS);
        let config = Config::new("agentx test")
            .region(Region::new(Oid::from(SCALARS)).describe("scalars of the agentx test"))
            .region(Region::new(Oid::from(TABLE)));
        let config = change(config);
        let subagent =
            Subagent::new(master.parse().unwrap(), config, mib.serve(move || Arc::clone(&world)), monotonic)
                .unwrap()
                .with_notifications(source);
        let status = subagent.status();
        let namespace = std::fs::File::open(host.namespace_file()).unwrap();
        let thread = thread::spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(subagent.run_until(async {
                let _ = ended.await;
            }));
        });
        Self { notifications, status, shutdown: Some(shutdown), thread: Some(thread) }
    }

    fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Waits for the registration of everything in session number `sessions`; returns since when it stands.
    fn registered(&self, sessions: u64) -> Duration {
        wait_for("the registration", 10, || {
            let status = self.status();
            (status.is_registered() && status.sessions == sessions).then_some(status.since)
        })
    }

    fn notify(&self, numbers: std::ops::RangeInclusive<i32>) {
        for number in numbers {
            let name = Oid::from(TABLE).join(&[1, 4, number.cast_unsigned()]);
            let varbind = VarBind::new(name, Value::Integer(number));
            self.notifications.send(monotonic(), Oid::from(TRAP), vec![varbind]);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The numbers of the notifications in snmptrapd's log, in the order in which they came.
fn received(log: &str) -> Vec<i32> {
    let number =
        |line: &str| line.rsplit_once("INTEGER: ").and_then(|(_, number)| number.trim().parse().ok());
    log.lines().filter(|line| line.contains("9999.9999.0.1")).filter_map(number).collect()
}

fn all_received(traps: &support::Daemon, up_to: i32) {
    let expected: Vec<i32> = (1..=up_to).collect();
    wait_for("the last notification", 10, || received(&traps.log()).contains(&up_to).then_some(()));
    assert_eq!(received(&traps.log()), expected, "every one, in order, once");
}

fn walked_lines() -> usize {
    // Two scalars, two full columns, and one without the rows whose number is 3 modulo 4.
    2 + 150 + 150 + (1..=150).filter(|n| n * 3 % 4 != 3).count()
}

fn serves_everything(master_of: impl Fn(&Host) -> String) {
    let host = Host::new();
    let master = master_of(&host);
    let _snmpd = host.snmpd(&master);
    let traps = host.snmptrapd();
    let subagent = Running::start(&host, &master);
    subagent.registered(1);

    assert_eq!(host.snmp("snmpget", &[THRESHOLD]).unwrap(), [format!("{THRESHOLD} = INTEGER: 7")]);
    let row = |column: u32, row: u32| format!("{ROOT}.2.1.{column}.{row}");
    let cells = host.snmp("snmpget", &[&row(2, 9), &row(3, 9), &row(4, 9)]).unwrap();
    assert_eq!(
        cells,
        [
            format!("{} = STRING: \"row 9\"", row(2, 9)),
            format!("{} = Counter64: {}", row(3, 9), 9_u64 << 32),
            format!("{} = INTEGER: 2", row(4, 9)),
        ]
    );
    let missing = host.snmp("snmpget", &[&row(2, 10), &row(4, 3), &row(9, 9)]).unwrap().join("\n");
    assert_eq!(missing.matches("No Such Instance").count(), 2, "{missing}");
    assert_eq!(missing.matches("No Such Object").count(), 1, "{missing}");

    let walk = host.snmp("snmpwalk", &[ROOT]).unwrap();
    assert_eq!(walk.len(), walked_lines());
    assert_eq!(host.snmp("snmpbulkwalk", &["-Cr40", ROOT]).unwrap(), walk);

    host.snmp("snmpset", &[THRESHOLD, "i", "42"]).unwrap();
    assert_eq!(host.snmp("snmpget", &[THRESHOLD]).unwrap(), [format!("{THRESHOLD} = INTEGER: 42")]);
    let refused = |arguments: &[&str]| host.snmp("snmpset", arguments).unwrap_err();
    assert!(refused(&[THRESHOLD, "i", "101"]).contains("wrongValue"));
    assert!(refused(&[THRESHOLD, "s", "x"]).contains("wrongType"));
    assert!(refused(&[&row(2, 9), "s", "x"]).contains("notWritable"));
    let second = refused(&[THRESHOLD, "i", "43", &row(2, 9), "s", "x"]);
    assert!(second.contains("notWritable") && second.contains(&row(2, 9)), "the second is named: {second}");
    assert_eq!(host.snmp("snmpget", &[THRESHOLD]).unwrap(), [format!("{THRESHOLD} = INTEGER: 42")]);

    let capabilities = || host.snmp("snmpwalk", &[".1.3.6.1.2.1.1.9.1.3"]).unwrap().join("\n");
    assert!(capabilities().contains("scalars of the agentx test"), "{}", capabilities());

    subagent.notify(1..=20);
    all_received(&traps, 20);

    drop(subagent);
    let gone = host.snmp("snmpget", &[THRESHOLD]).unwrap().join("");
    assert!(gone.contains("No Such Object"), "Close gives the regions back: {gone}");
    assert!(!capabilities().contains("scalars of the agentx test"), "and the capabilities");
}

#[test]
fn serves_everything_over_unix() {
    serves_everything(Host::master);
}

#[test]
fn serves_everything_over_tcp() {
    serves_everything(|_| TCP_MASTER.to_owned());
}

fn survives_absence_and_restart(master_of: impl Fn(&Host) -> String) {
    let host = Host::new();
    let master = master_of(&host);
    let traps = host.snmptrapd();
    let subagent = Running::start(&host, &master);
    subagent.notify(1..=5);
    during(Duration::from_secs(1));
    assert_eq!(subagent.status().sessions, 0);

    let mut last = 5;
    for sessions in 1..=3 {
        let snmpd = host.snmpd(&master);
        let back = subagent.registered(sessions).saturating_sub(snmpd.ready);
        println!("{master}: registered {back:?} after snmpd's start number {sessions}");
        assert!(back < BACK_WITHIN, "{back:?}");
        subagent.notify(last + 1..=last + 5);
        last += 5;
        all_received(&traps, last);
        snmpd.kill();
        wait_for("the loss to be noticed", 2, || (!subagent.status().is_registered()).then_some(()));
        subagent.notify(last + 1..=last + 20);
        last += 20;
        during(Duration::from_millis(700));
    }
    let snmpd = host.snmpd(&master);
    assert!(subagent.registered(4).saturating_sub(snmpd.ready) < BACK_WITHIN);
    all_received(&traps, last);
}

#[test]
fn survives_absence_and_restart_over_unix() {
    survives_absence_and_restart(Host::master);
}

#[test]
fn survives_absence_and_restart_over_tcp() {
    survives_absence_and_restart(|_| TCP_MASTER.to_owned());
}

fn survives_a_stop(master_of: impl Fn(&Host) -> String) {
    let host = Host::new();
    let master = master_of(&host);
    let traps = host.snmptrapd();
    let snmpd = host.snmpd(&master);
    let subagent = Running::start(&host, &master);
    subagent.registered(1);
    subagent.notify(1..=3);
    all_received(&traps, 3);

    snmpd.signal(Signal::SIGSTOP);
    subagent.notify(4..=20);
    wait_for("the silence to be noticed", 4, || (subagent.status().link == Link::Unresponsive).then_some(()));
    during(Duration::from_secs(4));
    subagent.notify(21..=40);
    let continued = monotonic();
    snmpd.signal(Signal::SIGCONT);
    wait_for("answers", 2, || subagent.status().is_registered().then_some(()));
    let answered = subagent.status().since.saturating_sub(continued);
    all_received(&traps, 40);
    println!(
        "{master}: answered {answered:?}, all notifications {:?} after SIGCONT",
        monotonic() - continued
    );
    assert!(answered < BACK_WITHIN, "{answered:?}");
    assert_eq!(subagent.status().sessions, 1, "the session outlives the stop");
    assert_eq!(host.snmp("snmpwalk", &[ROOT]).unwrap().len(), walked_lines());
}

#[test]
fn survives_a_stop_over_unix() {
    survives_a_stop(Host::master);
}

#[test]
fn survives_a_stop_over_tcp() {
    survives_a_stop(|_| TCP_MASTER.to_owned());
}

/// A manager's request is on its way while snmpd stops, so snmpd finds it timed out when it continues.
#[test]
fn survives_a_stop_in_the_middle_of_a_walk() {
    let host = Host::new();
    let master = host.master();
    let traps = host.snmptrapd();
    let snmpd = host.snmpd(&master);
    let subagent = Running::start(&host, &master);
    subagent.registered(1);
    thread::scope(|scope| {
        let walks = scope.spawn(|| (0..20).filter(|_| host.snmp("snmpwalk", &[ROOT]).is_err()).count());
        during(Duration::from_millis(100));
        snmpd.signal(Signal::SIGSTOP);
        subagent.notify(1..=10);
        during(Duration::from_secs(4));
        assert_eq!(subagent.status().link, Link::Unresponsive);
        let continued = monotonic();
        snmpd.signal(Signal::SIGCONT);
        wait_for("the registration", 2, || subagent.status().is_registered().then_some(()));
        println!(
            "registered {:?} after SIGCONT, session {}",
            monotonic() - continued,
            subagent.status().sessions
        );
        assert!(walks.join().unwrap() <= 2, "only the walk that was stopped may fail");
    });
    all_received(&traps, 10);
}

/// Two subagents want the same regions: the second is refused until the first has left.
#[test]
fn takes_over_what_another_subagent_gives_up() {
    let host = Host::new();
    let master = host.master();
    let traps = host.snmptrapd();
    let _snmpd = host.snmpd(&master);
    let first = Running::start(&host, &master);
    first.registered(1);
    let second = Running::start(&host, &master);
    second.notify(1..=3);
    all_received(&traps, 3);
    assert_eq!(second.status().registered, 0, "notifications need no region");
    drop(first);
    let left = monotonic();
    wait_for("the registration", 2, || second.status().is_registered().then_some(()));
    assert!(monotonic() - left < BACK_WITHIN);
    assert_eq!(host.snmp("snmpwalk", &[ROOT]).unwrap().len(), walked_lines());
}

/// Another subagent unregisters a region of this one, which net-snmp lets it: nothing tells of it.
#[test]
fn takes_back_what_another_subagent_had_unregistered() {
    let host = Host::new();
    let master = host.master();
    let _snmpd = host.snmpd(&master);
    let often = |config: Config| Config {
        timing: Timing { check_after: Duration::from_millis(700), ..config.timing },
        ..config
    };
    let subagent = Running::start_with(&host, &master, often);
    subagent.registered(1);
    let mut rival = Probe::open(&host, ByteOrder::Network);
    assert_eq!(rival.unregister(Oid::from(SCALARS), DEFAULT_PRIORITY), ErrorCode::NoError);
    assert!(host.snmp("snmpget", &[THRESHOLD]).unwrap()[0].contains("No Such"));
    wait_for("the region", 5, || {
        host.snmp("snmpget", &[THRESHOLD]).unwrap()[0].contains("INTEGER: 7").then_some(())
    });
    assert_eq!((subagent.status().sessions, subagent.status().registered), (1, 2));
}

/// net-snmp's own subagent and this one share a master, its walks and its SETs.
#[test]
fn serves_beside_net_snmp_s_own_subagent() {
    const EXTEND: &str = ".1.3.6.1.4.1.8072.1.3.2";
    const OUTPUT: &str = ".1.3.6.1.4.1.8072.1.3.2.3.1.1.5.104.101.108.108.111";
    const CACHE_TIME: &str = ".1.3.6.1.4.1.8072.1.3.2.2.1.5.5.104.101.108.108.111";
    let host = Host::new();
    let master = host.master();
    let _snmpd = host.snmpd(&master);
    let extension = host.extension(&master);
    let subagent = Running::start(&host, &master);
    subagent.registered(1);
    // One request for both, and one walk over both.
    let both = host.snmp("snmpget", &[OUTPUT, THRESHOLD]).unwrap();
    assert_eq!(both, [format!("{OUTPUT} = STRING: \"hi\""), format!("{THRESHOLD} = INTEGER: 7")]);
    let walk = host.snmp("snmpbulkwalk", &["-Cr20", ".1.3.6.1.4.1.8072"]).unwrap();
    let of = |root: &str| walk.iter().filter(|line| line.starts_with(root)).count();
    assert_eq!((of(EXTEND), of(ROOT)), (host.snmp("snmpwalk", &[EXTEND]).unwrap().len(), walked_lines()));
    // A row of its configuration cannot be changed, so nothing of the SET is.
    let refused = host.snmp("snmpset", &[THRESHOLD, "i", "42", CACHE_TIME, "i", "9"]).unwrap_err();
    assert!(refused.contains("Error in packet"), "{refused}");
    assert!(host.snmp("snmpget", &[THRESHOLD]).unwrap()[0].ends_with("INTEGER: 7"));
    // It leaves, and takes nothing of ours along.
    extension.kill();
    wait_for("its end to be noticed", 5, || {
        host.snmp("snmpget", &[OUTPUT]).unwrap()[0].contains("No Such").then_some(())
    });
    assert_eq!(host.snmp("snmpwalk", &[ROOT]).unwrap().len(), walked_lines());
    assert_eq!(subagent.status().sessions, 1);
}

/// Another subagent has a region inside one of ours: the master asks for what is before it and for what is behind it.
#[test]
fn a_region_of_another_inside_ours_is_walked_around() {
    let host = Host::new();
    let master = host.master();
    let _snmpd = host.snmpd(&master);
    let subagent = Running::start(&host, &master);
    subagent.registered(1);
    let mut rival = Probe::open(&host, ByteOrder::Network);
    let third_column = Oid::from(TABLE).join(&[1, 3]);
    assert_eq!(rival.register(third_column, DEFAULT_PRIORITY), ErrorCode::NoError);
    thread::scope(|scope| {
        let walk = scope.spawn(|| host.snmp("snmpwalk", &[ROOT]).unwrap());
        // The rival has nothing in it.
        let request = rival.receive();
        let Body::GetNext(ranges) = &request.body else { panic!("{request:?}") };
        let nothing = VarBind::new(ranges[0].start.clone(), Value::EndOfMibView);
        rival.answer(&request, ErrorCode::NoError, vec![nothing]);
        let walk = walk.join().unwrap();
        assert_eq!(walk.len(), walked_lines() - 150, "all but the 150 of the third column");
    });
}

/// Two subagents with the same regions behind one snmpd, each in a context of its own.
#[test]
fn serves_a_context_beside_other_subagents_with_the_same_regions() {
    let host = Host::new();
    let master = host.master();
    let snmpd = host.snmpd(&master);
    let subagents: Vec<_> = ["", "blue", "green"]
        .map(|context| Running::start_with(&host, &master, |config| config.context(context)))
        .into_iter()
        .collect();
    subagents.iter().for_each(|subagent| assert!(subagent.registered(1) > Duration::ZERO));
    assert!(!snmpd.log().contains("duplicate"), "{}", snmpd.log());
    assert_eq!(host.snmp("snmpwalk", &[ROOT]).unwrap().len(), walked_lines());
    drop(subagents);
}

/// The subagent starts beside a stopped snmpd: it connects, and nobody answers its Open.
#[test]
fn starts_beside_a_stopped_snmpd() {
    let host = Host::new();
    let master = host.master();
    let traps = host.snmptrapd();
    let snmpd = host.snmpd(&master);
    snmpd.signal(Signal::SIGSTOP);
    let subagent = Running::start(&host, &master);
    subagent.notify(1..=10);
    wait_for("the silence to be noticed", 4, || (subagent.status().link == Link::Unresponsive).then_some(()));
    let continued = monotonic();
    snmpd.signal(Signal::SIGCONT);
    let back = subagent.registered(1).saturating_sub(continued);
    println!("registered {back:?} after SIGCONT");
    assert!(back < BACK_WITHIN, "{back:?}");
    all_received(&traps, 10);
}

/// Other subagents have filled the queue of a stopped snmpd's socket, so that a connection would block.
#[test]
fn retries_while_the_masters_queue_is_full() {
    let host = Host::new();
    let master = host.master();
    let snmpd = host.snmpd(&master);
    snmpd.signal(Signal::SIGSTOP);
    let mut crowd = Vec::new();
    loop {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        match socket.connect(&socket2::SockAddr::unix(host.path("master")).unwrap()) {
            Ok(()) => crowd.push(socket),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
        assert!(crowd.len() < 10_000, "the queue has no end");
    }
    let subagent = Running::start(&host, &master);
    during(Duration::from_secs(2));
    assert_eq!(subagent.status().sessions, 0);
    let continued = monotonic();
    snmpd.signal(Signal::SIGCONT);
    let back = subagent.registered(1).saturating_sub(continued);
    println!("registered {back:?} after SIGCONT, behind {} others", crowd.len());
    assert!(back < BACK_WITHIN, "{back:?}");
}
