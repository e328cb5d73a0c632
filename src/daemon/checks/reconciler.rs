//! The thread that makes the kernel's table what the board says.
//!
//! It knows what the kernel holds by looking: at the start, so that what an earlier run left is adopted and corrected and
//! connections survive; after a refusal; and every few seconds, since the kernel tells nobody when another program changes
//! its table.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tracing::{error, info, warn};

use super::{
    board::{Board, Work},
    traffic::{Counted, Seen},
};
use crate::{
    config::settings::GlobalDefs,
    kernel::{
        KernelError, ReceiveBuffer, clock,
        ipvs::{Change, Connections, Held, Ipvs, ServiceKey, Timeouts},
    },
    pool::{Entry, changes},
    registry::{IpvsFaults, Registry, Topology},
    units::Time,
};

/// From one look at the table to the next at the most: so long a change by another program may last.
const LOOK: Duration = Duration::from_secs(5);
/// From one attempt to open IPVS to the next at the first, twice as long after each that fails, and at the most: an attempt may
/// have the kernel look for its module.
const REOPEN: Duration = Duration::from_secs(1);
const REOPEN_AT_MOST: Duration = Duration::from_secs(60);
/// A look may take this share of the time: a large table is looked at less often.
const SHARE: u32 = 20;

/// The thread.
pub(super) struct Reconciler {
    board: Arc<Board>,
    faults: Arc<IpvsFaults>,
    counted: Counted,
    interval: Duration,
    /// `lvs_flush`.
    flush_first: bool,
    /// `lvs_flush_on_stop` without VS.
    flush_last: bool,
    timeouts: Option<Timeouts>,
    /// The kernel has refused them.
    are_timeouts_due: bool,
    /// What they were before.
    timeouts_before: Option<Timeouts>,
    buffer: ReceiveBuffer,
    ipvs: Option<Ipvs>,
    wanted: HashMap<ServiceKey, Entry>,
    held: HashMap<ServiceKey, Entry>,
    /// Services that are nobody's any more, until the kernel has them no more.
    leaving: HashSet<ServiceKey>,
    /// Services that were ours before a mistake of the program, until it is said what becomes of them.
    inherited: HashSet<ServiceKey>,
    /// Services that were not as they should be at the last look, and those that the kernel refuses to make so.
    wrong: HashSet<ServiceKey>,
    refused: HashSet<ServiceKey>,
    /// What has been said since the table was last as it should be: refusals of the kernel that stay the same are said once.
    said: HashSet<String>,
    looked_at: Time,
    /// Until then no attempt is made to open IPVS.
    reopen_at: Time,
    reopen_after: Duration,
}

impl Reconciler {
    /// For the virtual servers of a registry.
    pub(super) fn new(registry: &Registry, board: Arc<Board>) -> Self {
        let topology = registry.topology();
        let settings = &topology.global.settings;
        Self {
            board,
            faults: Arc::clone(&registry.ipvs_faults),
            counted: Counted::new(&topology),
            interval: interval(settings),
            flush_first: settings.lvs_flush,
            flush_last: flushes_last(settings),
            timeouts: timeouts(settings),
            are_timeouts_due: false,
            timeouts_before: None,
            buffer: ReceiveBuffer {
                bytes: settings.lvs_netlink_cmd_rcv_bufs,
                force: *settings.lvs_netlink_cmd_rcv_bufs_force,
            },
            ipvs: None,
            wanted: HashMap::new(),
            held: HashMap::new(),
            leaving: HashSet::new(),
            inherited: HashSet::new(),
            wrong: HashSet::new(),
            refused: HashSet::new(),
            said: HashSet::new(),
            looked_at: Time::default(),
            reopen_at: Time::default(),
            reopen_after: REOPEN,
        }
    }

    /// What goes on after a mistake of the program. Of what this one knew it has what neither the kernel nor the check lane
    /// can say: whose services are, and which timeouts were there before.
    pub(super) fn successor(&self, registry: &Registry) -> Self {
        Self {
            flush_first: false,
            timeouts_before: self.timeouts_before,
            inherited: self.board.keys().into_iter().collect(),
            ..Self::new(registry, Arc::clone(&self.board))
        }
    }

