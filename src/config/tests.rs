//! The room as a whole on a system that exists only here: text in, configuration and findings out.

mod defaults;
mod family;
mod hmac;
mod inherit;
mod lines;
mod mistakes;
mod routes;
mod tracking_lines;
mod typed;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::*;
use crate::units::{Priority, Version};

/// Files in memory, one interface, two accounts, two programs.
#[derive(Default)]
struct FakeSystem {
    files: BTreeMap<PathBuf, String>,
    /// What others can change of every program's path.
    exposed: Option<PathBuf>,
    setuid: bool,
}

impl FakeSystem {
    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }
}

impl Environment for FakeSystem {
    fn interface_exists(&self, name: &str) -> bool {
        matches!(name, "lo" | "eth0")
    }

    fn host_exists(&self, name: &str) -> bool {
        name != "nowhere.example"
    }

    fn host_name(&self) -> String {
        "gate.example.net".to_owned()
    }

    fn account(&self, user: &str) -> Option<Account> {
        match user {
            "root" => Some(Account { uid: 0, gid: 0 }),
            "nobody" => Some(Account { uid: 65534, gid: 65533 }),
            _ => None,
        }
    }

    fn group(&self, group: &str) -> Option<u32> {
        (group == "wheel").then_some(10)
    }

    fn own_uid(&self) -> u32 {
        0
    }

    fn program(&self, name: &str) -> Program {
        match name {
            "/bin/check" | "check" => {
                Program::Found { path: "/usr/bin/check".into(), named: "/bin/check".into() }
            }
            "/etc/passwd" => Program::NotExecutable(name.into()),
            _ => Program::Missing,
        }
    }

    fn writable_by_others(&self, _: &Path) -> Option<PathBuf> {
        self.exposed.clone()
    }

    fn gains_root(&self, _: &Path) -> bool {
        self.setuid
    }

    fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let text = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        if path.ends_with("unreadable.conf") {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let fits = u64::try_from(text.len()).unwrap() <= limit;
        if fits { Ok(text.clone().into_bytes()) } else { Err(io::ErrorKind::FileTooLarge.into()) }
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let pattern = glob::Pattern::new(pattern).unwrap();
        self.files.keys().filter(|path| pattern.matches_path(path)).cloned().collect()
    }

    fn is_executable_or_directory(&self, path: &Path) -> bool {
        path.ends_with("executable.conf")
    }

    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "SITE" => Some("north".to_owned()),
            "CREDENTIALS_DIRECTORY" => Some("/run/credentials".to_owned()),
            _ => None,
        }
    }

    fn random_seed(&self) -> u64 {
        1
    }
}

fn read(text: &str) -> (Config, Report) {
    let system = FakeSystem::default().file("/etc/main.conf", text);
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    (config.expect("nothing fatal"), report)
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.diagnostics.iter().map(|found| found.id).collect()
}

/// The one instance of a file whose only peculiarity is these lines.
fn instance(lines: &str) -> (Instance, Vec<&'static str>) {
    let text = format!(
        "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{lines}\nvirtual_ipaddress {{\n192.0.2.9/24\n}}\n}}\n"
    );
    let (mut config, report) = read(&text);
    (config.instances.pop().expect("an instance"), ids(&report))
}

#[test]
fn an_instance_without_settings_has_keepalived_s_defaults() {
    let (instance, found) = instance("");
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(instance.priority, Priority(100));
    assert_eq!(instance.initial_state, InitialState::Backup);
    assert_eq!(instance.version, Version::V2);
    assert_eq!(instance.advert_interval, Duration::from_secs(1));
    assert!(instance.preempt);
    assert_eq!(instance.auth, Auth::None);
    assert_eq!(
        instance.garp,
        Garp {
            delay: Duration::from_secs(5),
            repeat: 5,
            refresh: None,
            refresh_repeat: 1,
            lower_prio_delay: Duration::from_secs(5),
            lower_prio_repeat: 5,
        }
    );
    assert_eq!((instance.source, instance.peers.len()), (None, 0));
}

