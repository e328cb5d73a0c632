//! What is tracked, by whom, and with which weights.

use super::*;
use crate::config::{
    settings::LinkbeatKind,
    tracking::{InitFile, Interface, Matching, Tracker},
};

const DEFINED: &str = "track_file load {\nfile /tmp/load\nweight -2 reverse\ninit_file 3 overwrite\n}\n\
    vrrp_track_file plain {\nfile /tmp/plain\n}\n\
    vrrp_track_process web {\nprocess nginx -g\nweight 7\nquorum 2\ndelay 1.5\nfork_delay 0.5\n}\n";

/// An instance on eth0 below [`DEFINED`] and these lines of the top level, as (what it tracks, weight, reverse), and
/// the findings.
fn tracks(before: &str, lines: &str) -> (Vec<(Tracker, i16, bool)>, Vec<&'static str>) {
    let (config, report) = read(&format!(
        "{DEFINED}{before}vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9\n}}\n{lines}\n}}\n"
    ));
    let lines = config.instances.iter().flat_map(|instance| instance.tracks.iter());
    let found = ids(&report).into_iter().filter(|id| !id.starts_with("untracked"));
    (lines.map(|line| (line.tracker, line.weight, line.reverse)).collect(), found.collect())
}

#[test]
fn a_line_takes_what_it_does_not_say_from_what_it_tracks() {
    let file = |lines: &str| tracks("", &format!("track_file {{\n{lines}\n}}")).0;
    assert_eq!(file("load"), [(Tracker::File(0), -2, true)]);
    assert_eq!(file("load weight 5"), [(Tracker::File(0), 5, true)]);
    assert_eq!(file("load noreverse"), [(Tracker::File(0), -2, false)]);
    assert_eq!(file("plain"), [(Tracker::File(0), 1, false)], "the position follows when load is left out");
    assert_eq!(file("plain\nload"), [(Tracker::File(1), 1, false), (Tracker::File(0), -2, true)]);
    assert_eq!(tracks("", "track_process {\nweb\n}").0, [(Tracker::Process(0), 7, false)]);
    assert_eq!(
        tracks("", "track_interface {\nlo weight -10 reverse\n}").0,
        [(Tracker::Interface(0), -10, true)]
    );
}

#[test]
fn what_cannot_be_tracked_is_named() {
    for (lines, found) in [
        ("track_file {\nnosuch\n}", "unknown-track-file"),
        ("track_process {\nload\n}", "unknown-track-process"),
        ("track_file {\nload weight 255\n}", "invalid-value"),
        ("track_file {\nload\nload weight 5\n}", "duplicate-setting"),
        ("track_file {\nload\n}\ntrack_file {\nload\n}", "duplicate-setting"),
        ("track_interface {\nnosuch\n}", "no-interface"),
        ("track_interface {\neth0\n}", "own-interface"),
        ("track_interface {\nlo weight 254\n}", "invalid-value"),
        ("priority 255\ntrack_file {\nload\n}", "weight-on-owner"),
    ] {
        assert_eq!(tracks("", lines).1, [found], "{lines}");
    }
    let session = "bfd_instance s {\nneighbor_ip 192.0.2.77\n}\n";
    assert_eq!(tracks(session, "track_bfd {\ns\n}").1, ["not-supported-yet", "not-supported-yet"]);
    assert_eq!(tracks("", "track_bfd {\ns\n}").1, ["not-supported-yet", "unknown-bfd-instance"]);
    assert_eq!(tracks("", "priority 255\ntrack_file {\nload weight 0\n}").1, [""; 0]);
    assert_eq!(tracks("", "track_interface {\nlo weight 254\n}").0, [(Tracker::Interface(0), 253, false)]);
}

#[test]
fn an_interface_need_not_be_there_where_interfaces_are_dynamic() {
    for dynamic in ["dynamic_interfaces", "dynamic_interfaces allow_if_changes"] {
        let (config, report) = read(&format!(
            "global_defs {{\n{dynamic}\n}}\ninterface_up_down_delays {{\nlate2 3\n}}\n\
             vrrp_instance V {{\ninterface late0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9 dev late1\n}}\n\
             track_interface {{\nlate2\n}}\n}}\n"
        ));
        assert_eq!(ids(&report), [""; 0], "{dynamic}");
        let names: Vec<_> = config.interfaces.iter().map(|interface| &*interface.name).collect();
        assert_eq!(names, ["late2", "late0", "late1"]);
        assert_eq!(config.interfaces[0].down_delay.as_secs(), 3);
    }
}

#[test]
fn a_session_is_tracked_with_its_own_weight_or_the_lines() {
    let sessions = "bfd_instance gone {\n}\nbfd_instance unused {\nneighbor_ip 192.0.2.78\n}\n\
                    bfd_instance s {\nneighbor_ip 192.0.2.77\nweight -5 reverse\n}\n";
    let (lines, _) = tracks(sessions, "track_bfd {\ns\ngone\n}");
    assert_eq!(lines, [(Tracker::Session(1), -5, true)]);
    let (lines, _) = tracks(sessions, "track_bfd {\ns weight 7 noreverse\nunused\n}");
    assert_eq!(lines, [(Tracker::Session(1), 7, false), (Tracker::Session(0), 0, false)]);
}

