//! Prometheus' exporter with the module of its own examples and with the documented one.

use lab::{Result, wait};

use super::{Known, Watched, assert_same, documented};
use crate::scene::{SOON, calm};

const KNOWN: &[Known] = &[("vrrpScriptResult{", "| `vrrpScriptResult` of a script whose first run failed ")];

const KNOWN_OF_THE_EXAMPLE: &[Known] = &[
    ("vrrpInstanceAccept{vrrpInstanceIndex=\"1\"}", "| M12 | "),
    ("vrrpInstanceTrackPrimaryIf{", "| M19 | "),
    ("vrrpInstanceV3ChecksumAsV2{", "| objects added after 2.2.7 "),
];

/// Numbers that grow while the router runs, or tell of the exporter itself.
const GROWING: [&str; 6] = [
    "snmp_scrape_",
    "vrrpStats",
    "vrrpv3StatisticsMasterTransitions{",
    "vrrpv3StatisticsRcvd",
    "vrrpv3StatisticsSent",
    "vrrpv3StatisticsRowDiscontinuityTime{",
];

/// The metrics without what tells of them, each with its value unless that grows.
fn metrics(scraped: &str) -> String {
    let comparable = scraped.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let grows = GROWING.iter().any(|start| line.starts_with(start));
        let metric = line.rsplit_once(' ').map_or(line, |(metric, _)| metric);
        format!("{}\n", if grows { metric } else { line })
    });
    comparable.collect()
}

#[test]
fn the_exporter_has_the_same_metrics() -> Result<()> {
    let _calm = calm();
    let watched = Watched::start()?;
    watched.host().write("vrrp.yml", &documented("vrrp.yml"))?;
    let (said, status) = watched.run("generate")?;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("module=keepalived metrics=202"), "{said}");
    let directory = watched.host().dir().display();
    let exporter = format!("cd {directory} && {}", documented("exporter"));
    let exporter = watched.host().spawn("exporter", &["sh", "-c", &exporter])?;
    exporter.wait_log("Listening on", SOON)?;
    let (module, other) = (documented("scrape"), documented("scrape").replace("=vrrp&", "=keepalived&"));
    let scrape = |command: &str, agent: &str| {
        let command = command.replace("target=127.0.0.1", &format!("target={agent}"));
        assert!(command.contains(agent), "{command}");
        wait::until("the exporter's answer", SOON, || {
            let scraped = watched.host().sh(&command).map_err(|error| error.to_string())?;
            if scraped.contains("vrrpInstanceState{") { Ok(metrics(&scraped)) } else { Err(scraped) }
        })
    };
    let look = |agent: &str| Ok((scrape(&module, agent)?, scrape(&other, agent)?));
    let [theirs, ours, own] = watched.by_all(look)?;
    assert_same(&theirs.0, &ours.0, KNOWN);
    assert_same(&theirs.1, &ours.1, KNOWN_OF_THE_EXAMPLE);
    assert_same(&ours.0, &own.0, &[]);
    assert_same(&ours.1, &own.1, &[]);
    for metric in documented("metrics").lines() {
        assert!(ours.0.lines().any(|line| line == metric), "{metric} is missing in\n{}", ours.0);
    }
    assert!(ours.1.lines().count() > 100, "{}", ours.1);
    Ok(())
}
