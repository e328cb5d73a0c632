//! What every story needs: the daemon, its configuration, and the words of log and trap made comparable.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use lab::{Router, SnmpClient, Snmpd, Subject, snmp::Trap};

/// Longer than anything that is awaited should take, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The root of KEEPALIVED-MIB.
pub(crate) const KEEPALIVED: &str = ".1.3.6.1.4.1.9586.100.5";
/// routerId.0, the object that is there as soon as anything is.
pub(crate) const ROUTER_ID: &str = ".1.3.6.1.4.1.9586.100.5.1.2.0";
/// vrrpInstanceStateChange.
pub(crate) const STATE_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.2";
/// vrrpSyncGroupStateChange.
pub(crate) const GROUP_STATE_CHANGE: &str = ".1.3.6.1.4.1.9586.100.5.2.10.0.1";
/// The entry of vrrpSyncGroupTable.
pub(crate) const GROUP_ENTRY: &str = ".1.3.6.1.4.1.9586.100.5.2.1.1";
/// The entry of vrrpInstanceTable; its columns name the objects of a notification.
pub(crate) const INSTANCE_ENTRY: &str = ".1.3.6.1.4.1.9586.100.5.2.3.1";
/// STEADFAST-MIB::steadfastNotificationsLost.
pub(crate) const NOTIFICATIONS_LOST: &str = ".1.3.6.1.4.1.9586.100.5.1000.0.1";
/// STEADFAST-MIB::steadfastLostCount.
pub(crate) const LOST_COUNT: &str = ".1.3.6.1.4.1.9586.100.5.1000.1.1";
/// SNMPv2-MIB::sysUpTime.0.
pub(crate) const SYS_UP_TIME: &str = ".1.3.6.1.2.1.1.3.0";

/// The daemon.
pub(crate) fn steadfast() -> Subject {
    Subject::Steadfast(env!("CARGO_BIN_EXE_steadfast").into())
}

/// Stories that measure time leave the machine to one another; stories that load it run alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// For a story that waits most of its time and must not be disturbed.
pub(crate) fn calm() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a story that keeps the machine busy.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// The directories of the MIB modules.
pub(crate) fn mib_dirs() -> [PathBuf; 2] {
    let mibs = Path::new(env!("CARGO_MANIFEST_DIR")).join("mibs");
    let base = mibs.join("base");
    [mibs, base]
}

/// The client, with names of all modules.
pub(crate) fn with_names(client: SnmpClient) -> SnmpClient {
    let dirs = mib_dirs();
    let dirs: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
    client.mibs(&dirs, "SNMPv2-MIB:KEEPALIVED-MIB:STEADFAST-MIB:VRRP-MIB:VRRPV3-MIB")
}

/// `global_defs` with SNMP and notifications over the AgentX master of `snmpd`. What measures lateness would
/// otherwise measure whom else the kernel lets go first.
pub(crate) fn globals(snmpd: &Snmpd) -> String {
    let socket = snmpd.agentx();
    format!(
        "global_defs {{\n  router_id lab\n  vrrp_version 3\n  enable_snmp_vrrp\n  enable_traps\n  snmp_socket {socket}\n  \
         vrrp_rt_priority 50\n}}\n"
    )
}

/// A version 3 router without addresses to fight over: one VIP for each VRID.
pub(crate) fn instance(name: &str, interface: &str, vrid: u8, priority: u8, advert_int: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n  state BACKUP\n  interface {interface}\n  virtual_router_id {vrid}\n  \
         priority {priority}\n  advert_int {advert_int}\n  virtual_ipaddress {{\n    10.99.0.{vrid}/32\n  }}\n}}\n"
    )
}

/// Resident memory of a process, in KiB; 0 when there is no such process.
pub(crate) fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// An instance's name and the state it entered, as the MIB numbers it.
pub(crate) type Entered = (String, u8);

/// The transitions in a router's log, in their order.
pub(crate) fn logged(router: &Router) -> Vec<Entered> {
    router.log().lines().filter_map(entered).collect()
}

/// `… (NAME) Entering STATE STATE …` or `… (NAME) Stopped …`.
fn entered(line: &str) -> Option<Entered> {
    let (_, rest) = line.split_once('(')?;
    let (name, rest) = rest.split_once(") ")?;
    let mut words = rest.split_whitespace();
    let state = match (words.next()?, words.next()) {
        ("Entering", Some("BACKUP")) => 1,
        ("Entering", Some("MASTER")) => 2,
        ("Entering", Some("FAULT")) => 3,
        ("Stopped", _) => 5,
        _ => return None,
    };
    Some((name.to_owned(), state))
}

/// The transitions that notifications tell of, in the order of their arrival.
pub(crate) fn told(traps: &[Trap]) -> Vec<Entered> {
    let column = |trap: &Trap, number: u8| {
        let value = trap.value(&format!("{INSTANCE_ENTRY}.{number}"));
        value.unwrap_or_else(|| panic!("column {number} is missing in {trap:?}")).to_owned()
    };
    let state = |trap: &Trap| {
        let value = column(trap, 4);
        value.parse().unwrap_or_else(|_| panic!("`{value}` is no state: {trap:?}"))
    };
    traps.iter().map(|trap| (column(trap, 2), state(trap))).collect()
}