#[test]
fn state_and_priority_depend_on_each_other() {
    use InitialState::{Backup, Master};
    for (lines, priority, state) in [
        ("state MASTER", 255, Master),
        ("state MASTER\npriority 150", 150, Master),
        ("state MASTER\nstate BACKUP\npriority 150", 150, Master),
        ("priority 255", 255, Master),
        ("state BACKUP\npriority 255", 255, Backup),
        ("state MASTER\npriority 300", 100, Master),
    ] {
        let (instance, _) = instance(lines);
        assert_eq!((instance.priority, instance.initial_state), (Priority(priority), state), "{lines}");
    }
}

#[test]
fn nopreempt_and_preempt_delay_need_a_backup() {
    assert!(!instance("nopreempt").0.preempt);
    assert!(instance("nopreempt\npreempt").0.preempt);
    let (cleared, found) = instance("state MASTER\npriority 150\nnopreempt\npreempt_delay 5");
    assert!(cleared.preempt);
    assert_eq!(cleared.preempt_delay, Duration::ZERO);
    assert_eq!(found, ["nopreempt-ignored", "preempt-delay-ignored"]);
    assert_eq!(instance("preempt_delay 2.5").0.preempt_delay, Duration::from_millis(2500));
}

#[test]
fn the_advertisement_interval_is_what_the_version_can_say() {
    for (lines, milliseconds, reported) in [
        ("advert_int 3", 3000, false),
        ("advert_int 2.6", 3000, true),
        ("advert_int 0.01", 1000, true),
        ("version 3\nadvert_int 0.25", 250, false),
        ("version 3\nadvert_int 0.256", 260, true),
        ("version 3\nadvert_int 100", 40_950, true),
    ] {
        let (instance, found) = instance(lines);
        assert_eq!(instance.advert_interval, Duration::from_millis(milliseconds), "{lines}");
        assert_eq!(found.contains(&"rounded"), reported, "{lines}");
    }
}

#[test]
fn with_authentication_headers_only_an_owner_begins_as_master() {
    for (lines, state, found) in [
        ("state MASTER\npriority 150", InitialState::Backup, vec!["backup-with-ah"]),
        ("state MASTER\npriority 255", InitialState::Master, vec![]),
        ("state BACKUP\npriority 150", InitialState::Backup, vec![]),
        ("state MASTER\npriority 150\nnopreempt", InitialState::Backup, vec!["backup-with-ah"]),
    ] {
        let (instance, ids) =
            instance(&format!("{lines}\nauthentication {{\nauth_type AH\nauth_pass abc\n}}"));
        assert_eq!((instance.initial_state, ids), (state, found), "{lines}");
        assert_eq!(instance.preempt, !lines.contains("nopreempt"));
    }
}

#[test]
fn authentication_headers_are_for_version_2_over_ipv4() {
    let block = "authentication {\nauth_type AH\nauth_pass abc\n}";
    for lines in ["version 3", "version 2\nnative_ipv6", "strict_mode\nversion 2"] {
        let address = if lines.contains("ipv6") { "fe80::9" } else { "192.0.2.9" };
        let text = format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{lines}\n{block}\n\
             virtual_ipaddress {{\n{address}\n}}\n}}\n"
        );
        let (config, report) = read(&text);
        assert_eq!(config.instances[0].auth, Auth::None, "{lines}");
        assert!(ids(&report).contains(&"no-authentication"), "{lines}: {:?}", ids(&report));
    }
}

