//! The one deadline that a session has, in the runtime's time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep_until};

use super::instant_now;

/// An alarm that is set to a time not after the deadline. With every packet of the master the deadline moves on by a little,
/// and to set the runtime's timer each time would cost as much as the answer; so it is left as it is, rings too early now
/// and then, and is set anew then.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    set: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Alarm {
    /// Sets it to `deadline`, or a time before it, by the session's clock, which reads `now`. Without a deadline it is off.
    pub(super) fn set(&mut self, deadline: Option<Duration>, now: Duration) {
        let Some(deadline) = deadline else {
            self.set = None;
            return;
        };
        match &mut self.set {
            Some((at, _)) if *at <= deadline => {}
            Some((at, sleep)) => {
                *at = deadline;
                sleep.as_mut().reset(instant_now() + deadline.saturating_sub(now));
            }
            None => {
                let sleep = sleep_until(instant_now() + deadline.saturating_sub(now));
                self.set = Some((deadline, Box::pin(sleep)));
            }
        }
    }

    /// Waits until it rings, and is off then.
    pub(super) async fn rings(&mut self) {
        poll_fn(|context| match &mut self.set {
            Some((_, sleep)) => sleep.as_mut().poll(context),
            None => Poll::Pending,
        })
        .await;
        self.set = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_secs(3600);

    fn set_to(deadlines: &[Duration]) -> Alarm {
        let mut alarm = Alarm::default();
        deadlines.iter().for_each(|deadline| alarm.set(Some(*deadline), Duration::ZERO));
        alarm
    }

    fn run(story: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(story);
    }

    #[test]
    fn it_rings_at_the_earliest_deadline_it_was_set_to() {
        run(async {
            for deadlines in [&[SOON][..], &[SOON, LATE], &[LATE, SOON], &[LATE, SOON, LATE]] {
                let (mut alarm, began) = (set_to(deadlines), instant_now());
                assert!(timeout(LATE / 2, alarm.rings()).await.is_ok());
                assert!(instant_now() - began >= SOON);
            }
        });
    }

    #[test]
    fn it_rings_once_and_not_at_all_without_a_deadline() {
        run(async {
            let mut alarm = set_to(&[SOON]);
            alarm.rings().await;
            assert!(timeout(2 * SOON, alarm.rings()).await.is_err());
            alarm.set(Some(SOON), Duration::ZERO);
            alarm.set(None, Duration::ZERO);
            assert!(timeout(2 * SOON, alarm.rings()).await.is_err());
        });
    }
}
