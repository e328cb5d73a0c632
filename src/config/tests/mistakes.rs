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
