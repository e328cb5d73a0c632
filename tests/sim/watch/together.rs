//! What must hold for a host as a whole after every input: its addresses, its faults and its sync group.

use steadfast::registry::State;

use super::{Invariant, Violation};
use crate::{
    host::{Host, Node},
    world::World,
};

impl World {
    /// Checks a host after an input to one of its routers was carried out, in its sync group, too.
    pub(crate) fn check_host(&mut self, host: usize, router: usize) {
        let is_member = self.plan.is_member(router);
        let routers = if is_member { self.plan.group.clone() } else { vec![router] };
        if let Err((invariant, text)) = check(&self.hosts[host], &routers) {
            self.notice(invariant, format!("host {host}: {text}"));
        }
    }
}

fn check(host: &Host, routers: &[usize]) -> Result<(), Violation> {
    let nodes = || routers.iter().map(|router| &host.nodes[*router]);
    for node in nodes() {
        if node.holds != (node.watch.state == State::Master) {
            let text = format!("{} is {}, holds: {}", node.settings.name, node.watch.state, node.holds);
            return Err((Invariant::Addresses, text));
        }
    }
    let is_over = |node: &Node| !node.watch.is_started || node.watch.state == State::Stop;
    if nodes().any(is_over) {
        return Ok(());
    }
    let states = || nodes().map(|node| node.watch.state).collect::<Vec<_>>();
    let count = |state| nodes().filter(|node| node.watch.state == state).count();
    if ![0, routers.len()].contains(&count(State::Master)) {
        return Err((Invariant::Group, format!("{:?}", states())));
    }
    let has_fault = nodes().any(|node| node.watch.fault().is_some());
    let is_held = nodes().any(|node| node.watch.is_held());
    let all_in_fault = count(State::Fault) == routers.len();
    let some_out = count(State::Fault) + count(State::Init) > 0;
    if has_fault && !all_in_fault || !is_held && some_out {
        return Err((Invariant::Fault, format!("{:?}, a fault: {has_fault}, held: {is_held}", states())));
    }
    Ok(())
}