    /// Runs until the board says that it is the end.
    pub(super) fn run(&mut self) {
        self.open();
        self.look();
        let mut wait = self.interval;
        loop {
            let Work { wanted, topology, is_over } =
                self.board.take(wait.saturating_sub(clock::now().since(self.looked_at)));
            let keys: Vec<ServiceKey> = wanted.keys().copied().collect();
            for (key, entry) in wanted {
                self.inherited.remove(&key);
                if let Some(entry) = entry {
                    self.wanted.insert(key, entry);
                    self.leaving.remove(&key);
                } else {
                    self.wanted.remove(&key);
                    self.leaving.insert(key);
                }
            }
            if is_over {
                return self.remove_all();
            }
            self.carry(&keys);
            if let Some(topology) = topology {
                self.follow(&topology);
                wait = self.interval;
            }
            if clock::now().since(self.looked_at) >= wait {
                let began = clock::now();
                self.repair();
                wait = self.interval.max(clock::now().since(began) * SHARE);
            }
        }
    }

    /// Opens IPVS, and sets what is set once; false when that is not possible.
    fn open(&mut self) -> bool {
        self.looked_at = clock::now();
        let was_open = self.ipvs.is_some();
        match Ipvs::open(self.buffer) {
            Ok(mut ipvs) => {
                if !was_open {
                    info!("Initializing ipvs");
                    tell_size(&mut ipvs);
                }
                self.ipvs = Some(ipvs);
            }
            Err(error) => {
                self.close();
                self.faults.note_unread(error.to_string());
                self.say(&error, "IPVS cannot be used, servers are checked without it");
                return false;
            }
        }
        if self.flush_first {
            self.flush_first = false;
            self.make(&[Change::Flush]);
        }
        self.set_timeouts();
        true
    }

    /// It is opened anew later, and later each time.
    fn close(&mut self) {
        self.ipvs = None;
        self.reopen_at = self.looked_at + self.reopen_after;
        self.reopen_after = (self.reopen_after * 2).min(REOPEN_AT_MOST);
    }

    fn set_timeouts(&mut self) {
        self.are_timeouts_due = false;
        let Some(timeouts) = self.timeouts else { return };
        let before = self.timeouts_before.or_else(|| self.ipvs.as_mut()?.timeouts().ok());
        self.timeouts_before = before;
        self.are_timeouts_due = self.make(&[Change::SetTimeouts(timeouts)]).contains(&false);
    }

    /// After a reload, when what is gone has been removed.
    fn follow(&mut self, topology: &Topology) {
        let settings = &topology.global.settings;
        self.counted = Counted::new(topology);
        (self.interval, self.flush_last) = (interval(settings), flushes_last(settings));
        let timeouts = timeouts(settings);
        if timeouts != self.timeouts {
            self.timeouts = timeouts;
            match (timeouts, self.timeouts_before.take()) {
                (None, Some(before)) => drop(self.make(&[Change::SetTimeouts(before)])),
                (_, before) => {
                    self.timeouts_before = before;
                    self.set_timeouts();
                }
            }
        }
        // For the rows that are new.
        self.look();
    }

    /// Looks at the kernel's table; false when that is not possible. Where it fails IPVS is opened anew at once: its module may have
    /// been unloaded.
    fn look(&mut self) -> bool {
        self.ipvs.is_some() && (self.read() || self.open() && self.read())
    }

    fn read(&mut self) -> bool {
        self.looked_at = clock::now();
        let Self { ipvs: Some(ipvs), counted, leaving, inherited, .. } = self else { return false };
        match read(ipvs, |key| is_ours(key, counted, [leaving, inherited])) {
            Ok((held, seen)) => {
                (self.held, self.reopen_after) = (held, REOPEN);
                self.counted.show(&seen);
                true
            }
            Err(error) => {
                self.faults.note_unread(error.to_string());
                self.say(&error, "the table of IPVS cannot be read");
                false
            }
        }
    }

