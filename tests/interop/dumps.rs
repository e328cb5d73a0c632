//! Dump files: the fields that tools take out of them, in both programs' files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread;

use lab::{Lan, Result, Router, State, Subject, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::world::{SOON, Setup, V3, VI, VIP, ours};

/// SIGRTMIN + 2 and SIGRTMAX - 1, as the C library counts: no names for them in nix.
const JSON: &str = "36";
const STATS_CLEAR: &str = "63";

/// Has the parent's engine write a file, and waits until it is there and complete.
fn dump(router: &Router, lan: &Lan, signal: &str, name: &str) -> Result<String> {
    let file = router.dir().join(name);
    let _ = fs::remove_file(&file);
    lan["alpha"].run(&["kill", &format!("-{signal}"), &router.process().pid().to_string()])?;
    complete(&file)
}

fn complete(file: &Path) -> Result<String> {
    let mut before = String::new();
    wait::until(&file.display().to_string(), SOON, || {
        let now = fs::read_to_string(file).unwrap_or_default();
        // Written in pieces by keepalived: two looks that see the same.
        let same = now == before && !now.is_empty();
        before.clone_from(&now);
        if same { Ok(now) } else { Err(now) }
    })
}

fn master(lan: &Lan) -> Result<Router> {
    master_of(&ours(), lan, "1")
}

fn master_of(subject: &Subject, lan: &Lan, advert_int: &str) -> Result<Router> {
    let script = "vrrp_script up {\n  script \"/bin/true a\"\n  interval 1\n  weight 2\n}\n";
    let setup = Setup { before: script.into(), advert_int: advert_int.into(), ..V3.alpha(150) }
        .line("track_script {\n    up\n  }")
        .line("virtual_ipaddress_excluded {\n    10.9.0.101/32\n  }")
        .line("notify_master \"/bin/true m\"");
    let text = format!("global_defs {{\n  script_user root\n}}\n{}{}", setup.before, setup.instance(VI));
    let router = Router::start(subject, &lan["alpha"], "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "alpha", SOON)?;
    wait::until_true("all addresses", SOON, || lan["alpha"].has_address("10.9.0.101"))?;
    Ok(router)
}

/// What a line-minded reader takes: the name before ` = ` of each line of an instance or a script, by how deep it is.
fn fields(text: &str, heading: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let mut fields = BTreeMap::new();
    let mut list = String::new();
    for line in lines.by_ref().take_while(|line| line.starts_with("   ")) {
        let depth = line.len() - line.trim_start().len();
        match line.trim().split_once(" = ") {
            Some((name, value)) if depth == 3 => drop(fields.insert(name.to_owned(), value.to_owned())),
            _ if depth == 3 => list = line.trim().to_owned(),
            _ => *fields.entry(list.clone()).or_default() += &format!("{};", line.trim()),
        }
    }
    fields
}

#[test]
fn the_data_has_what_exporters_take_where_they_look_for_it() -> Result<()> {
    let lan = Lan::pair()?;
    let router = master(&lan)?;
    let data = dump(&router, &lan, "USR1", "keepalived.data")?;
    assert!(
        data.contains("------< VRRP Topology >------\n") && data.contains("------< VRRP Scripts >------\n"),
        "{data}"
    );
    let instance = fields(&data, " VRRP Instance = VI");
    let expected = [
        ("VRRP Version", "3"),
        ("State", "MASTER"),
        ("Wantstate", "MASTER"),
        ("Interface", "va0"),
        ("Using src_ip", "10.9.0.1"),
        ("Gratuitous ARP delay", "1"),
        ("Gratuitous ARP repeat", "2"),
        ("Gratuitous ARP refresh", "0"),
        ("Gratuitous ARP refresh repeat", "1"),
        ("Gratuitous ARP lower priority delay", "5"),
        ("Gratuitous ARP lower priority repeat", "5"),
        ("Down timer adverts", "3"),
        ("Send advert after receive lower priority advert", "true"),
        ("Send advert after receive higher priority advert", "false"),
        ("Virtual Router ID", "51"),
        ("Priority", "150"),
        ("Effective priority", "152"),
        ("Total priority", "152"),
        ("Advert interval", "1000 milli-sec"),
        ("Accept", "enabled"),
        ("Preempt", "enabled"),
        ("Promote_secondaries", "disabled"),
        ("Virtual IP (1):", "10.9.0.100/24 dev va0 scope global set;"),
        ("Virtual IP Excluded :", "10.9.0.101 dev va0 scope global set;"),
        ("Tracked scripts :", "up weight 2;"),
        ("Using smtp notification", "no"),
    ];
    for (name, value) in expected {
        assert_eq!(instance.get(name).map(String::as_str), Some(value), "{name} in\n{data}");
    }
    let (number, _) = instance["Last transition"].split_once(' ').expect("a number");
    assert!(number.parse::<f64>().expect("seconds") > 1e9, "{number}");
    let script = fields(&data, " VRRP Script = up");
    let expected = [
        ("Interval", "1 sec"),
        ("Timeout", "0 sec"),
        ("Weight", "2"),
        ("Rise", "1"),
        ("Fall", "1"),
        ("Status", "GOOD"),
        ("State", "idle"),
        ("Tracking instances :", "VI, weight 2;"),
    ];
    for (name, value) in expected {
        assert_eq!(script.get(name).map(String::as_str), Some(value), "{name} in\n{data}");
    }
    assert!(script["Command"].ends_with("true' 'a'"), "{script:?}");
    Ok(())
}

#[test]
fn the_statistics_have_keepalived_s_lines_and_begin_anew_when_they_are_cleared() -> Result<()> {
    let lan = Lan::pair()?;
    let router = master(&lan)?;
    let stats = dump(&router, &lan, "USR2", "keepalived.stats")?;
    let names: Vec<&str> = stats.lines().map(|line| line.rsplit_once(':').expect("a colon").0).collect();
    let expected = [
        "VRRP Instance",
        "  Advertisements",
        "    Received",
        "    Sent",
        "  Became master",
        "  Released master",
        "  Packet Errors",
        "    Length",
        "    TTL",
        "    Invalid Type",
        "    Advertisement Interval",
        "    Address List",
        "  Authentication Errors",
        "    Invalid Type",
        "    Type Mismatch",
        "    Failure",
        "  Priority Zero",
        "    Received",
        "    Sent",
    ];
    assert_eq!(names, expected, "{stats}");
    assert!(stats.contains("  Became master: 1\n"), "{stats}");
    let cleared = dump(&router, &lan, STATS_CLEAR, "keepalived.stats")?;
    assert!(cleared.contains("  Became master: 1\n"), "{cleared}");
    let after = dump(&router, &lan, "USR2", "keepalived.stats")?;
    assert!(after.contains("  Became master: 0\n"), "{after}");
    Ok(())
}

#[test]
fn the_json_has_keepalived_s_names() -> Result<()> {
    let lan = Lan::pair()?;
    let router = master(&lan)?;
    let text = dump(&router, &lan, JSON, "keepalived.json")?;
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let instance = &json[0];
    let names =
        |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let data = "iname dont_track_primary skip_check_adv_addr strict_mode vmac_ifname ifp_ifname master_priority \
                last_transition garp_delay garp_refresh garp_rep garp_refresh_rep garp_lower_prio_delay \
                garp_lower_prio_rep lower_prio_no_advert higher_prio_send_advert vrid base_priority \
                effective_priority vipset promote_secondaries adver_int master_adver_int accept nopreempt \
                preempt_delay state wantstate version smtp_alert notify_deleted script_master vips evips \
                track_script auth_type";
    let stats = "advert_rcvd advert_sent become_master release_master packet_len_err advert_interval_err ip_ttl_err \
                 invalid_type_rcvd addr_list_err invalid_authtype authtype_mismatch auth_failure pri_zero_rcvd \
                 pri_zero_sent";
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(names(&instance["data"]), words(data), "{text}");
    assert_eq!(names(&instance["stats"]), words(stats), "{text}");
    let data = &instance["data"];
    assert_eq!(data["state"], 2);
    assert_eq!((&data["adver_int"], &data["vrid"]), (&Value::from(1), &Value::from(51)));
    assert_eq!(data["vips"][0], "10.9.0.100/24 dev va0 scope global set");
    assert!(data["vipset"] == true && data["effective_priority"] == 152, "{text}");
    Ok(())
}

#[test]
fn no_dump_has_a_password() -> Result<()> {
    if crate::world::is_keepalived("dump files") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let talk = crate::world::Talk { version: 2, password: Some("s3cret99"), ..V3 };
    let router = talk.alpha(150).start_until(&ours(), &lan["alpha"], State::Master)?;
    let data = dump(&router, &lan, "USR1", "keepalived.data")?;
    let json = dump(&router, &lan, JSON, "keepalived.json")?;
    assert!(!data.contains("s3cret") && !json.contains("s3cret"), "{data}{json}");
    assert!(json.contains("\"auth_data\":\"********\"") && data.contains("SIMPLE_PASSWORD"));
    kill(Pid::from_raw(router.process().pid()), Signal::SIGTERM).expect("it runs");
    Ok(())
}

/// What a program writes, in the hands of three readers: of lines with ` = `, of lines with a colon, and of JSON.
struct Dumps {
    instance: BTreeMap<String, String>,
    script: BTreeMap<String, String>,
    stats: Vec<(String, bool)>,
    json: Value,
}

fn dumps_of(subject: &Subject) -> Result<Dumps> {
    let lan = Lan::pair()?;
    let router = master_of(subject, &lan, "0.1")?;
    let data = dump(&router, &lan, "USR1", "keepalived.data")?;
    let stats = dump(&router, &lan, "USR2", "keepalived.stats")?;
    let json = dump(&router, &lan, JSON, "keepalived.json")?;
    let number = |line: &str| {
        let (name, value) = line.rsplit_once(':').expect("a colon");
        (name.to_owned(), value.trim().parse::<u64>().is_ok())
    };
    Ok(Dumps {
        instance: fields(&data, " VRRP Instance = VI"),
        script: fields(&data, " VRRP Script = up"),
        stats: stats.lines().map(number).collect(),
        json: serde_json::from_str(&json).expect("JSON"),
    })
}

/// Of keepalived's insides: see the row about dump files in docs/differences.md.
const INSIDES: [&str; 8] = [
    "Number of config faults",
    "Number of interface and track script faults",
    "Number of track scripts init",
    "Read timeout",
    "Result",
    "Insecure",
    "Init state",
    "Script uid:gid",
];

/// What of a value is the same in every run: of a number that it is one.
fn kinds(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), kinds(value))).collect(),
        Value::Array(list) => list.iter().map(kinds).collect(),
        Value::Number(_) => "a number".into(),
        Value::Bool(_) => "yes or no".into(),
        Value::String(_) | Value::Null => value.clone(),
    }
}

#[test]
fn readers_of_dump_files_find_the_same_fields_in_those_of_both_programs() -> Result<()> {
    let [ours, theirs] = thread::scope(|scope| {
        [ours(), Subject::Keepalived]
            .map(|subject| scope.spawn(move || dumps_of(&subject)))
            .map(|dumps| dumps.join().expect("its story"))
    });
    let (ours, theirs) = (ours?, theirs?);
    assert_eq!(ours.stats, theirs.stats);
    assert_eq!(kinds(&ours.json), kinds(&theirs.json));
    for (ours, mut theirs) in [(ours.instance, theirs.instance), (ours.script, theirs.script)] {
        theirs.retain(|name, _| !INSIDES.contains(&name.as_str()));
        let names = |fields: &BTreeMap<String, String>| fields.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&ours), names(&theirs));
        let differing: Vec<&String> =
            ours.keys().filter(|name| *name != "Last transition" && ours[*name] != theirs[*name]).collect();
        assert_eq!(differing, [] as [&String; 0], "{ours:#?} {theirs:#?}");
    }
    Ok(())
}
