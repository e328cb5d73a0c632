//! What a daemon records of its routers, replayed by the same program (docs/recording.md).

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use lab::{Lan, Result, Router, State};

use crate::world::{SOON, Talk, V3, VI, VIP, is_keepalived, ours};

const PASSWORD: &str = "s3cret99";

#[test]
fn a_recording_of_a_failover_replays_without_a_difference_and_has_no_password() -> Result<()> {
    if is_keepalived("recording of what a router hears") {
        return Ok(());
    }
    let talk = Talk { version: 2, password: Some(PASSWORD), ..V3 };
    let lan = Lan::pair()?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let file = beta.dir().join("recording");
    let path = file.to_string_lossy().into_owned();
    let master = talk.alpha(150).start_until(&ours(), alpha, State::Master)?;
    let backup = Router::start_with(&ours(), beta, "beta", &talk.beta(100).text(), &["--record", &path])?;
    backup.wait_entering(VI, State::Backup, SOON)?;
    let mark = backup.mark();
    master.stop()?;
    backup.wait_entering_since(mark, VI, State::Master, SOON)?;
    lan.wait_holder(VIP, "beta", SOON)?;
    backup.stop()?;

    let recording = std::fs::read_to_string(&file).expect("the recording");
    let hex: String = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!recording.contains(PASSWORD) && !recording.contains(&hex), "{recording}");
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