#[test]
fn a_password_is_eight_bytes() {
    let pass = |word: &str| instance(&format!("authentication {{\nauth_type PASS\nauth_pass {word}\n}}"));
    assert_eq!(pass("abc").0.auth, Auth::Pass(*b"abc\0\0\0\0\0"));
    let (long, found) = pass("123456789");
    assert_eq!((long.auth, found), (Auth::Pass(*b"12345678"), vec!["password-too-long"]));
    let header = "authentication {\nauth_type AH\nauth_pass abc\n}";
    assert_eq!(instance(header).0.auth, Auth::Header(*b"abc\0\0\0\0\0"));
    assert_eq!(pass("k@l!ve1").0.auth, Auth::Pass(*b"k@l\0\0\0\0\0"));
    assert_eq!(pass(r#""k@l!ve1""#).0.auth, Auth::Pass(*b"k@l!ve1\0"));
}

#[test]
fn an_address_line_has_options_in_any_order() {
    let (config, report) = read(
        "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n\
         192.0.2.9/24 label eth0:1 scope link dev eth0 brd +\n192.0.2.10\n192.0.2.12/28 broadcast -\n}\n}\n",
    );
    assert!(report.diagnostics.is_empty(), "{}", report.render());
    let [full, bare, clear] = &config.instances[0].virtual_addresses[..] else { panic!("three addresses") };
    assert_eq!(full.broadcast, Some(Ipv4Addr::new(192, 0, 2, 255)));
    assert_eq!((full.prefix, full.scope), (24, Scope::LINK));
    assert_eq!((full.label.as_deref(), full.device.as_deref()), (Some("eth0:1"), Some("eth0")));
    assert_eq!((bare.prefix, bare.broadcast, bare.scope), (32, None, Scope::GLOBAL));
    assert_eq!(clear.broadcast, Some(Ipv4Addr::new(192, 0, 2, 0)));
}

#[test]
fn unicast_has_peers_and_a_source() {
    let (unicast, found) = instance("unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2/24\n192.0.2.3\n}");
    assert_eq!(unicast.source, Some(Ipv4Addr::new(192, 0, 2, 1).into()));
    let peers: Vec<_> = unicast.peers.iter().map(|peer| peer.address).collect();
    assert_eq!(peers, [IpAddr::from([192, 0, 2, 2]), IpAddr::from([192, 0, 2, 3])]);
    assert_eq!(found, ["extra-words"], "the prefix of a peer is ignored, and that is said");
}

#[test]
fn one_vrid_may_serve_twice_only_where_nobody_can_mistake_them() {
    let two = |lines: &str| {
        let first = "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nunicast_peer {\n10.0.0.1\n}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n";
        let second = format!(
            "vrrp_instance B {{\ninterface eth0\nvirtual_router_id 7\n{lines}\nvirtual_ipaddress {{\n192.0.2.2\n}}\n}}\n"
        );
        ids(&read(&format!("{first}{second}")).1)
    };
    assert_eq!(two("unicast_peer {\n10.0.0.1\n}"), ["duplicate-vrid"]);
    assert!(two("unicast_peer {\n10.0.0.2\n}").is_empty());
    assert!(two("").is_empty(), "multicast beside unicast");
}

const SCRIPTS: &str = "vrrp_script unused {\nscript /bin/check\nuser nobody\n}\n\
    vrrp_script gone {\nscript /no/such\nuser nobody\n}\n\
    vrrp_script chk {\nscript \"check 'a b' -x\"\ninterval 0.5\ntimeout 3\nrise 2\nfall 3\nweight -20 reverse\ninit_fail\nuser nobody wheel\n}\n";

#[test]
fn a_script_is_found_and_shown_as_the_mib_has_it() {
    let text = format!(
        "{SCRIPTS}vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9\n}}\n\
         track_script {{\ngone\nchk weight 5 noreverse\nnosuch\n}}\n}}\n"
    );
    let (config, report) = read(&text);
    assert_eq!(ids(&report), ["untracked-script", "unusable-script", "unknown-script"]);
    let [script] = &config.scripts[..] else { panic!("one script: {:?}", config.scripts) };
    assert_eq!(script.command.argv, ["check", "a b", "-x"]);
    assert_eq!(script.command.shown, "'/usr/bin/check' 'a b' '-x'");
    assert_eq!((script.interval, script.timeout), (Duration::from_millis(500), Some(Duration::from_secs(3))));
    assert_eq!((script.rise, script.fall, script.weight, script.reverse), (2, 3, -20, true));
    assert!(script.init_fail);
    assert_eq!(script.user, Some(User { name: "nobody".into(), uid: 65534, gid: 10, has_groups: false }));
    let [tracked] = &config.instances[0].tracks.scripts[..] else { panic!("one tracker") };
    assert_eq!((tracked.tracker, tracked.weight, tracked.reverse), (tracking::Tracker::Script(0), 5, false));
}

#[test]
fn a_script_is_started_by_the_name_that_it_was_found_by_if_that_is_wanted() {
    let globals = |words: &str| format!("global_defs {{\n{words}}}\n");
    let rest = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.9\n}\n\
         track_script {\nchk\n}\nnotify_master \"check x\"\n}\n";
    for (words, path) in [("", "/usr/bin/check"), ("use_symlink_paths\n", "/bin/check")] {
        let (config, _) = read(&(globals(words) + SCRIPTS + rest));
        let master = config.instances[0].notify.master.as_ref().expect("a script");
        assert_eq!((&*master.path, &*config.scripts[0].command.path), (Path::new(path), Path::new(path)));
    }
}

#[test]
fn a_notify_line_names_a_command_and_perhaps_a_user() {
    let (notified, found) =
        instance("notify_master \"/bin/check now\" nobody\nnotify /bin/check\nnotify /bin/check");
    let master = notified.notify.master.expect("a script");
    assert_eq!(master.argv, ["/bin/check", "now"]);
    assert_eq!(master.user.map(|user| user.uid), Some(65534));
    assert_eq!(notified.notify.all.expect("a script").user, None);
    assert_eq!(found, ["script-security", "duplicate-setting"]);
    let (without, found) = instance("notify_backup /bin/check --force\nnotify_fault /etc/passwd");
    assert_eq!((without.notify.backup, without.notify.fault), (None, None));
    assert_eq!(found, ["unusable-script", "unusable-script"]);
}

#[test]
fn globals_add_up_over_several_blocks() {
    let (config, report) = read(
        "global_defs {\nrouter_id A\nenable_traps\nscript_user nobody\n}\n\
         global_defs {\nrouter_id B\nenable_snmp_keepalived\nsnmp_socket tcp:127.0.0.1:705\nvrrp_version 3\n}\n",
    );
    assert!(report.diagnostics.is_empty(), "{}", report.render());
    let global = config.global;
    assert_eq!((&*global.router_id, global.vrrp_version), ("B", Version::V3));
    assert!(global.enable_traps && global.enable_snmp_vrrp);
    assert_eq!(global.snmp_socket.as_deref(), Some("tcp:127.0.0.1:705"));
    assert_eq!(global.script_user.map(|user| user.uid), Some(65534));
    assert_eq!(read("").0.global.router_id, "gate.example.net");
}

#[test]
fn a_line_may_be_for_one_host_only() {
    let text = "global_defs {\n@gate router_id mine\n@^gate router_id others\n@other\n}\n";
    assert_eq!(read(text).0.global.router_id, "mine");
    let system = FakeSystem::default().file("/etc/main.conf", text);
    let (config, _) = load(Path::new("/etc/main.conf"), Some("box"), &system);
    assert_eq!(config.unwrap().global.router_id, "others");
}

#[test]
fn parameters_are_replaced_where_they_are_used() {
    let defined = "$ID=gate-$N\n$N=1\n$TWO= \\\nrouter_id two \\\nenable_traps\n";
    let router = |lines: &str| read(&format!("{defined}global_defs {{\n{lines}\n}}\n")).0.global;
    assert_eq!(router("router_id ${ID}").router_id, "gate-1");
    assert_eq!(router("router_id \"$ID,x\"").router_id, "gate-1,x");
    assert_eq!(router("router_id $UNDEFINED").router_id, "$UNDEFINED");
    assert_eq!(router("router_id ${_INSTANCE}").router_id, "gate");
    let two = router("$TWO");
    assert_eq!((&*two.router_id, two.enable_traps), ("two", true));
    let (_, report) = read("$A=$A x\n$A\n");
    assert_eq!(ids(&report), ["endless-expansion"]);
}

#[test]
fn includes_are_relative_sorted_and_bounded() {
    let system = FakeSystem::default()
        .file("/etc/main.conf", "global_defs {\ninclude conf.d/*.conf\ninclude {x,y}.conf\n}\n")
        .file("/etc/conf.d/a.conf", "router_id a\n")
        .file("/etc/conf.d/b.conf", "router_id b\nnonsense\n")
        .file("/etc/conf.d/executable.conf", "router_id no\n")
        .file("/etc/y.conf", "enable_traps\ninclude y.conf\n");
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    let global = config.unwrap().global;
    assert_eq!((&*global.router_id, global.enable_traps), ("b", true));
    assert_eq!(
        ids(&report),
        ["unusable-file", "include-nothing", "repeated-setting", "unknown-keyword", "include-too-deep"]
    );
    let unknown = report.diagnostics[3].span.clone().unwrap();
    assert_eq!((&*unknown.file, unknown.line, unknown.column), ("/etc/conf.d/b.conf", 2, 1));
}

#[test]
fn a_strict_include_or_a_missing_main_file_ends_with_6() {
    for (include, code) in [
        ("include none.conf", 0),
        ("includer none.conf", 0),
        ("includem none.conf", 6),
        ("includem none*.conf", 0),
        ("includew none*.conf", 6),
        ("includea none.conf", 6),
    ] {
        let system = FakeSystem::default().file("/etc/main.conf", include);
        let (_, report) = load(Path::new("/etc/main.conf"), None, &system);
        assert_eq!(report.test_exit(), code, "{include}");
    }
    let (config, report) = load(Path::new("/etc/main.conf"), None, &FakeSystem::default());
    assert_eq!((config, report.test_exit(), report.start_exit()), (None, 6, Some(6)));
    let system = FakeSystem::default().file("/etc/unreadable.conf", "");
    let (config, report) = load(Path::new("/etc/unreadable.conf"), None, &system);
    assert_eq!((config, report.test_exit(), report.start_exit()), (None, 4, Some(6)));
    let system = system.file("/etc/main.conf", "include unreadable.conf");
    assert_eq!(load(Path::new("/etc/main.conf"), None, &system).1.test_exit(), 0, "an included one");
}

#[test]
fn what_has_no_effect_is_said_once_and_its_block_is_still_checked() {
    let (_, report) = read("global_defs {\nnonsense\nbfd_priority maybe\n}\n");
    assert_eq!(ids(&report), ["unknown-keyword", "not-supported-yet", "invalid-value"]);
    assert_eq!(report.start_exit(), None);
}

#[test]
fn a_missing_word_is_fatal_and_everything_else_is_still_found() {
    let system = FakeSystem::default().file("/etc/main.conf", "vrrp_script {\n}\nnonsense\n");
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    assert_eq!((config, report.test_exit(), report.start_exit()), (None, 2, Some(2)));
    assert_eq!(ids(&report), ["missing-argument", "unknown-keyword"]);
}

#[test]
fn a_line_too_long_is_left_out_whole() {
    let (config, report) = read(&format!("global_defs {{\nrouter_id {}\n}}\n", "x".repeat(1023)));
    assert_eq!(config.global.router_id, "gate.example.net");
    assert_eq!(ids(&report), ["line-too-long"]);
}

#[test]
fn a_line_may_stand_for_many() {
    let addresses = |lines: &str| {
        let (instance, found) = instance(&format!("virtual_ipaddress_excluded {{\n{lines}\n}}"));
        assert!(found.is_empty(), "{lines}: {found:?}");
        let shown = |address: &AddressLine| address.address.to_string();
        instance.excluded_addresses.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(addresses("~SEQ(I,3) 10.0.0.$I"), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    assert_eq!(
        addresses("~SEQ(I,0,1) ~LST({A,B},{1,2},{3,4}) 10.${I}.${A}.$B"),
        ["10.0.1.2", "10.0.3.4", "10.1.1.2", "10.1.3.4"],
        "the left one is outermost"
    );
    assert_eq!(addresses("$N=2\n~SEQ(I,1,${N}) 10.0.0.$I"), ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(addresses("$L= \\\n10.${I}.0.1 \\\n10.${I}.0.2\n~SEQ(I,1,2) $L").len(), 4, "of several lines");
}

#[test]
fn a_line_that_cannot_be_repeated_is_said_to_be_so() {
    for line in ["~SEQ(I,1,0,5) x", "~SEQ(I,1 x", "~LST({A},{1,2}) x"] {
        assert_eq!(ids(&read(line).1), ["invalid-iteration"], "{line}");
    }
    let endless = "~SEQ(I,1,1000000) ~SEQ(J,1,1000000) ~SEQ(K,1,1000000) x";
    assert_eq!(ids(&read(endless).1), ["expansion-too-large"]);
    assert_eq!(ids(&read(&format!("{}x", "~SEQ(I,1,1) ".repeat(80))).1), ["endless-expansion"]);
}

#[test]
fn built_in_parameters_and_definitions_within_definitions() {
    let router = |lines: &str| read(&format!("{lines}\n")).0.global.router_id;
    assert_eq!(router("global_defs {\nrouter_id ${_ENV SITE}-${_ENV NONE}x\n}"), "north-x");
    assert_eq!(router("global_defs {\nrouter_id a${_HASH}b${_BANG}\n}"), "a#b!");
    assert_eq!(router("global_defs {\nrouter_id ${_PWD}\n}"), "/etc");
    let random = "global_defs {\nrandom_seed 4\nrouter_id ${_RANDOM 10 20}\n}";
    assert_eq!(router(random), router(random), "fixed by the seed");
    assert!((10..=20).contains(&router(random).parse().unwrap()));
    let nested = "$OUTER= \\\n$D=1 \\\nglobal_defs { \\\n$INNER \\\n@other router_id no \\\n}\n\
                  $INNER= \\\nenable_traps \\\nrouter_id x$D\n$OUTER";
    assert_eq!(router(nested), "x1", "definitions, uses and conditions within a definition");
    assert_eq!(ids(&read("$A= \\\nrouter_id x \\").1), ["unfinished-definition"]);
}

#[test]
fn include_checks_come_from_the_file_or_the_command_line() {
    let exit = |text: &str, check_includes: bool| {
        let system = FakeSystem::default().file("/etc/main.conf", text).file("/etc/a.conf", "");
        let options = Options { check_includes, ..Options::default() };
        load_with(Path::new("/etc/main.conf"), &options, &system).1.test_exit()
    };
    assert_eq!(exit("include none.conf", false), 0);
    assert_eq!(exit("include none.conf", true), 6);
    assert_eq!(exit("includeb {a,none}.conf", false), 6);
    for (check, code) in
        [("", 6), ("match", 6), ("read", 0), ("+wildcard_match", 0), ("match\ninclude_check -match", 0)]
    {
        let text = format!("global_defs {{\ninclude_check {check}\n}}\ninclude none.conf");
        assert_eq!(exit(&text, false), code, "include_check {check}");
    }
}

#[test]
fn a_word_without_effect_is_reported_once_and_counted() {
    let (_, report) = read("global_defs {\nbfd_no_swap\n}\n".repeat(3).as_str());
    let idle: Vec<_> = report.diagnostics.iter().filter(|found| found.id == "not-supported-yet").collect();
    assert_eq!(idle.len(), 1);
    assert!(idle[0].headline.ends_with("(here and in 2 more places)"), "{}", idle[0].headline);
    assert_eq!(report.idle_words().collect::<Vec<_>>(), [(idle[0].word.unwrap(), idle[0].severity)]);
    assert!(idle[0].headline.starts_with(idle[0].word.unwrap()), "{}", idle[0].headline);
}

/// One script that is tracked and told about, as root unless `user` names somebody.
fn scripted(user: &str, security: &str, exposed: bool, setuid: bool) -> (Config, Report) {
    let text = format!(
        "global_defs {{\n{security}\nscript_user {user}\n}}\nvrrp_script chk {{\nscript /bin/check\n}}\n\
         vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{\n192.0.2.9\n}}\n\
         track_script {{\nchk\n}}\nnotify_master /bin/check\n}}\n"
    );
    let mut system = FakeSystem { setuid, ..FakeSystem::default() }.file("/etc/main.conf", &text);
    system.exposed = exposed.then(|| "/usr/bin".into());
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    (config.expect("nothing fatal"), report)
}

#[test]
fn script_security_disables_what_others_can_change() {
    const SECURITY: &str = "enable_script_security";
    for (user, security, exposed, setuid, kept, exit) in [
        ("root", SECURITY, true, false, false, 5),
        ("root", SECURITY, false, false, true, 0),
        ("nobody", SECURITY, true, false, true, 0),
        ("nobody", SECURITY, true, true, false, 5),
        ("root", "", true, false, true, 6),
    ] {
        let (config, report) = scripted(user, security, exposed, setuid);
        let instance = &config.instances[0];
        let runs = [
            !config.scripts.is_empty(),
            !instance.tracks.scripts.is_empty(),
            instance.notify.master.is_some(),
        ];
        assert_eq!(runs, [kept; 3], "{user} {security} {exposed} {setuid}");
        assert_eq!((report.test_exit(), report.start_exit()), (exit, None), "{}", report.render());
    }
    let (_, report) = scripted("root", SECURITY, true, false);
    assert_eq!(ids(&report), ["insecure-script", "insecure-script"]);
    assert!(report.diagnostics[0].headline.ends_with("may change /usr/bin"), "{}", report.render());
}

#[test]
fn a_word_where_a_password_is_expected_is_not_shown() {
    for lines in [
        "authentication {\nS3CRET\n}",
        "authentication {\n\"S3CRET\n}",
        "authentication {\nauth_type S3CRET\n}",
        "authentication {\nauth_type PASS S3CRET\nnonsense\n}",
        "authentication {\nauthpass S3CRET\n}",
        "authentication {\nauth_type PASS\nauth_pass long-S3CRET\n}",
        "authentication {\nk@l!S3CRET\n}",
        "authentication {\ninclude secret.conf\n}",
        "authpass S3CRET",
        "auht_pass S3CRET",
        "{ authentication { auth-pass \"S3CRET x\" } }",
        "}\nSSL {\npasswrd S3CRET\n}\nx {",
        "}\nSSL { geheim S3CRET }\nx {",
        "authentification {\npass S3CRET\n}",
        "authentification { pass S3CRET }",
        "auth_hmac {\nactive_key S3CRET\n}",
        "auth_hmc {\nactive_key S3CRET\n}",
        "auth_hmac {\nkeey 1 S3CRET\n}",
    ] {
        let system = FakeSystem::default().file("/etc/secret.conf", "\n\"S3CRET\nx S3CRET").file(
            "/etc/main.conf",
            &format!("vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{lines}\nvirtual_ipaddress {{\n192.0.2.9\n}}\n}}\n"),
        );
        let main = Path::new("/etc/main.conf");
        let (_, report) = load(main, None, &system);
        assert!(!report.diagnostics.is_empty(), "{lines}: nothing was found");
        let (items, _) = effective(main, &Options::default(), false, &system);
        let logged: Vec<_> = report.lines().collect();
        for said in [report.render(), logged.join("\n"), render::json(&report), show::text(&items)] {
            assert!(!said.contains("S3CRET"), "{lines}:\n{said}");
        }
    }
    let path = FakeSystem::default().file("/etc/main.conf", "SSL {\nkey /etc/x.pem\n}\n");
    let (items, _) = effective(Path::new("/etc/main.conf"), &Options::default(), false, &path);
    assert!(show::text(&items).contains("key /etc/x.pem"), "the file of a key is no secret");
    let (_, report) = read("vrrp_instance V {\nauthentication {\nauht_type PASS\n}\n}\n");
    assert!(report.render().contains("did you mean auth_type?"), "{}", report.render());
}

#[test]
fn files_are_bounded_one_by_one_and_together() {
    let load = |system: FakeSystem| load(Path::new("/etc/main.conf"), None, &system).1;
    let blank = |mebibytes: usize| "\n".repeat(mebibytes << 20);
    let large = load(
        FakeSystem::default()
            .file("/etc/main.conf", "include a.conf")
            .file("/etc/a.conf", &(blank(4) + "\n")),
    );
    assert_eq!((ids(&large), large.test_exit()), (vec!["file-too-large"], 5));
    assert_eq!(large.diagnostics[0].info.as_deref(), Some("a file may hold 4 MiB"));
    let main = load(FakeSystem::default().file("/etc/main.conf", &(blank(4) + "\n")));
    assert_eq!((main.test_exit(), main.start_exit()), (6, Some(6)));
    let system = FakeSystem::default().file("/etc/main.conf", &"include a.conf\n".repeat(6));
    let many = load(system.file("/etc/a.conf", &blank(3)));
    assert_eq!(ids(&many), ["file-too-large"; 1], "said once for one line");
    assert_eq!(many.diagnostics[0].info.as_deref(), Some("all files together may hold 16 MiB"));
    assert_eq!(many.sources.len(), 2, "a file that is read again is kept once");
}

#[test]
fn a_file_that_includes_itself_is_read_once() {
    let system = FakeSystem::default().file("/etc/main.conf", "include main.conf\ninclude main.conf\n");
    let (_, report) = load(Path::new("/etc/main.conf"), None, &system);
    assert_eq!((ids(&report), report.sources.len()), (vec!["include-too-deep"; 2], 1));
}

#[test]
fn a_definition_that_begins_with_itself_ends() {
    let (_, report) = read("$A= \\\n$A \\\nrouter_id x\n\n$A\n");
    assert!(ids(&report).contains(&"endless-expansion"), "{:?}", ids(&report));
}

#[test]
fn expansion_is_bounded_in_characters() {
    let wide = format!("~SEQ(I,1,300) ~SEQ(J,1,300) {}", "x".repeat(900));
    assert!(ids(&read(&wide).1).contains(&"expansion-too-large"));
    let doubled = format!(
        "$A={}\n{}$Z\n",
        "x".repeat(900),
        (0..12).map(|n| format!("$B{n}={}\n", "${A}".repeat(200))).collect::<String>() + "$Z=${B1}\n"
    );
    assert_eq!(ids(&read(&doubled).1), ["endless-expansion"], "one line");
}

#[test]
fn a_log_line_stays_one_line_whatever_a_file_is_called() {
    let system = FakeSystem::default()
        .file("/etc/main.conf", "include a*\n")
        .file("/etc/a\n\u{1b}[2Jforged: all is well", "nonsense\n");
    let (_, report) = load(Path::new("/etc/main.conf"), None, &system);
    let logged: Vec<_> = report.lines().collect();
    assert!(
        logged[0].starts_with("/etc/a??[2Jforged: all is well:1:1: error[unknown-keyword]"),
        "{logged:?}"
    );
    assert!(logged.iter().all(|line| !line.contains(char::is_control)), "{logged:?}");
    assert!(!report.render().contains('\u{1b}'), "{}", report.render());
}
