//! What a line loses: commands whose quotes are open, settings behind others, settings written twice.

use super::*;

/// The findings of a text: id and line.
fn found(text: &str) -> Vec<(&'static str, usize)> {
    let (_, report) = read(text);
    let place = |found: &Diagnostic| found.span.as_ref().map_or(0, |span| span.line);
    report.diagnostics.iter().map(|found| (found.id, place(found))).collect()
}

#[test]
fn a_command_with_an_open_quote_is_reported_wherever_it_stands() {
    for line in ["startup_script", "notify_fifo_script", "lvs_notify_fifo_script"] {
        let text = format!("global_defs {{\nscript_user nobody\n{line} \"/bin/check a\n}}");
        assert!(found(&text).contains(&("invalid-command", 3)), "{line}");
    }
    for line in ["quorum_up", "quorum_down"] {
        let text = format!("virtual_server 192.0.2.1 80 {{\n{line} \"/bin/check 'a\"\n}}");
        assert!(found(&text).contains(&("invalid-command", 2)), "{line}");
    }
    for line in ["notify_up", "notify_down", "MISC_CHECK {\nmisc_path"] {
        let text = format!(
            "virtual_server 192.0.2.1 80 {{\nreal_server 192.0.2.2 80 {{\n{line} \"/bin/check\n}} }} }}"
        );
        assert!(found(&text).iter().any(|(id, _)| *id == "invalid-command"), "{line}");
    }
}

#[test]
fn a_setting_that_stands_twice_is_named_with_the_one_that_counts() {
    let (config, report) = read(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\npriority 10\npriority 10\npriority 20\n\
         virtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert_eq!(config.instances[0].priority, Priority(20));
    let [finding] = &report.diagnostics[..] else { panic!("{:?}", report.diagnostics) };
    assert_eq!(finding.id, "repeated-setting");
    assert!(finding.headline.contains("not line 4"), "{}", finding.headline);
}

#[test]
fn an_instance_with_words_behind_its_name_does_not_run() {
    let (config, report) = read("vrrp_instance A B {\ninterface eth0\nvirtual_router_id 1\n}");
    assert!(config.instances.is_empty());
    assert_eq!(report.test_exit(), 5);
    let system = FakeSystem::default().file("/etc/main.conf", "virtual_server_group a b {\n}");
    assert_eq!(load(Path::new("/etc/main.conf"), None, &system).1.test_exit(), 2);
}

#[test]
fn a_parameter_without_a_value_says_what_is_meant() {
    let told = |text: &str| {
        let (_, report) = read(text);
        let of = |found: &&Diagnostic| found.id == "undefined-parameter";
        let found = report.diagnostics.iter().find(of);
        found.map(|found| format!("{}; {}", found.headline, found.help.as_deref().unwrap_or_default()))
    };
    let defs = |line: &str| format!("$ROUTER=x\nglobal_defs {{\n{line}\n}}\n$LATER=y");
    assert!(told(&defs("router_id $ROTUER")).is_some_and(|text| text.ends_with("did you mean ${ROUTER}?")));
    assert!(told(&defs("router_id $LATER")).is_some_and(|text| text.contains("line 5 comes too late")));
    assert!(told(&defs("router_id $ROUTER.x")).is_some_and(|text| text.ends_with("write ${ROUTER}")));
    assert!(told(&defs("router_id $NOBODY")).is_some_and(|text| text.contains("taken as text")));
    assert_eq!(told(&defs("router_id \"a $NOBODY\"")), None, "it may be meant for another program");
    assert_eq!(told("vrrp_instance A {\nauthentication {\nauth_pass $ecret\n}\n}"), None);
}

#[test]
fn lookalikes_of_blanks_and_quotes_are_named_outside_quotes_and_passwords() {
    let all = |line: &str| found(&format!("global_defs {{\n{line}\n}}"));
    assert!(all("router_id\u{a0}x").contains(&("lookalike-character", 2)));
    assert!(all("router_id “x”").contains(&("lookalike-character", 2)));
    for line in ["router_id \"x\u{a0}y\"", "auth_pass “x”", "router_id x # “"] {
        assert!(!all(line).iter().any(|(id, _)| *id == "lookalike-character"), "{line}");
    }
}

#[test]
fn a_list_that_a_setting_ends_is_named_at_its_opener() {
    let text = "vrrp_instance A {\nvirtual_ipaddress {\n192.0.2.1\npriority 10\n}\n}";
    assert!(found(text).contains(&("unclosed-list", 2)));
    let text = "vrrp_instance A {\ntrack_script {\nstate\n}\n}";
    assert!(!found(text).iter().any(|(id, _)| *id == "unclosed-list"), "a script may be called so");
}

#[test]
fn stars_are_no_password_and_short_passwords_leave_our_words_alone() {
    let instance = |lines: &str| {
        format!(
            "$PW=is\nvrrp_instance A {{\nauthentication {{\nauth_type PASS\n{lines}\n}}\nsmtp_alert $PW\n}}"
        )
    };
    let (config, report) = read(&instance("auth_pass ********"));
    assert!(config.instances.is_empty() && ids(&report).contains(&"masked-secret"));
    assert!(!ids(&report).contains(&"no-authentication"), "it is there");
    let shown = read(&instance("auth_pass $PW")).1.render();
    assert!(shown.contains("`********` is not valid for smtp_alert"), "{shown}");
}
