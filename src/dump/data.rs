//! `keepalived.data`: what runs, and how it is.

use std::{fmt::Display, sync::Arc, time::Duration};

use super::{Moment, shown};
use crate::{
    config::{Auth, Notify, NotifyScript, tracking::Tracked},
    registry::{AddressRow, GroupRow, InstanceRow, LinkState, ScriptResult, ScriptRow, Switch},
    units::{Family, Version, master_down_interval},
};

pub(super) fn data(moment: &Moment<'_>) -> String {
    let topology = moment.topology;
    let mut page = Page::default();
    page.section("Global definitions");
    let global = &topology.global;
    let namespace = topology.process.net_namespace.as_deref().unwrap_or("(default)");
    page.value(1, "Network namespace", namespace);
    page.value(1, "Router ID", &global.router_id);
    page.value(1, "VRRP default protocol version", number(global.vrrp_version));
    page.value(1, "SNMP vrrp", if global.enable_snmp_vrrp { "enabled" } else { "disabled" });
    page.value(1, "SNMP traps", if global.enable_traps { "enabled" } else { "disabled" });
    page.value(1, "Script security", if global.script_security { "enabled" } else { "disabled" });
    page.section("VRRP Topology");
    topology.instances.iter().for_each(|row| instance(&mut page, moment, row));
    if !topology.groups.is_empty() {
        page.section("VRRP Sync groups");
        topology.groups.iter().for_each(|row| group(&mut page, &topology.instances, row));
    }
    if !topology.scripts.is_empty() {
        page.section("VRRP Scripts");
        topology.scripts.iter().for_each(|row| script(&mut page, &topology.instances, row));
    }
    page.section("Interfaces");
    for row in &topology.interfaces {
        page.value(1, "Name", &row.config.name);
        page.value(3, "index", row.link().map_or(0, |link| link.0));
        page.value(3, "State", if row.status().state == LinkState::Up { "UP, RUNNING" } else { "not UP" });
    }
    page.0
}

/// Text in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        self.line(0, format_args!("------< {name} >------"));
    }

    fn value(&mut self, depth: usize, name: &str, value: impl Display) {
        self.line(depth, format_args!("{name} = {value}"));
    }

    fn line(&mut self, depth: usize, text: impl Display) {
        self.0.push_str(&format!("{:depth$}{text}\n", ""));
    }

    /// A list with its heading, where there is anything in it.
    fn list<T: Display>(&mut self, heading: &str, entries: impl IntoIterator<Item = T>) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_some() {
            self.line(3, heading);
            entries.for_each(|entry| self.line(5, entry));
        }
    }
}

fn instance(page: &mut Page, moment: &Moment<'_>, row: &InstanceRow) {
    let (config, status) = (&row.config, row.status());
    page.value(1, "VRRP Instance", &config.name);
    page.value(3, "VRRP Version", number(config.version));
    if config.family == Family::V6 {
        page.line(3, "Using Native IPv6");
    }
    if let Some(group) = &row.group {
        page.value(3, "Sync group", group);
    }
    page.value(3, "State", status.state);
    if config.peers.is_empty() {
        page.line(3, "Flags: none");
    } else {
        page.line(3, "Flags:");
        page.line(5, "Using unicast");
    }
    page.value(3, "Wantstate", status.wanted);
    let at = moment.since_epoch(status.since);
    page.value(3, "Last transition", format_args!("{} ({})", shown::seconds(at), shown::calendar(at)));
    page.value(3, "Interface", config.own_interface());
    if let Some(source) = status.source {
        let written = if config.source.is_some() { " (from configuration)" } else { "" };
        page.value(3, "Using src_ip", format_args!("{source}{written}"));
    }
    if config.peers.is_empty() {
        page.line(3, format_args!("Multicast address {}", config.multicast_group));
    }
    for standing in &status.interventions {
        page.value(3, "Intervention", format_args!("{} by {}", standing.what, standing.by));
    }
    page.value(3, "Master down timer", format_args!("{} usecs", down_timer(row).as_micros()));
    announcements(page, row);
    election(page, row);
    holdings(page, row);
    page.value(3, "Using smtp notification", if *config.settings.smtp_alert { "yes" } else { "no" });
    let deleted = if row.is_on(Switch::NotifyDeleted) { "Deleted" } else { "Fault" };
    page.value(3, "Notify deleted", deleted);
    page.value(3, "Notify priority changes", *config.settings.notify_priority_changes);
    scripts(page, &config.notify);
}

fn announcements(page: &mut Page, row: &InstanceRow) {
    let InstanceRow { config, .. } = row;
    let garp = &config.garp;
    page.value(3, "Gratuitous ARP delay", garp.delay.as_secs());
    page.value(3, "Gratuitous ARP repeat", garp.repeat);
    page.value(3, "Gratuitous ARP refresh", garp.refresh.unwrap_or_default().as_secs());
    page.value(3, "Gratuitous ARP refresh repeat", garp.refresh_repeat);
    page.value(3, "Gratuitous ARP lower priority delay", garp.lower_prio_delay.as_secs());
    page.value(3, "Gratuitous ARP lower priority repeat", garp.lower_prio_repeat);
    page.value(3, "Down timer adverts", *config.settings.down_timer_adverts);
    page.value(3, "Send advert after receive lower priority advert", !*config.settings.lower_prio_no_advert);
    page.value(
        3,
        "Send advert after receive higher priority advert",
        *config.settings.higher_prio_send_advert,
    );
}

