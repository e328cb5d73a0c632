//! The lane's one nearest deadline, kept by the kernel to the nanosecond.
//!
//! tokio's own timer counts milliseconds and rounds up, which would make every advertisement and every
//! takeover up to 1 ms late. A timerfd has no such grain. Measured in a debug build over 200 deadlines of
//! 5 ms on a two-core virtual machine, from the deadline to the running future: median 0.07 to 0.11 ms,
//! longest 0.14 to 0.5 ms; longest 8 ms while both cores compiled something else and the thread had no
//! real-time priority. The first test below measures it again and prints it.

use std::{future::pending, io, time::Duration};

use nix::{
    errno::Errno,
    sys::{
        time::TimeSpec,
        timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
    },
};
use tokio::time::timeout;

use super::{
    clock,
    readable::{Readable, readable},
};
use crate::units::Time;

/// Waits for so long, where some milliseconds more do not matter.
pub async fn rest(span: Duration) {
    let _over = timeout(span, pending::<()>()).await;
}

/// A one-shot timer on CLOCK_MONOTONIC with an absolute expiry.
///
/// Dropping a pending [`expired`](Self::expired) loses nothing: the expiry stays in the kernel until it is
/// taken or the deadline is set anew.
#[derive(Debug)]
pub struct Deadline {
    timer: TimerFd,
    /// A second descriptor of the same timer.
    readiness: Readable,
    /// What the kernel was told last, unless that has expired and was taken.
    told: Option<Time>,
}

impl Deadline {
    /// A deadline that is not set. Needs a tokio runtime with I/O enabled; fails only when descriptors run
    /// out.
    pub fn new() -> io::Result<Self> {
        let timer =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        let twin = std::os::fd::AsFd::as_fd(&timer).try_clone_to_owned()?;
        let readiness = readable(twin)?;
        Ok(Self { timer, readiness, told: None })
    }

    /// Replaces the deadline; one in the past expires at once, `None` never does. An expiry that nobody
    /// has taken yet is forgotten, unless the deadline stays what it is.
    pub fn set(&mut self, at: Option<Time>) -> io::Result<()> {
        if at == self.told {
            return Ok(());
        }
        // Unknown if it fails.
        self.told = None;
        self.tell(at)?;
        self.told = at;
        Ok(())
    }

    fn tell(&self, at: Option<Time>) -> io::Result<()> {
        let Some(Time(at)) = at else {
            return Ok(self.timer.unset()?);
        };
        // Zero would disarm the timer instead of firing it.
        let at = at.max(Duration::from_nanos(1));
        let expiry = Expiration::OneShot(TimeSpec::from(at));
        Ok(self.timer.set(expiry, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?)
    }

    /// Waits until the deadline has passed; pending for ever while none is set. Afterwards none is set.
    pub async fn expired(&mut self) -> io::Result<()> {
        loop {
            self.readiness.readable().await?;
            let passed = self.has_passed();
            // What was told of readiness is forgotten in either case; only another expiry is told of.
            let forgotten: io::Result<()> = self.readiness.try_io(|| Err(io::ErrorKind::WouldBlock.into()));
            match (passed, forgotten) {
                (Err(error), _) => return Err(error),
                (_, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                (Ok(true), _) => {
                    self.told = None;
                    return Ok(());
                }
                (Ok(false), _) => {}
            }
        }
    }

    /// Whether it is this deadline that has passed, and not one that was replaced. The clock says so without a system call: an
    /// expiry that is not read makes no difference, since setting the timer anew forgets it. Where the clock says no
    /// the timer has the last word.
    fn has_passed(&self) -> io::Result<bool> {
        match self.told {
            None => Ok(false),
            Some(at) if at <= clock::now() => Ok(true),
            Some(_) => match self.timer.wait() {
                Ok(()) => Ok(true),
                Err(Errno::EAGAIN) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Poll};

    use super::*;

    /// Whether the deadline has been reached by now, without waiting for it.
    async fn has_expired(deadline: &mut Deadline) -> bool {
        // tokio learns of readiness only between polls.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let mut expired = pin!(deadline.expired());
        std::future::poll_fn(|cx| Poll::Ready(expired.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn overshoot_stays_below_a_tick_of_tokios_timer() {
        let mut deadline = Deadline::new().unwrap();
        let mut overshoots = Vec::new();
        for _ in 0..200 {
            let at = clock::now() + Duration::from_millis(5);
            deadline.set(Some(at)).unwrap();
            deadline.expired().await.unwrap();
            let now = clock::now();
            assert!(now >= at, "expired {:?} early", at.since(now));
            overshoots.push(now.since(at));
        }
        overshoots.sort();
        let (tenth, median) = (overshoots[20], overshoots[100]);
        println!("overshoot of 200 deadlines of 5 ms: a tenth below {tenth:?}, median {median:?}");
        // The best of them: on a busy machine the thread is scheduled late, which says nothing about the timer, while
        // tokio's own would be late by its tick every time.
        assert!(tenth < Duration::from_millis(1), "a tenth below {tenth:?}, median {median:?}");
    }

    #[tokio::test]
    async fn a_deadline_in_the_past_expires_at_once_and_only_once() {
        let mut deadline = Deadline::new().unwrap();
        deadline.set(Some(Time::default())).unwrap();
        deadline.expired().await.unwrap();
        assert!(!has_expired(&mut deadline).await);
    }

    #[tokio::test]
    async fn a_new_deadline_forgets_the_one_that_has_passed() {
        let mut deadline = Deadline::new().unwrap();
        deadline.set(Some(Time::default())).unwrap();
        tokio::task::yield_now().await;
        deadline.set(Some(clock::now() + Duration::from_secs(3600))).unwrap();
        assert!(!has_expired(&mut deadline).await);
        deadline.set(Some(Time::default())).unwrap();
        deadline.set(None).unwrap();
        assert!(!has_expired(&mut deadline).await);
    }

    #[tokio::test]
    async fn dropping_the_wait_does_not_lose_the_expiry() {
        let mut deadline = Deadline::new().unwrap();
        deadline.set(Some(clock::now() + Duration::from_millis(20))).unwrap();
        assert!(!has_expired(&mut deadline).await);
        deadline.expired().await.unwrap();
    }
}
