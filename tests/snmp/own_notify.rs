//! Notifications of our own, as real snmptrapd receives them: every version, as traps and as informs, beside the AgentX master
//! and without one; with the receiver gone, with the daemon killed, and across reloads.

use std::{fs, os::unix::fs::PermissionsExt as _};

use lab::{Host, Lan, Result, Router, Snmpd, Snmptrapd, State, snmp::Trap, wait};

use crate::{
    random::Random,
    scene::{
        Entered, LOST_COUNT, NOTIFICATIONS_LOST, SOON, STATE_CHANGE, SYS_UP_TIME, calm, globals, instance,
        logged, steadfast, told,
    },
    transitions::HERE,
};

/// The engine of the daemon, so that snmptrapd knows whose traps these are.
const ENGINE: &str = "8000257205000102030405060708";
const USER: &str = "auth SHA \"sign here please\" priv AES \"hide this please\"";

/// What snmptrapd has to know of users: for informs they are its own, for traps our engine's.
fn users() -> String {
    let user = "told SHA \"sign here please\" AES \"hide this please\"";
    format!("createUser {user}\ncreateUser -e 0x{ENGINE} {user}\n")
}

/// `target` with this address, which is another one of this host, and these words.
fn target(address: &str, words: &str) -> String {
    format!("  target {address} {{\n    {words}\n  }}\n")
}

/// `snmp_notify` with these targets. The engine's file is the host's.
fn notify(host: &Host, targets: &[String]) -> Result<String> {
    let file = host.write("engine", &format!("engine_id {ENGINE}\nengine_boots 3\n"))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap_or_else(|why| panic!("{why}"));
    let file = file.display();
    Ok(format!("snmp_notify {{\n{}  usm_user told {USER}\n  engine_file {file}\n}}\n", targets.concat()))
}

fn plain_globals() -> String {
    "global_defs {\n  router_id lab\n  vrrp_version 3\n}\n".to_owned()
}

fn router() -> String {
    instance("VI", "va0", 51, 100, "0.01")
}

/// What arrived by somebody: the transitions that are told of.
fn told_by(trapd: &Snmptrapd, by: &str) -> Vec<Trap> {
    trapd.traps_of(STATE_CHANGE).into_iter().filter(|trap| trap.by.trim_end() == by).collect()
}

/// Waits until everything that is logged has arrived by somebody, and returns it.
fn all_told(trapd: &Snmptrapd, by: &str, happened: &[Entered]) -> Result<Vec<Trap>> {
    wait::until(&format!("everything by {by}"), SOON * 3, || {
        let traps = told_by(trapd, by);
        if traps.len() >= happened.len() {
            Ok(traps)
        } else {
            Err(format!("{} of {}", traps.len(), happened.len()))
        }
    })
}

/// FAULT, BACKUP, MASTER.
fn flap(alpha: &Host, router: &Router) -> Result<()> {
    let mark = router.mark();
    alpha.link_down("va0")?;
    router.wait_entering_since(mark, "VI", State::Fault, SOON)?;
    alpha.link_up("va0")?;
    router.wait_entering_since(mark, "VI", State::Master, SOON).map(drop)
}

/// SIGKILL once the journal has everything that the log has, in the first run that writes it.
fn kill_with_journal(router: &Router) -> Result<()> {
    let path = router.dir().join("pid.transitions");
    let newest = logged(router).len();
    wait::until("the journal to have everything", SOON, || {
        let image = fs::read(&path).map_err(|error| error.to_string())?;
        let found = steadfast::journal::Ring::recover(&image).map_err(|error| error.to_string())?;
        let last = found.records.last().map(|record| record.number);
        if last >= Some(newest as u64) { Ok(()) } else { Err(format!("{last:?} of {newest}")) }
    })?;
    router.kill9();
    Ok(())
}

/// What `steadfast ctl status` says of the outputs that are targets.
fn outputs(host: &Host, router: &Router) -> Result<Vec<serde_json::Value>> {
    let pid = router.dir().join("pid");
    let ask = [env!("CARGO_BIN_EXE_steadfast"), "-p", &pid.to_string_lossy(), "ctl", "status", "--json"];
    let status = host.run(&ask)?;
    let status: serde_json::Value =
        serde_json::from_str(&status).unwrap_or_else(|why| panic!("{why}: {status}"));
    let outputs = status["status"]["outputs"].as_array().unwrap_or_else(|| panic!("no list: {status}"));
    Ok(outputs
        .iter()
        .filter(|output| output["name"].as_str().is_some_and(|name| name.contains("snmp")))
        .cloned()
        .collect())
}

