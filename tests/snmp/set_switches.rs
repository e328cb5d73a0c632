//! SET of the words that are there or are not: keepalived's MIB says that they can be written, and here they can.

use lab::{Host, Result, Router, State, wait};

use crate::{
    scene::{ROUTER_ID, SOON, calm, globals, instance, steadfast},
    set::{Scene, of_first, set},
};

const ACCEPT: u8 = 27;
const PROMOTE_SECONDARIES: u8 = 28;
const LINKBEAT: u8 = 29;
const NOTIFY_DELETED: u8 = 33;
const PRIORITY: u8 = 7;
const PREEMPT: u8 = 13;
/// SNMPv2-MIB::sysContact.0, an object of snmpd's own.
const CONTACT: &str = ".1.3.6.1.2.1.1.4.0";
const VIP: &str = "10.99.0.51";

fn with_words() -> Result<Scene> {
    Scene::start(&steadfast(), "  snmp_set\n")
}

/// Whether the firewall of a host throws packets of the virtual address away.
fn refuses(host: &Host) -> Result<bool> {
    Ok(host.run(&["nft", "list", "ruleset"])?.contains(VIP))
}

fn promotes(host: &Host) -> Result<String> {
    let value = host.run(&["sysctl", "-n", "net.ipv4.conf.va0.promote_secondaries"])?;
    Ok(value.trim().to_owned())
}

/// Makes alpha MASTER by SET.
fn promote_to_master(scene: &Scene) -> Result<()> {
    let [priority, preempt] = [PRIORITY, PREEMPT].map(of_first);
    assert_eq!(scene.set(&[[&priority, "i", "200"], [&preempt, "i", "1"]])?, "");
    scene.alpha.wait_entering("VI", State::Master, SOON)?;
    scene.lan.wait_holder(VIP, "alpha", SOON)
}

#[test]
fn a_master_takes_packets_for_its_addresses_or_does_not_as_it_is_set() -> Result<()> {
    let _calm = calm();
    let scene = with_words()?;
    let (accept, alpha) = (of_first(ACCEPT), &scene.lan["alpha"]);
    promote_to_master(&scene)?;
    assert!(!refuses(alpha)?);
    assert_eq!(scene.value(ACCEPT)?, "1");
    let mark = scene.alpha.mark();
    // A manager that repeats itself gives one order.
    for _ in 0..2 {
        assert_eq!(scene.set(&[[&accept, "i", "2"]])?, "");
        assert_eq!(scene.value(ACCEPT)?, "2", "at once");
        assert!(refuses(alpha)?, "the firewall has it when the SET is answered");
    }
    let log = scene.alpha.process().log_since(mark);
    assert_eq!(log.matches("(VI) SNMP SET: no_accept instead of accept").count(), 1, "{log}");
    assert_eq!(scene.set(&[[&accept, "i", "1"]])?, "");
    assert!(!refuses(alpha)?);
    // What is set while it is BACKUP counts when it is MASTER, and the rules go with the addresses and with the daemon.
    let priority = of_first(PRIORITY);
    assert_eq!(scene.set(&[[&priority, "i", "20"]])?, "");
    scene.lan.wait_holder(VIP, "beta", SOON)?;
    assert_eq!(scene.set(&[[&accept, "i", "2"]])?, "");
    assert!(!refuses(alpha)?);
    assert_eq!(scene.set(&[[&priority, "i", "200"]])?, "");
    scene.lan.wait_holder(VIP, "alpha", SOON)?;
    assert!(refuses(alpha)?, "before the address is there");
    scene.alpha.stop()?;
    assert!(!refuses(alpha)?);
    Ok(())
}

#[test]
fn the_sysctl_of_an_interface_is_set_and_put_back_by_the_next_set_or_the_end() -> Result<()> {
    let _calm = calm();
    let scene = with_words()?;
    let (promote, alpha) = (of_first(PROMOTE_SECONDARIES), &scene.lan["alpha"]);
    assert_eq!((scene.value(PROMOTE_SECONDARIES)?.as_str(), promotes(alpha)?.as_str()), ("2", "0"));
    for (word, sysctl) in [("1", "1"), ("2", "0"), ("1", "1")] {
        assert_eq!(scene.set(&[[&promote, "i", word]])?, "");
        assert_eq!((scene.value(PROMOTE_SECONDARIES)?.as_str(), promotes(alpha)?.as_str()), (word, sysctl));
    }
    scene.alpha.stop()?;
    assert_eq!(promotes(alpha)?, "0");
    Ok(())
}

