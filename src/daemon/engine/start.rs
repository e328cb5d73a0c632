//! The start, one step after the other: look, make links, remove what an earlier run left, install what is static,
//! open sockets, then let every router begin.
//!
//! The loop runs from the first moment, so that a stop is heard in every step. A step that takes too long, because another
//! program holds the kernel's locks, is reported and no longer waited for: what comes of it later counts like any other
//! change. Only the first look cannot be done without.

use std::time::Duration;

use tracing::warn;

use super::{Engine, holder::Holder};
use crate::{daemon::tether::Word, kernel::clock, units::Time};

/// From the beginning of a step, or from the kernel's last yes in it, until it is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for links, all of which are made before any is reported: the kernel needs milliseconds for each.
const LINKS_PATIENCE: Duration = Duration::from_secs(30);
/// How long links that were just made may take to be up: the kernel brings them up in the background.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(1);
/// How long a start waits for sockets: whoever starts without one begins when it is there.
const OPENING_LIMIT: Duration = Duration::from_secs(1);

/// Where the start has come to.
#[derive(Debug)]
pub(super) struct Start {
    step: Step,
    /// When the step is given up.
    by: Time,
}

/// A step of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Interfaces, addresses, routes and rules are being listed.
    Looking,
    /// Links of routers' own are being made.
    MakingLinks,
    /// Those links come up.
    Settling,
    /// What an earlier run left is being removed.
    Clearing,
    /// Static addresses, routes and rules are being installed, which routers may need.
    Installing,
    /// Sockets are being opened.
    Opening,
    /// The routers have begun.
    Over,
}

impl Start {
    /// Nothing done yet.
    pub(super) fn new(now: Time) -> Self {
        Self { step: Step::Looking, by: now + PATIENCE }
    }

    /// When a step is given up.
    pub(super) fn deadline(&self) -> Option<Time> {
        (self.step != Step::Over).then_some(self.by)
    }
}

impl Engine {
    /// Whether the routers have begun. Before that nothing that happens is told to them.
    pub(super) fn has_started(&self) -> bool {
        self.start.step == Step::Over
    }

    /// Makes the steps of the start that can be made now.
    pub(super) fn go_on_starting(&mut self, now: Time) {
        while self.stop_by.is_none() && !self.has_started() {
            if self.work.take_headway() {
                self.start.by = now + PATIENCE;
            }
            let is_done = self.is_step_done();
            if !is_done && (now < self.start.by || !self.give_up(now)) {
                return;
            }
            self.make_next_step(now);
        }
    }

    fn is_step_done(&self) -> bool {
        let has_looked = self.listing.is_none() && self.list_at.is_none();
        has_looked
            && match self.start.step {
                Step::Looking | Step::Over => true,
                Step::MakingLinks => !self.links.is_waiting(),
                Step::Settling => self.links.are_settled(&self.interfaces),
                Step::Opening => !self.interfaces.sockets.is_waiting(),
                Step::Clearing | Step::Installing => self.work.is_idle() && self.deferred.is_empty(),
            }
    }

    /// A step takes too long. Returns whether it is left behind.
    fn give_up(&mut self, now: Time) -> bool {
        let undone = match self.start.step {
            Step::Looking => {
                warn!(
                    "the kernel does not list its interfaces, which nothing can begin without: still waiting"
                );
                self.start.by = now + PATIENCE;
                return false;
            }
            Step::Settling | Step::Opening | Step::Over => return true,
            Step::MakingLinks => "links of virtual routers are not made yet",
            Step::Clearing => "what an earlier run left is not removed yet",
            Step::Installing => "static addresses, routes and rules are not installed yet",
        };
        warn!("{undone}: the kernel does not answer, and virtual routers begin without");
        true
    }

    fn make_next_step(&mut self, now: Time) {
        let (step, patience) = match self.start.step {
            Step::Looking => (Step::MakingLinks, LINKS_PATIENCE),
            Step::MakingLinks => (Step::Settling, SETTLE_LIMIT),
            Step::Settling => (Step::Clearing, PATIENCE),
            Step::Clearing => (Step::Installing, PATIENCE),
            Step::Installing => (Step::Opening, OPENING_LIMIT),
            Step::Opening | Step::Over => return self.start_routers(),
        };
        self.start = Start { step, by: now + patience };
        match step {
            Step::MakingLinks => self.links.order_all(&self.interfaces),
            Step::Clearing => self.clear_leftovers(now),
            Step::Installing => self.install_statics(now),
            Step::Opening => self.open_sockets(now),
            Step::Looking | Step::Settling | Step::Over => {}
        }
    }