#[test]
fn every_version_tells_what_the_agentx_master_is_told() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start_with(alpha, &users())?;
    let snmpd = Snmpd::builder(alpha).trap_sink(HERE).start()?;
    let targets = [
        ("version 1\n    community one", "TRAP, SNMP v1, community one"),
        ("inform no\n    community two", "TRAP2, SNMP v2c, community two"),
        ("community three", "INFORM, SNMP v2c, community three"),
        (
            "version 3\n    inform off\n    user told\n    context blue",
            "TRAP2, SNMP v3, user told, context blue",
        ),
        ("version 3\n    user told", "INFORM, SNMP v3, user told, context"),
    ];
    let lines = (2..).zip(&targets).map(|(last, (words, _))| target(&format!("127.0.0.{last}"), words));
    let config = globals(&snmpd) + &router() + &notify(alpha, &lines.collect::<Vec<_>>())?;
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    router.wait_entering("VI", State::Master, SOON)?;
    for _ in 0..3 {
        flap(alpha, &router)?;
    }
    let happened = logged(&router);
    let by_master = all_told(&trapd, "TRAP2, SNMP v2c, community public", &happened)?;
    assert_eq!(told(&by_master), happened);
    for (_, by) in targets {
        let traps = all_told(&trapd, by, &happened)?;
        let varbinds = |traps: &[Trap]| -> Vec<_> {
            traps.iter().map(|trap| (trap.trap_oid.clone(), trap.varbinds.clone())).collect()
        };
        assert_eq!(varbinds(&traps), varbinds(&by_master), "{by}");
        assert!(traps.is_sorted_by_key(|trap| trap.sysuptime), "sysUpTime ran backwards: {traps:#?}");
        assert!(traps.iter().any(|trap| trap.sysuptime > 0), "{SYS_UP_TIME} is that of the event");
    }
    wait::until("every target to be counted", SOON, || {
        let outputs = outputs(alpha, &router).map_err(|error| error.to_string())?;
        let is_done = |output: &serde_json::Value| {
            output["delivered"].as_u64() >= Some(happened.len() as u64) && output["problem"].is_null()
        };
        let all = outputs.len() == targets.len() && outputs.iter().all(is_done);
        if all { Ok(()) } else { Err(format!("{outputs:#?}")) }
    })?;
    // The last words reach everybody, too.
    router.stop()?;
    let happened = logged(&router);
    for (_, by) in targets {
        assert_eq!(told(&all_told(&trapd, by, &happened)?), happened, "{by}");
    }
    Ok(())
}

/// What arrived, and how often something arrived again right behind itself, which no transition does.
fn once_each(arrived: Vec<Entered>) -> (Vec<Entered>, usize) {
    let all = arrived.len();
    let mut once = arrived;
    once.dedup();
    let twice = all - once.len();
    (once, twice)
}

#[test]
fn three_hundred_transitions_while_the_receiver_comes_and_goes_and_the_daemon_is_killed() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let mut trapd = Snmptrapd::start_with(alpha, &users())?;
    let patient = "timeout 3\n    retries 100";
    let informed = [
        (format!("community two\n    {patient}"), "INFORM, SNMP v2c, community two"),
        (format!("version 3\n    user told\n    {patient}"), "INFORM, SNMP v3, user told, context"),
    ];
    let lines = (2..).zip(&informed).map(|(last, (words, _))| target(&format!("127.0.0.{last}"), words));
    let notify = notify(alpha, &lines.collect::<Vec<_>>())?;
    let config = plain_globals() + &self::router() + &notify;
    let mut router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    router.wait_entering("VI", State::Master, SOON)?;
    let mut random = Random::new(0x0c0f_fee0);
    let (mut earlier, mut is_there, mut ends) = (Vec::new(), true, 0);
    for round in 0..100 {
        if random.percent(12) {
            if is_there {
                trapd.kill();
                ends += 1;
            } else {
                trapd.restart()?;
            }
            is_there = !is_there;
        }
        flap(alpha, &router)?;
        if round == 60 {
            // The receiver is away: what waits outlives the daemon.
            trapd.kill();
            is_there = false;
            flap(alpha, &router)?;
            kill_with_journal(&router)?;
            ends += 2;
            earlier.extend(logged(&router));
            router = Router::start(&steadfast(), alpha, "alpha", &config)?;
            router.wait_entering("VI", State::Master, SOON)?;
        }
    }
    if !is_there {
        trapd.restart()?;
    }
    let happened = [earlier, logged(&router)].concat();
    assert!(happened.len() > 300, "{}", happened.len());
    for (_, by) in informed {
        let arrived = wait::until(&format!("everything by {by}"), SOON * 6, || {
            let (once, twice) = once_each(told(&told_by(&trapd, by)));
            if once.len() >= happened.len() {
                Ok((once, twice))
            } else {
                Err(format!("{} of {}", once.len(), happened.len()))
            }
        })?;
        let (once, twice) = arrived;
        println!("{by}: {} transitions in order, {twice} twice, with {ends} ends", once.len());
        assert_eq!(once, happened, "{by}");
        assert!(twice <= ends, "{twice} twice, though only {ends} acknowledgements can have been cut off");
    }
    Ok(())
}

/// Virtual routers that fill a small journal at once.
const MANY: u8 = 40;

/// Waits until each of them has had so many transitions.
fn all_have_entered(router: &Router, times: usize) -> Result<()> {
    wait::until_eq("all transitions", SOON, &(times * usize::from(MANY)), || logged(router).len())
}