#[test]
fn an_interface_is_asked_for_its_link_as_it_is_set() -> Result<()> {
    let _calm = calm();
    let scene = with_words()?;
    let (linkbeat, alpha) = (of_first(LINKBEAT), &scene.lan["alpha"]);
    assert_eq!(scene.value(LINKBEAT)?, "2");
    assert_eq!(scene.set(&[[&linkbeat, "i", "1"]])?, "");
    assert_eq!(scene.value(LINKBEAT)?, "1");
    scene.alpha.wait_log("Interface va0 is asked for its link by ETHTOOL", SOON)?;
    // A dormant interface has a link by its driver's word, and is not running by the kernel's.
    alpha.run(&["ip", "link", "set", "va0", "mode", "dormant"])?;
    alpha.run(&["ip", "link", "set", "va0", "state", "dormant"])?;
    assert_eq!(scene.set(&[[&linkbeat, "i", "2"]])?, "");
    scene.alpha.wait_entering("VI", State::Fault, SOON)?;
    // Not before: how soon after it nobody knows, as the answer to the SET is on its way meanwhile.
    let log = scene.alpha.log();
    let (before, _) =
        log.split_once("(VI) SNMP SET: no linkbeat_use_polling").unwrap_or_else(|| panic!("{log}"));
    assert!(!before.contains("Entering FAULT"), "{log}");
    let mark = scene.alpha.mark();
    assert_eq!(scene.set(&[[&linkbeat, "i", "1"]])?, "");
    scene.alpha.wait_entering_since(mark, "VI", State::Backup, SOON).map(drop)
}

#[test]
fn objects_of_snmpd_and_ours_are_set_together_or_not_at_all() -> Result<()> {
    let _calm = calm();
    let scene = with_words()?;
    let [deleted, promote, linkbeat] = [NOTIFY_DELETED, PROMOTE_SECONDARIES, LINKBEAT].map(of_first);
    let values = || -> Result<[String; 3]> {
        Ok([scene.value(NOTIFY_DELETED)?, scene.value(PROMOTE_SECONDARIES)?, scene.value(LINKBEAT)?])
    };
    let ours = [[&*deleted, "i", "1"], [&promote, "i", "1"], [&linkbeat, "i", "1"]];
    let with = |object: [&'static str; 3]| [&ours[..1], &[object], &ours[1..]].concat();
    // Its own object refuses first, or ours does.
    assert_eq!(scene.set(&with([CONTACT, "i", "5"]))?, "wrongType");
    assert_eq!(values()?, ["2", "2", "2"]);
    let mut bad = with([CONTACT, "s", "somebody"]);
    bad.push([&*promote, "i", "3"]);
    assert_eq!(scene.set(&bad)?, "wrongValue");
    assert_eq!(values()?, ["2", "2", "2"]);
    assert!(!scene.manager.get(CONTACT)?.contains("somebody"));
    assert!(!scene.alpha.log().contains("SNMP SET"), "{}", scene.alpha.log());
    assert_eq!(scene.set(&with([CONTACT, "s", "somebody"]))?, "");
    assert_eq!(values()?, ["1", "1", "1"]);
    assert!(scene.manager.get(CONTACT)?.contains("somebody"));
    scene.alpha.wait_log("(VI) SNMP SET: notify_deleted instead of no notify_deleted", SOON).map(drop)
}

#[test]
fn a_switch_that_makes_no_sense_is_refused() -> Result<()> {
    let _calm = calm();
    let lan = lab::Lan::pair()?;
    let snmpd = lab::Snmpd::builder(&lan["alpha"]).start()?;
    let with_words = globals(&snmpd).replace("global_defs {\n", "global_defs {\n  snmp_set\n");
    let with = |name: &str, vrid: u8, priority: u8, words: &str| {
        instance(name, "va0", vrid, priority, "1").replace("  priority", &format!("  {words}\n  priority"))
    };
    let blocks =
        [with("OLD", 51, 100, "version 2"), with("OWNER", 52, 255, ""), with("LINK", 53, 100, "use_vmac")];
    let alpha = Router::start(&steadfast(), &lan["alpha"], "alpha", &(with_words + &blocks.concat()))?;
    let manager = snmpd.client().community("private");
    wait::until("the MIB", SOON, || manager.get(ROUTER_ID).map_err(|error| error.to_string()))?;
    let cell = |column: u8, row: u8| format!("{}.{column}.{row}", crate::scene::INSTANCE_ENTRY);
    for (column, row, value, refusal) in [
        (ACCEPT, 1, "1", "noCreation"),
        (ACCEPT, 2, "2", "inconsistentValue"),
        (ACCEPT, 2, "1", ""),
        (PROMOTE_SECONDARIES, 3, "1", "inconsistentValue"),
        (PROMOTE_SECONDARIES, 3, "2", ""),
        (LINKBEAT, 1, "0", "wrongValue"),
        (NOTIFY_DELETED, 1, "257", "wrongValue"),
        (NOTIFY_DELETED, 4, "1", "noCreation"),
    ] {
        assert_eq!(set(&manager, &[[&cell(column, row), "i", value]])?, refusal, "{column}.{row} = {value}");
    }
    assert_eq!(set(&manager, &[[&cell(LINKBEAT, 1), "u", "1"]])?, "wrongType");
    assert!(!alpha.log().contains("SNMP SET"), "{}", alpha.log());
    Ok(())
}
