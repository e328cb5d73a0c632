//! Inputs made to exhaust: each ends at a named limit with a clear finding, and costs no more than its size.

use std::{fmt::Write as _, path::Path, time::Duration};

use nix::time::{ClockId, clock_gettime};
use steadfast::config::{self, Config, Options, Reading, Report, compare, peers, render, show};

use crate::targets::files::{Files, MAIN};

/// Files that one reading asks for, as `MAX_FILES` has it.
const MAX_FILES: usize = 4096;
/// Findings that one reading keeps: every kind a thousand times. No input here has more than ten kinds.
const MAX_FINDINGS: usize = 10_000;

fn load(files: &Files) -> (Option<Config>, Report) {
    config::load_with(Path::new(MAIN), &Options { config_id: Some("router1"), ..Options::default() }, files)
}

fn ids(report: &Report) -> Vec<&'static str> {
    let mut ids: Vec<_> = report.diagnostics.iter().map(|found| found.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The kinds of findings of a text; there are few enough of them to be read.
fn found(text: impl Into<Vec<u8>>) -> Vec<&'static str> {
    found_in(&Files::default().with(MAIN, text))
}

fn found_in(files: &Files) -> Vec<&'static str> {
    let (_, report) = load(files);
    let (findings, shown) = (report.diagnostics.len(), report.render().len());
    assert!(findings <= MAX_FINDINGS, "{findings} findings");
    assert!(shown <= 32 << 20, "{shown} bytes are shown");
    ids(&report)
}

/// So many lines, each made of its number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

fn instance(name: usize, inner: &str) -> String {
    format!("vrrp_instance V{name} {{\ninterface eth0\nvirtual_router_id {}\n{inner}}}", name % 255 + 1)
}

const ADDRESS: &str = "virtual_ipaddress {\n192.0.2.9/24\n}\n";

#[test]
fn a_line_is_as_long_as_keepalived_s_at_most() {
    assert_eq!(found("x".repeat(1 << 20)), ["line-too-long"]);
    assert_eq!(found(format!("router_id {}", "{".repeat(1 << 20))), ["line-too-long"]);
}

#[test]
fn braces_nest_as_deep_as_the_language_does() {
    let opened = "vrrp_instance V {\n".repeat(50_000);
    assert!(found(opened).contains(&"unclosed-block"));
    assert_eq!(found("{\n".repeat(200_000)), ["stray-brace"]);
    assert_eq!(found("}\n".repeat(200_000)), ["more-findings", "surplus-brace"]);
    let braces = format!("{}\n", "{}".repeat(400)).repeat(500);
    assert_eq!(found(braces), ["more-findings", "stray-brace"]);
}

#[test]
fn a_file_that_is_no_configuration_is_refused_in_a_few_words() {
    let mut state = 1_u64;
    let noise = (0..1 << 20).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    let (_, report) = load(&Files::default().with(MAIN, noise.collect::<Vec<_>>()));
    assert!(ids(&report).contains(&"more-findings"), "{:?}", ids(&report));
    assert!(report.diagnostics.len() < MAX_FINDINGS && report.test_exit() == 5);
    let omitted = report.diagnostics.iter().rfind(|found| found.id == "more-findings");
    assert!(omitted.is_some_and(|found| found.span.is_some()), "it says from where on");
}

#[test]
fn a_flood_of_one_kind_hides_no_other() {
    let mut text = lines(5_000, |number| format!("nonsense{number}"));
    text += "vrrp_instance V {\ninterface\n}\n";
    let (_, report) = load(&Files::default().with(MAIN, text));
    assert_eq!(report.diagnostics.iter().filter(|found| found.id == "unknown-keyword").count(), 1_000);
    assert!(ids(&report).contains(&"missing-argument"));
    let more =
        report.diagnostics.iter().find(|found| found.id == "more-findings").expect("the rest is counted");
    assert!(more.headline.contains("4000 more"), "{}", more.headline);
    assert_eq!(more.span.as_ref().map(|span| span.line), Some(1_001));
}

