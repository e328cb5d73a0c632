//! D-Bus: what is on the bus, what is told there, and what becomes of it when the bus hangs or dies.

use std::collections::BTreeSet;
use std::path::Path;

use lab::{Bus, Capture, Host, Lan, Result, Router, State, wait};

use crate::world::{SOON, V3, VI, VIP, in_its_way, is_keepalived, ours};

const SERVICE: &str = "org.keepalived.Vrrp1";
const ROOT: &str = "/org/keepalived/Vrrp1/Vrrp";
const PATH: &str = "/org/keepalived/Vrrp1/Instance/va0/51/IPv4";
const OF_ALL: &str = "org.keepalived.Vrrp1.Vrrp";
const OF_ONE: &str = "org.keepalived.Vrrp1.Instance";

/// What the package says of who may do what.
pub(crate) fn rules() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/org.keepalived.Vrrp1.conf")
}

/// A file with these words in `global_defs`, and an instance for each number, which is its VRID.
fn text(globals: &str, numbers: &[u8]) -> String {
    let mut text = format!("global_defs {{\n  router_id lab\n{globals}}}\n");
    for number in numbers {
        let mut setup = V3.alpha(150);
        setup.vrid = *number;
        setup.vips = vec![format!("10.9.0.{}/24", 49 + number)];
        text += &setup.instance(&name(*number));
    }
    text
}

fn name(number: u8) -> String {
    if number == 51 { VI.to_owned() } else { format!("VI_{number}") }
}

fn start(host: &Host) -> Result<Router> {
    let router = Router::start(&ours(), host, host.name(), &text("  enable_dbus\n", &[51]))?;
    router.wait_entering(VI, State::Master, SOON)?;
    Ok(router)
}

/// Members of an interface, as `busctl introspect` has them: name, kind and types.
fn members(bus: &Bus, path: &str, interface: &str) -> Result<BTreeSet<String>> {
    let introspected = bus.ask(&["introspect", SERVICE, path])?;
    let of_interface = introspected.lines().skip_while(|line| !line.starts_with(interface)).skip(1);
    let own = of_interface.take_while(|line| line.starts_with('.'));
    Ok(own.map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect())
}

/// What `busctl` says of the property `Name`.
fn named(name: &str) -> String {
    format!("{} \"{name}\"", in_its_way(&ours(), "s", "(s)"))
}

fn has_name(bus: &Bus, service: &str) -> bool {
    bus.ask(&["list"]).is_ok_and(|list| list.lines().any(|line| line.starts_with(&format!("{service} "))))
}

/// Gratuitous ARP for the address so far.
fn announced(capture: &Capture) -> usize {
    let packets = capture.packets().unwrap_or_default();
    let sender = [10, 9, 0, 100];
    // An ARP packet has its sender's address 14 bytes into it.
    packets.iter().filter(|packet| packet.bytes.get(28..32) == Some(&sender)).count()
}

#[test]
fn instances_are_on_the_bus_with_their_states_and_every_change_is_a_signal() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let bus = Bus::start(alpha, &rules())?;
    let router = start(alpha)?;
    let mut expected = vec!["VrrpStarted", "va0/51/IPv4 1", "va0/51/IPv4 2"];
    bus.wait_signals(&expected, SOON)?;
    let property = |name: &str| bus.ask_as("nobody", &["get-property", SERVICE, PATH, OF_ONE, name]);
    assert_eq!((property("Name")?.trim(), property("State")?.trim()), (&*named(VI), "(us) 2 \"Master\""));
    let of_one =
        [".Name property s", ".SendGarp method -", ".State property (us)", ".VrrpStatusChange signal u"];
    assert_eq!(members(&bus, PATH, OF_ONE)?, of_one.map(str::to_owned).into());
    let methods = ["PrintData", "PrintStats", "PrintStatsClear", "ReloadConfig"];
    let signals = ["VrrpReloaded", "VrrpStarted", "VrrpStopped"];
    let methods = methods.map(|name| format!(".{name} method -"));
    let of_all = methods.into_iter().chain(signals.map(|name| format!(".{name} signal -"))).collect();
    assert_eq!(members(&bus, ROOT, OF_ALL)?, of_all);
    alpha.link_down("va0")?;
    expected.push("va0/51/IPv4 3");
    bus.wait_signals(&expected, SOON)?;
    assert_eq!(property("State")?.trim(), "(us) 3 \"Fault\"");
    assert!(router.stop()?.success(), "{}", router.log());
    expected.extend(["va0/51/IPv4 98", "VrrpStopped"]);
    bus.wait_signals(&expected, SOON)
}

