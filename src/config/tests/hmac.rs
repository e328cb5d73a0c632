//! `auth_hmac`: where keys come from, which ones can be used, and what follows from the other words.

use super::*;

const TEXT: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
const HEX: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

/// An instance with these lines in its block, on a system with some files.
fn read_block(lines: &str, more: &str) -> (Option<Instance>, Report) {
    let text = format!(
        "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 7\n{more}\nauth_hmac {{\n{lines}\n}}\n\
         virtual_ipaddress {{\n192.0.2.9/24\n}}\n}}\n"
    );
    let system = FakeSystem::default()
        .file("/etc/main.conf", &text)
        .file("/etc/key", &format!("{HEX}\n\n"))
        .file("/etc/long", &"x".repeat(1025))
        .file("/run/credentials/vrrp", TEXT);
    let (config, report) = load(Path::new("/etc/main.conf"), None, &system);
    (config.and_then(|mut config| config.instances.pop()), report)
}

fn signatures(lines: &str, more: &str) -> (Signatures, Vec<&'static str>) {
    let (instance, report) = read_block(lines, more);
    let instance = instance.unwrap_or_else(|| panic!("{}", report.render()));
    let Auth::Signed(signatures) = &instance.auth else { panic!("{:?}", instance.auth) };
    (*signatures.clone(), ids(&report))
}

#[test]
fn a_key_comes_from_the_line_a_file_or_a_credential() {
    let counting: Vec<u8> = (0..32).collect();
    for (value, bytes) in [
        (TEXT, TEXT.as_bytes()),
        (HEX, &counting),
        ("file:/etc/key", &counting),
        ("credential:vrrp", TEXT.as_bytes()),
    ] {
        let (signatures, found) = signatures(&format!("key 1 {value}\nactive_key 1"), "");
        assert_eq!((signatures.keys[0].id, signatures.keys[0].reveal()), (1, bytes), "{value}");
        assert!(found.is_empty(), "{value}: {found:?}");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_named_without_a_word_of_it() {
    for (value, why) in [
        ("S3CRET", "it has 6 bytes"),
        ("S3CRET7890123456789012345678901234567890123456789012345678901234X", "it has 65 bytes"),
        ("hex:S3CRET", "not all of it are hexadecimal digits"),
        ("hex:123", "an odd number of hexadecimal digits"),
        ("file:/S3CRET", "its file cannot be read"),
        ("file:/etc/long", "its file cannot be read"),
        ("credential:S3CRET", "its file cannot be read"),
        ("credential:../S3CRET", "this is not the name of a credential"),
    ] {
        let lines = format!("key 1 {value}\nkey 2 {TEXT}\nactive_key 2");
        let (instance, report) = read_block(&lines, "");
        assert!(instance.is_some_and(|instance| matches!(instance.auth, Auth::Signed(_))), "{value}");
        assert_eq!(ids(&report), ["unusable-key"], "{value}");
        assert!(report.diagnostics[0].headline.contains(why), "{}", report.diagnostics[0].headline);
        assert!(!report.render().contains("S3CRET"), "{}", report.render());
    }
}

#[test]
fn without_a_key_to_sign_with_the_instance_does_not_run() {
    for lines in [
        format!("key 1 {TEXT}"),
        format!("key 1 {TEXT}\nactive_key 2"),
        "key 1 short\nactive_key 1".to_owned(),
        "active_key 1".to_owned(),
    ] {
        let (instance, report) = read_block(&lines, "");
        assert!(instance.is_none(), "{lines}");
        assert!(ids(&report).contains(&"no-active-key"), "{lines}: {:?}", ids(&report));
    }
}

#[test]
fn the_window_is_three_intervals_within_bounds() {
    let key = format!("key 1 {TEXT}\nactive_key 1\n");
    for (lines, more, expected) in [
        ("", "", AntiReplay::Time { window: 5 }),
        ("", "advert_int 4", AntiReplay::Time { window: 12 }),
        ("", "advert_int 200", AntiReplay::Time { window: 300 }),
        ("time_window 60", "advert_int 4", AntiReplay::Time { window: 60 }),
        ("anti_replay time\ntime_window 1", "", AntiReplay::Time { window: 1 }),
        ("anti_replay monotonic", "", AntiReplay::Monotonic),
    ] {
        assert_eq!(signatures(&format!("{key}{lines}"), more).0.anti_replay, expected, "{lines} {more}");
    }
}

#[test]
fn strict_mode_enforces() {
    let key = format!("key 1 {TEXT}\nactive_key 1\n");
    for (mode, expected) in [
        ("mode enforce", SignatureMode::Enforce),
        ("mode permissive", SignatureMode::Permissive),
        ("mode receive-only", SignatureMode::ReceiveOnly),
    ] {
        assert_eq!(signatures(&format!("{key}{mode}"), "").0.mode, expected);
        let (strict, found) = signatures(&format!("{key}{mode}"), "strict_mode");
        assert_eq!(strict.mode, SignatureMode::Enforce);
        assert_eq!(found.contains(&"strict-mode"), expected != SignatureMode::Enforce, "{found:?}");
    }
}

#[test]
fn it_takes_the_place_of_authentication_in_either_version() {
    let key = format!("key 1 {TEXT}\nactive_key 1\n");
    for more in ["version 2", "version 3"] {
        let legacy = format!("{more}\nauthentication {{\nauth_type AH\nauth_pass abc\n}}");
        let (signatures, found) = signatures(&key, &legacy);
        assert_eq!((signatures.active, found), (1, vec!["no-authentication"]));
    }
}
