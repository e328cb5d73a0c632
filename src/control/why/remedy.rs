//! What would have to change for another state.

use super::Case;
use crate::registry::{Intervention, Peer, Reason, State};

impl Case<'_> {
    pub(super) fn remedies(&self) -> Vec<String> {
        match self.status.state {
            State::Master => self.out_of_master(),
            State::Backup => self.out_of_backup(),
            State::Fault if self.is_waiting() => vec!["what it waits for; nothing is wrong so far".into()],
            State::Fault => self.wrong().map(|reason| self.mended(reason)).collect(),
            State::Init | State::Stop | State::Deleted | State::Up | State::Down => Vec::new(),
        }
    }

    fn out_of_master(&self) -> Vec<String> {
        let (ours, name) = (self.priority(), self.name());
        let mut lines = Vec::new();
        if let Some(contest) = self.status.contest {
            let rival = contest.rival.address;
            lines.push(format!(
                "let {rival} hear us: compare interface, virtual_router_id ({}), version ({}), authentication, and what \
                 filters VRRP between the two",
                self.row.config.vrid,
                self.row.config.version.number()
            ));
        }
        for row in self.row.addresses.iter().filter(|row| !row.status().set) {
            let errno = row.status().refusal.map(std::io::Error::from_raw_os_error);
            let why = errno.map_or_else(String::new, |error| format!(": {error}"));
            lines.push(format!("{} has to come to {}{why}", row.config.address, row.device));
        }
        if ours < 255 {
            lines.push(format!("a router that advertises a priority above {ours} makes it BACKUP"));
        }
        lines.push(format!("`steadfast ctl step-down {name}` hands it over"));
        lines
    }

    fn out_of_backup(&self) -> Vec<String> {
        let (ours, name) = (self.priority(), self.name());
        if self.intervention(Intervention::Maintenance).is_some() {
            return vec![
                "`steadfast ctl maintenance off`; until then it is not MASTER whatever happens".into(),
            ];
        }
        let mut lines = Vec::new();
        if self.intervention(Intervention::StepDown).is_some() {
            lines.push(format!("`steadfast ctl step-down {name} --for 0`"));
        }
        if let Some((member, _)) = self.held_back_by() {
            lines.push(format!("{member} has to be able to be MASTER: `steadfast ctl why {member}`"));
        }
        let Some(Peer { address, priority: theirs }) = self.status.master else {
            lines.push("it takes over by itself unless a master is heard".into());
            return lines;
        };
        if theirs.0 >= ours {
            lines.push(format!(
                "its priority has to be above {theirs} (it is {ours}), or that of {address} below {ours}"
            ));
        }
        if !self.row.preempt() {
            lines.push("without nopreempt it would take over from a lower priority".into());
        }
        lines.push(format!("{address} falls silent or gives way"));
        lines
    }

    /// How a fault ends.
    fn mended(&self, reason: &Reason) -> String {
        match reason {
            Reason::InterfaceDown { interface } => format!("{interface} has to be up and to have a carrier"),
            Reason::InterfaceMissing { interface } => format!("{interface} has to be there"),
            Reason::NoAddress { interface, .. } => format!("{interface} needs an address to send from"),
            Reason::SourceMissing { address } => format!("{address} has to be on this host"),
            Reason::DuplicateAddress { address, .. } => {
                format!("the other host that has {address} has to give it up")
            }
            Reason::NoPeers => "a unicast_peer has to be configured".into(),
            Reason::Tracked { tracker, name, .. } => {
                format!("{} {name} has to be well again", tracker.kind())
            }
            Reason::Member { member, .. } => format!("{member} has to recover: `steadfast ctl why {member}`"),
            other => format!("this has to end: {other}"),
        }
    }
}