    /// Looks, and puts right what is not as it should be.
    fn repair(&mut self) {
        let was_closed = self.ipvs.is_none();
        if was_closed {
            self.looked_at = clock::now();
            if self.looked_at < self.reopen_at {
                return;
            }
            self.open();
        }
        if !self.look() {
            return;
        }
        if self.are_timeouts_due {
            self.set_timeouts();
        }
        let wrong: HashSet<ServiceKey> = self
            .wanted
            .keys()
            .chain(&self.leaving)
            .copied()
            .filter(|key| !changes(self.held.get(key), self.wanted.get(key)).is_empty())
            .collect();
        // What is changed all the time is said once; and what was wanted while IPVS was closed nobody else has changed.
        let changed = wrong.difference(&self.wrong).filter(|key| !was_closed && !self.refused.contains(key));
        for key in changed {
            warn!("service {key} of IPVS was changed by another program, restoring it");
            self.faults.note_restored();
        }
        if wrong.is_empty() && !self.are_timeouts_due {
            self.said.clear();
            self.faults.note_right();
        }
        self.carry(&wrong.iter().copied().collect::<Vec<_>>());
        self.wrong = wrong;
    }

    /// Has the kernel hold of these services what it should.
    fn carry(&mut self, keys: &[ServiceKey]) {
        if keys.is_empty() || self.ipvs.is_none() {
            return;
        }
        if !self.attempt(keys) {
            // Something was not as it was thought to be: it is looked at, and tried once more.
            if self.look() {
                self.attempt(keys);
            }
        }
        let installed = keys.iter().map(|key| (*key, self.held.contains_key(key)));
        self.board.tell(installed.collect::<Vec<_>>());
    }

    /// One attempt; whether the kernel took everything.
    fn attempt(&mut self, keys: &[ServiceKey]) -> bool {
        let mut all = Vec::new();
        let mut ends = Vec::with_capacity(keys.len());
        for key in keys {
            all.extend(changes(self.held.get(key), self.wanted.get(key)));
            ends.push(all.len());
        }
        let answers = self.make(&all);
        let mut taken = true;
        let mut begin = 0;
        for (key, end) in keys.iter().zip(ends) {
            let whole = answers[begin..end].iter().all(|is| *is);
            begin = end;
            taken &= whole;
            if whole {
                self.refused.remove(key);
            } else {
                self.refused.insert(*key);
            }
            match self.wanted.get(key) {
                Some(entry) if whole => drop(self.held.insert(*key, entry.clone())),
                None if whole => {
                    self.held.remove(key);
                    self.leaving.remove(key);
                }
                _ => {}
            }
        }
        taken
    }

    /// Has the kernel make changes; whether it took each.
    fn make(&mut self, changes: &[Change]) -> Vec<bool> {
        let Some(ipvs) = &mut self.ipvs else { return vec![false; changes.len()] };
        let answers = ipvs.make(changes);
        answers
            .iter()
            .map(|answer| match answer {
                Ok(()) => true,
                Err(error) => {
                    self.faults.note_refused(error.to_string());
                    self.say(error, "the kernel refuses a change of IPVS");
                    false
                }
            })
            .collect()
    }

    /// Says what went wrong, once.
    fn say(&mut self, problem: &KernelError, what: &str) {
        let text = problem.to_string();
        if !self.said.contains(&text) {
            error!("{what}: {text}");
            self.said.insert(text);
        }
    }

    /// Removes what is known to be there, without a look at thousands of servers before; then what is ours and still there. What
    /// stays nevertheless.
    fn remove_ours(&mut self) -> Vec<ServiceKey> {
        let keys: Vec<ServiceKey> = self.held.keys().copied().collect();
        let Self { ipvs: Some(ipvs), counted, leaving, inherited, .. } = self else { return keys };
        let answers = ipvs.make(&deletions(&keys));
        let left = ipvs.services().map(|left| {
            let keys = left.into_iter().map(|held| held.what.key);
            keys.filter(|key| is_ours(key, counted, [leaving, inherited])).collect::<Vec<_>>()
        });
        let (left, taken): (Vec<ServiceKey>, Vec<bool>) = match left {
            Ok(left) => {
                let taken = self.make(&deletions(&left));
                (left, taken)
            }
            Err(error) => {
                self.say(&error, "the table of IPVS cannot be read");
                // One that another program has removed is not missed.
                (
                    keys,
                    answers
                        .iter()
                        .map(|answer| answer.as_ref().map_or_else(KernelError::is_not_found, |()| true))
                        .collect(),
                )
            }
        };
        left.into_iter().zip(taken).filter_map(|(key, taken)| (!taken).then_some(key)).collect()
    }

