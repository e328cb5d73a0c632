//! Usual mistakes: the finding says what was meant.

use super::*;

/// What is said of a line: headline, note and help, for each finding there.
fn told(text: &str, line: usize) -> Vec<String> {
    let (_, report) = read(text);
    let there = |found: &&Diagnostic| found.span.as_ref().is_some_and(|span| span.line == line);
    let said = |found: &Diagnostic| {
        let parts = [Some(&found.headline), found.info.as_ref(), found.help.as_ref()];
        parts.into_iter().flatten().map(|part| part.to_string()).collect::<Vec<_>>().join("; ")
    };
    report.diagnostics.iter().filter(there).map(said).collect()
}

#[test]
fn a_type_of_authentication_that_does_not_exist_is_one_finding() {
    let block = |lines: &str| {
        format!(
            "vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\nauthentication {{\n{lines}\nauth_pass x\n}}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        )
    };
    for (lines, ids) in [("auth_type MD5", ["invalid-value"]), ("# auth_type PASS", ["no-authentication"])] {
        let (config, report) = read(&block(lines));
        let found: Vec<_> = report.diagnostics.iter().map(|found| found.id).collect();
        assert_eq!(found, ids, "{lines}");
        assert_eq!(config.instances[0].auth, Auth::None, "{lines}");
    }
}

#[test]
fn a_word_in_the_wrong_case_is_named_in_the_right_one() {
    let block = "VRRP_instance A {\n}\nvrrp_instance B {\nVirtual_Router_ID 1\n}";
    assert!(told(block, 1)[0].ends_with("did you mean vrrp_instance? case matters"), "{:?}", told(block, 1));
    assert!(
        told("vrrp_instance B {\nVirtual_Router_ID 1\n}", 2)[0].contains("did you mean virtual_router_id?")
    );
}

#[test]
fn a_missing_brace_is_named_at_the_first_word_that_shows_it() {
    let inner = "vrrp_instance A {\nauthentication {\nauth_type PASS\nauth_pass x\npriority 100\n}\n}";
    assert_eq!(
        told(inner, 5),
        [
            "unknown keyword `priority` in authentication; a } of authentication, opened at line 2, seems to be missing \
          above this line; add it, or move this line: it belongs in vrrp_instance"
        ]
    );
    let outer = "vrrp_instance A {\ninterface eth0\nvrrp_instance B {\ninterface eth0\n}\n}";
    assert!(
        told(outer, 3)[0].contains("a } of vrrp_instance, opened at line 1, seems"),
        "{:?}",
        told(outer, 3)
    );
    let both = "vrrp_instance A {\nauthentication {\nauth_type PASS\nvrrp_script X {\n}\n}\n}";
    let said = told(both, 4);
    assert!(
        said[0].contains(
            "the }s of authentication, opened at line 2, and vrrp_instance, opened at line 1, seem to"
        ),
        "{said:?}"
    );
    let elsewhere = told("vrrp_instance A {\nrouter_id x\n}", 2);
    assert!(elsewhere[0].ends_with("this keyword belongs in global_defs"), "{elsewhere:?}");
}

#[test]
fn a_choice_stays_where_the_rest_of_its_line_is_hidden() {
    let shown = |text: &str| {
        let system = FakeSystem::default().file("/etc/main.conf", text);
        let (items, _) = effective(Path::new("/etc/main.conf"), &Options::default(), false, &system);
        show::text(&items)
    };
    let text = shown("vrrp_instance A {\nauthentication {\nauth_type AH auth_pass S3CRET nonsense\n}\n}");
    assert!(text.contains("auth_type AH ******** #") && !text.contains("S3CRET"), "{text}");
    assert!(
        shown(&text).contains("auth_type AH ******** #"),
        "loading it again gives the same type:\n{text}"
    );
}

#[test]
fn habits_of_other_languages_are_named() {
    let list = |line: &str| format!("vrrp_instance A {{\nvirtual_ipaddress {{\n{line}\n}}\n}}");
    let peers = |line: &str| format!("vrrp_instance A {{\nunicast_peer {{\n{line}\n}}\n}}");
    let comment = "begin a comment with # or !";
    for (text, line, help) in [
        ("; a comment".to_owned(), 1, comment),
        ("// a comment".to_owned(), 1, comment),
        ("--a comment".to_owned(), 1, comment),
        (list("; 192.0.2.1"), 3, comment),
        (list("192.0.2.1 // x"), 3, comment),
        (peers("; 192.0.2.1"), 3, comment),
        ("vrrp_instance A {\npriority 100;\n}".to_owned(), 2, "remove the ; at its end"),
        ("vrrp_instance A {\nstate MASTER,\n}".to_owned(), 2, "remove the , at its end"),
        ("vrrp_instance A {\ninterface eth0;\n}".to_owned(), 2, "remove the ; at its end"),
        (list("192.0.2.1,"), 3, "remove the , at its end"),
        (list("192.0.2.1/24;"), 3, "remove the ; at its end"),
        (peers("192.0.2.2;"), 3, "remove the ; at its end"),
        (list("192.0.2.1/255.255.255.0"), 3, "write /24 in place of the mask"),
        (list("192.0.2.1/33"), 3, "write a number from 0 to 32 after the slash"),
        (
            "virtual_server 192.0.2.1:80 {\n}".to_owned(),
            1,
            "write virtual_server 192.0.2.1 80: a blank parts",
        ),
        (
            "virtual_server 192.0.2.1 80 {\nreal_server [2001:db8::1]:80 {\n}\n}".to_owned(),
            2,
            "write real_server 2001:db8::1 80: a blank parts address and port",
        ),
        (
            "vrrp_instance A {\nvirtual_ipaddress 192.0.2.1/24\n}".to_owned(),
            2,
            "`192.0.2.1/24` behind virtual_ipaddress is ignored; write virtual_ipaddress {, then 192.0.2.1/24 on a line",
        ),
        (
            "vrrp_instance A {\nvirtual_ipaddress 192.0.2.1 {\n}\n}".to_owned(),
            2,
            "put it on a line of its own inside virtual_ipaddress { }",
        ),
    ] {
        let said = told(&text, line);
        assert!(said.iter().any(|said| said.contains(help)), "{text}: {said:?}");
    }
}

#[test]
fn a_router_that_lists_itself_is_told_so() {
    let instance = |peers: &str| {
        format!(
            "vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\nunicast_src_ip 192.0.2.5\nunicast_peer {{\n{peers}\n}}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        )
    };
    let own = told(&instance("192.0.2.6\n192.0.2.5"), 7);
    assert_eq!(
        own,
        ["peer 192.0.2.5 is this router itself, by its source address; list the other routers alone"]
    );
    let (_, report) = read(&instance("192.0.2.6"));
    assert!(report.diagnostics.is_empty(), "{:?}", report.diagnostics);
}
