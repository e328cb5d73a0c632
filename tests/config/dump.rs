//! What both programs understand of the same instances: keepalived's dump beside our typed configuration.

use std::{fmt::Write as _, fs, time::Duration};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use steadfast::{
    config::{
        self, AddressLine, Auth, InitialState, Instance, Preferred, Severity,
        keywords::{self, Keyword, Status, Value},
    },
    units::{Family, Version},
};

use crate::{peer::Namespace, world::World};

/// Configurations, and instances in each.
const FILES: usize = 3;
const INSTANCES: u8 = 100;

/// Words that name something outside the instance, that are written for each instance anyway, that make its addresses
/// those of another family, or that put them on a link whose name is found when it is made.
const ELSEWHERE: &[&str] = &[
    "interface",
    "vrf",
    "virtual_router_id",
    "mcast_src_ip",
    "unicast_src_ip",
    "native_ipv6",
    "use_vmac",
    "use_vmac_addr",
    "vmac_xmit_base",
    "use_ipvlan",
];

/// A file of instances whose words and values are drawn from the keyword table, the same in every run.
fn file(runner: &mut TestRunner) -> String {
    let mut instance = None;
    keywords::visit(keywords::ROOT, &mut |block| {
        instance = instance.or((block.name == "vrrp_instance").then_some(block))
    });
    let words: Vec<_> = instance
        .expect("there is a block vrrp_instance")
        .all()
        .filter(|word| word.status == Status::Supported && !ELSEWHERE.contains(&word.name))
        .collect();
    let mut text = String::new();
    for vrid in 1..=INSTANCES {
        let _ = write!(text, "vrrp_instance V{vrid} {{\n    interface eth0\n    virtual_router_id {vrid}\n");
        for word in &words {
            if draw(runner, 0..2u64) == 1
                && let Some(value) = value(word, runner)
            {
                let _ = writeln!(text, "    {} {value}", word.name);
            }
        }
        let family = if draw(runner, 0..3u64) == 1 { Family::V6 } else { Family::V4 };
        // Over IPv6 there is no room for a password.
        if draw(runner, 0..3u64) == 1 && family == Family::V4 {
            let length = draw(runner, 1..12u64);
            let password = &"secret-words"[..usize::try_from(length).expect("it is small")];
            let _ = writeln!(
                text,
                "    authentication {{\n        auth_type PASS\n        auth_pass {password}\n    }}"
            );
        }
        source(&mut text, family, runner);
        for list in ["virtual_ipaddress", "virtual_ipaddress_excluded"] {
            let _ = writeln!(text, "    {list} {{");
            for host in 1..=draw(runner, 1..4u64) {
                let net = if list == "virtual_ipaddress" { 1 } else { 2 };
                // Excluded addresses may be of either family.
                let either = if draw(runner, 0..2u64) == 1 { Family::V6 } else { Family::V4 };
                let family = if list == "virtual_ipaddress" { family } else { either };
                let _ = match family {
                    Family::V4 => {
                        writeln!(text, "        10.{net}.{vrid}.{host}{}", one_of(OPTIONS_V4, runner))
                    }
                    Family::V6 => {
                        writeln!(text, "        fd00:{net}:{vrid}::{host}{}", one_of(OPTIONS_V6, runner))
                    }
                };
            }
            text.push_str("    }\n");
        }
        text.push_str("}\n");
    }
    text
}

/// Where advertisements come from, and perhaps whom they go to.
fn source(text: &mut String, family: Family, runner: &mut TestRunner) {
    let host = |number: u64| match family {
        Family::V4 => format!("10.0.0.{number}"),
        Family::V6 => format!("fe80::{number}"),
    };
    let _ = match draw(runner, 0..3u64) {
        0 => Ok(()),
        1 => writeln!(text, "    mcast_src_ip {}", host(draw(runner, 1..9u64))),
        _ => {
            let source = host(draw(runner, 1..9u64));
            let (first, ttl) = (host(draw(runner, 10..20u64)), draw(runner, 0..256u64));
            let second = host(draw(runner, 20..30u64));
            writeln!(
                text,
                "    unicast_src_ip {source}\n    unicast_peer {{\n        {first} min_ttl {ttl}\n        {second}\n    }}"
            )
        }
    };
}

pub(crate) fn draw(runner: &mut TestRunner, from: std::ops::Range<u64>) -> u64 {
    from.new_tree(runner).expect("a range has values").current()
}

