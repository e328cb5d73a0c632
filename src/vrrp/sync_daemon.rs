//! The kernel's daemon that tells IPVS connections to other routers (`lvs_sync_daemon`), as it follows a virtual router:
//! who is MASTER tells, everybody else listens.
//!
//! A machine that knows which of the two is wanted and which has been asked for, and gives the requests that lie between,
//! one by one. So nothing piles up while nobody takes them, however often the router changes.

use std::net::IpAddr;

use crate::registry::State;

/// What the daemon does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncRole {
    /// It tells others of this host's connections (IP_VS_STATE_MASTER).
    Master,
    /// It takes over what others tell (IP_VS_STATE_BACKUP).
    Backup,
}

/// Where and how it is told. What is `None` is left to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncChannel {
    /// The interface.
    pub interface: Box<str>,
    /// `id`: those with the same number hear each other.
    pub id: u8,
    /// `maxlen`: of a datagram, in bytes.
    pub max_length: Option<u16>,
    /// `port`, of UDP.
    pub port: Option<u16>,
    /// `ttl`.
    pub ttl: Option<u8>,
    /// `group`: of multicast.
    pub group: Option<IpAddr>,
}

impl SyncChannel {
    /// One of which nothing more is said.
    pub fn new(interface: Box<str>, id: u8) -> Self {
        Self { interface, id, max_length: None, port: None, ttl: None, group: None }
    }
}

/// What IPVS is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncRequest {
    /// Start the daemon in a role (IPVS_CMD_NEW_DAEMON).
    Start(SyncRole, SyncChannel),
    /// Stop the one in a role, of that `id` (IPVS_CMD_DEL_DAEMON).
    Stop(SyncRole, u8),
}

/// The daemon of one host.
#[derive(Clone, Debug)]
pub struct SyncDaemon {
    channel: SyncChannel,
    wanted: Roles,
    asked: Roles,
}

/// Which of the two daemons run: the kernel has one of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Roles {
    master: bool,
    backup: bool,
}

impl SyncDaemon {
    /// One that is not to run yet.
    pub fn new(channel: SyncChannel) -> Self {
        Self { channel, wanted: Roles::default(), asked: Roles::default() }
    }

    /// It follows nobody and does both from now on, until a [`State::Stop`].
    pub fn handle_alone(&mut self) {
        self.wanted = Roles { master: true, backup: true };
    }

    /// The router that it follows is in another state.
    pub fn handle_state(&mut self, state: State) {
        self.wanted = match state {
            State::Master => Roles { master: true, backup: false },
            State::Stop | State::Deleted | State::Up | State::Down => Roles::default(),
            State::Init | State::Backup | State::Fault => Roles { master: false, backup: true },
        };
    }

    /// What to ask for next. The one that has to go goes before the other comes.
    pub fn poll_request(&mut self) -> Option<SyncRequest> {
        let Self { channel, wanted, asked } = self;
        let roles = [
            (SyncRole::Master, wanted.master, &mut asked.master),
            (SyncRole::Backup, wanted.backup, &mut asked.backup),
        ];
        let mut differing: Vec<_> = roles.into_iter().filter(|(_, wanted, asked)| wanted != *asked).collect();
        differing.sort_by_key(|(_, wanted, _)| *wanted);
        let (role, wanted, asked) = differing.into_iter().next()?;
        *asked = wanted;
        Some(if wanted {
            SyncRequest::Start(role, channel.clone())
        } else {
            SyncRequest::Stop(role, channel.id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> SyncChannel {
        SyncChannel::new("eth0".into(), 51)
    }

    fn requests(daemon: &mut SyncDaemon) -> Vec<SyncRequest> {
        std::iter::from_fn(|| daemon.poll_request()).collect()
    }

    fn start(role: SyncRole) -> SyncRequest {
        SyncRequest::Start(role, channel())
    }

    fn stop(role: SyncRole) -> SyncRequest {
        SyncRequest::Stop(role, 51)
    }

    #[test]
    fn who_becomes_master_tells_and_everybody_else_listens() {
        use SyncRole::{Backup, Master};
        let mut daemon = SyncDaemon::new(channel());
        assert_eq!(requests(&mut daemon), []);
        for (state, expected) in [
            (State::Backup, vec![start(Backup)]),
            (State::Master, vec![stop(Backup), start(Master)]),
            (State::Master, vec![]),
            (State::Fault, vec![stop(Master), start(Backup)]),
            (State::Backup, vec![]),
            (State::Stop, vec![stop(Backup)]),
        ] {
            daemon.handle_state(state);
            assert_eq!(requests(&mut daemon), expected, "{state}");
        }
    }

    #[test]
    fn an_owner_tells_at_once() {
        let mut daemon = SyncDaemon::new(channel());
        daemon.handle_state(State::Master);
        assert_eq!(requests(&mut daemon), [start(SyncRole::Master)]);
        daemon.handle_state(State::Stop);
        assert_eq!(requests(&mut daemon), [stop(SyncRole::Master)]);
    }

    #[test]
    fn changes_that_nobody_took_up_leave_nothing_behind() {
        let mut daemon = SyncDaemon::new(channel());
        daemon.handle_state(State::Backup);
        requests(&mut daemon);
        for _ in 0..1000 {
            daemon.handle_state(State::Master);
            daemon.handle_state(State::Backup);
        }
        assert_eq!(requests(&mut daemon), []);
        daemon.handle_state(State::Master);
        assert_eq!(daemon.poll_request(), Some(stop(SyncRole::Backup)));
        daemon.handle_state(State::Backup);
        assert_eq!(requests(&mut daemon), [start(SyncRole::Backup)], "it was stopped on the way");
    }

    #[test]
    fn who_follows_nobody_does_both() {
        let mut daemon = SyncDaemon::new(channel());
        daemon.handle_alone();
        assert_eq!(requests(&mut daemon), [start(SyncRole::Master), start(SyncRole::Backup)]);
        daemon.handle_state(State::Stop);
        assert_eq!(requests(&mut daemon), [stop(SyncRole::Master), stop(SyncRole::Backup)]);
    }
}