#[test]
fn blocks_say_what_is_watched() {
    let (config, _) = read(&format!(
        "{DEFINED}track_file bad {{\nweight 3\n}}\nvrrp_track_process bad {{\nquorum 3\n}}\n\
         vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9\n}}\n\
         track_file {{\nload\nbad\n}}\ntrack_process {{\nweb\nbad\n}}\n}}\n"
    ));
    let [load] = &config.files[..] else { panic!("{:?}", config.files) };
    assert_eq!(load.path, Path::new("/tmp/load"));
    assert_eq!(load.init, Some(InitFile { value: 3, overwrite: true }));
    let [web] = &config.processes[..] else { panic!("{:?}", config.processes) };
    assert_eq!((web.command.join(" ").as_str(), web.matching), ("nginx -g", Matching::Exact));
    assert_eq!((web.quorum, web.quorum_max), (2, None));
    assert_eq!(
        (web.fork_delay, web.terminate_delay),
        (Duration::from_millis(500), Duration::from_millis(1500))
    );
}

#[test]
fn the_words_of_a_process_say_what_is_compared() {
    for (lines, matching, quorum) in [
        ("process a", Matching::Name, (1, None)),
        ("process a\nfull_command", Matching::Program, (1, None)),
        ("process a b", Matching::Exact, (1, None)),
        ("process a b\nparam_match partial", Matching::Partial, (1, None)),
        ("process a b\nparam_match initial", Matching::Initial, (1, None)),
        ("process a\nparam_match", Matching::Exact, (1, None)),
        ("process a\nparam_match initial\nfull_command", Matching::Initial, (1, None)),
        ("process a\nquorum_max 0", Matching::Name, (0, Some(0))),
        ("process a\nquorum 2\nquorum_max 3", Matching::Name, (2, Some(3))),
        ("process a\nquorum 3\nquorum_max 2", Matching::Name, (3, None)),
    ] {
        let (config, _) = read(&format!(
            "vrrp_track_process p {{\n{lines}\n}}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n\
             virtual_ipaddress {{\n192.0.2.9\n}}\ntrack_process {{\np\n}}\n}}\n"
        ));
        let process = &config.processes[0];
        assert_eq!((process.matching, (process.quorum, process.quorum_max)), (matching, quorum), "{lines}");
    }
}

/// The interfaces of an instance with these lines, below these delays, and the findings.
fn interfaces(delays: &str, lines: &str) -> (Vec<Interface>, Vec<&'static str>) {
    let (config, report) = read(&format!(
        "interface_up_down_delays {{\n{delays}\n}}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n\
         virtual_ipaddress {{\n192.0.2.9\n}}\n{lines}\n}}\n"
    ));
    (config.interfaces, ids(&report))
}

fn interface(name: &str, down_ms: u64, up_ms: u64) -> Interface {
    Interface {
        name: name.into(),
        down_delay: Duration::from_millis(down_ms),
        up_delay: Duration::from_millis(up_ms),
        linkbeat: None,
    }
}

#[test]
fn every_interface_in_use_is_listed_once_with_its_delays() {
    let lo = "track_interface {\nlo\n}\nvirtual_ipaddress_excluded {\n192.0.2.10 dev lo\n}";
    let (found, ids) = interfaces("lo 20 0.25\neth0 0.5", lo);
    assert_eq!(found, [interface("lo", 20_000, 250), interface("eth0", 500, 0)]);
    assert!(ids.is_empty(), "{ids:?}");
}

#[test]
fn delays_of_an_own_interface_stay_below_what_hides_a_master() {
    let (found, ids) = interfaces("eth0 5 7", "advert_int 2");
    assert_eq!((found, ids), (vec![interface("eth0", 3_998, 3_998)], vec!["limited"]));
    let (found, ids) = interfaces("eth0 5", "advert_int 2\ndown_timer_adverts 4");
    assert_eq!((found, ids.contains(&"limited")), (vec![interface("eth0", 5_000, 0)], false));
}

#[test]
fn delays_that_make_no_sense_are_named() {
    for line in ["eth0", "eth0 1s", "eth0 1 300", "nosuch 1"] {
        assert_eq!(interfaces(line, ""), (vec![interface("eth0", 0, 0)], vec!["invalid-value"]), "{line}");
    }
}

#[test]
fn an_instance_may_leave_its_own_interface_alone_and_watch_its_source() {
    let (usual, _) = instance("");
    assert!(usual.track_primary && !usual.track_source);
    let (other, _) = instance("dont_track_primary\ntrack_src_ip\nmcast_src_ip 192.0.2.1");
    assert!(!other.track_primary && other.track_source);
    assert!(!instance("track_src_ip").0.track_source, "there is no source to track");
}

