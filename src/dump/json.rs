//! `keepalived.json`: every instance with its counters, in one of two forms.

use serde::Serialize;
use serde_json::Number;

use super::{Moment, shown};
use crate::{
    config::{Auth, NotifyScript, ScriptCommand, tracking::Tracked},
    registry::{Counter, InstanceRow, ProcessRow},
    units::Version,
};

/// `json_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 1: a list of the instances.
    List,
    /// 2: that list by the name `vrrp`, and what `vrrp_track_process` counts.
    Named,
}

/// The dump; one line.
pub fn json(moment: &Moment<'_>, form: Form) -> String {
    let instances: Vec<_> = moment.topology.instances.iter().map(|row| Instance::new(moment, row)).collect();
    let text = match form {
        Form::List => serde_json::to_string(&instances),
        Form::Named => {
            let processes = moment.topology.processes.iter().map(|row| Process::new(row)).collect();
            serde_json::to_string(&Named { vrrp: instances, track_process: processes })
        }
    };
    // Nothing in it can fail to be written: names are text, numbers are finite.
    text.unwrap_or_default()
}

#[derive(Serialize)]
struct Named {
    vrrp: Vec<Instance>,
    track_process: Vec<Process>,
}

#[derive(Serialize)]
struct Instance {
    data: Data,
    stats: Stats,
}

impl Instance {
    fn new(moment: &Moment<'_>, row: &InstanceRow) -> Self {
        Self { data: Data::new(moment, row), stats: Stats::new(moment, row) }
    }
}

/// In keepalived's order and with its names; flags are numbers or booleans as there.
#[derive(Serialize)]
struct Data {
    iname: String,
    dont_track_primary: u8,
    skip_check_adv_addr: u8,
    strict_mode: u8,
    vmac_ifname: String,
    ifp_ifname: String,
    master_priority: u8,
    last_transition: Number,
    garp_delay: u64,
    garp_refresh: u64,
    garp_rep: u32,
    garp_refresh_rep: u32,
    garp_lower_prio_delay: u64,
    garp_lower_prio_rep: u32,
    lower_prio_no_advert: u8,
    higher_prio_send_advert: u8,
    vrid: u8,
    base_priority: u8,
    effective_priority: u8,
    vipset: bool,
    promote_secondaries: bool,
    adver_int: Number,
    master_adver_int: Number,
    accept: u8,
    nopreempt: bool,
    preempt_delay: Number,
    state: i32,
    wantstate: i32,
    version: u8,
    smtp_alert: bool,
    notify_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_backup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_master: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_stop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    vips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vroutes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vrules: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_ifp: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_script: Vec<String>,
    /// What operators want, while they do; keepalived has no such thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interventions: Vec<String>,
    auth_type: u8,
    /// Never the password itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_data: Option<&'static str>,
}

impl Data {
    fn new(moment: &Moment<'_>, row: &InstanceRow) -> Self {
        let (config, status) = (&row.config, row.status());
        let (settings, garp, notify) = (&config.settings, &config.garp, &config.notify);
        let script = |script: &Option<NotifyScript>| script.as_ref().map(|script| script.shown.clone());
        let addresses = |advertised: bool| {
            let of = row.addresses.iter().filter(|address| address.advertised == advertised);
            of.map(|address| shown::address(address)).collect()
        };
        let command = |line: &Tracked| {
            let scripts = &moment.topology.scripts;
            let found = scripts.get(line.tracker.position()).map(|row| &row.config.command);
            found.map_or_else(|| line.name.clone(), |ScriptCommand { shown, .. }| shown.clone())
        };
        Self {
            iname: config.name.clone(),
            dont_track_primary: (!config.track_primary).into(),
            skip_check_adv_addr: (*settings.skip_check_adv_addr).into(),
            strict_mode: (*settings.strict_mode).into(),
            vmac_ifname: config.link.as_ref().and_then(|link| link.name.clone()).unwrap_or_default(),
            ifp_ifname: config.own_interface().to_owned(),
            master_priority: status.master.map_or(0, |master| master.priority.0),
            last_transition: number(moment.since_epoch(status.since).as_secs_f64()),
            garp_delay: garp.delay.as_secs(),
            garp_refresh: garp.refresh.unwrap_or_default().as_secs(),
            garp_rep: garp.repeat,
            garp_refresh_rep: garp.refresh_repeat,
            garp_lower_prio_delay: garp.lower_prio_delay.as_secs(),
            garp_lower_prio_rep: garp.lower_prio_repeat,
            lower_prio_no_advert: (*settings.lower_prio_no_advert).into(),
            higher_prio_send_advert: (*settings.higher_prio_send_advert).into(),
            vrid: config.vrid.value(),
            base_priority: row.base_priority().0,
            effective_priority: status.effective_priority.unwrap_or(config.priority).0,
            vipset: status.addresses_set,
            promote_secondaries: settings.promote_secondaries,
            adver_int: number(config.advert_interval.as_secs_f64()),
            master_adver_int: number(status.adopted_interval.unwrap_or(config.advert_interval).as_secs_f64()),
            accept: config.accept.into(),
            nopreempt: !row.preempt(),
            preempt_delay: number(config.preempt_delay.as_secs_f64()),
            state: status.state.shown(),
            wantstate: status.wanted.shown(),
            version: match config.version {
                Version::V2 => 2,
                Version::V3 => 3,
            },
            smtp_alert: *settings.smtp_alert,
            notify_deleted: settings.notify_deleted.is_some(),
            script_backup: script(&notify.backup),
            script_master: script(&notify.master),
            script_fault: script(&notify.fault),
            script_stop: script(&notify.stop),
            script: script(&notify.all),
            vips: addresses(true),
            evips: addresses(false),
            vroutes: row.routes.iter().map(|row| row.config.to_string()).collect(),
            vrules: row.rules.iter().map(|row| row.config.to_string()).collect(),
            track_ifp: config.tracks.interfaces.iter().map(|line| line.name.clone()).collect(),
            track_script: config.tracks.scripts.iter().map(command).collect(),
            interventions: status
                .interventions
                .iter()
                .map(|standing| format!("{} by {}", standing.what, standing.by))
                .collect(),
            auth_type: match config.auth {
                Auth::None | Auth::Signed(_) => 0,
                Auth::Pass(_) => 1,
                Auth::Header(_) => 2,
            },
            auth_data: matches!(config.auth, Auth::Pass(_) | Auth::Header(_)).then_some("********"),
        }
    }
}

