//! What a reload does, thing by thing: the plan that the daemon carries out, in words.

use serde::Serialize;

use super::effect::{self, Kind};
use crate::config::{
    plan::{Matching, Origin, Outline, Plan},
    settings::VirtualServer,
};

/// What a reload does, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Instances, groups and virtual servers that are new.
    pub added: usize,
    /// Those that go on with other settings.
    pub changed: usize,
    /// Those that end.
    pub removed: usize,
    /// Everything that does not stay as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Step>,
    /// What differs in the file, and stays as it is until a restart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs_restart: Vec<&'static str>,
    /// What is wrong with the file all the same, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// What becomes of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The keyword of its block.
    pub block: &'static str,
    /// Its name; empty where there is one of the kind only.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `added`, `changed`, `renamed` or `removed`.
    pub what: &'static str,
    /// What that means for what runs.
    pub effect: &'static str,
}

impl Forecast {
    /// What `plan` does, which leads from one configuration to the other.
    pub fn new(plan: &Plan, old: &Outline<'_>, new: &Outline<'_>) -> Self {
        let mut changes = Vec::new();
        let named = names(old).into_iter().zip(names(new));
        for ((block, matching), (before, now)) in kinds(plan).into_iter().zip(named) {
            steps(block, matching, &before, &now, &mut changes);
        }
        let (was, is) = (&old.rest, &new.rest);
        let differs = [
            ("global_defs", was.global != is.global),
            ("garp_group", was.garp_groups != is.garp_groups),
            ("snmp_agent", was.snmp_agent != is.snmp_agent),
            ("snmp_notify", was.snmp_notify != is.snmp_notify),
            ("track_group", was.track_groups != is.track_groups),
            ("virtual_server_group", old.server_groups != new.server_groups),
        ];
        let differing = differs.into_iter().filter(|(_, differs)| *differs);
        changes.extend(differing.map(|(block, _)| Step::new(block, String::new(), Kind::Changed)));
        let [added, changed, removed] = plan.counts();
        Self { added, changed, removed, changes, ..Self::default() }
    }
}

impl Step {
    fn new(block: &'static str, name: String, kind: Kind) -> Self {
        let what = match kind {
            Kind::New => "added",
            Kind::Changed => "changed",
            Kind::Gone => "removed",
        };
        Self { block, name, what, effect: effect::of("", block, kind) }
    }
}

/// What a plan says of each kind of thing.
fn kinds(plan: &Plan) -> [(&'static str, &Matching); 10] {
    [
        ("vrrp_instance", &plan.instances),
        ("vrrp_sync_group", &plan.groups),
        ("vrrp_script", &plan.scripts),
        ("track_file", &plan.files),
        ("vrrp_track_process", &plan.processes),
        ("bfd_instance", &plan.sessions),
        ("static_ipaddress", &plan.static_addresses),
        ("static_routes", &plan.static_routes),
        ("static_rules", &plan.static_rules),
        ("virtual_server", &plan.services),
    ]
}

/// The names of all of each kind, in the same order.
fn names(of: &Outline<'_>) -> [Vec<String>; 10] {
    let addresses = of.static_addresses.iter().map(|line| format!("{}/{}", line.address, line.prefix));
    [
        of.instances.iter().map(|one| one.name.clone()).collect(),
        of.groups.iter().map(|one| one.name.clone()).collect(),
        of.scripts.iter().map(|one| one.name.clone()).collect(),
        of.files.iter().map(|one| one.name.clone()).collect(),
        of.processes.iter().map(|one| one.name.clone()).collect(),
        of.sessions.iter().map(|one| one.name.clone()).collect(),
        addresses.collect(),
        of.static_routes.iter().map(ToString::to_string).collect(),
        of.static_rules.iter().map(ToString::to_string).collect(),
        of.services.iter().map(|one| service(one)).collect(),
    ]
}

/// A virtual server, which is told apart by what it serves.
fn service(one: &VirtualServer) -> String {
    format!("{} {}", one.heading, one.protocol.name())
}

/// What becomes of the things of a kind, in the order of the new configuration, what ends last.
fn steps(block: &'static str, matching: &Matching, old: &[String], new: &[String], steps: &mut Vec<Step>) {
    for (name, origin) in new.iter().zip(&matching.origins) {
        if let Some(before) = origin.before().map(|before| &old[before]).filter(|before| *before != name) {
            let name = format!("{before} to {name}");
            steps.push(Step { block, name, what: "renamed", effect: effect::RENAMED });
        }
        let kind = match origin {
            Origin::Added => Kind::New,
            Origin::Changed(_) => Kind::Changed,
            Origin::Same(_) => continue,
        };
        steps.push(Step::new(block, name.clone(), kind));
    }
    steps.extend(matching.gone.iter().map(|gone| Step::new(block, old[*gone].clone(), Kind::Gone)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Elsewhere, Options, load_with};

    fn config(text: &str) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        load_with(file.path(), &Options::default(), &Elsewhere).0.unwrap()
    }

    fn instance(name: &str, vrid: u8, priority: u8) -> String {
        let addresses = format!("virtual_ipaddress {{\n10.9.0.{vrid}\n}}");
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\npriority {priority}\n{addresses}\n}}\n"
        )
    }

    fn steps(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (config(old), config(new));
        let plan = Plan::from((&old, &new));
        let Forecast { added, changed, removed, changes, .. } =
            Forecast::new(&plan, &(&old).into(), &(&new).into());
        assert_eq!([added, changed, removed], plan.counts());
        changes.into_iter().map(|Step { block, name, what, .. }| format!("{block} {name}: {what}")).collect()
    }

    #[test]
    fn each_thing_is_named_with_what_becomes_of_it() {
        let old = [instance("A", 1, 100), instance("B", 2, 100), instance("C", 3, 100)].concat();
        let new = [instance("D", 4, 100), instance("B", 2, 90), instance("A", 1, 100)].concat();
        let told = ["vrrp_instance D: added", "vrrp_instance B: changed", "vrrp_instance C: removed"];
        assert_eq!(steps(&old, &new), told);
        assert_eq!(steps(&old, &old), [""; 0]);
    }

    #[test]
    fn a_router_under_another_name_is_the_same_one() {
        let told = steps(&instance("A", 1, 100), &instance("X", 1, 100));
        assert_eq!(told, ["vrrp_instance A to X: renamed", "vrrp_instance X: changed"]);
    }

    #[test]
    fn services_and_what_there_is_one_of_are_named_too() {
        let service = |port: u16, weight: u8| {
            format!(
                "virtual_server 10.0.0.1 {port} {{\nprotocol TCP\nreal_server 10.0.0.2 80 {{\nweight {weight}\n}}\n}}\n"
            )
        };
        let old = service(80, 1) + &service(443, 1);
        let new = "global_defs {\nrouter_id other\n}\n".to_owned() + &service(80, 2);
        let told = [
            "virtual_server 10.0.0.1 80 tcp: changed",
            "virtual_server 10.0.0.1 443 tcp: removed",
            "global_defs : changed",
        ];
        assert_eq!(steps(&old, &new), told);
    }
}