/// What is tracked, each with its weight.
type Weights = Vec<(Tracker, i16)>;

/// A group of A and B with these lines, whose members have the others: (what is tracked, weight) by the group, by A and
/// by B, and the findings.
fn group(of_group: &str, of_a: &str, of_b: &str) -> (Vec<Weights>, Vec<&'static str>) {
    let instance = |name: &str, vrid: u8, lines: &str| {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n\
             virtual_ipaddress {{\n192.0.2.{vrid}\n}}\n{lines}\n}}\n"
        )
    };
    let (config, report) = read(&format!(
        "{DEFINED}vrrp_sync_group G {{\ngroup {{\nA\nB\n}}\n{of_group}\n}}\n{}{}",
        instance("A", 7, of_a),
        instance("B", 8, of_b)
    ));
    let instances = config.instances.iter().map(|instance| &instance.tracks);
    let lists = config.sync_groups.iter().map(|group| &group.tracks).chain(instances);
    let found = ids(&report).into_iter().filter(|id| !id.starts_with("untracked"));
    let lines = |tracks: &tracking::Tracks| tracks.iter().map(|line| (line.tracker, line.weight)).collect();
    (lists.map(lines).collect(), found.collect())
}

#[test]
fn a_group_tracks_for_its_members() {
    let (tracked, found) =
        group("track_file {\nload\n}\ntrack_process {\nweb\n}\ntrack_interface {\nlo weight 5\n}", "", "");
    assert_eq!(
        tracked,
        [vec![(Tracker::Interface(0), 5), (Tracker::File(0), -2), (Tracker::Process(0), 7)], vec![], vec![]]
    );
    assert_eq!(found, [""; 0]);
    assert_eq!(group("track_file {\nnosuch\n}", "", "").1, ["unknown-track-file"]);
    let (tracked, found) = group("track_file {\nload\n}", "", "priority 255");
    assert_eq!((tracked[0].as_slice(), found), (&[(Tracker::File(0), 0)][..], vec!["weight-on-owner"]));
}

#[test]
fn members_of_a_group_have_no_weights_of_their_own_unless_the_group_wants_it() {
    let weighted = "track_file {\nload\nplain\n}\ntrack_interface {\nlo weight 3\n}";
    let (tracked, found) = group("", weighted, "track_interface {\nlo\n}");
    // A file that counts as it is counts as a failure; the others are gone.
    assert_eq!(tracked[1..], [vec![(Tracker::File(0), 0)], vec![(Tracker::Interface(0), 0)]]);
    assert_eq!(found, ["weight-in-group"; 3]);
    let (tracked, found) = group("sync_group_tracking_weight", weighted, "");
    assert_eq!(tracked[1], [(Tracker::Interface(0), 3), (Tracker::File(0), -2), (Tracker::File(1), 1)]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_group_and_member_track_is_tracked_once() {
    let (tracked, found) = group("track_interface {\nlo weight 5\n}", "track_interface {\nlo\n}", "");
    assert_eq!(tracked, [vec![(Tracker::Interface(0), 5)], vec![], vec![]]);
    assert_eq!(found, ["tracked-twice"]);
}

/// How eth0, which an instance with these lines runs on, and eth1, which it tracks, are asked for their link.
fn asked(before: &str, lines: &str) -> [Option<LinkbeatKind>; 2] {
    let (config, _) = read(&format!(
        "{before}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9\n}}\n\
         track_interface {{\neth1\n}}\n{lines}\n}}\n"
    ));
    ["eth0", "eth1"].map(|name| {
        let interface = config.interfaces.iter().find(|interface| interface.name == name);
        interface.expect("both are in use").linkbeat
    })
}

#[test]
fn links_are_asked_for_where_the_top_level_or_the_instance_wants_it() {
    let (best, ethtool, ioctl) = (LinkbeatKind::Best, LinkbeatKind::Ethtool, LinkbeatKind::Ioctl);
    let list = "linkbeat_interfaces {\neth1 IOCTL\neth0 ETHTOOL\n}";
    assert_eq!(asked("", ""), [None, None]);
    assert_eq!(asked("", "linkbeat_use_polling"), [Some(best), None]);
    assert_eq!(asked("linkbeat_use_polling", ""), [Some(best); 2]);
    assert_eq!(asked(&format!("{list}\nlinkbeat_use_polling"), ""), [Some(ethtool), Some(ioctl)]);
}

#[test]
fn a_session_for_checkers_only_is_none_to_routers() {
    let session = |lines: &str| {
        tracks(&format!("bfd_instance s {{\nneighbor_ip 192.0.2.77\n{lines}\n}}\n"), "track_bfd {\ns\n}").0
    };
    assert_eq!(session("checker"), []);
    for lines in ["", "vrrp", "vrrp\nchecker"] {
        assert_eq!(session(lines), [(Tracker::Session(0), 0, false)], "{lines}");
    }
}
