//! Files around a reload: with mistakes, that say when, that say what was found, and that keep what was read.

use lab::monitor::AddressMonitor;
use lab::{Host, Lan, Result, Router, State, wait};

use crate::reload_scene::{ALPHA, INTERVAL, Scene, setup, with_globals};
use crate::world::{LATE, SOON, VI, assert_steady, from, in_its_way, is_keepalived, ours};

#[test]
fn a_file_with_mistakes_changes_nothing() -> Result<()> {
    if is_keepalived("SIGHUP: a file with mistakes, or none") {
        return Ok(());
    }
    let text = setup(150).text();
    let scene = Scene::new(&text)?;
    let (capture, monitor) = (scene.capture()?, AddressMonitor::start(scene.alpha())?);
    let broken = [
        text.replace("virtual_router_id 51", ""),
        text.replace("priority 150", "priority 1000"),
        format!("{text}\nvrrp_instance {{\n"),
        format!("{text}\n{}", setup(10).instance("SAME_VRID")),
    ];
    for broken in &broken {
        let mark = scene.router.mark();
        scene.router.ask_to_reload(scene.alpha(), "alpha", broken)?;
        scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON)?;
    }
    std::fs::remove_file(scene.alpha().dir().join("alpha.conf")).expect("it is there");
    let mark = scene.router.mark();
    scene.router.process().signal(nix::sys::signal::Signal::SIGHUP)?;
    scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON)?;
    scene.goes_on(&capture)?;
    scene.router.reload(scene.alpha(), "alpha", &text, SOON)?;
    assert!(monitor.changes().is_empty(), "{:?}", monitor.changes());
    assert_steady(&capture.vrrp()?, ALPHA, INTERVAL, LATE, &scene.control.stop());
    Ok(())
}

#[test]
fn a_file_says_when_a_reload_has_read_the_configuration() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let marker = scene.alpha().dir().join("reading");
    let with = with_globals(&text, &format!("  reload_file {}\n", marker.display()));
    scene.reload(&with)?;
    for text in [&with, &with.replace("150", "140")] {
        std::fs::write(&marker, "a configuration comes").expect("it can be written");
        scene.reload(text)?;
        wait::until_true("the end of the reading", SOON, || !marker.exists())?;
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_a_file_is_left_for_whoever_asks() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let found = scene.alpha().dir().join("found");
    let with = with_globals(&text, &format!("  reload_check_config {}\n", found.display()));
    scene.reload(&with)?;
    let broken = with.replace("priority 150", "priority 150\n  nonsense 1");
    scene.router.ask_to_reload(scene.alpha(), "alpha", &broken)?;
    wait::until_true("what is found", SOON, || {
        std::fs::read_to_string(&found).is_ok_and(|text| text.contains("nonsense"))
    })?;
    assert_eq!(scene.router.entries(VI, State::Master), 1, "{}", scene.router.log());
    Ok(())
}

#[test]
fn a_reload_comes_at_the_time_in_a_file() -> Result<()> {
    let text = setup(150).text();
    let scene = Scene::alone(&text)?;
    let alpha = scene.alpha();
    let file = alpha.dir().join("time");
    let globals = |more: &str| with_globals(&text, &format!("  reload_time_file {}\n{more}", file.display()));
    for (more, priority) in [("", 140), ("  reload_repeat\n", 130)] {
        scene.reload(&globals(more))?;
        let next = globals(more).replace("150", &priority.to_string());
        alpha.write("alpha.conf", &next)?;
        let (time, new) = (file.display(), alpha.dir().join("time.new"));
        let new = new.display();
        alpha.sh(&format!("date -u -d '2 seconds' +%H:%M:%SZ > {new} && mv {new} {time}"))?;
        let capture = scene.capture()?;
        capture.wait_vrrp("the priority of the new file", SOON, |adverts| {
            from(adverts, ALPHA).last().is_some_and(|advert| advert.priority() == priority)
        })?;
        wait::until_true("the file", SOON, || file.exists() != more.is_empty())?;
    }
    Ok(())
}

#[test]
fn what_was_read_and_what_ran_is_saved_around_each_reload() -> Result<()> {
    let text = setup(150).text();
    let folder = |host: &Host| host.dir().join("saved");
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let saved = folder(alpha);
    let text = with_globals(&text, &format!("  config_save_dir {}\n", saved.display()));
    let router = Router::start(&ours(), alpha, "alpha", &text)?;
    router.wait_entering(VI, State::Master, SOON)?;
    router.reload(alpha, "alpha", &text.replace("priority 150", "priority 140"), SOON)?;
    let name = in_its_way(&ours(), "steadfast", "keepalived");
    let files = || {
        let files = std::fs::read_dir(&saved).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    };
    // The process's number is in between.
    let ends = |file: &std::path::Path, what: &str, end: &str| {
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        file.starts_with(&format!("{name}{what}.")) && file.ends_with(end)
    };
    for (what, end, has) in [
        (".conf", ".0", "priority 150"),
        (".conf", ".1", "priority 140"),
        ("_vrrp", ".1.pre", "Priority = 150"),
        ("_vrrp", ".1.post", "Priority = 140"),
    ] {
        let content = || {
            let file = files().into_iter().find(|file| ends(file, what, end))?;
            std::fs::read_to_string(file).ok()
        };
        wait::until_true(&format!("{what} {end}"), SOON, || {
            content().is_some_and(|text| text.contains(has))
        })?;
    }
    router.stop().map(drop)
}

#[test]
fn mistakes_that_it_was_started_with_keep_no_reload_from_being_done() -> Result<()> {
    let text = setup(150).line("nonsense 1").text();
    let scene = Scene::alone(&text)?;
    let capture = scene.capture()?;
    scene.reload(&format!("! moved\n{}", text.replace("priority 150", "priority 140")))?;
    capture.wait_vrrp("the new priority", SOON, |adverts| {
        from(adverts, ALPHA).last().is_some_and(|advert| advert.priority() == 140)
    })?;
    if is_keepalived("SIGHUP: a file with mistakes, or none") {
        return Ok(());
    }
    let mark = scene.router.mark();
    scene.router.ask_to_reload(scene.alpha(), "alpha", &text.replace("nonsense 1", "other_nonsense 1"))?;
    scene.router.process().wait_log_since(mark, "not reloaded, what ran before goes on", SOON).map(drop)
}