fn election(page: &mut Page, row: &InstanceRow) {
    let (config, status) = (&row.config, row.status());
    page.value(3, "Virtual Router ID", config.vrid.value());
    page.value(3, "Priority", row.base_priority().0);
    let effective = status.effective_priority.unwrap_or(config.priority).0;
    page.value(3, "Effective priority", effective);
    page.value(3, "Total priority", effective);
    match config.version {
        Version::V2 => {
            page.value(3, "Advert interval", format_args!("{} sec", config.advert_interval.as_secs()));
        }
        Version::V3 => {
            page.value(
                3,
                "Advert interval",
                format_args!("{} milli-sec", config.advert_interval.as_millis()),
            );
        }
    }
    page.value(3, "Accept", able(config.accept));
    page.value(3, "Preempt", able(row.preempt()));
    if !config.preempt_delay.is_zero() {
        page.value(3, "Preempt delay", format_args!("{} secs", config.preempt_delay.as_secs_f64()));
    }
    page.value(3, "Promote_secondaries", able(config.settings.promote_secondaries));
    let auth = match &config.auth {
        Auth::None => (config.version == Version::V2).then_some("none"),
        Auth::Pass(_) => Some("SIMPLE_PASSWORD"),
        Auth::Header(_) => Some("IPSEC_AH"),
        Auth::Signed(_) => Some("HMAC"),
    };
    auth.into_iter().for_each(|auth| page.value(3, "Authentication type", auth));
}

/// How long a BACKUP waits (RFC 9568 §6.1, Active_Down_Interval).
fn down_timer(row: &InstanceRow) -> Duration {
    let (config, status) = (&row.config, row.status());
    let interval = status.adopted_interval.unwrap_or(config.advert_interval);
    let priority = status.effective_priority.unwrap_or(config.priority);
    master_down_interval(config.version, u32::from(*config.settings.down_timer_adverts), priority, interval)
}

fn holdings(page: &mut Page, row: &InstanceRow) {
    let config = &row.config;
    let of = |advertised: bool| row.addresses.iter().filter(move |address| address.advertised == advertised);
    let shown = |address: &Arc<AddressRow>| shown::address(address);
    page.list(&format!("Virtual IP ({}):", of(true).count()), of(true).map(shown));
    page.list("Virtual IP Excluded :", of(false).map(shown));
    page.list("Unicast Peer :", config.peers.iter().map(|peer| peer.address));
    page.list("Virtual Routes :", row.routes.iter().map(|row| &row.config));
    page.list("Virtual Rules :", row.rules.iter().map(|row| &row.config));
    page.list("Tracked interfaces :", config.tracks.interfaces.iter().map(tracked));
    page.list("Tracked scripts :", config.tracks.scripts.iter().map(tracked));
    page.list("Tracked files :", config.tracks.files.iter().map(tracked));
    page.list("Tracked processes :", config.tracks.processes.iter().map(tracked));
}

fn scripts(page: &mut Page, notify: &Notify) {
    let scripts = [
        ("Backup", &notify.backup),
        ("Master", &notify.master),
        ("Fault", &notify.fault),
        ("Stop", &notify.stop),
        ("Generic", &notify.all),
    ];
    for (state, script) in scripts {
        if let Some(NotifyScript { shown, user, .. }) = script {
            let owner = user.as_ref().map(|user| format!(", uid:gid {}:{}", user.uid, user.gid));
            let owner = owner.unwrap_or_default();
            page.value(3, &format!("{state} state transition script"), format_args!("{shown}{owner}"));
        }
    }
}

fn group(page: &mut Page, instances: &[Arc<InstanceRow>], row: &GroupRow) {
    page.value(1, "VRRP Sync Group", format_args!("{}, {}", row.config.name, row.status().state));
    let members = row.config.members.iter().filter_map(|member| instances.get(*member));
    page.list("VRRP member instances :", members.map(|member| &member.config.name));
}

fn script(page: &mut Page, instances: &[Arc<InstanceRow>], row: &ScriptRow) {
    let (config, status) = (&row.config, row.status());
    page.value(1, "VRRP Script", &config.name);
    page.value(3, "Command", &config.command.shown);
    page.value(3, "Interval", format_args!("{} sec", config.interval.as_secs_f64()));
    page.value(3, "Timeout", format_args!("{} sec", config.timeout.unwrap_or_default().as_secs_f64()));
    page.value(3, "Weight", config.weight);
    page.value(3, "Rise", config.rise);
    page.value(3, "Fall", config.fall);
    let result = match status.result {
        ScriptResult::Init => "INIT",
        ScriptResult::Good => "GOOD",
        ScriptResult::Bad | ScriptResult::InitFailed => "BAD",
    };
    page.value(3, "Status", result);
    page.line(3, "Tracking instances :");
    for instance in instances {
        for line in instance.config.tracks.scripts.iter().filter(|line| line.name == config.name) {
            page.line(5, format_args!("{}, weight {}", instance.config.name, line.weight));
        }
    }
    page.value(3, "State", "idle");
}

fn tracked(line: &Tracked) -> String {
    format!("{} weight {}", line.name, line.weight)
}

const fn number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

const fn able(is: bool) -> &'static str {
    if is { "enabled" } else { "disabled" }
}