#[test]
fn definitions_that_contain_themselves_end() {
    for text in [
        "$A=$A\n$A\n",
        "$A=x $A\n$A\n",
        "$A=$B $B\n$B=$A $A\n$A\n",
        "$A=\\\n$A\\\n$A\n$A\n",
        "$A=$A\n~SEQ($A, 3) x\n",
        &format!("$A=~SEQ(I,2) {}$A\n$A\n", "x ".repeat(450)),
    ] {
        assert!(found(text).contains(&"endless-expansion"), "{text}");
    }
    let mut laughs = "$L0=ha\n".to_owned();
    for level in 1..40 {
        let _ = writeln!(
            laughs,
            "$L{level}=$L{0} $L{0} $L{0} $L{0} $L{0} $L{0} $L{0} $L{0} $L{0} $L{0}",
            level - 1
        );
    }
    assert_eq!(found(laughs + "$L39\n"), ["endless-expansion"]);
}

#[test]
fn nesting_ends_across_files_too() {
    let mut files = Files::default().with(MAIN, "include f0\n");
    for level in 0..16 {
        let mut text = format!("$F{level}L0=x\\\ninclude f{}\n", level + 1);
        for deeper in 1..60 {
            let _ = writeln!(text, "$F{level}L{deeper}=y\\\n$F{level}L{}", deeper - 1);
        }
        files = files.with(format!("/etc/f{level}"), text + &format!("$F{level}L59\n"));
    }
    assert!(found_in(&files).contains(&"endless-expansion"));
}

#[test]
fn lines_that_stand_for_too_many_are_cut_off() {
    // Long lines come to the limit of bytes, which is nearer than that of lines.
    let long = "x".repeat(900);
    let text = format!("~SEQ(A,900) ~SEQ(B,900) ~SEQ(C,900) ~SEQ(D,900) {long}$UNKNOWN\n");
    assert!(found(&*text).contains(&"expansion-too-large"));
    let mut laughs = format!("$L0={long}\\\n{long}\n");
    for level in 1..30 {
        let _ = writeln!(laughs, "$L{level}=$L{0}\\\n$L{0}", level - 1);
    }
    assert!(found(laughs + "$L29\n").contains(&"expansion-too-large"));
    assert_eq!(found("~SEQ(A,99999999) x\n"), ["invalid-iteration"]);
    // What needs no expansion is read all the same.
    let (config, _) = load(&Files::default().with(MAIN, format!("{text}{}\n", instance(1, ADDRESS))));
    assert_eq!(config.map(|config| config.instances.len()), Some(1));
}

#[test]
fn files_that_include_one_another_are_read_so_many_times() {
    let itself = Files::default().with(MAIN, "include main.conf\n");
    assert_eq!(found_in(&itself), ["include-too-deep"]);
    let circle = Files::default()
        .with(MAIN, "include a\n")
        .with("/etc/a", "include b\n")
        .with("/etc/b", "include a\n");
    assert_eq!(found_in(&circle), ["include-too-deep"]);
    let mut fan = Files::default().with(MAIN, "include f0\n");
    for level in 0..20 {
        fan = fan.with(format!("/etc/f{level}"), format!("include f{0}\ninclude f{0}\n", level + 1));
    }
    assert!(found_in(&fan).contains(&"include-too-deep"));
    assert!(fan.reads.get() <= MAX_FILES + 1, "{} files were read", fan.reads.get());
}

#[test]
fn a_pattern_matches_so_many_files() {
    let mut many = Files::default().with(MAIN, "include d/*.conf\n");
    for number in 0..MAX_FILES + 1_000 {
        many = many.with(format!("/etc/d/{number:05}.conf"), "");
    }
    assert_eq!(found_in(&many), ["include-too-deep"]);
    assert!(many.reads.get() <= MAX_FILES + 1, "{} files were read", many.reads.get());
}

#[test]
fn patterns_are_looked_up_so_many_times() {
    let nothing = Files::default().with(MAIN, "include nothing*\n".repeat(10_000));
    assert!(found_in(&nothing).contains(&"include-too-deep"));
    assert!(nothing.globs.get() <= MAX_FILES + 1, "{} look-ups", nothing.globs.get());
    let braces = Files::default().with(MAIN, format!("include {}\n", "{a,b}".repeat(60)));
    assert!(found_in(&braces).contains(&"include-nothing"));
    assert!(braces.globs.get() <= 300, "{} look-ups", braces.globs.get());
}

