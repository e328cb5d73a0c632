//! Who is told over a reload, and where: scripts of what is deleted, FIFOs, mail.

use lab::mail::MailServer;
use lab::{FifoReader, Lan, Result, Router, State, Subject, wait};

use crate::mail;
use crate::reload_scene::{Scene, instances, setup, with_globals};
use crate::world::{SOON, Setup, V3, VI, is_keepalived, ours};

#[test]
fn those_who_are_deleted_are_told_as_in_fault_or_as_they_ask() -> Result<()> {
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    alpha.sh("ip link add down0 type veth peer name down1 && ip address add 10.8.8.1/24 dev down0")?;
    let fifo = alpha.dir().join("fifo");
    let told = alpha.dir().join("told");
    let note = |word: &str| {
        let text = format!("#!/bin/sh\necho {word} \"$@\" >> {}\n", told.display());
        crate::scripts::script(alpha, &format!("note-{word}"), &text)
    };
    let (own, all, fault) = (note("own")?, note("all")?, note("fault")?);
    let globals = format!(
        "global_defs {{\n  router_id lab\n  script_user root\n  vrrp_notify_fifo {}\n  fifo_write_vrrp_states_on_reload\n}}\n",
        fifo.display()
    );
    alpha.sh(&format!("mkfifo {}", fifo.display()))?;
    let script = format!("notify_deleted {}\n  notify {}", own.display(), all.display());
    let general = format!("notify {}\n  notify_fault {}", all.display(), fault.display());
    let kept = [("KEEP", 1, ""), ("LAME", 2, "down")];
    let gone = [
        ("A", 3, general.as_str()),
        ("B", 4, "notify_deleted"),
        ("C", 5, &script),
        ("D", 6, "notify_deleted down"),
    ];
    let gone = [gone.as_slice(), &[("E", 7, "down")]].concat();
    let router = Router::start(
        &ours(),
        alpha,
        "alpha",
        &format!("{globals}{}", instances(&[kept.as_slice(), &gone].concat())),
    )?;
    let mut reader = FifoReader::open(&fifo, SOON)?;
    for name in ["KEEP", "A", "B", "C"] {
        router.wait_entering(name, State::Master, SOON)?;
    }
    wait::until_true("the lines of the start", SOON, || reader.lines().len() >= 11)?;
    let begun = reader.lines().len();
    router.reload(alpha, "alpha", &format!("{globals}{}", instances(&kept)), SOON)?;
    let line = |name: &str, state: &str| format!("INSTANCE \"{name}\" {state} 150");
    let mut expected = [
        line("A", "FAULT"),
        line("B", "DELETED"),
        line("C", "DELETED"),
        line("D", "DELETED"),
        line("LAME", "FAULT"),
    ];
    wait::until_true("the lines", SOON, || reader.lines().len() >= begun + expected.len())?;
    let mut lines = reader.lines().split_off(begun);
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    let mut scripts = ["all INSTANCE A FAULT 150", "all INSTANCE C DELETED 150", "own"];
    let seen = || {
        let mut lines = crate::scripts::lines(&told);
        lines.retain(|line| {
            line.contains("DELETED")
                || line.contains("FAULT")
                || line.starts_with("own")
                || line.starts_with("fault")
        });
        lines.sort();
        lines
    };
    scripts.sort_unstable();
    let scripts: Vec<String> = scripts.iter().map(ToString::to_string).collect();
    wait::until_eq("the scripts", SOON, &scripts, || {
        seen().iter().map(|line| line.trim().to_owned()).collect()
    })
}

#[test]
fn fifos_follow_a_reload_and_the_one_that_stays_is_not_made_anew() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let dir = scene.alpha().dir();
    let (all, vrrp) = (dir.join("all"), dir.join("vrrp"));
    let fifo = |word: &str, path: &std::path::Path| format!("  {word} {}\n", path.display());
    let new = |name: &str, vrid: u8| {
        let router = Setup { vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        router.instance(name)
    };
    scene.reload(&(with_globals(&text, &fifo("notify_fifo", &all)) + &new("TWO", 52)))?;
    let mut reader = FifoReader::open(&all, SOON)?;
    let told = |name: &str| ["BACKUP", "MASTER"].map(|state| format!("INSTANCE \"{name}\" {state} 150"));
    wait::until_eq("the lines of the new instance", SOON, &told("TWO").to_vec(), || reader.lines())?;
    let both = fifo("notify_fifo", &all) + &fifo("vrrp_notify_fifo", &vrrp);
    scene.reload(&(with_globals(&text, &both) + &new("THREE", 53)))?;
    let mut second = FifoReader::open(&vrrp, SOON)?;
    let mut seen = told("THREE").to_vec();
    seen.insert(0, "INSTANCE \"TWO\" FAULT 150".into());
    wait::until_eq("the lines of the second FIFO", SOON, &seen, || second.lines())?;
    if !is_keepalived("SIGHUP: what does not differ") {
        let seen = [told("TWO").to_vec(), seen].concat();
        wait::until_eq("the lines of the first FIFO", SOON, &seen, || reader.lines())?;
    }
    scene.reload(&text)?;
    wait::until_true("no FIFO", SOON, || !all.exists() && !vrrp.exists())
}

#[test]
fn the_script_of_a_fifo_may_be_another_one() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let alpha = scene.alpha();
    let (fifo, told) = (alpha.dir().join("fifo"), alpha.dir().join("told"));
    let script = |name: &str| {
        let text =
            format!("#!/bin/sh\nwhile read line; do echo {name} $line; done < $1 >> {}\n", told.display());
        let path = crate::scripts::script(alpha, &format!("read-{name}"), &text)?;
        Ok::<_, lab::Error>(format!(
            "  script_user root\n  notify_fifo {}\n  notify_fifo_script {}\n",
            fifo.display(),
            path.display()
        ))
    };
    let other = |vrid: u8| {
        let router = Setup { vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        router.instance("OTHER")
    };
    for (name, vrid) in [("one", 52), ("two", 53)] {
        scene.reload(&(with_globals(&text, &script(name)?) + &other(vrid)))?;
        let line = format!("{name} INSTANCE \"OTHER\" MASTER 150");
        wait::until_true(&line, SOON, || crate::scripts::lines(&told).contains(&line))?;
    }
    scene.reload(&text)?;
    wait::until_true("no FIFO", SOON, || !fifo.exists())
}

#[test]
fn mail_goes_where_the_new_configuration_says() -> Result<()> {
    let text = setup(150).line("smtp_alert").text();
    let scene = Scene::alone(&text)?;
    let server = MailServer::start(&scene.lan["beta"], mail::PORT)?;
    let with = |recipients: &str| {
        let globals = mail::globals("10.9.0.2").replace("ops@example.org\n    night@example.org", recipients);
        with_globals(&text, &globals)
    };
    let lower = |text: String| text.replace("priority 150", "priority 100");
    scene.reload(&with("ops@example.org"))?;
    assert_eq!(server.mails().len(), 0, "nothing has happened since");
    let rival = Setup { advert_int: "0.1".into(), ..V3.beta(120) };
    scene.reload(&lower(with("night@example.org")))?;
    let _rival = rival.start_until(&Subject::Keepalived, &scene.lan["beta"], State::Master)?;
    wait::until_true("a mail", SOON, || !server.mails().is_empty())?;
    let mails = server.mails();
    assert_eq!(
        mails[0].field("Subject"),
        Some(&*format!("[lab] VRRP Instance {VI} - Entering BACKUP state"))
    );
    assert_eq!(mails[0].to, ["night@example.org"]);
    Ok(())
}
