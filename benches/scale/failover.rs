//! A master of many virtual routers dies: when its successor speaks for each of them.

use std::{collections::BTreeMap, time::Duration};

use lab::{Error, Result, Subject};

use crate::{
    BURSTS, DOWN_INTERVAL, SOON,
    support::{
        self,
        daemon::Daemon,
        fleet,
        sniffer::{Heard, Sniffer},
        table::millis_between,
    },
};

/// Per virtual router, the time from its master's last advertisement to its successor's first one as the successor's
/// host sees them, beyond the master down interval, in ms.
pub(crate) fn run(subject: &Subject, size: usize) -> Result<Vec<f64>> {
    let lan = fleet::hosts(size)?;
    let (alpha, beta) = (&lan["alpha"], &lan["beta"]);
    let master = Daemon::start(subject, alpha, "alpha", &fleet::config(size, 200, ""))?;
    support::rest(Duration::from_secs(3))?;
    master.wait_entries(0, "MASTER", size, SOON)?;
    let backup = Daemon::start(subject, beta, "beta", &fleet::config(size, 100, ""))?;
    backup.wait_entries(0, "BACKUP", size, SOON)?;
    let sniffer = Sniffer::start(beta)?;
    support::rest(BURSTS)?;
    let flaps = backup.process().log().matches("Entering MASTER").count();
    master.kill9();
    support::rest(DOWN_INTERVAL)?;
    backup.wait_entries(0, "MASTER", size + flaps, SOON)?;
    let overshoots = successions(&sniffer.stop()?);
    if overshoots.len() < size {
        let found = overshoots.len();
        return Err(Error::Unexpected(format!("{found} successions of {size}")));
    }
    Ok(overshoots)
}

fn successions(heard: &[Heard]) -> Vec<f64> {
    let mut last = BTreeMap::new();
    let mut first = BTreeMap::new();
    for advert in heard {
        // The source, and so the router's name, differs in the last byte only.
        if advert.priority() == 200 {
            last.insert(advert.router(), advert.at);
            first.remove(&advert.router());
        } else {
            first.entry(advert.router()).or_insert(advert.at);
        }
    }
    let overshoot =
        |(router, first): (_, &Duration)| Some(millis_between(*last.get(router)? + DOWN_INTERVAL, *first));
    first.iter().filter_map(overshoot).collect()
}