#[test]
fn the_ends_of_lines_and_files_are_as_editors_leave_them() {
    let text = format!("{}\n", instance(1, ADDRESS));
    for same in [text.replace('\n', "\r\n"), text.trim_end().to_owned(), format!("\n\n{text}\n\n")] {
        let (config, report) = load(&Files::default().with(MAIN, &*same));
        assert_eq!(ids(&report), [""; 0], "{same:?}");
        assert_eq!(config.map(|config| config.instances.len()), Some(1));
    }
}

#[test]
fn bytes_that_are_no_text_are_said() {
    let text = format!("{}\n", instance(1, ADDRESS));
    let marked = format!("\u{feff}{text}");
    let (config, report) = load(&Files::default().with(MAIN, &*marked));
    assert_eq!((ids(&report), report.test_exit()), (vec!["byte-order-mark"], 5));
    assert_eq!(config.map(|config| config.instances.len()), Some(1));
    assert_eq!(found(text.replace("eth0", "eth\0\x300")), ["no-interface", "nul-byte"]);
    assert_eq!(found([b"router_id \xff\xfe\n".as_slice(), b"\xc3\x28 x\n"].concat()), ["unknown-keyword"]);
}

/// Processor time of this thread.
fn spent(work: impl FnOnce()) -> Duration {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock can be read");
    let start = now();
    work();
    Duration::from(now() - start)
}

/// Whether four times the work takes about four times as long; sixteen times would be quadratic. A busy machine blurs
/// single measurements, so one good pair in several is enough: what is quadratic has none.
fn is_linear(name: &str, size: usize, work: impl Fn(usize)) {
    const ATTEMPTS: usize = 6;
    const LINEAR: f64 = 9.0;
    let ratio = |_| {
        let once = spent(|| work(size)).as_secs_f64();
        spent(|| work(size * 4)).as_secs_f64() / once
    };
    let ratios = (0..ATTEMPTS).map(ratio);
    let mut seen = Vec::new();
    for ratio in ratios {
        if ratio < LINEAR {
            return;
        }
        seen.push(ratio);
    }
    panic!("{name}: four times the size takes {seen:.1?} times as long");
}

fn reading_is_linear(name: &str, size: usize, text: impl Fn(usize) -> String) {
    is_linear(name, size, |size| {
        let (_, report) = load(&Files::default().with(MAIN, text(size)));
        report.render();
    });
}

/// One instance around so many lines.
fn within(count: usize, line: impl Fn(usize) -> String) -> String {
    instance(1, &lines(count, line)) + "\n"
}

fn host(number: usize) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

#[test]
fn what_is_written_often_costs_its_size() {
    reading_is_linear("instances of one VRID", 400, |size| {
        lines(size, |number| instance(number, ADDRESS).replace("virtual_router_id", "virtual_router_id 7 #"))
    });
    reading_is_linear("instances of one name", 800, |size| lines(size, |_| instance(1, ADDRESS)));
    reading_is_linear("addresses", 2_000, |size| {
        format!("vrrp_instance V {{\nvirtual_ipaddress {{\n{}}}\n}}\n", lines(size, host))
    });
    reading_is_linear("the same address", 2_000, |size| {
        format!("vrrp_instance V {{\nvirtual_ipaddress {{\n{}}}\n}}\n", lines(size, |_| host(1)))
    });
    reading_is_linear("blocks of addresses", 1_000, |size| {
        within(size, |number| format!("virtual_ipaddress {{\n{}\n}}", host(number)))
    });
    reading_is_linear("blocks of peers", 1_000, |size| {
        within(size, |number| format!("unicast_peer {{\n{}\n}}", host(number)))
    });
    reading_is_linear("blocks of tracked scripts", 400, |size| {
        lines(size, |number| format!("vrrp_script s{number} {{\nscript /bin/true\nuser nobody\n}}"))
            + &within(size, |number| format!("track_script {{\ns{number}\n}}"))
    });
    reading_is_linear("members of a group", 1_000, |size| {
        let group = lines(size, |number| format!("V{}", number % (size / 2)));
        lines(size, |number| instance(number, ""))
            + &format!("vrrp_sync_group G {{\ngroup {{\n{group}}}\n}}\n")
    });
    reading_is_linear("real servers", 800, |size| {
        let servers = lines(size, |number| format!("real_server {} 80 {{\n}}", host(number / 2)));
        format!("virtual_server 192.0.2.1 80 {{\n{servers}}}\n")
    });
    reading_is_linear("services of groups", 1_000, |size| {
        lines(size, |number| format!("virtual_server_group G{number} {{\n{} 80\n}}", host(number)))
            + &lines(size, |number| format!("virtual_server group G{number} {{\n}}"))
    });
    reading_is_linear("services of one group", 400, |size| {
        let members = lines(size, |number| format!("{} 80", host(number)));
        format!("virtual_server_group G {{\n{members}}}\n")
            + &lines(size, |_| {
                "virtual_server group G {\nlb_kind DR\nreal_server 192.0.2.1 80 {\n}\n}".to_owned()
            })
    });
    reading_is_linear("lines of one setting", 2_000, |size| {
        within(size, |number| format!("priority {number}"))
    });
}

