//! What both programs understand of the same scripts, files, processes and groups: keepalived's dump beside ours.

use std::{fmt::Write as _, fs, time::Duration};

use proptest::test_runner::TestRunner;
use steadfast::config::{
    Instance, Script, SyncGroup,
    tracking::{File, Process, Tracked, Tracks},
};

use crate::{
    dump::{draw, one_of, titles},
    peer::Namespace,
    world::World,
};

/// Trackers of each kind, and instances; every fifth instance and the one behind it are a group.
const TRACKERS: u64 = 40;
const INSTANCES: u64 = 100;
const GROUP_EVERY: u64 = 5;

/// A file of trackers with drawn settings, and of instances and groups that track some of them.
fn file(runner: &mut TestRunner) -> String {
    let mut text = "global_defs {\n    script_user root\n    enable_script_security\n}\n".to_owned();
    for number in 0..TRACKERS {
        script(&mut text, number, runner);
        let _ = writeln!(text, "track_file f{number} {{\n    file /tmp/number-{number}");
        weight(&mut text, 254, runner);
        text.push_str("}\n");
        process(&mut text, number, runner);
    }
    for vrid in 1..=INSTANCES {
        let _ = writeln!(
            text,
            "vrrp_instance V{vrid} {{\n    interface eth0\n    virtual_router_id {vrid}\n    priority 100"
        );
        // The weights of members are dropped.
        if !matches!(vrid % GROUP_EVERY, 0 | 1) {
            lists(&mut text, runner);
        }
        let _ = writeln!(text, "    virtual_ipaddress {{\n        10.1.{vrid}.1\n    }}\n}}");
    }
    for first in (GROUP_EVERY..INSTANCES).step_by(usize::try_from(GROUP_EVERY).expect("it is small")) {
        let _ = writeln!(
            text,
            "vrrp_sync_group G{first} {{\n    group {{\n        V{first}\n        V{}\n    }}",
            first + 1
        );
        lists(&mut text, runner);
        text.push_str("}\n");
    }
    text
}

fn often(runner: &mut TestRunner) -> bool {
    draw(runner, 0..3u64) > 0
}

fn script(text: &mut String, number: u64, runner: &mut TestRunner) {
    let command =
        one_of(&["/usr/bin/true", "\"/usr/bin/true -x\"", "\"/usr/bin/true 'a b' c\"", "true"], runner);
    let _ = writeln!(text, "vrrp_script s{number} {{\n    script {command}");
    for word in ["interval", "timeout", "rise", "fall"] {
        if often(runner) {
            let _ = writeln!(text, "    {word} {}", draw(runner, 1..60u64));
        }
    }
    weight(text, 253, runner);
    text.push_str("}\n");
}

fn process(text: &mut String, number: u64, runner: &mut TestRunner) {
    let process = one_of(&["sleep", "sleep 100", "sleep 1 2"], runner);
    let _ = writeln!(text, "vrrp_track_process p{number} {{\n    process {process}");
    if often(runner) {
        let _ = writeln!(text, "    param_match {}", one_of(&["initial", "partial", "exact"], runner));
    }
    if often(runner) {
        let _ = writeln!(text, "    quorum {}", draw(runner, 1..5u64));
    }
    if often(runner) {
        let _ = writeln!(text, "    quorum_max {}", draw(runner, 5..9u64));
    }
    for word in ["delay", "fork_delay", "terminate_delay"] {
        if often(runner) {
            let _ = writeln!(text, "    {word} {}.{}", draw(runner, 0..9u64), draw(runner, 0..10u64));
        }
    }
    weight(text, 253, runner);
    text.push_str("}\n");
}

fn weight(text: &mut String, most: i64, runner: &mut TestRunner) {
    if often(runner) {
        let _ = writeln!(text, "    weight {}{}", number(most, runner), one_of(&["", " reverse"], runner));
    }
}

