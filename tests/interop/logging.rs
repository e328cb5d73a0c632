//! Log lines: where they go, and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use lab::{Host, Lan, Process, Result, Subject, wait};

use crate::world::{SOON, Setup, V3, VI, is_keepalived, ours};

/// A host's own /dev and /run, with sockets in them that the story listens on.
struct Listening {
    dev: PathBuf,
    run: PathBuf,
    syslog: UnixDatagram,
    journal: UnixDatagram,
}

impl Listening {
    fn on(host: &Host) -> Self {
        let [dev, run] = ["dev", "run"].map(|name| host.dir().join(name));
        let journal = run.join("systemd/journal");
        for folder in [&dev, &journal] {
            fs::create_dir_all(folder).expect("a folder");
        }
        for device in ["null", "urandom"] {
            fs::write(dev.join(device), "").expect("a place for the device");
        }
        let bind = |path: PathBuf| {
            let socket = UnixDatagram::bind(path).expect("a socket");
            socket.set_nonblocking(true).expect("it does not block");
            socket
        };
        Self { syslog: bind(dev.join("log")), journal: bind(journal.join("socket")), dev, run }
    }

    /// Starts the router where these are /dev and /run; `shell` is done before.
    fn start(&self, host: &Host, shell: &str, config: &Setup, flags: &str) -> Result<Process> {
        let config = host.write("logging.conf", &config.text())?;
        let program = match ours() {
            Subject::Steadfast(program) => program.display().to_string(),
            peer => peer.to_string(),
        };
        let (dev, run) = (self.dev.display(), self.run.display());
        let folder = host.dir().display();
        let script = format!(
            "for d in null urandom; do mount --bind /dev/$d {dev}/$d; done
            mount --rbind {dev} /dev && mount --bind {run} /run && {shell}
            exec {program} -n -f {} -p {folder}/pid -r {folder}/vrrp.pid {flags}",
            config.display()
        );
        host.spawn("logging", &["unshare", "-m", "sh", "-ec", &script])
    }
}

/// Everything that has come.
fn received(socket: &UnixDatagram) -> Vec<String> {
    let mut datagram = vec![0; 1 << 16];
    let next =
        || socket.recv(&mut datagram).ok().map(|n| String::from_utf8_lossy(&datagram[..n]).into_owned());
    std::iter::from_fn(next).collect()
}

/// Everything up to the line that says that the instance is MASTER.
fn until_master(socket: &UnixDatagram) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    wait::until("the line of the MASTER", SOON, || {
        lines.extend(received(socket));
        let found = lines.iter().any(|line| line.contains(&format!("({VI}) Entering MASTER STATE")));
        if found { Ok(()) } else { Err(format!("{} lines", lines.len())) }
    })?;
    Ok(lines)
}

#[test]
fn lines_for_syslog_have_the_facility_that_is_asked_for() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listening = Listening::on(host);
    let daemon = 3;
    let choices = [
        ("", daemon),
        ("-S 3", 19),
        ("-S local5", 21),
        ("-S user", 1),
        ("-S daemon", daemon),
        ("-S 9", daemon),
    ];
    for (flags, facility) in choices {
        let router = listening.start(host, "true", &V3.alpha(150), flags)?;
        let lines = until_master(&listening.syslog)?;
        assert!(router.terminate(SOON)?.success(), "{}", router.log());
        let priorities: BTreeSet<u8> = lines
            .iter()
            .map(|line| {
                line.trim_start_matches('<').split('>').next().and_then(|n| n.parse().ok()).expect("a number")
            })
            .collect();
        // The first line of keepalived complains of words before it believes them.
        let of = |priority: &u8| priority / 8 == facility || (flags.contains("-S") && *priority == 30);
        assert!(priorities.iter().all(of) && priorities.contains(&(facility * 8 + 6)), "{flags}: {lines:#?}");
        received(&listening.syslog);
    }
    let router = listening.start(host, "true", &V3.alpha(150), "-G")?;
    lan.wait_holder(crate::world::VIP, "alpha", SOON)?;
    assert!(router.terminate(SOON)?.success());
    assert_eq!((received(&listening.syslog), router.log()), (Vec::new(), String::new()));
    Ok(())
}

/// Field by name.
fn fields(datagram: &str) -> BTreeMap<&str, &str> {
    datagram.lines().filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn a_service_of_systemd_writes_fields_into_the_journal() -> Result<()> {
    if is_keepalived("log lines of a service whose standard error is the journal") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listening = Listening::on(host);
    let stream = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2);";
    let router = listening.start(host, stream, &V3.alpha(150), "")?;
    let entries = until_master(&listening.journal)?;
    let parent =
        entries.iter().map(|entry| fields(entry)).find(|entry| entry["MESSAGE"].contains("been started"));
    assert_eq!(parent.expect("a line of the parent")["SYSLOG_IDENTIFIER"], "steadfast");
    let master =
        entries.iter().map(|entry| fields(entry)).find(|entry| entry.get("STATE") == Some(&"MASTER"));
    let master = master.expect("the line of the MASTER");
    assert_eq!((master["INSTANCE"], master["PRIORITY"], master["SYSLOG_FACILITY"]), (VI, "6", "3"));
    assert!(master["SEQ"].parse::<u64>().expect("a number") > 0);
    assert_eq!((received(&listening.syslog), router.log()), (Vec::new(), String::new()));
    assert!(router.terminate(SOON)?.success());
    Ok(())
}

#[test]
fn a_file_has_lines_of_json_for_whoever_collects_them_and_is_made_anew_when_rotated() -> Result<()> {
    if is_keepalived("`-g`, `--log-file`, `--flush-log-file`") {
        return Ok(());
    }
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listening = Listening::on(host);
    let file = host.dir().join("k.log");
    let flags = format!("-G -g {} --log-format json -D", file.display());
    let router = listening.start(host, "true", &V3.alpha(150), &flags)?;
    let of_engine = host.dir().join("k_vrrp.log");
    let found = |file: &PathBuf, text: &str| fs::read_to_string(file).is_ok_and(|all| all.contains(text));
    wait::until_true("the MASTER in the file", SOON, || found(&of_engine, "Entering MASTER STATE"))?;
    assert!(found(&file, "The engine has been started"));
    let text = fs::read_to_string(&of_engine).expect("the file");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let master = lines.iter().find(|line| line["state"] == "MASTER").expect("the line of the MASTER");
    assert_eq!((&master["instance"], &master["level"]), (&VI.into(), &"INFO".into()));
    fs::rename(&of_engine, host.dir().join("k_vrrp.log.1")).expect("rotated");
    assert!(router.terminate(SOON)?.success());
    assert!(found(&of_engine, "Stopped"), "no file of that name");
    assert_eq!(router.log(), "");
    Ok(())
}

#[test]
fn the_configuration_is_in_the_log_when_it_is_asked_for() -> Result<()> {
    let lan = Lan::pair()?;
    let host = &lan["alpha"];
    let listening = Listening::on(host);
    let router = listening.start(host, "true", &V3.alpha(150), "-d")?;
    let lines = until_master(&listening.syslog)?;
    assert!(router.terminate(SOON)?.success());
    for part in [
        "------< VRRP Topology >------",
        " VRRP Instance = VI",
        "   Virtual Router ID = 51",
        "   Priority = 150",
    ] {
        assert!(lines.iter().any(|line| line.ends_with(part)), "{part} in {lines:#?}");
    }
    Ok(())
}