    /// A stop comes before every step was made: what an earlier run left goes with it (not with `-V`).
    pub(super) fn abandon_start(&mut self) {
        if self.release && matches!(self.start.step, Step::MakingLinks | Step::Settling) {
            for number in 0..self.routers.len() {
                self.adopt_leftovers(number, "removes");
            }
        }
    }

    /// For tests of what comes after the start.
    #[cfg(test)]
    pub(super) fn assume_started(&mut self) {
        self.start.step = Step::Over;
    }

    fn start_routers(&mut self) {
        self.look_at_statics(clock::now());
        self.look_at_links(clock::now());
        self.look_at_sessions(clock::now());
        self.start.step = Step::Over;
        self.tell_clock();
        for number in 0..self.routers.len() {
            self.refresh(number, clock::now());
        }
        self.hold_back();
        self.start_groups();
        for number in 0..self.routers.len() {
            let now = clock::now();
            self.routers[number].machine.handle_start(now);
            self.carry_out(number, now);
            // What it went on with is not wanted if it is not MASTER after all, nor may be soon.
            if !self.routers[number].machine.may_resume() {
                self.reconcile(Holder::Router(number), now);
            }
        }
        self.flush();
        let Self { synchroniser, routers, .. } = self;
        synchroniser.begin(|number| routers[number].machine.status().state);
        self.tell();
        self.voice.say(Word::Ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        daemon::engine::{
            Command,
            observe::Listed,
            testing::{Stuck, address, in_namespace, listed},
        },
        registry::{Cursor, State},
    };

    const STATIC: &str = "static_ipaddress {\n 10.8.0.1/24 dev eth1\n}";

    /// A virtual address is there, left by an earlier run.
    fn left_over() -> Listed {
        listed(vec![address(2, 1, false), address(2, 100, true)])
    }

    fn state(engine: &Engine) -> State {
        engine.registry.topology().instances[0].status().state
    }

    #[test]
    fn a_stop_is_heard_although_the_kernel_lists_nothing() {
        in_namespace(async || {
            let Stuck { engine, commands, .. } = Stuck::new("", "");
            let registry = std::sync::Arc::clone(&engine.registry);
            commands.send(Command::Shutdown).await.unwrap();
            let run = tokio::time::timeout(Duration::from_secs(10), engine.run());
            run.await.expect("it ends").expect("in order");
            let first = Cursor::default().peek(&registry.transitions);
            assert_eq!(first.map(|transition| transition.change.to), Some(State::Stop));
        });
    }

    #[test]
    fn no_step_is_waited_for_longer_than_it_makes_headway() {
        in_namespace(async || {
            let mut stuck = Stuck::new("", STATIC);
            let engine = &mut stuck.engine;
            engine.list();
            let begin = clock::now();
            engine.go_on_starting(begin + PATIENCE * 3);
            assert_eq!(engine.start.step, Step::Looking, "there is nothing to begin with");
            engine.listing = None;
            engine.handle_listed(Ok(left_over()));
            let now = begin + PATIENCE * 4;
            engine.go_on_starting(now);
            assert_eq!(engine.start.step, Step::Clearing, "the address is not gone");
            engine.go_on_starting(now + PATIENCE / 2);
            assert_eq!(engine.start.step, Step::Clearing);
            engine.go_on_starting(now + PATIENCE);
            assert_eq!(engine.start.step, Step::Installing);
            assert_eq!(state(engine), State::Init);
            engine.go_on_starting(now + PATIENCE * 2);
            engine.go_on_starting(now + PATIENCE * 3);
            assert!(engine.has_started());
            assert_ne!(state(engine), State::Init);
        });
    }

    #[test]
    fn a_stop_in_any_step_ends_when_the_kernel_makes_no_headway() {
        for steps in 1..=4 {
            in_namespace(async move || {
                let mut stuck = Stuck::new("", STATIC);
                let engine = &mut stuck.engine;
                engine.handle_listed(Ok(left_over()));
                let mut now = clock::now();
                for _ in 0..steps {
                    engine.go_on_starting(now);
                    now = now + PATIENCE;
                }
                engine.shut_down(clock::now());
                assert_eq!(state(engine), State::Stop);
                assert!(!engine.stopped(), "the address is not gone");
                engine.stop_by = Some(clock::now());
                assert!(engine.stopped());
            });
        }
    }
}