    /// The end: what is ours goes, or everything, or nothing.
    fn remove_all(&mut self) {
        // `lvs_flush` is for the start: what others have made since is theirs.
        self.flush_first = false;
        if self.board.keeps {
            return info!("The services of IPVS stay (--dont-release-ipvs)");
        }
        if self.ipvs.is_none() {
            // It may be there again.
            self.open();
        }
        let stays = if self.flush_last && self.make(&[Change::Flush]) == [true] {
            Vec::new()
        } else {
            self.remove_ours()
        };
        if let [first, others @ ..] = &stays[..] {
            let others =
                if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            error!("services of IPVS stay, which could not be removed: {first}{others}; see ipvsadm -Ln");
        }
        if let Some(before) = self.timeouts_before {
            self.make(&[Change::SetTimeouts(before)]);
        }
    }
}

/// Says what the kernel has: how many chains its table of connections has is up to whoever loads the module.
fn tell_size(ipvs: &mut Ipvs) {
    match ipvs.info() {
        Ok(([major, minor, patch], chains)) => {
            info!("IPVS {major}.{minor}.{patch}, connections in {chains} chains");
        }
        Err(error) => warn!("{error}"),
    }
}

/// Whether a service is one of the configuration, or is among others that were.
fn is_ours(key: &ServiceKey, counted: &Counted, others: [&HashSet<ServiceKey>; 2]) -> bool {
    counted.has(key) || others.into_iter().any(|keys| keys.contains(key))
}

/// Requests to remove these services, each with its servers.
fn deletions(keys: &[ServiceKey]) -> Vec<Change> {
    keys.iter().copied().map(Change::DeleteService).collect()
}

/// From one look at the table to the next.
fn interval(settings: &GlobalDefs) -> Duration {
    let interval = (*settings.snmp_vs_stats_update_interval).min(*settings.snmp_rs_stats_update_interval);
    interval.clamp(Duration::from_secs(1), LOOK)
}

/// `lvs_flush_on_stop` without VS.
fn flushes_last(settings: &GlobalDefs) -> bool {
    settings.lvs_flush_on_stop.is_some_and(|what| what != "VS")
}

/// `lvs_timeouts`.
fn timeouts(settings: &GlobalDefs) -> Option<Timeouts> {
    let timeouts = settings.lvs_timeouts.as_ref()?;
    Some(Timeouts { tcp: timeouts.tcp, tcp_fin: timeouts.tcp_fin, udp: timeouts.udp })
}

/// What the kernel holds of the services that are somebody's.
fn read(
    ipvs: &mut Ipvs,
    is_ours: impl Fn(&ServiceKey) -> bool,
) -> Result<(HashMap<ServiceKey, Entry>, Vec<Seen>), KernelError> {
    let (mut held, mut seen) = (HashMap::new(), Vec::new());
    for Held { what: service, statistics } in ipvs.services()? {
        let key = service.key;
        if !is_ours(&key) {
            continue;
        }
        let destinations = ipvs.destinations(&key)?;
        let of_each = |one: &Held<(_, _)>| {
            let (destination, connections): (crate::kernel::ipvs::Destination, Connections) = one.what;
            Held { what: (destination.key, connections), statistics: one.statistics }
        };
        seen.push((key, statistics, destinations.iter().map(of_each).collect()));
        let destinations = destinations.into_iter().map(|one| one.what.0).collect();
        held.insert(key, Entry { service, destinations });
    }
    Ok((held, seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{registry::testing::topology, units::Family};

    #[test]
    fn a_successor_knows_whose_services_are_and_what_to_put_back_and_flushes_nothing() {
        let board = Arc::new(Board::default());
        let [kept, leaving] = [7, 8].map(|mark| ServiceKey::Mark { family: Family::V4, mark });
        let timeouts = Some(Timeouts { tcp: Some(900), tcp_fin: Some(120), udp: Some(300) });
        let registry = Registry::new(topology());
        let mut first = Reconciler::new(&registry, Arc::clone(&board));
        (first.flush_first, first.timeouts_before) = (true, timeouts);
        board.want([(kept, None), (leaving, None)]);
        board.tell([(kept, true)]);
        let second = first.successor(&registry);
        assert_eq!(second.inherited, HashSet::from([kept, leaving]));
        assert_eq!((second.flush_first, second.timeouts_before), (false, timeouts));
        let others = [&second.leaving, &second.inherited];
        assert!(
            is_ours(&kept, &second.counted, others) && second.leaving.is_empty(),
            "nothing is removed yet"
        );
    }
}
