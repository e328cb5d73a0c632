//! Routers that track BFD sessions, from the start on.

use super::*;
use crate::{
    daemon::engine::{
        Command,
        testing::{Stuck, address, in_namespace, listed},
    },
    kernel::clock,
    registry::{SessionState, State},
    track::Sessions,
    units::Priority,
};

/// Routers 1 to 5: what each makes of the session, the last two by their group.
const BLOCKS: &str = "\
    bfd_instance path {\n neighbor_ip 10.9.0.2\n weight -20\n}\n\
    vrrp_instance FAULT {\n interface eth0\n virtual_router_id 8\n track_bfd {\n path weight 0\n }\n}\n\
    vrrp_instance REVERSE {\n interface eth0\n virtual_router_id 9\n track_bfd {\n path weight 0 reverse\n }\n}\n\
    vrrp_instance LESS {\n interface eth0\n virtual_router_id 10\n track_bfd {\n path\n }\n}\n\
    vrrp_instance MORE {\n interface eth0\n virtual_router_id 11\n}\n\
    vrrp_instance FELLOW {\n interface eth0\n virtual_router_id 12\n}\n\
    vrrp_sync_group G {\n group {\n MORE\n FELLOW\n }\n sync_group_tracking_weight\n track_bfd {\n path weight 10\n }\n}\n";

struct Story {
    stuck: Stuck,
    sessions: Sessions,
    now: Time,
}

impl Story {
    fn new() -> Self {
        let stuck = Stuck::new("", BLOCKS);
        let sessions = Sessions::new(&stuck.engine.registry.topology().sessions);
        Self { stuck, sessions, now: clock::now() }
    }

    /// Has the engine start, whatever the kernel says.
    fn start(&mut self) {
        self.stuck.start(listed(vec![address(2, 1, false)]));
        self.now = clock::now();
    }

    /// Whoever runs the session says how it is.
    fn say(&mut self, state: SessionState) {
        if let Some((tracker, observation)) = self.sessions.handle_state(self.now, 0, state) {
            self.stuck.engine.handle_command(Some(Command::Observed {
                tracker,
                name: "path".to_owned(),
                observation,
            }));
        }
    }

    /// What the routers are: the words of what is tracked where that is why they are in FAULT, and their priorities.
    fn routers(&self) -> [(Option<String>, u8); 5] {
        let rows = &self.stuck.engine.registry.topology().instances;
        std::array::from_fn(|position| {
            let status = rows[position + 1].status();
            let is_fault = status.state == State::Fault;
            let why = match &status.reason {
                Some(Reason::Tracked { detail, .. }) if is_fault => Some(detail.clone()),
                _ => None,
            };
            (why, status.effective_priority.map_or(0, |Priority(number)| number))
        })
    }
}

fn told(words: [Option<&str>; 5], priorities: [u8; 5]) -> [(Option<String>, u8); 5] {
    std::array::from_fn(|at| (words[at].map(str::to_owned), priorities[at]))
}

fn while_down() -> [(Option<String>, u8); 5] {
    told([Some("is down"), None, None, None, None], [100, 100, 80, 100, 100])
}

fn while_up() -> [(Option<String>, u8); 5] {
    told([None, Some("is up"), None, None, None], [100, 100, 100, 110, 110])
}

#[test]
fn a_session_begins_down_and_moves_those_that_track_it() {
    in_namespace(async || {
        let mut story = Story::new();
        story.sessions.handle_begin(story.now);
        story.start();
        assert_eq!(story.routers(), while_down());
        for (state, routers) in [
            (SessionState::Down, while_down()),
            (SessionState::Up, while_up()),
            (SessionState::AdminDown, while_up()),
            (SessionState::Down, while_down()),
            (SessionState::AdminDown, while_down()),
            (SessionState::Up, while_up()),
        ] {
            story.say(state);
            assert_eq!(story.routers(), routers, "{state:?}");
        }
    });
}

#[test]
fn a_session_that_nobody_runs_holds_no_router() {
    in_namespace(async || {
        let mut story = Story::new();
        story.start();
        assert_eq!(story.routers(), told([None; 5], [100; 5]));
    });
}

#[test]
fn what_becomes_of_a_session_before_the_start_counts_at_the_start() {
    in_namespace(async || {
        let mut story = Story::new();
        story.sessions.handle_begin(story.now);
        story.say(SessionState::Up);
        story.start();
        assert_eq!(story.routers(), while_up());
    });
}