#[test]
fn whoever_may_do_so_has_addresses_announced_dumps_written_and_the_configuration_read() -> Result<()> {
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let bus = Bus::start(alpha, &rules())?;
    let capture = Capture::start(beta, "vb0", "arp")?;
    let router = start(alpha)?;
    // Twice, and twice again after a second.
    wait::until_true("the announcements", SOON, || announced(&capture) >= 4)?;
    let before = announced(&capture);
    bus.ask(&["call", SERVICE, PATH, OF_ONE, "SendGarp"])?;
    wait::until_true("one more", SOON, || announced(&capture) > before)?;
    let elsewhere = PATH.replace("51", "52");
    assert!(bus.ask(&["call", SERVICE, &elsewhere, OF_ONE, "SendGarp"]).is_err());
    for (method, file) in [("PrintData", "keepalived.data"), ("PrintStats", "keepalived.stats")] {
        let file = router.dir().join(file);
        assert!(bus.ask_as("nobody", &["call", SERVICE, ROOT, OF_ALL, method]).is_err());
        assert!(!file.exists());
        bus.ask(&["call", SERVICE, ROOT, OF_ALL, method])?;
        wait::until_true(method, SOON, || file.exists())?;
    }
    bus.ask(&["call", SERVICE, ROOT, OF_ALL, "PrintStatsClear"])?;
    assert_eq!(announced(&capture), before + 1);
    let mark = router.mark();
    bus.ask(&["call", SERVICE, ROOT, OF_ALL, "ReloadConfig"])?;
    let reloaded = in_its_way(&ours(), "Configuration reloaded", "Reload complete");
    let line = router.process().wait_log_since(mark, reloaded, SOON)?;
    if !is_keepalived("a reload that D-Bus asks for") {
        assert!(line.contains("root (uid 0, pid "), "{line}");
    }
    router.stop().map(drop)
}

#[test]
fn without_virtual_routers_the_bus_is_left_alone() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let bus = Bus::start(alpha, &rules())?;
    let fifo = alpha.dir().join("routers");
    let globals = format!("  enable_dbus\n  vrrp_notify_fifo {}\n", fifo.display());
    let text = text(&globals, &[51]);
    let file = alpha.write("alpha.conf", &text)?;
    let router = Router::start_parts(&ours(), alpha, "alpha", &file, &["-C"])?;
    wait::until_true("the pid file", SOON, || router.dir().join("pid").exists())?;
    // Whatever it connects to at the start and by a reload it has connected to then.
    router.ask_to_reload(alpha, "alpha", &text)?;
    router.wait_log(in_its_way(&ours(), "Configuration reloaded", "Reload"), SOON)?;
    assert!(!has_name(&bus, SERVICE) && !fifo.exists());
    router.stop()?;
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    wait::until_true("the name", SOON, || has_name(&bus, SERVICE))?;
    assert!(fifo.exists());
    router.stop().map(drop)
}