fn number(most: i64, runner: &mut TestRunner) -> i64 {
    let most = u64::try_from(most).expect("it is positive");
    i64::try_from(draw(runner, 0..2 * most + 1)).expect("it is small")
        - i64::try_from(most).expect("it is small")
}

/// Some of the trackers, with and without a weight of their own.
fn lists(text: &mut String, runner: &mut TestRunner) {
    for (list, letter) in [("track_script", 's'), ("track_file", 'f'), ("track_process", 'p')] {
        let _ = writeln!(text, "    {list} {{");
        for number_of in 0..draw(runner, 1..4u64) {
            let tracker = number_of * 13 + draw(runner, 0..13u64);
            let _ = write!(text, "        {letter}{tracker}");
            if often(runner) {
                let sign = one_of(&["", " reverse", " noreverse"], runner);
                let _ = write!(text, " weight {}{sign}", number(253, runner));
            }
            text.push('\n');
        }
        text.push_str("    }\n");
    }
}

fn weighted(weight: i16, reverse: bool) -> String {
    format!("{weight}{}", if reverse { " reverse" } else { "" })
}

fn of_script(script: &Script) -> Vec<String> {
    let user = script.user.as_ref().expect("script_user names one");
    vec![
        format!("Command = {}", script.command.shown),
        format!("Interval = {} sec", script.interval.as_secs()),
        format!("Timeout = {} sec", script.timeout.unwrap_or(Duration::ZERO).as_secs()),
        format!("Weight = {}", weighted(script.weight, script.reverse)),
        format!("Rise = {}", script.rise),
        format!("Fall = {}", script.fall),
        format!("Script uid:gid = {}:{}", user.uid, user.gid),
    ]
}

fn of_file(file: &File) -> Vec<String> {
    vec![
        format!("File = {}", file.path.display()),
        format!("Weight = {}", weighted(file.weight, file.reverse)),
    ]
}

fn of_process(process: &Process) -> Vec<String> {
    let (program, parameters) = process.command.split_first().expect("it is written");
    let mut lines = vec![format!("Process = {program}")];
    if !parameters.is_empty() {
        lines.push(format!("Parameters = {}", parameters.join(" ")));
    }
    lines.push(format!("Min processes = {}", process.quorum));
    lines.extend(process.quorum_max.map(|most| format!("Max processes = {most}")));
    lines.push(format!("Weight = {}", weighted(process.weight, process.reverse)));
    lines
}

/// What an instance tracks, with the weights that count.
fn of_instance(instance: &Instance) -> Vec<String> {
    scripts(&instance.tracks).chain(files_and_processes(&instance.tracks)).collect()
}

fn files_and_processes(tracks: &Tracks) -> impl Iterator<Item = String> {
    let line = |line: &Tracked| format!("{}, weight {}", line.name, weighted(line.weight, line.reverse));
    tracks.files.iter().chain(&tracks.processes).map(line)
}

fn of_group(group: &SyncGroup) -> Vec<String> {
    let members = group.settings.group.iter().map(|(name, _)| name.clone());
    members.chain(scripts(&group.tracks)).chain(files_and_processes(&group.tracks)).collect()
}

fn scripts(tracks: &Tracks) -> impl Iterator<Item = String> {
    let line = |line: &Tracked| format!("{} weight {}", line.name, weighted(line.weight, line.reverse));
    tracks.scripts.iter().map(line)
}

/// The part of the dump about one thing: from its title to the next one's.
fn part<'a>(dump: &'a [String], title: &str) -> &'a [String] {
    let begins = |line: &String| {
        [
            "VRRP Instance = ",
            "VRRP Sync Group = ",
            "VRRP Script = ",
            "Track file = ",
            "VRRP Track process = ",
            "------<",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    };
    let begin = dump.iter().position(|line| line == title || line.starts_with(&format!("{title}, ")));
    let rest = &dump[begin.unwrap_or_else(|| panic!("keepalived has no {title}"))..];
    let end = rest.iter().skip(1).position(begins).map_or(rest.len(), |at| at + 1);
    &rest[..end]
}

