//! BFD sessions as trackers: what a session's state means to those that track it.
//!
//! The sessions themselves, with their packets and timers, are another room's. Whoever runs them calls
//! [`Sessions::handle_begin`] before the engine starts and [`Sessions::handle_state`] at every change, and brings the
//! [`Observation`] to the engine like that of any tracker. Without that nobody knows a session's state, and it has no
//! effect.

use std::sync::Arc;

use super::{Finding, Observation};
use crate::{
    config::tracking::Tracker,
    registry::{SessionRow, SessionState, SessionStatus},
    units::Time,
};

/// The sessions of all rows, which it keeps up to date.
#[derive(Debug)]
pub struct Sessions(Vec<Arc<SessionRow>>);

impl Sessions {
    /// Sessions that are going to be run.
    pub fn new(rows: &[Arc<SessionRow>]) -> Self {
        Self(rows.to_vec())
    }

    /// They begin, down as every session does (RFC 5880 §6.8.1), so that who tracks one waits for it from the start.
    pub fn handle_begin(&self, now: Time) {
        for row in &self.0 {
            row.set_status(SessionStatus { state: Some(SessionState::Down), is_up: false, since: Some(now) });
        }
    }

    /// A session has come to a state. What the engine is told when it counts as another one than before.
    pub fn handle_state(
        &self,
        now: Time,
        session: usize,
        state: SessionState,
    ) -> Option<(Tracker, Observation)> {
        let row = self.0.get(session)?;
        let before = row.status();
        let is_up = match state {
            SessionState::Up => true,
            SessionState::Down => false,
            // RFC 5882 §3.2: whoever switches a session off says nothing about the path.
            SessionState::AdminDown => before.is_up,
        };
        let since = if before.state == Some(state) { before.since } else { Some(now) };
        row.set_status(SessionStatus { state: Some(state), is_up, since });
        let is_news = before.state.is_none() || before.is_up != is_up;
        is_news.then(|| (Tracker::Session(session), observed(is_up)))
    }
}

/// What is known of a session, for who tracks it; nothing while nobody runs it.
pub fn observation(status: &SessionStatus) -> Option<Observation> {
    status.state.map(|_| observed(status.is_up))
}

fn observed(is_up: bool) -> Observation {
    let (finding, detail) = if is_up { (Finding::Healthy, "is up") } else { (Finding::Failed, "is down") };
    Observation { finding, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tracking::Session;

    const SECOND: fn(u64) -> Time = Time::from_secs;

    fn sessions() -> (Sessions, Arc<SessionRow>) {
        let config = Session { name: "path".into(), weight: 0, reverse: false };
        let row = Arc::new(SessionRow::new(1, config));
        (Sessions::new(&[Arc::clone(&row)]), row)
    }

    fn found(told: Option<(Tracker, Observation)>) -> Option<Finding> {
        told.map(|(tracker, seen)| {
            assert_eq!(tracker, Tracker::Session(0));
            seen.finding
        })
    }

    #[test]
    fn only_another_state_is_news() {
        let (sessions, row) = sessions();
        sessions.handle_begin(SECOND(1));
        let table = [
            (SessionState::Down, None),
            (SessionState::Up, Some(Finding::Healthy)),
            (SessionState::Up, None),
            (SessionState::Down, Some(Finding::Failed)),
        ];
        for (second, (state, news)) in (2..).zip(table) {
            assert_eq!(found(sessions.handle_state(SECOND(second), 0, state)), news, "second {second}");
        }
        let down = SessionStatus { state: Some(SessionState::Down), is_up: false, since: Some(SECOND(5)) };
        assert_eq!(*row.status(), down);
    }

    #[test]
    fn a_session_that_is_switched_off_counts_as_it_did() {
        let (sessions, row) = sessions();
        sessions.handle_begin(SECOND(1));
        assert_eq!(found(sessions.handle_state(SECOND(2), 0, SessionState::AdminDown)), None);
        assert!(!row.status().is_up);
        sessions.handle_state(SECOND(3), 0, SessionState::Up);
        assert_eq!(found(sessions.handle_state(SECOND(4), 0, SessionState::AdminDown)), None);
        let off = SessionStatus { state: Some(SessionState::AdminDown), is_up: true, since: Some(SECOND(4)) };
        assert_eq!(*row.status(), off);
        assert_eq!(found(sessions.handle_state(SECOND(5), 0, SessionState::Down)), Some(Finding::Failed));
    }

    #[test]
    fn of_a_session_that_nobody_runs_nothing_is_known() {
        let (sessions, row) = sessions();
        assert_eq!(observation(&row.status()), None);
        assert_eq!(found(sessions.handle_state(SECOND(1), 0, SessionState::Down)), Some(Finding::Failed));
        assert_eq!(observation(&row.status()).map(|seen| seen.detail).as_deref(), Some("is down"));
        assert_eq!(sessions.handle_state(SECOND(2), 1, SessionState::Up), None, "there is no second one");
    }
}