#[test]
fn what_the_journal_had_no_room_for_is_told_in_one_and_what_is_of_an_earlier_run_at_the_start_of_this_one()
-> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let by = "INFORM, SNMP v2c, community two";
    let notify = notify(alpha, &[target("127.0.0.2", "community two")])?;
    let small = "  vrrp_version 3\n  transition_journal_size 64\n";
    let routers = (1..=MANY).map(|vrid| instance(&format!("VI_{vrid}"), "va0", vrid, 100, "0.1"));
    let config =
        plain_globals().replace("  vrrp_version 3\n", small) + &routers.collect::<String>() + &notify;
    let first = Router::start(&steadfast(), alpha, "alpha", &config)?;
    all_have_entered(&first, 2)?;
    // In a journal of 125, and nobody to tell.
    alpha.link_down("va0")?;
    all_have_entered(&first, 3)?;
    alpha.link_up("va0")?;
    all_have_entered(&first, 5)?;
    kill_with_journal(&first)?;
    let earlier = logged(&first);
    let router = Router::start(&steadfast(), alpha, "alpha", &config)?;
    all_have_entered(&router, 2)?;
    let trapd = Snmptrapd::start_with(alpha, &users())?;
    let all = [&earlier[..], &logged(&router)].concat();
    let (summary, changes) = wait::until("the summary and all that follows", SOON * 2, || {
        let lost = trapd.traps_of(NOTIFICATIONS_LOST);
        let changes = told_by(&trapd, by);
        match lost.first().and_then(|trap| trap.value(LOST_COUNT)?.parse::<usize>().ok()) {
            Some(count) if changes.len() + count >= all.len() => Ok((lost, changes)),
            count => Err(format!("{} of {}, {count:?} lost", changes.len(), all.len())),
        }
    })?;
    assert_eq!(trapd.traps().first(), summary.first(), "in the place of what was lost");
    assert_eq!((summary.len(), summary[0].by.trim_end()), (1, by));
    let lost = all.len() - changes.len();
    assert_eq!((lost > 0, told(&changes)), (true, all[lost..].to_vec()));
    // TimeTicks know no time before the start: what is older has its place in the order, and the time 0.
    let (old, new) = changes.split_at(earlier.len() - lost);
    assert!(summary.iter().chain(old).all(|trap| trap.sysuptime == 0), "{old:#?}");
    assert!(new.is_sorted_by_key(|trap| trap.sysuptime), "{new:#?}");
    assert!(new.last().is_some_and(|trap| trap.sysuptime > 0), "{new:#?}");
    Ok(())
}

#[test]
fn a_reload_tells_new_targets_of_what_comes_and_the_others_on() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let alpha = &lan["alpha"];
    let trapd = Snmptrapd::start_with(alpha, &users())?;
    let by = |community: &str| format!("INFORM, SNMP v2c, community {community}");
    let one = target("127.0.0.2", "community one");
    let two = target("127.0.0.3", "community two");
    // Nobody listens there, and it is no reason not to tell the others.
    let deaf = target("127.0.0.4:9", "community deaf");
    let config = |targets: &[&String]| -> Result<String> {
        let targets: Vec<String> = targets.iter().map(|target| (*target).clone()).collect();
        Ok(plain_globals() + &router() + &notify(alpha, &targets)?)
    };
    let router = Router::start(&steadfast(), alpha, "alpha", &(plain_globals() + &router()))?;
    router.wait_entering("VI", State::Master, SOON)?;
    let mut seen = vec![logged(&router).len()];
    for targets in [vec![&one, &deaf], vec![&deaf, &two, &one], vec![&two]] {
        router.reload(alpha, "alpha", &config(&targets)?, SOON)?;
        flap(alpha, &router)?;
        let happened = logged(&router);
        if targets.contains(&&one) {
            all_told(&trapd, &by("one"), &happened[seen[0]..])?;
        }
        seen.push(happened.len());
    }
    let happened = logged(&router);
    assert_eq!(told(&all_told(&trapd, &by("two"), &happened[seen[1]..])?), happened[seen[1]..]);
    assert_eq!(told(&told_by(&trapd, &by("one"))), happened[seen[0]..seen[2]]);
    // With other words it is told on.
    let changed = target("127.0.0.3", "community changed\n    timeout 2");
    router.reload(alpha, "alpha", &config(&[&changed, &deaf])?, SOON)?;
    flap(alpha, &router)?;
    let after = &logged(&router)[seen[3]..];
    assert_eq!(told(&all_told(&trapd, &by("changed"), after)?), after);
    wait::until("the deaf one to be complained of", SOON, || {
        let outputs = outputs(alpha, &router).map_err(|error| error.to_string())?;
        let deaf = outputs.iter().find(|output| output["name"] == "snmp_notify 127.0.0.4:9");
        match deaf {
            Some(deaf)
                if deaf["problem"].is_string()
                    && deaf["delivered"] == 0
                    && deaf["sent"].as_u64() > Some(0) =>
            {
                Ok(())
            }
            other => Err(format!("{other:#?}")),
        }
    })
}
