//! The story: an election, a look through SNMP, a service that fails and returns, a router that dies.

use std::time::Duration;

use lab::{Result, Subject};

use crate::stage::{ROUTERS, Stage, VIP};
use crate::station::{self, Means};
use crate::timeline::What;

/// Plays all of it; `false` when something expected did not happen.
pub(crate) fn play(subject: &Subject) -> Result<bool> {
    let means = Means::of(subject);
    introduce(subject, means.as_ref());
    let mut stage = Stage::build(subject, means.as_ref())?;
    elect(&mut stage)?;
    if let Some(means) = &means {
        read_mib(&mut stage, means)?;
    }
    service_fails(&mut stage)?;
    service_returns(&mut stage)?;
    let takeover = router_dies(&mut stage)?;
    conclude(&mut stage, takeover)
}

fn introduce(subject: &Subject, means: Option<&Means>) {
    println!("Two hosts in network namespaces of this machine run {subject}, each with a web service:");
    println!("  alpha 10.9.0.1, priority 150   examples/demo/alpha.conf");
    println!("  beta  10.9.0.2, priority 100   examples/demo/beta.conf");
    println!("The service is known by the virtual address {VIP}; host nms (10.9.0.3) uses it and watches.");
    let missing = station::missing_packages().join(" ");
    match means {
        Some(Means::NetSnmp) => println!("snmpd runs on alpha and beta, snmptrapd on nms."),
        Some(Means::Own(_)) => {
            println!(
                "snmpd and its tools are not all installed (apt-get install {missing}): steadfast answers"
            );
            println!("SNMP and sends its traps itself, and nms uses `steadfast snmp`.");
        }
        None => println!("Without the SNMP part, which needs: apt-get install {missing}"),
    }
    println!("\n seconds  host   what");
}

fn elect(stage: &mut Stage) -> Result<()> {
    stage.chapter("The election: the higher priority wins")?;
    let start = Duration::ZERO;
    stage.expect_state("beta", "BACKUP", start);
    stage.expect_state("alpha", "MASTER", start);
    stage.expect_address("alpha", start);
    stage.expect_answer("alpha");
    Ok(())
}

fn read_mib(stage: &mut Stage, means: &Means) -> Result<()> {
    let through = if matches!(means, Means::NetSnmp) { "snmpd" } else { "the daemon's own agent" };
    stage.chapter(&format!("What a management station reads (KEEPALIVED-MIB through {through})"))?;
    for ((name, address), expected) in ROUTERS.iter().zip(["master", "backup"]) {
        stage.timeline.note(&format!("nms$ {} {address} vrrpInstanceTable", means.command()));
        match station::show_table(means, stage.station(), address) {
            Ok(states) => stage.check(&format!("{name}'s MIB says {expected}"), states == [expected]),
            Err(error) => stage.check(&format!("{name}'s MIB can be read ({error})"), false),
        }
    }
    Ok(())
}

fn service_fails(stage: &mut Stage) -> Result<()> {
    stage.chapter("The service on alpha fails: the check sees it, alpha steps down, beta takes over")?;
    let since = stage.stop_service();
    stage.expect_state("alpha", "FAULT", since);
    stage.expect_state("beta", "MASTER", since);
    stage.expect_address("beta", since);
    stage.expect_answer("beta");
    Ok(())
}

fn service_returns(stage: &mut Stage) -> Result<()> {
    stage.chapter("The service returns: alpha has the higher priority and takes the address back")?;
    let since = stage.start_service()?;
    stage.expect_state("alpha", "BACKUP", since);
    stage.expect_state("alpha", "MASTER", since);
    stage.expect_address("alpha", since);
    stage.expect_state("beta", "BACKUP", since);
    stage.expect_answer("alpha");
    Ok(())
}

/// Returns the time from the death to the virtual address on the standby.
fn router_dies(stage: &mut Stage) -> Result<Option<Duration>> {
    stage.chapter("The router on alpha dies without a word: beta waits for the master down interval")?;
    let since = stage.kill_router();
    stage.expect_state("beta", "MASTER", since);
    let takeover = stage.expect_address("beta", since);
    stage.expect_answer("beta");
    Ok(takeover)
}

fn conclude(stage: &mut Stage, takeover: Option<Duration>) -> Result<bool> {
    stage.chapter("Summary")?;
    let complete = stage.snmp && stage.expect_trap_for_each_transition();
    let transitions = stage.timeline.count(|what| what.is_transition(None));
    let moves = stage.timeline.count(|what| matches!(what, What::Address(true, _)));
    println!("  {transitions} transitions, {moves} moves of {VIP}");
    if stage.snmp {
        let traps = stage.timeline.count(|what| matches!(what, What::Trap(..)));
        println!("  {traps} traps received{}", if complete { ", one for each transition" } else { "" });
    }
    if let Some(takeover) = takeover {
        let seconds = takeover.as_secs_f64();
        println!(
            "  {seconds:.3} s from the death of the master to {VIP} on the standby: 3 intervals of 0.5 s"
        );
        println!("  and the standby's skew time of 0.305 s, less the age of the last advertisement");
    }
    let (all, missed) = stage.verdict();
    println!("  {} of {all} expectations met", all - missed.len());
    if missed.is_empty() {
        return Ok(true);
    }
    missed.iter().for_each(|what| println!("  not met: {what}"));
    println!("{}", stage.log_tails());
    Ok(false)
}