#[test]
fn what_is_defined_or_escaped_costs_its_size() {
    reading_is_linear("definitions", 2_000, |size| {
        lines(size, |number| format!("$A{number}=x{number}"))
            + &lines(size, |number| format!("use $A{number}"))
    });
    reading_is_linear("lines of one definition", 2_000, |size| {
        format!("$A=\\\n{}x\n$A\n", lines(size, |_| "router_id \\".to_owned()))
    });
    reading_is_linear("repeated lines", 2_000, |size| format!("~SEQ(I,{size}) linkbeat_interfaces eth$I\n"));
    // Lines that grow to ten thousand bytes by parameters of five hundred.
    let grown = |piece: &str, count: usize| {
        let piece = piece.repeat(480 / piece.len());
        format!("$A={piece}\n") + &lines(count, |number| format!("x{number} \"{}", "$A ".repeat(20)))
    };
    reading_is_linear("escapes", 3, |size| grown("\"\\#\\#\\#\\#\\#\\#\\#\\#\"", size));
    reading_is_linear("uses of nothing", 3, |size| grown("${x $y ", size));
    reading_is_linear("built-in names without an end", 3, |size| grown("${_ENV ", size));
    reading_is_linear("quotes", 3, |size| grown("'a'", size));
}

#[test]
fn what_means_nothing_costs_its_size() {
    reading_is_linear("unknown words", 2_000, |size| lines(size, |number| format!("virtual_{number}")));
    reading_is_linear("braces", 4_000, |size| lines(size, |_| "{ }".to_owned()));
    reading_is_linear("open quotes", 2_000, |size| within(size, |_| "notify \"x".to_owned()));
    reading_is_linear("options", 2_000, |size| {
        format!(
            "vrrp_instance V {{\nvirtual_ipaddress {{\n{}}}\n}}\n",
            lines(size, |_| "192.0.2.1 x y z".to_owned())
        )
    });
    is_linear("passwords of parameters", 250, |size| {
        let text = format!("~SEQ(I,{size}) vrrp_instance V$I {{ authentication {{ auth_pass p$I }} }}\n");
        let files = Files::default().with(MAIN, text);
        let (items, report) = config::effective(Path::new(MAIN), &Options::default(), false, &files);
        show::text(&items);
        report.render();
    });
    reading_is_linear("secrets", 1_000, |size| {
        within(size, |_| "authentication {\nx y\nauth_pass z\n}".to_owned())
    });
}

#[test]
fn two_configurations_are_compared_at_the_cost_of_their_size() {
    let read = |size: usize, first: usize| {
        let text = lines(size, |number| instance(number + first, ADDRESS));
        let files = Files::default().with(MAIN, text);
        let reading = Reading::new(Path::new(MAIN), &Options::default(), &files);
        assert!(reading.config.is_some(), "it loads");
        reading
    };
    is_linear("peers", 300, |size| {
        let mut report = Report::default();
        peers::check(&read(size, 0), &read(size, size / 2), &mut report);
        render::json(&report);
    });
    is_linear("changes", 300, |size| {
        compare::text(&compare::changes(&read(size, 0), &read(size, size / 2)), None);
    });
}