#[derive(Serialize)]
struct Stats {
    advert_rcvd: u64,
    advert_sent: u64,
    become_master: u64,
    release_master: u64,
    packet_len_err: u64,
    advert_interval_err: u64,
    ip_ttl_err: u64,
    invalid_type_rcvd: u64,
    addr_list_err: u64,
    invalid_authtype: u64,
    authtype_mismatch: u64,
    auth_failure: u64,
    pri_zero_rcvd: u64,
    pri_zero_sent: u64,
}

impl Stats {
    fn new(moment: &Moment<'_>, row: &InstanceRow) -> Self {
        let count = |counter| moment.baseline.since(row, counter);
        Self {
            advert_rcvd: count(Counter::AdvertReceived),
            advert_sent: count(Counter::AdvertSent),
            become_master: count(Counter::BecomeMaster),
            release_master: count(Counter::ReleaseMaster),
            packet_len_err: count(Counter::PacketLengthError),
            advert_interval_err: count(Counter::AdvertIntervalError),
            ip_ttl_err: count(Counter::TtlError),
            invalid_type_rcvd: count(Counter::InvalidType),
            addr_list_err: count(Counter::AddressListError),
            invalid_authtype: count(Counter::InvalidAuthType),
            authtype_mismatch: count(Counter::AuthTypeMismatch),
            auth_failure: count(Counter::AuthFailure),
            pri_zero_rcvd: count(Counter::PriorityZeroReceived),
            pri_zero_sent: count(Counter::PriorityZeroSent),
        }
    }
}

/// A `vrrp_track_process`.
#[derive(Serialize)]
struct Process {
    name: String,
    process: String,
    min_processes: u32,
    max_processes: Option<u32>,
    current_processes: u32,
    have_quorum: bool,
    weight: i16,
}

impl Process {
    fn new(row: &ProcessRow) -> Self {
        let (config, status) = (&row.config, row.status());
        Self {
            name: config.name.clone(),
            process: config.command.join(" "),
            min_processes: config.quorum,
            max_processes: config.quorum_max,
            current_processes: status.count,
            have_quorum: status.healthy == Some(true),
            weight: config.weight,
        }
    }
}

/// Whole where it is, as keepalived writes it: one second is 1, not 1.0.
fn number(value: f64) -> Number {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and not negative")]
    let whole = (value.fract() == 0.0 && value >= 0.0).then_some(value as u64);
    whole.map_or_else(|| Number::from_f64(value).unwrap_or_else(|| 0.into()), Number::from)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::Value;

    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        dump::Baseline,
        registry::{ProcessStatus, Topology},
        units::Time,
    };

    const CONFIG: &str = "vrrp_track_process web {\n process nginx -g x\n quorum 2\n quorum_max 4\n weight 5\n}\n\
        vrrp_instance VI {\n interface eth0\n virtual_router_id 51\n track_process {\n web\n }\n \
        virtual_ipaddress {\n 192.0.2.1\n }\n}\n";

    #[test]
    fn version_2_has_the_list_of_version_1_by_a_name_and_what_is_counted_of_processes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), CONFIG).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let topology = Topology::new(config, String::new(), Vec::new());
        topology.processes[0].set_status(ProcessStatus {
            count: 3,
            healthy: Some(true),
            ..ProcessStatus::default()
        });
        let (now, wall, baseline) = (Time::default(), SystemTime::UNIX_EPOCH, &Baseline::default());
        let moment = Moment { topology: &topology, now, wall, baseline };
        let [first, second] = [Form::List, Form::Named]
            .map(|form| serde_json::from_str::<Value>(&json(&moment, form)).unwrap());
        assert_eq!(second["vrrp"], first);
        assert_eq!(first[0]["data"]["iname"], "VI");
        let process = serde_json::json!({
            "name": "web", "process": "nginx -g x", "min_processes": 2, "max_processes": 4,
            "current_processes": 3, "have_quorum": true, "weight": 5,
        });
        assert_eq!(second["track_process"], Value::Array(vec![process]));
    }
}
