use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::*;
use crate::{
    config::{self, Elsewhere, Options},
    registry::{Change, Counter, Reason, State, Subject, Topology},
    units::{IfIndex, Priority, Time},
};

fn change(from: State, to: State) -> Change {
    Change { from, to, reason: Reason::NoMaster, priority: Priority::DEFAULT }
}

fn subject() -> Subject {
    Subject::Instance { index: 1, name: "VI".into() }
}

fn earlier(seq: u64, to: State) -> Transition {
    let wall = std::time::SystemTime::UNIX_EPOCH;
    Transition { seq, at: Time::from_secs(seq), wall, subject: subject(), change: change(State::Backup, to) }
}

fn publish(registry: &Registry, to: State) {
    let wall = std::time::SystemTime::UNIX_EPOCH;
    registry.transitions.publish(Time::from_secs(900), wall, subject(), change(State::Backup, to));
}

/// A source with a registry and what it says of its deliveries.
fn source(transitions: Vec<Transition>, lost: u64) -> (Arc<Registry>, Pending, watch::Receiver<Told>) {
    source_of(crate::registry::testing::topology(), transitions, lost)
}

fn source_of(
    topology: Topology,
    transitions: Vec<Transition>,
    lost: u64,
) -> (Arc<Registry>, Pending, watch::Receiver<Told>) {
    let registry = Arc::new(Registry::new(topology));
    let (mut pending, heard, known) = expecting(&registry);
    let _ = known.send(Backlog { transitions: transitions.into(), lost });
    pending.changed().now_or_never().unwrap();
    (registry, pending, heard)
}

/// A source that waits for what an earlier run left, but for no longer than until it is asked for changes.
fn expecting(registry: &Arc<Registry>) -> (Pending, watch::Receiver<Told>, oneshot::Sender<Backlog>) {
    let (told, heard) = watch::channel(Told::default());
    let (known, backlog) = oneshot::channel();
    let (_, patience) = oneshot::channel();
    let expected = Some(Expected { backlog, patience });
    let of = (Arc::clone(registry), Time::default as Clock);
    (Pending::new(of, Parts::ALL, expected, told), heard, known)
}

/// The second and later sub-identifiers that tell the kinds apart, and when it was.
fn kind(notification: &Notification) -> (bool, u64) {
    let is_loss = notification.trap_oid == notification::lost();
    (is_loss, notification.at.as_secs())
}

fn deliver(pending: &mut Pending) -> Option<(bool, u64)> {
    let notification = pending.next()?;
    pending.acknowledge(notification.id, Delivery::Accepted);
    Some(kind(&notification))
}

#[test]
fn what_is_left_of_an_earlier_run_goes_out_first_and_what_was_lost_before_that() {
    let moves = vec![earlier(5, State::Master), earlier(6, State::Backup), earlier(8, State::Fault)];
    let (registry, mut pending, told) = source(moves, 4);
    publish(&registry, State::Backup);
    publish(&registry, State::Master);
    assert_eq!(deliver(&mut pending), Some((true, 5)));
    assert_eq!(*told.borrow(), Told::default(), "a loss is no transition");
    assert_eq!(deliver(&mut pending), Some((false, 5)));
    assert_eq!(told.borrow().earlier, 5);
    // Number 6 was no move.
    assert_eq!(deliver(&mut pending), Some((false, 8)));
    assert_eq!(deliver(&mut pending), Some((false, 900)));
    assert_eq!(*told.borrow(), Told { earlier: 8, now: 2 }, "number 1 was passed over");
    assert_eq!(deliver(&mut pending), None);
}

#[test]
fn a_loss_is_told_once_also_when_it_grows_meanwhile() {
    let (registry, mut pending, _told) = source(Vec::new(), 0);
    let overrun = |count: usize| (0..count).for_each(|_| publish(&registry, State::Master));
    overrun(crate::registry::Stream::CAPACITY + 10);
    let first = pending.next().unwrap();
    assert_eq!(first.varbinds[0].value, agentx::Value::Gauge32(10));
    overrun(5);
    let second = pending.next().unwrap();
    assert_eq!(second.varbinds[0].value, agentx::Value::Gauge32(5));
    assert_eq!(second.varbinds[1].value, agentx::Value::Counter32(15));
    assert_eq!(deliver(&mut pending), Some((false, 900)));
}

#[test]
fn what_is_told_moves_with_the_oldest_on_its_way_and_an_answer_for_something_else_moves_nothing() {
    let (registry, mut pending, told) = source(vec![earlier(1, State::Master)], 0);
    publish(&registry, State::Master);
    publish(&registry, State::Fault);
    let ids: Vec<u64> = std::iter::from_fn(|| pending.next()).map(|next| next.id).collect();
    let mut after = |id| {
        pending.acknowledge(id, Delivery::Accepted);
        let Told { earlier, now } = *told.borrow();
        (earlier, now)
    };
    assert_eq!([ids[2], ids[2] + 1].map(&mut after), [(0, 0), (0, 0)]);
    assert_eq!([ids[0], ids[0], ids[1]].map(&mut after), [(1, 0), (1, 0), (1, 2)]);
}

