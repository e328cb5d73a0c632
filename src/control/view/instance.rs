//! A virtual router.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{Moment, seconds, tracker};
use crate::{
    registry::{AddressRow, Counter, InstanceRow, Standing},
    units::Time,
};

/// All there is to say of an instance.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Instance {
    name: String,
    state: &'static str,
    wanted: &'static str,
    since: String,
    for_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    interface: String,
    virtual_router_id: u8,
    version: u8,
    /// Effective.
    priority: u8,
    /// Before tracking.
    base_priority: u8,
    configured_priority: u8,
    preempt: bool,
    advert_interval_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    adopted_interval_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<Peer>,
    /// When an advertisement was believed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rival: Option<Peer>,
    /// What operators want.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interventions: Vec<Wanted>,
    /// Everything that keeps it from taking part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    addresses: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracks: Vec<tracker::Tracking>,
    /// Those that are not 0.
    counters: BTreeMap<Counter, u64>,
}

/// Another router.
#[derive(Debug, Serialize)]
struct Peer {
    address: String,
    priority: u8,
    /// Since when it is a rival.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adverts: Option<u64>,
}

/// Something that an operator wants.
#[derive(Debug, Serialize)]
struct Wanted {
    what: String,
    by: String,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl Wanted {
    fn of(moment: &Moment<'_>, standing: &Standing) -> Self {
        Self {
            what: standing.what.to_string(),
            by: standing.by.to_string(),
            since: moment.label(standing.since),
            until: standing.until.map(|until| moment.label(until)),
        }
    }
}

/// A virtual address.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Address {
    address: String,
    device: String,
    advertised: bool,
    set: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl Address {
    pub(super) fn of(row: &AddressRow) -> Self {
        let status = row.status();
        Self {
            address: format!("{}/{}", row.config.address, row.config.prefix),
            device: row.device.clone(),
            advertised: row.advertised,
            set: status.set,
            refusal: status.refusal.map(|errno| std::io::Error::from_raw_os_error(errno).to_string()),
        }
    }
}

pub(super) fn view(moment: &Moment<'_>, row: &InstanceRow) -> Instance {
    let (config, status) = (&row.config, row.status());
    let master = status.master.map(|peer| Peer {
        address: peer.address.to_string(),
        priority: peer.priority.0,
        since: None,
        adverts: None,
    });
    let rival = status.contest.map(|contest| Peer {
        address: contest.rival.address.to_string(),
        priority: contest.rival.priority.0,
        since: Some(moment.label(contest.since)),
        adverts: Some(contest.heard),
    });
    let counted = |counter| (counter, row.counters.value(counter));
    Instance {
        name: config.name.clone(),
        state: status.state.word(),
        wanted: status.wanted.word(),
        since: moment.label(status.since),
        for_seconds: for_seconds(moment, status.since),
        reason: status.reason.as_ref().map(ToString::to_string),
        group: row.group.clone(),
        interface: config.own_interface().to_owned(),
        virtual_router_id: config.vrid.value(),
        version: config.version.number(),
        priority: status.effective_priority.unwrap_or(config.priority).0,
        base_priority: row.base_priority().0,
        configured_priority: config.priority.0,
        preempt: row.preempt(),
        advert_interval_seconds: seconds(config.advert_interval),
        adopted_interval_seconds: status.adopted_interval.map(seconds),
        source: status.source.map(|source| source.to_string()),
        master,
        heard: row.heard_at().map(|at| moment.label(at)),
        rival,
        interventions: status.interventions.iter().map(|standing| Wanted::of(moment, standing)).collect(),
        faults: status.faults.iter().map(ToString::to_string).collect(),
        addresses: row.addresses.iter().map(|row| Address::of(row)).collect(),
        tracks: tracker::of_instance(moment, row),
        counters: Counter::ALL.into_iter().map(counted).filter(|(_, count)| *count > 0).collect(),
    }
}

fn for_seconds(moment: &Moment<'_>, since: Time) -> f64 {
    if since.0 == Duration::ZERO { 0.0 } else { moment.ago(since) }
}
