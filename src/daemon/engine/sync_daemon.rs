//! The IPVS synchronisation daemon (`lvs_sync_daemon`), which follows a virtual router: what is asked of IPVS, and to whom it
//! is handed.

use tokio::sync::mpsc;
use tracing::warn;

use crate::{
    registry::{State, Topology},
    vrrp::{SyncChannel, SyncDaemon, SyncRequest},
};

/// The daemon as the engine drives it.
#[derive(Debug, Default)]
pub(super) struct Synchroniser {
    /// There is one, and routers have begun.
    daemon: Option<SyncDaemon>,
    /// The router that it follows; `None` for nobody.
    follows: Option<usize>,
    /// Who carries requests out; `None` as long as nobody does.
    ipvs: Option<mpsc::Sender<SyncRequest>>,
}

impl Synchroniser {
    /// That of a topology.
    pub(super) fn new(topology: &Topology, ipvs: Option<mpsc::Sender<SyncRequest>>) -> Self {
        let named = topology.global.settings.lvs_sync_daemon.as_deref();
        let Some(configured) = named else { return Self::of_an_instance(topology, ipvs) };
        let find = |name: &str| topology.instances.iter().position(|row| row.config.name == name);
        let follows = configured.instance.as_deref().and_then(find);
        if let (Some(name), None) = (&configured.instance, follows) {
            warn!("lvs_sync_daemon follows instance {name}, which there is none of: it is not started");
            return Self::default();
        }
        let vrid = follows.map(|number| topology.instances[number].config.vrid.value());
        let channel = SyncChannel {
            interface: configured.interface.clone(),
            id: configured.id.or(vrid).unwrap_or(0),
            max_length: configured.max_length,
            port: configured.port,
            ttl: configured.ttl,
            group: configured.group,
        };
        Self { daemon: Some(SyncDaemon::new(channel)), follows, ipvs }
    }

    /// The one that an instance asks for by `lvs_sync_daemon_interface`; the first of them. Its `id` is 0, as the peer's: who listens
    /// with that hears every number, and who listened with another would not hear the peer.
    fn of_an_instance(topology: &Topology, ipvs: Option<mpsc::Sender<SyncRequest>>) -> Self {
        let asking = topology.instances.iter().enumerate().find_map(|(number, row)| {
            let interface = row.config.settings.lvs_sync_daemon_interface.clone()?;
            Some((number, SyncChannel::new(interface, 0)))
        });
        let Some((number, channel)) = asking else { return Self::default() };
        Self { daemon: Some(SyncDaemon::new(channel)), follows: Some(number), ipvs }
    }

    /// Routers begin, each in its state.
    pub(super) fn begin(&mut self, state: impl FnOnce(usize) -> State) {
        if let Some(daemon) = &mut self.daemon {
            match self.follows {
                Some(number) => daemon.handle_state(state(number)),
                None => daemon.handle_alone(),
            }
        }
        self.deliver();
    }

    /// After a reload: the router that it follows has another number, or is gone. Another one to follow, or another channel,
    /// needs a restart.
    pub(super) fn move_to(&mut self, whereto: impl Fn(usize) -> Option<usize>) {
        self.follows = match self.follows {
            Some(number) => match whereto(number) {
                Some(number) => Some(number),
                None => {
                    // Nobody is followed any more; what it left behind as it went is what stays.
                    self.daemon = None;
                    None
                }
            },
            None => None,
        };
    }

    /// A router is in another state.
    pub(super) fn follow(&mut self, number: usize, state: State) {
        if let Some(daemon) = self.daemon.as_mut().filter(|_| self.follows == Some(number)) {
            daemon.handle_state(state);
            self.deliver();
        }
    }