/// A value that the word takes; `None` for words with blocks, lists and commands.
fn value(word: &Keyword, runner: &mut TestRunner) -> Option<String> {
    Some(match word.value {
        Value::Flag => String::new(),
        Value::Integer(min, max) => {
            let (min, max) = (u64::try_from(min).ok()?, u64::try_from(max).ok()?.min(4000));
            draw(runner, min..max + 1).to_string()
        }
        // In hundredths, as a version 3 advertisement has them.
        Value::Seconds(min, max) => {
            let hundredths = draw(runner, min.div_ceil(10_000)..max / 10_000 + 1);
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        }
        Value::OneOf(words) => words[usize::try_from(draw(runner, 0..words.len() as u64)).ok()?].to_owned(),
        _ => return None,
    })
}

/// What may follow an address.
const OPTIONS_V4: &[&str] = &[
    "",
    "/24",
    "/32",
    "/24 brd +",
    "/24 brd -",
    "/24 brd 10.9.9.9",
    "/31 brd +",
    " scope link",
    "/16 label eth0:1",
    " dev eth1",
    "/8 scope host dev eth1",
];
const OPTIONS_V6: &[&str] = &[
    "",
    "/64",
    "/128",
    "/64 dev eth1",
    " preferred_lft 0",
    "/64 preferred_lft forever",
    "/48 -nodad",
    " -nodad",
];

pub(crate) fn one_of(all: &'static [&'static str], runner: &mut TestRunner) -> &'static str {
    all[usize::try_from(draw(runner, 0..all.len() as u64)).expect("it is small")]
}

/// How lines of an instance's dump begin that are not compared: what the program does meanwhile, headings of lists,
/// and settings that nothing here looks at yet.
const NOT_COMPARED: &[&str] = &[
    "Flags",
    "Using unicast",
    "Number of config faults",
    "Startup complete",
    "Unicast config option specified but using multicast",
    "Promote_secondaries",
    "Virtual IP Excluded :",
    "Unicast TTL",
    "Check unicast src",
    "Unicast Peer :",
    "Unicast checksum compatibility",
    "No sockets allocated",
    "Using smtp notification",
    "Notify deleted",
    "Notify priority changes",
];

/// The titles of a kind of thing in keepalived's dump, in its order.
pub(crate) fn titles<'a>(dump: &'a [String], kind: &str) -> Vec<&'a str> {
    dump.iter().filter(|line| line.starts_with(kind)).map(String::as_str).collect()
}

/// What keepalived says of an instance, but for what is not compared.
fn said(part: &[String]) -> Vec<String> {
    let compared = |line: &&String| !NOT_COMPARED.iter().any(|start| line.starts_with(start));
    // Behind an IPv6 group the interface's index follows.
    let plain =
        |line: &String| line.split_once(", ifindex ").map_or(line.as_str(), |(line, _)| line).to_owned();
    part.iter().filter(compared).map(plain).collect()
}

/// The lines of keepalived's dump that are compared, as our configuration has them.
fn expected(instance: &Instance) -> Vec<String> {
    let state = if instance.initial_state == InitialState::Master { "MASTER" } else { "BACKUP" };
    let garp = &instance.garp;
    let mut lines = vec![
        format!("VRRP Instance = {}", instance.name),
        format!("VRRP Version = {}", instance.version.number()),
    ];
    lines.extend((instance.family == Family::V6).then(|| "Using Native IPv6".to_owned()));
    let settings = &instance.settings;
    let to_fault = "If unicast go to fault state if no peers";
    lines.extend(settings.unicast_fault_no_peer.then(|| to_fault.to_owned()));
    lines.extend([format!("Wantstate = {state}"), format!("Interface = {}", instance.interface)]);
    lines.extend((!instance.track_primary).then(|| "VRRP interface tracking disabled".to_owned()));
    let skip = *settings.skip_check_adv_addr;
    lines.extend(skip.then(|| "Skip checking advert IP addresses".to_owned()));
    let strict = *settings.strict_mode;
    lines.extend(strict.then(|| "Enforcing strict VRRP compliance".to_owned()));
    lines.extend([instance.source.map_or("Using src_ip = (none)".to_owned(), |source| {
        format!("Using src_ip = {source} (from configuration)")
    })]);
    if instance.peers.is_empty() {
        lines.push(format!("Multicast address {}", instance.multicast_group));
    }
    lines.extend([
        format!("Gratuitous ARP delay = {}", garp.delay.as_secs()),
        format!("Gratuitous ARP repeat = {}", garp.repeat),
        format!("Gratuitous ARP refresh = {}", garp.refresh.map_or(0, |period| period.as_secs())),
        format!("Gratuitous ARP refresh repeat = {}", garp.refresh_repeat),
        format!("Gratuitous ARP lower priority delay = {}", garp.lower_prio_delay.as_secs()),
        format!("Gratuitous ARP lower priority repeat = {}", garp.lower_prio_repeat),
        format!("Down timer adverts = {}", *settings.down_timer_adverts),
        format!("Send advert after receive lower priority advert = {}", !*settings.lower_prio_no_advert),
        format!("Send advert after receive higher priority advert = {}", *settings.higher_prio_send_advert),
        format!("Virtual Router ID = {}", instance.vrid),
        format!("Priority = {}", instance.priority.0),
        format!("Advert interval = {}", interval(instance)),
        format!("Accept = {}", if instance.accept { "enabled" } else { "disabled" }),
        format!("Preempt = {}", if instance.preempt { "enabled" } else { "disabled" }),
    ]);
    if instance.preempt_delay > Duration::ZERO {
        let hundredths = instance.preempt_delay.as_millis() / 10;
        let shown = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let shown = shown.trim_end_matches('0').trim_end_matches('.');
        lines.push(format!("Preempt delay = {shown} secs"));
    }
    match &instance.auth {
        Auth::None if instance.version == Version::V2 => lines.push("Authentication type = none".to_owned()),
        Auth::None => {}
        Auth::Pass(bytes) => {
            let password = String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
            lines.push("Authentication type = SIMPLE_PASSWORD".to_owned());
            lines.push(format!("Password = {password}"));
        }
        Auth::Signed(_) => {}
        Auth::Header(_) => lines.push("Authentication type = IPSEC_AH".to_owned()),
    }
    let buffer = settings.kernel_rx_buf_size.filter(|bytes| *bytes > 0);
    lines.extend(buffer.map(|bytes| format!("Kernel rx buffer size = {bytes}")));
    lines.extend((*settings.debug > 0).then(|| format!("Debug level = {}", *settings.debug)));
    lines.push(format!("Virtual IP ({}):", instance.virtual_addresses.len()));
    lines.extend(instance.virtual_addresses.iter().map(address));
    lines.extend(instance.excluded_addresses.iter().map(address));
    lines.extend(instance.peers.iter().map(|peer| {
        let (min, max) = (peer.min_ttl.unwrap_or(0), peer.max_ttl.unwrap_or(u8::MAX));
        format!("{} min_ttl {min} max_ttl {max}", peer.address)
    }));
    lines
}