#[test]
fn of_a_transition_with_two_notifications_both_have_to_be_taken() {
    let (registry, mut pending, told) = source_of(routed(""), Vec::new(), 0);
    publish(&registry, State::Master);
    let [first, second] = [pending.next().unwrap(), pending.next().unwrap()];
    assert_ne!(first.trap_oid, second.trap_oid);
    assert_eq!(pending.next(), None);
    pending.acknowledge(first.id, Delivery::Accepted);
    assert_eq!(told.borrow().now, 0);
    pending.acknowledge(second.id, Delivery::Accepted);
    assert_eq!(told.borrow().now, 1);
}

#[test]
fn nothing_of_this_run_overtakes_what_an_earlier_one_left_unless_the_disk_takes_its_time() {
    let registry = Arc::new(Registry::new(crate::registry::testing::topology()));
    let (mut pending, told, known) = expecting(&registry);
    publish(&registry, State::Master);
    assert_eq!(deliver(&mut pending), None);
    pending.changed().now_or_never().unwrap();
    assert_eq!(deliver(&mut pending), Some((false, 900)));
    assert_eq!(*told.borrow(), Told::default(), "what comes before it in the journal is not told");
    assert_eq!(pending.changed().now_or_never(), None);
    let transitions = [earlier(7, State::Master)].into();
    known.send(Backlog { transitions, lost: 0 }).unwrap();
    pending.changed().now_or_never().unwrap();
    assert_eq!(deliver(&mut pending), Some((false, 7)));
    assert_eq!(*told.borrow(), Told { earlier: 7, now: 1 });
}

#[test]
fn a_journal_with_nothing_left_holds_nothing_up() {
    let registry = Arc::new(Registry::new(crate::registry::testing::topology()));
    let (mut pending, told, known) = expecting(&registry);
    publish(&registry, State::Master);
    pending.changed().now_or_never().unwrap();
    assert_eq!(deliver(&mut pending), Some((false, 900)));
    // There is none.
    drop(known);
    pending.changed().now_or_never().unwrap();
    assert_eq!(*told.borrow(), Told { earlier: 0, now: 1 });
}

#[test]
fn a_state_change_names_its_row_unless_snmp_compat_has_it_name_columns_only() {
    let entry = agentx::Oid::from(crate::snmp::KEEPALIVED).join(&[2, 3, 1]);
    for (global, index) in [("", &[1][..]), ("snmp_compat", &[])] {
        let (registry, mut pending, _told) = source_of(routed(global), Vec::new(), 0);
        publish(&registry, State::Master);
        let change = pending.next().unwrap();
        let named: Vec<_> = change.varbinds[..3].iter().map(|varbind| varbind.name.clone()).collect();
        assert_eq!(named, [2, 4, 5].map(|column| entry.child(column).join(index)), "{global}");
    }
}

/// An instance that VRRPV3-MIB has a row for.
fn routed(global: &str) -> Topology {
    let text = format!(
        "global_defs {{\n {global}\n}}\nvrrp_instance VI {{\n version 3\n interface eth0\n virtual_router_id 7\n \
         virtual_ipaddress {{\n 10.9.0.1\n }}\n}}\n"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    let topology = Topology::new(config, String::new(), Vec::new());
    // By its interface's number the MIB finds the row.
    topology.interfaces[0].set_link(Some(IfIndex(2)));
    topology
}

#[test]
fn rejected_packets_are_told_of_when_there_is_no_transition_to_tell_of() {
    let (registry, mut pending, told) = source_of(routed(""), Vec::new(), 0);
    let reject = |seconds, error| {
        let sender = [10, 9, 0, 66].into();
        registry.rejections.publish(Time::from_secs(seconds), 1, (sender, error));
    };
    reject(800, Counter::TtlError);
    // Nothing that the instance's MIB has a word for.
    reject(801, Counter::AuthFailure);
    reject(802, Counter::ChecksumError);
    publish(&registry, State::Fault);
    assert_eq!(deliver(&mut pending), Some((false, 900)));
    assert_eq!(deliver(&mut pending), Some((false, 800)));
    publish(&registry, State::Fault);
    assert_eq!(deliver(&mut pending), Some((false, 900)));
    assert_eq!(deliver(&mut pending), Some((false, 802)));
    assert_eq!(deliver(&mut pending), None);
    assert_eq!((told.borrow().now, registry.rejections.untold()), (2, 0));
    (0..1_000).for_each(|_| reject(803, Counter::TtlError));
    assert!(deliver(&mut pending).is_some());
    assert_eq!(registry.rejections.untold(), 488, "the ring has forgotten them");
    // Somebody else comes too late for the same ones.
    let (mut other, _heard, known) = expecting(&registry);
    let _ = known.send(Backlog::default());
    other.changed().now_or_never().unwrap();
    std::iter::from_fn(|| deliver(&mut other)).for_each(drop);
    assert_eq!(registry.rejections.untold(), 488, "each counts once");
}
