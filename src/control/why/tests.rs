//! Situations that somebody may be woken for.

use std::{io::Write as _, sync::Arc, time::Duration};

use insta::assert_snapshot;

use super::{super::view::Moment, why};
use crate::{
    config::{self, Elsewhere, Options, tracking::Tracker},
    registry::{
        AddressStatus, Contest, GroupStatus, InstanceStatus, Intervention, Operator, Peer, Reason, Registry,
        ScriptResult, ScriptStatus, Standing, State, Topology,
    },
    units::{Priority, Time, Utc},
};

/// Two instances; `words` are more of the first.
fn topology(words: &str) -> Topology {
    read(words, "")
}

/// The same, in a sync group.
fn grouped() -> Topology {
    read("", "vrrp_sync_group G {\n group {\n VI\n VJ\n }\n}\n")
}

fn read(words: &str, more: &str) -> Topology {
    let instance = |name: &str, vrid: u8, words: &str| {
        format!(
            "vrrp_instance {name} {{\n version 3\n interface eth0\n virtual_router_id {vrid}\n priority 150\n advert_int 1\n \
             virtual_ipaddress {{\n 10.9.0.{vrid}/24\n }}\n{words}\n}}\n"
        )
    };
    let text =
        "global_defs {\n script_user root\n}\nvrrp_script web {\n script \"/bin/true\"\n weight -60\n}\n"
            .to_owned()
            + &instance("VI", 51, words)
            + &instance("VJ", 52, "")
            + more;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    Topology::new(config, String::new(), Vec::new())
}

fn peer(priority: u8) -> Option<Peer> {
    Some(Peer { address: [10, 9, 0, 2].into(), priority: Priority(priority) })
}

/// An instance that has been in its state for 192 seconds.
fn status(state: State, reason: Reason) -> InstanceStatus {
    InstanceStatus {
        state,
        reason: Some(reason),
        since: Time::from_secs(808),
        effective_priority: Some(Priority(150)),
        source: Some([10, 9, 0, 1].into()),
        addresses_set: state == State::Master,
        ..InstanceStatus::default()
    }
}

fn backup_of(priority: u8) -> InstanceStatus {
    InstanceStatus { master: peer(priority), ..status(State::Backup, Reason::Started) }
}

fn root() -> Operator {
    Operator { uid: 0, pid: Some(4711), name: "root".into() }
}

fn standing(what: Intervention, until: Option<u64>) -> Standing {
    Standing { what, by: root(), since: Time::from_secs(808), until: until.map(Time::from_secs) }
}

/// What is said of the first instance when it is so.
fn told(topology: Topology, status: InstanceStatus) -> String {
    let registry = Registry::new(topology);
    let topology = registry.topology();
    let now = Time::from_secs(1000);
    let row = Arc::clone(&topology.instances[0]);
    if status.master.is_some() {
        row.note_heard(now - Duration::from_millis(300));
    }
    row.note_due((status.state == State::Backup).then(|| now + Duration::from_millis(2700)));
    if status.addresses_set {
        row.addresses.iter().for_each(|row| row.set_status(AddressStatus { set: true, ..row.status() }));
    }
    row.set_status(status);
    let moment = Moment { registry: &registry, topology, now, utc: Utc(Duration::from_secs(1_795_316_400)) };
    why(&moment, &row).to_string()
}

#[test]
fn master_because_nobody_else_was_heard() {
    assert_snapshot!(told(topology(""), status(State::Master, Reason::NoMaster)));
}

#[test]
fn master_and_so_is_another() {
    let rival = Peer { address: [10, 9, 0, 7].into(), priority: Priority(90) };
    let contest = Some(Contest { rival, since: Time::from_secs(900), heard: 97 });
    assert_snapshot!(told(
        topology(""),
        InstanceStatus { contest, ..status(State::Master, Reason::NoMaster) }
    ));
}

#[test]
fn master_without_its_addresses() {
    let status = status(State::Master, Reason::MasterDown { master: [10, 9, 0, 2].into() });
    assert_snapshot!(told(topology(""), InstanceStatus { addresses_set: false, ..status }));
}

#[test]
fn backup_of_a_higher_priority() {
    assert_snapshot!(told(topology(""), backup_of(200)));
}

#[test]
fn backup_because_a_script_takes_from_its_priority() {
    let topology = topology("track_script {\n web\n}");
    let last = "exited with status 1".to_owned();
    let result = ScriptStatus { result: ScriptResult::Bad, last, at: Some(Time::from_secs(999)) };
    topology.scripts[0].set_status(result);
    let status = InstanceStatus {
        effective_priority: Some(Priority(90)),
        contributions: vec![(Tracker::Script(0), -60)],
        ..backup_of(100)
    };
    assert_snapshot!(told(topology, status));
}

#[test]
fn backup_of_a_lower_priority_without_preemption() {
    assert_snapshot!(told(topology("nopreempt"), backup_of(100)));
}

#[test]
fn backup_of_a_lower_priority_with_a_delay() {
    let status = InstanceStatus { tolerates_until: Some(Time::from_secs(1100)), ..backup_of(100) };
    assert_snapshot!(told(topology("preempt_delay 300"), status));
}

#[test]
fn backup_in_maintenance() {
    let interventions = vec![standing(Intervention::Maintenance, None)];
    assert_snapshot!(told(topology(""), InstanceStatus { interventions, ..backup_of(100) }));
}

#[test]
fn backup_after_a_step_down() {
    let interventions = vec![standing(Intervention::StepDown, Some(1408))];
    assert_snapshot!(told(topology(""), InstanceStatus { interventions, ..backup_of(100) }));
}

#[test]
fn backup_because_its_sync_group_waits() {
    let topology = grouped();
    topology.groups[0].set_status(GroupStatus {
        state: State::Backup,
        held_back_by: Some("VJ".into()),
        ..GroupStatus::default()
    });
    assert_snapshot!(told(topology, backup_of(100)));
}

#[test]
fn fault_because_its_interface_is_down_and_a_script_fails() {
    let down = Reason::InterfaceDown { interface: "eth0".into() };
    let script = Reason::Tracked {
        tracker: Tracker::Script(0),
        name: "web".into(),
        detail: "failed (exited with status 1)".into(),
    };
    let faults = vec![down.clone(), script];
    assert_snapshot!(told(topology(""), InstanceStatus { faults, ..status(State::Fault, down) }));
}

#[test]
fn fault_because_another_member_is() {
    let down = Reason::InterfaceDown { interface: "eth1".into() };
    let member = Reason::Member { member: "VJ".into(), reason: Box::new(down) };
    let faults = vec![member.clone()];
    assert_snapshot!(told(grouped(), InstanceStatus { faults, ..status(State::Fault, member) }));
}

#[test]
fn not_begun_because_a_script_has_no_result() {
    let topology = topology("track_script {\n web weight 0\n}");
    let faults = vec![Reason::Started];
    assert_snapshot!(told(topology, InstanceStatus { faults, ..status(State::Fault, Reason::Started) }));
}