fn interval(instance: &Instance) -> String {
    match instance.version {
        Version::V2 => format!("{} sec", instance.advert_interval.as_secs()),
        Version::V3 => format!("{} milli-sec", instance.advert_interval.as_millis()),
    }
}

fn address(one: &AddressLine) -> String {
    let family = Family::of(one.address);
    let prefix = if one.prefix == family.bits() { String::new() } else { format!("/{}", one.prefix) };
    let broadcast = one.broadcast.map_or_else(String::new, |address| format!(" brd {address}"));
    let device = one.device.as_deref().unwrap_or("eth0");
    let scope = match one.scope {
        config::Scope::LINK => "link",
        config::Scope::HOST => "host",
        _ => "global",
    };
    let label = one.label.as_ref().map_or_else(String::new, |label| format!(" label {label}"));
    let dad = if family == Family::V6 && !one.nodad { " -nodad" } else { "" };
    let lifetime = match (family, one.preferred) {
        (_, Preferred::Seconds(0)) => " deprecated",
        (Family::V6, _) => " preferred_lft forever",
        _ => "",
    };
    format!("{}{prefix}{broadcast} dev {device} scope {scope}{label}{dad}{lifetime}", one.address)
}

#[test]
fn both_programs_understand_the_same_of_generated_instances() {
    let world = World::with(["eth0", "eth1"].map(str::to_owned));
    let namespace = Namespace::with(world.made());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file_name = directory.path().join("generated.conf");
    let mut runner = TestRunner::deterministic();
    for _ in 0..FILES {
        let text = file(&mut runner);
        fs::write(&file_name, &text).expect("the file can be written");
        let dump = namespace.dump(&file_name);
        let (config, report) = super::load(&file_name, &world);
        let config = config.expect("generated files can be used");
        let refused = report.diagnostics.iter().filter(|found| found.severity == Severity::Refused);
        assert_eq!(refused.map(|found| &found.headline).collect::<Vec<_>>(), [] as [&str; 0]);
        let ours = config.instances.iter().map(|instance| format!("VRRP Instance = {}", instance.name));
        assert_eq!(titles(&dump, "VRRP Instance = "), ours.collect::<Vec<_>>());
        let begins = |line: &String| line.starts_with("VRRP Instance = ") || line.starts_with("------<");
        let mut parts = dump.chunk_by(|_, next| !begins(next)).filter(|part| part[0].starts_with("VRRP "));
        for instance in &config.instances {
            let part = parts.next().expect("keepalived has as many instances");
            let text = excerpt(&text, instance.at.line);
            assert_eq!(said(part), expected(instance), "keepalived's lines, then ours, of\n{text}");
        }
    }
}

/// The lines of an instance.
fn excerpt(text: &str, line: usize) -> String {
    text.lines().skip(line - 1).take_while(|line| *line != "}").map(|line| format!("{line}\n")).collect()
}
