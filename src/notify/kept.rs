//! A mistake of the program in one output ends neither the others nor the daemon: the output begins anew, later each time,
//! where it was; what it fails at twice is passed over.

use std::{future::pending, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tracing::error;

use crate::{
    kernel::{clock, rest},
    registry::{Change, Reason, Registry, State, Subject},
    units::{Priority, Time},
};

/// From a panic to the new beginning; each wait after that is twice as long.
const SOONEST: Duration = Duration::from_millis(100);
/// The longest wait.
const LATEST: Duration = Duration::from_mins(1);
/// Whoever has run for that long is sound: the next wait is the shortest again.
const SOUND: Duration = Duration::from_mins(1);

/// Something that runs for ever, and can go on after it has panicked.
pub trait Part {
    /// What it is called.
    fn name(&self) -> String;

    /// Runs. Whenever it is left off, the next call goes on.
    fn run(&mut self) -> impl Future<Output = ()>;

    /// What is known of its panics.
    fn keeper(&mut self) -> &mut Keeper;

    /// The transition that it was at.
    fn position(&self) -> u64 {
        0
    }

    /// Leaves out the one transition that it cannot get over.
    fn pass_over(&mut self) {}

    /// Ends when it need not begin anew any more, while it rests.
    fn called_off(&mut self) -> impl Future<Output = ()> {
        pending()
    }
}

/// What is known of the panics of a part.
#[derive(Debug)]
pub struct Keeper {
    begun: Time,
    wait: Duration,
    /// Not before.
    rests_until: Option<Time>,
    /// The transition of the last panic.
    failed_at: Option<u64>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self { begun: clock::now(), wait: SOONEST, rests_until: None, failed_at: None }
    }
}

impl Keeper {
    /// Notes a panic. Returns whether it is the second one at the same transition.
    fn handle_panic(&mut self, now: Time, position: u64) -> bool {
        if now.since(self.begun) >= SOUND {
            self.wait = SOONEST;
        }
        let until = now + self.wait;
        self.wait = (self.wait * 2).min(LATEST);
        (self.begun, self.rests_until) = (until, Some(until));
        self.failed_at.replace(position) == Some(position)
    }
}

/// Runs a part until it ends by itself. Cancelling it loses nothing that cancelling the part does not lose.
pub async fn kept(part: &mut impl Part, registry: &Registry) {
    loop {
        if let Some(until) = part.keeper().rests_until {
            // The lane's other parts go on.
            tokio::select! {
                () = rest(until.since(clock::now())) => {}
                () = part.called_off() => return,
            }
            part.keeper().rests_until = None;
        }
        if AssertUnwindSafe(part.run()).catch_unwind().await.is_ok() {
            return;
        }
        let position = part.position();
        if part.keeper().handle_panic(clock::now(), position) {
            part.pass_over();
        }
        tell_of_restart(&part.name(), registry);
    }
}

/// Tells that a part of that name has panicked and goes on.
pub fn tell_of_restart(name: &str, registry: &Registry) {
    // The hook has noted it; without one it is known that it happened.
    let panic = registry.panics.last();
    let why = panic.map_or_else(String::new, |panic| format!("{} at {}", panic.message, panic.place));
    registry.panics.note_restart();
    let reason = Reason::Restarted { part: name.to_owned(), why };
    error!("{reason}");
    let change = Change { from: State::Init, to: State::Init, reason, priority: Priority(0) };
    registry.transitions.publish(clock::now(), clock::wall(), Subject::Daemon, change);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::registry::{Cursor, testing::topology};

    /// Counts up, and panics before some numbers.
    #[derive(Default)]
    struct Unlucky {
        number: u64,
        unlucky: Vec<u64>,
        passed_over: Vec<u64>,
        keeper: Keeper,
    }

    impl Part for Unlucky {
        fn name(&self) -> String {
            "unlucky".to_owned()
        }

        async fn run(&mut self) {
            while self.number < 10 {
                tokio::task::yield_now().await;
                assert!(!self.unlucky.contains(&self.number), "{} is no good", self.number);
                self.number += 1;
            }
        }

        fn keeper(&mut self) -> &mut Keeper {
            &mut self.keeper
        }

        fn position(&self) -> u64 {
            self.number
        }

        fn pass_over(&mut self) {
            self.passed_over.push(self.number);
            self.number += 1;
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_part_goes_on_where_it_was_while_others_do() {
        let registry = Registry::new(topology());
        let mut unlucky = Unlucky { unlucky: vec![3], ..Unlucky::default() };
        let mut lucky = Unlucky::default();
        let begun = clock::now();
        let ended = RefCell::new(Vec::new());
        tokio::join!(
            async {
                kept(&mut unlucky, &registry).await;
                ended.borrow_mut().push("unlucky");
            },
            async {
                kept(&mut lucky, &registry).await;
                ended.borrow_mut().push("lucky");
            }
        );
        let took = clock::now().since(begun);
        assert_eq!((unlucky.number, lucky.number), (10, 10));
        assert_eq!(ended.take(), ["lucky", "unlucky"], "one has waited for the other");
        // It is tried twice, and then left out.
        assert_eq!(unlucky.passed_over, [3]);
        assert!(took >= SOONEST + 2 * SOONEST, "{took:?}");
        assert_eq!((registry.panics.restarts(), registry.transitions.newest()), (2, 2));
        let first = Cursor::default().peek(&registry.transitions).unwrap();
        assert_eq!(first.subject, Subject::Daemon);
        assert!(
            first.change.reason.to_string().starts_with("unlucky begins anew"),
            "{}",
            first.change.reason
        );
    }
}