#[test]
fn a_reload_shows_what_is_new_and_takes_away_what_is_gone() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let bus = Bus::start(alpha, &rules())?;
    let router = start(alpha)?;
    let reload = |text: &str| router.reload(alpha, alpha.name(), text, SOON);
    let mut expected = vec!["VrrpStarted", "va0/51/IPv4 1", "va0/51/IPv4 2"];
    bus.wait_signals(&expected, SOON)?;
    let on = "  enable_dbus\n";
    reload(&text(on, &[51, 52]))?;
    expected.extend(in_its_way(
        &ours(),
        ["va0/52/IPv4 1", "VrrpReloaded", "va0/52/IPv4 2"],
        ["VrrpReloaded", "va0/52/IPv4 1", "va0/52/IPv4 2"],
    ));
    bus.wait_signals(&expected, SOON)?;
    let other = PATH.replace("51", "52");
    let name = || bus.ask(&["get-property", SERVICE, &other, OF_ONE, "Name"]);
    assert_eq!(name()?.trim(), named(&self::name(52)));
    reload(&text(on, &[51]))?;
    expected.extend(["va0/52/IPv4 3", "VrrpReloaded"]);
    bus.wait_signals(&expected, SOON)?;
    assert!(name().is_err());
    reload(&text(on, &[51, 52]).replace("virtual_router_id 52", "virtual_router_id 52\n  notify_deleted"))?;
    router.wait_entering(&self::name(52), State::Master, SOON)?;
    reload(&text(on, &[51]))?;
    wait::until("the removal", SOON, || {
        let signals = bus.signals();
        if signals.ends_with(&["va0/52/IPv4 97", "VrrpReloaded"].map(str::to_owned)) {
            Ok(())
        } else {
            Err(signals.join(", "))
        }
    })?;
    reload(&text("", &[51]))?;
    wait::until_true("the end", SOON, || bus.signals().last().is_some_and(|last| last == "VrrpStopped"))?;
    wait::until_true("no name", SOON, || !has_name(&bus, SERVICE))?;
    if is_keepalived("`enable_dbus` in a reload, `dbus_service_name`") {
        return Ok(());
    }
    let before = bus.signals().len();
    reload(&text(on, &[51]))?;
    wait::until_true("the name again", SOON, || has_name(&bus, SERVICE))?;
    wait::until("signals", SOON, || {
        let signals = bus.signals().split_off(before);
        if signals == ["VrrpStarted", "VrrpReloaded"] { Ok(()) } else { Err(signals.join(", ")) }
    })?;
    let state = bus.ask(&["get-property", SERVICE, PATH, OF_ONE, "State"])?;
    assert_eq!(state.trim(), "(us) 2 \"Master\"");
    assert_eq!(router.entries(VI, State::Master), 1);
    router.stop().map(drop)
}

#[test]
fn another_name_after_a_reload_is_taken_and_one_that_is_not_given_is_a_problem_to_see() -> Result<()> {
    if is_keepalived("`enable_dbus` in a reload, `dbus_service_name`") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let other = "org.example.Vrrp";
    let own = format!("<busconfig><policy user='root'><allow own='{other}'/></policy></busconfig>");
    let bus = Bus::start(alpha, &alpha.write("rules.conf", &own)?)?;
    let router = start(alpha)?;
    router.wait_log("D-Bus org.keepalived.Vrrp1: the name org.keepalived.Vrrp1: ", SOON)?;
    bus.wait_signals(&["VrrpStarted", "va0/51/IPv4 1", "va0/51/IPv4 2"], SOON)?;
    let service = format!("  enable_dbus\n  dbus_service_name {other}\n");
    router.reload(alpha, alpha.name(), &text(&service, &[51]), SOON)?;
    wait::until_true("the other name", SOON, || has_name(&bus, other))?;
    router.stop().map(drop)
}

#[test]
fn a_bus_that_hangs_or_dies_holds_up_nobody_and_is_told_the_rest_when_it_is_back() -> Result<()> {
    if is_keepalived("bus (D-Bus) that dies, or is not there yet") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let mut bus = Bus::start(alpha, &rules())?;
    bus.die()?;
    // There is none when the daemon starts.
    let router = start(alpha)?;
    router.wait_log("D-Bus org.keepalived.Vrrp1: ", SOON)?;
    bus.come_back()?;
    let mut expected = vec!["VrrpStarted", "va0/51/IPv4 1", "va0/51/IPv4 2"];
    bus.wait_signals(&expected, SOON)?;
    let flap = || -> Result<()> {
        let mark = router.mark();
        alpha.link_down("va0")?;
        router.wait_entering_since(mark, VI, State::Fault, SOON)?;
        let mark = router.mark();
        alpha.link_up("va0")?;
        router.wait_entering_since(mark, VI, State::Master, SOON)?;
        lan.wait_holder(VIP, "alpha", SOON)
    };
    let flapped = ["va0/51/IPv4 3", "va0/51/IPv4 1", "va0/51/IPv4 2"];
    bus.pause()?;
    flap()?;
    assert_eq!(bus.signals(), expected);
    bus.resume()?;
    expected.extend(flapped);
    bus.wait_signals(&expected, SOON)?;
    bus.die()?;
    router.wait_log("the bus is gone", SOON)?;
    flap()?;
    bus.come_back()?;
    expected.extend(flapped);
    bus.wait_signals(&expected, SOON)?;
    wait::until_true("the name", SOON, || has_name(&bus, SERVICE))?;
    // A bus that hangs does not hold up the end.
    bus.pause()?;
    assert!(router.stop()?.success(), "{}", router.log());
    bus.resume()
}