    /// The end: a daemon that follows nobody stops as well.
    pub(super) fn stop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            daemon.handle_state(State::Stop);
        }
        self.deliver();
    }

    /// Hands on what there is room for. What there is none for is still to be asked for the next time.
    pub(super) fn deliver(&mut self) {
        let Self { daemon: Some(daemon), ipvs: Some(ipvs), .. } = self else { return };
        while let Ok(permit) = ipvs.try_reserve() {
            let Some(request) = daemon.poll_request() else { return };
            permit.send(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        daemon::engine::testing::{Stuck, address, in_namespace, listed},
        kernel::clock,
        vrrp::{Fault, SyncRole},
    };

    const FOLLOWING: &str =
        "global_defs {\n lvs_sync_daemon eth1 VI id 5 maxlen 1400 port 9000 ttl 3 group 239.1.2.3\n}";

    fn started(lines: &str, blocks: &str) -> Stuck {
        let mut stuck = Stuck::new(lines, blocks);
        stuck.start(listed(vec![address(2, 1, false)]));
        stuck
    }

    /// What IPVS has been asked for since the last time.
    fn requests(stuck: &mut Stuck) -> Vec<SyncRequest> {
        let next = || {
            let request = stuck.of_ipvs.try_recv().ok()?;
            stuck.engine.synchroniser.deliver();
            Some(request)
        };
        std::iter::from_fn(next).collect()
    }

    /// Has the router become MASTER, for want of another.
    fn take_over(stuck: &mut Stuck) {
        let now = clock::now();
        let machine = &mut stuck.engine.routers[0].machine;
        machine.handle_fault(now, Fault::AwaitingSocket, None);
        machine.handle_timeout(now + Duration::from_secs(10));
        stuck.engine.carry_out(0, now);
        assert!(stuck.engine.routers[0].machine.is_master());
    }

    #[test]
    fn it_follows_the_instance_that_is_named() {
        in_namespace(async || {
            let mut stuck = started("", FOLLOWING);
            let channel = SyncChannel {
                interface: "eth1".into(),
                id: 5,
                max_length: Some(1400),
                port: Some(9000),
                ttl: Some(3),
                group: Some([239, 1, 2, 3].into()),
            };
            assert_eq!(requests(&mut stuck), [SyncRequest::Start(SyncRole::Backup, channel.clone())]);
            take_over(&mut stuck);
            let tells =
                [SyncRequest::Stop(SyncRole::Backup, 5), SyncRequest::Start(SyncRole::Master, channel)];
            assert_eq!(requests(&mut stuck), tells);
            stuck.engine.shut_down(clock::now());
            assert_eq!(requests(&mut stuck), [SyncRequest::Stop(SyncRole::Master, 5)]);
        });
    }

    #[test]
    fn an_instance_may_ask_for_it_itself_and_gives_no_number() {
        in_namespace(async || {
            let mut stuck = started("lvs_sync_daemon_interface eth1", "");
            let channel = SyncChannel::new("eth1".into(), 0);
            assert_eq!(requests(&mut stuck), [SyncRequest::Start(SyncRole::Backup, channel)]);
        });
    }

    #[test]
    fn without_an_instance_it_does_both_until_the_end() {
        in_namespace(async || {
            let mut stuck = started("", "global_defs {\n lvs_sync_daemon eth1\n}");
            let channel = SyncChannel::new("eth1".into(), 0);
            let both = [SyncRole::Master, SyncRole::Backup];
            assert_eq!(requests(&mut stuck), both.map(|role| SyncRequest::Start(role, channel.clone())));
            take_over(&mut stuck);
            assert_eq!(requests(&mut stuck), []);
            stuck.engine.shut_down(clock::now());
            assert_eq!(requests(&mut stuck), both.map(|role| SyncRequest::Stop(role, 0)));
        });
    }

    #[test]
    fn one_that_follows_nobody_there_is_not_started() {
        in_namespace(async || {
            let mut stuck = started("", "global_defs {\n lvs_sync_daemon eth1 OTHER\n}");
            assert_eq!(requests(&mut stuck), []);
        });
    }
}