/// How lines are begun that are not compared: what the program does meanwhile, and what is drawn but not kept typed.
const NOT_COMPARED: &[&str] = &[
    "Result = ",
    "Insecure = ",
    "Init state = ",
    "Status = ",
    "Num member ",
    "Using smtp notification",
    "Param match",
    "Current processes = ",
    "Have quorum = ",
    "Terminate delay = ",
    "Fork delay = ",
    "Full command = ",
];

/// What keepalived says of a thing, but for its title, headings, and what is not compared. Of an instance, only what
/// it tracks is.
fn said(part: &[String]) -> Vec<&str> {
    let from = match &*part[0] {
        title if title.starts_with("VRRP Instance") => {
            part.iter().position(|line| line.starts_with("Tracked "))
        }
        _ => Some(0),
    };
    let lines = part[from.unwrap_or(part.len() - 1)..].iter().skip(1).map(String::as_str);
    let own =
        lines.take_while(|line| !line.starts_with("Tracking instances") && !line.starts_with("Notify "));
    own.filter(|line| !line.ends_with(" :") && !NOT_COMPARED.iter().any(|start| line.starts_with(start)))
        .collect()
}

/// Both programs have the same trackers, groups and instances in the same order; keepalived also has the processes that
/// nobody tracks.
fn assert_same_titles(dump: &[String], expected: &[(String, Vec<String>)], text: &str) {
    let tracked = |name: &str| text.lines().any(|line| line.trim().split(' ').next() == Some(name));
    for kind in
        ["VRRP Script = ", "Track file = ", "VRRP Track process = ", "VRRP Sync Group = ", "VRRP Instance = "]
    {
        let all = kind != "VRRP Track process = ";
        let ours: Vec<_> = expected.iter().filter_map(|(title, _)| title.strip_prefix(kind)).collect();
        let theirs = titles(dump, kind).into_iter().filter_map(|title| title.strip_prefix(kind));
        let theirs = theirs.map(|name| name.split(',').next().unwrap_or(name));
        let theirs: Vec<_> = theirs.filter(|name| all || tracked(name)).collect();
        assert_eq!(theirs, ours, "keepalived's, then ours, of the kind {kind}");
    }
}

#[test]
fn both_programs_understand_the_same_of_generated_trackers_and_groups() {
    let world = World::with(["eth0".to_owned()]);
    let namespace = Namespace::with(world.made());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file_name = directory.path().join("generated.conf");
    let text = file(&mut TestRunner::deterministic());
    fs::write(&file_name, &text).expect("the file can be written");
    let dump = namespace.dump(&file_name);
    let config = crate::load(&file_name, &world).0.expect("generated files can be used");
    let mut expected: Vec<(String, Vec<String>)> = Vec::new();
    expected.extend(config.scripts.iter().map(|one| (format!("VRRP Script = {}", one.name), of_script(one))));
    expected.extend(config.files.iter().map(|one| (format!("Track file = {}", one.name), of_file(one))));
    let processes = config.processes.iter();
    expected.extend(processes.map(|one| (format!("VRRP Track process = {}", one.name), of_process(one))));
    let groups = config.sync_groups.iter();
    expected.extend(groups.map(|one| (format!("VRRP Sync Group = {}", one.name), of_group(one))));
    let instances = config.instances.iter();
    expected.extend(instances.map(|one| (format!("VRRP Instance = {}", one.name), of_instance(one))));
    assert!(config.scripts.len() > 20 && config.sync_groups.len() > 10, "little is tracked");
    assert!(config.files.len() > 20 && config.processes.len() > 20, "little is tracked");
    assert_same_titles(&dump, &expected, &text);
    for (title, lines) in &expected {
        assert_eq!(said(part(&dump, title)), *lines, "keepalived's lines, then ours, of {title}");
    }
}
