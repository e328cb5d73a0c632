//! What a daemon records of its routers, replayed by the same program (docs/recording.md).

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use lab::{Result, Router, State};

use crate::world::{SOON, Talk, V3, V3_IPV6, VI, is_keepalived, ours, side_by_side};

const PASSWORD: &str = "s3cret99";
const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";

/// Each kind of secret, as the setup on either side has it.
#[test]
fn a_recording_of_a_failover_replays_without_a_difference_and_has_no_secret() {
    if is_keepalived("recording of what a router hears") {
        return;
    }
    let password = Talk { version: 2, password: Some(PASSWORD), ..V3 };
    let signed = format!("auth_hmac {{\n    key 1 {KEY}\n    active_key 1\n  }}");
    let cases = [
        (password, "# nothing"),
        (Talk { header: true, ..password }, "# nothing"),
        (V3, &*signed),
        (Talk { version: 2, ..V3_IPV6 }, &*signed),
    ];
    side_by_side(&cases, |(talk, line)| replays(*talk, line));
}

fn replays(talk: Talk, line: &str) -> Result<()> {
    let lan = talk.lan()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let file = beta.dir().join("recording");
    let path = file.to_string_lossy().into_owned();
    let master = talk.alpha(150).line(line).start_until(&ours(), alpha, State::Master)?;
    let backup =
        Router::start_with(&ours(), beta, "beta", &talk.beta(100).line(line).text(), &["--record", &path])?;
    backup.wait_entering(VI, State::Backup, SOON)?;
    let mark = backup.mark();
    master.stop()?;
    backup.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(talk.vip(), "beta", SOON)?;
    backup.stop()?;

    let recording = std::fs::read_to_string(&file).expect("the recording");
    for secret in [PASSWORD, KEY] {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!recording.contains(secret) && !recording.contains(&hex), "{recording}");
    }
    let mode = std::fs::metadata(&file).expect("the recording").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for told in ["Backup, to: Master", "{\"packet\":", "to: Stop"] {
        assert!(recording.contains(told), "{told}: {recording}");
    }
    let replay = || {
        let output = Command::new(env!("CARGO_BIN_EXE_steadfast")).args(["replay", &path]).output();
        let output = output.expect("the program runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (status, said) = replay();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("1 routers, ") && said.ends_with(" 0 differences\n"), "{said}");
    std::fs::write(&file, recording.replace("Backup, to: Master", "Backup, to: Fault")).expect("write");
    let (status, said) = replay();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("1 differences"), "{said}");
    Ok(())
}
