//! A tracked script as a machine: when it runs, when it is ended, and what its exits mean.
//!
//! Deterministic: no process, no clock. Inputs are `handle_*`, outputs are pulled with
//! [`ScriptTracker::poll_action`] until it returns `None`, and [`ScriptTracker::poll_timeout`] says when to
//! come back.

use std::{collections::VecDeque, fmt, time::Duration};

use super::{Finding, Observation};
use crate::{config, registry::ScriptResult, units::Time};

/// From the polite signal to the one that cannot be refused.
const TERM_TO_KILL: Duration = Duration::from_secs(2);

/// A `vrrp_script` that runs.
#[derive(Debug)]
pub struct ScriptTracker {
    interval: Duration,
    timeout: Duration,
    rise: u32,
    fall: u32,
    /// 0 ..= rise + fall - 1; the script is healthy from `rise` upwards.
    level: u32,
    result: ScriptResult,
    next_run: Option<Time>,
    run: Option<Run>,
    actions: VecDeque<ScriptAction>,
}

/// A run in progress.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// When the next signal is due.
    deadline: Time,
    /// The run took too long: SIGTERM was sent and it was judged.
    timed_out: bool,
    /// SIGKILL was sent too: nothing more can be done.
    killed: bool,
    /// The driver was told that a later run is left out for this one.
    in_the_way: bool,
}

/// What the driver of a script has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptAction {
    /// Start the script and report its end with [`ScriptTracker::handle_end`].
    Run,
    /// SIGTERM to the script's process group.
    Terminate,
    /// SIGKILL to the script's process group.
    Kill,
    /// The previous run has not ended; this one is left out, as are those that follow until it has ended.
    Skipped,
    /// A run ended or took too long: how, and what the script counts as now.
    Judge(Verdict),
}

/// What a run's end, or its not ending, means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the script counts as now.
    pub result: ScriptResult,
    /// Whether that is healthy.
    pub healthy: bool,
    /// Whether health changed with this run, or is known for the first time.
    pub changed: bool,
    /// How this run ended.
    pub end: RunEnd,
}

impl Verdict {
    /// What whoever tracks the script is told.
    pub fn observation(&self) -> Observation {
        let finding = if self.healthy { Finding::Healthy } else { Finding::Failed };
        Observation { finding, detail: self.end.to_string() }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It took longer than its timeout.
    TimedOut,
    /// It could not be started, or its end could not be learnt.
    NotStarted(String),
    /// It has not run: `init_fail` says to assume the worst.
    Assumed,
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("succeeded"),
            Self::Exited(status) => write!(f, "failed (exited with status {status})"),
            Self::Signalled(signal) => write!(f, "failed (killed by signal {signal})"),
            Self::TimedOut => f.write_str("failed (timed out)"),
            Self::NotStarted(error) => write!(f, "failed ({error})"),
            Self::Assumed => f.write_str("is assumed failed until it succeeds (init_fail)"),
        }
    }
}

impl ScriptTracker {
    /// A tracker that has not run yet.
    pub fn new(script: &config::Script) -> Self {
        let mut tracker = Self {
            interval: script.interval,
            timeout: script.timeout.unwrap_or(script.interval),
            rise: script.rise,
            fall: script.fall,
            // One success is enough at the start, whatever `rise` says.
            level: script.rise - 1,
            result: ScriptResult::Init,
            next_run: None,
            run: None,
            actions: VecDeque::new(),
        };
        if script.init_fail {
            tracker.level = 0;
            tracker.result = ScriptResult::InitFailed;
            tracker.judge(true, RunEnd::Assumed);
        }
        tracker
    }

    /// Its settings are these from now on. What it counts as stays until a run says otherwise, and the next run is due no
    /// later than these settings have it.
    pub fn handle_settings(&mut self, now: Time, script: &config::Script) {
        let is_healthy = healthy(self.result);
        (self.interval, self.timeout) = (script.interval, script.timeout.unwrap_or(script.interval));
        (self.rise, self.fall) = (script.rise, script.fall);
        self.level = match self.result {
            ScriptResult::Init => script.rise - 1,
            _ if is_healthy => script.rise.saturating_add(script.fall) - 1,
            _ => 0,
        };
        self.next_run = self.next_run.map(|next| next.min(now + script.interval));
    }

    /// The first run is due.
    pub fn handle_start(&mut self, now: Time) {
        self.next_run = Some(now);
        self.handle_timeout(now);
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        // Killed before, and still there: it may never end.
        let stuck = self.run.is_some_and(|run| run.killed);
        self.hurry(now);
        let Some(due) = self.next_run.filter(|due| *due <= now) else {
            return;
        };
        // From the planned start, so that the period does not drift; after a stall, from now.
        let planned = due + self.interval;
        self.next_run = Some(if planned > now { planned } else { now + self.interval });
        let Some(run) = &mut self.run else {
            let deadline = now + self.timeout;
            self.run = Some(Run { deadline, timed_out: false, killed: false, in_the_way: false });
            self.actions.push_back(ScriptAction::Run);
            return;
        };
        if !run.in_the_way {
            run.in_the_way = true;
            self.actions.push_back(ScriptAction::Skipped);
        }
        if stuck {
            // The run that is left out has failed as well, else a check that hangs would never be one of
            // `fall` failures in a row.
            self.count(RunEnd::TimedOut);
        }
    }

    /// Ends a run that takes too long, in two steps; it has failed with the first, as it may survive the second.
    fn hurry(&mut self, now: Time) {
        let Some(run) = self.run.as_mut().filter(|run| run.deadline <= now && !run.killed) else {
            return;
        };
        if run.timed_out {
            run.killed = true;
            self.actions.push_back(ScriptAction::Kill);
        } else {
            run.timed_out = true;
            run.deadline = now + TERM_TO_KILL;
            self.actions.push_back(ScriptAction::Terminate);
            self.count(RunEnd::TimedOut);
        }
    }

    /// The run ended. One that took too long was judged then, and only makes room for the next.
    pub fn handle_end(&mut self, end: RunEnd) {
        if self.run.take().is_none_or(|run| !run.timed_out) {
            self.count(end);
        }
    }

    /// Adds a run to those that count.
    fn count(&mut self, end: RunEnd) {
        let before = self.result;
        if end == RunEnd::Exited(0) {
            self.succeed()
        } else {
            self.fail()
        }
        let changed = before == ScriptResult::Init || healthy(before) != healthy(self.result);
        self.judge(changed, end);
    }

    fn succeed(&mut self) {
        if self.level < self.rise {
            self.level += 1;
        }
        if self.level >= self.rise {
            // Healthy, and `fall` failures away from not being so.
            self.level = self.rise.saturating_add(self.fall) - 1;
            self.result = ScriptResult::Good;
        }
    }

    fn fail(&mut self) {
        if self.level > self.rise {
            self.level -= 1;
            return;
        }
        self.level = 0;
        self.result = match self.result {
            ScriptResult::Init | ScriptResult::InitFailed => ScriptResult::InitFailed,
            ScriptResult::Bad | ScriptResult::Good => ScriptResult::Bad,
        };
    }

    fn judge(&mut self, changed: bool, end: RunEnd) {
        let verdict = Verdict { result: self.result, healthy: healthy(self.result), changed, end };
        self.actions.push_back(ScriptAction::Judge(verdict));
    }

    /// The next thing to do, until there is none.
    pub fn poll_action(&mut self) -> Option<ScriptAction> {
        self.actions.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let hurry = self.run.filter(|run| !run.killed).map(|run| run.deadline);
        [hurry, self.next_run].into_iter().flatten().min()
    }
}

fn healthy(result: ScriptResult) -> bool {
    result == ScriptResult::Good
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::script;

    fn tracker(rise: u32, fall: u32, init_fail: bool) -> ScriptTracker {
        ScriptTracker::new(&config::Script { rise, fall, init_fail, ..script() })
    }

    fn actions(tracker: &mut ScriptTracker) -> Vec<ScriptAction> {
        std::iter::from_fn(|| tracker.poll_action()).collect()
    }

    /// Ends a run and returns (healthy, changed).
    fn end(tracker: &mut ScriptTracker, status: i32) -> (bool, bool) {
        tracker.handle_end(RunEnd::Exited(status));
        match actions(tracker).pop() {
            Some(ScriptAction::Judge(verdict)) => (verdict.healthy, verdict.changed),
            other => panic!("expected a verdict, got {other:?}"),
        }
    }

    #[test]
    fn the_first_result_decides_whatever_rise_and_fall_say() {
        let mut up = tracker(4, 4, false);
        assert_eq!(end(&mut up, 0), (true, true));
        assert_eq!(up.result, ScriptResult::Good);
        let mut down = tracker(4, 4, false);
        assert_eq!(end(&mut down, 1), (false, true));
        assert_eq!(down.result, ScriptResult::InitFailed);
    }

    #[test]
    fn falling_takes_fall_failures_in_a_row_and_rising_rise_successes() {
        let mut script = tracker(2, 3, false);
        assert_eq!(end(&mut script, 0), (true, true));
        assert_eq!(end(&mut script, 1), (true, false));
        assert_eq!(end(&mut script, 0), (true, false));
        assert_eq!(end(&mut script, 1), (true, false));
        assert_eq!(end(&mut script, 1), (true, false));
        assert_eq!(end(&mut script, 1), (false, true));
        assert_eq!(end(&mut script, 0), (false, false));
        assert_eq!(end(&mut script, 1), (false, false));
        assert_eq!(end(&mut script, 0), (false, false));
        assert_eq!(end(&mut script, 0), (true, true));
    }

    #[test]
    fn other_settings_leave_the_result_alone_and_count_from_the_next_run_on() {
        let mut script = tracker(1, 3, false);
        script.handle_start(Time::from_secs(0));
        actions(&mut script);
        assert_eq!(end(&mut script, 0), (true, true));
        let other = config::Script {
            fall: 2,
            rise: 2,
            interval: Duration::from_secs(1),
            ..crate::track::testing::script()
        };
        script.handle_settings(Time::from_secs(0), &other);
        assert_eq!(script.poll_timeout(), Some(Time::from_secs(1)));
        assert_eq!(end(&mut script, 1), (true, false));
        assert_eq!(end(&mut script, 1), (false, true));
        script.handle_settings(Time::from_secs(0), &other);
        assert_eq!(end(&mut script, 0), (false, false));
        assert_eq!(end(&mut script, 0), (true, true));
    }

    #[test]
    fn init_fail_means_failed_until_rise_successes() {
        let mut script = tracker(2, 1, true);
        let Some(ScriptAction::Judge(verdict)) = script.poll_action() else { panic!("no verdict") };
        assert_eq!((verdict.healthy, verdict.changed, verdict.end), (false, true, RunEnd::Assumed));
        assert_eq!(end(&mut script, 0), (false, false));
        assert_eq!(end(&mut script, 0), (true, true));
    }

    fn timed_out(healthy: bool, changed: bool) -> ScriptAction {
        let result = if healthy { ScriptResult::Good } else { ScriptResult::Bad };
        ScriptAction::Judge(Verdict { result, healthy, changed, end: RunEnd::TimedOut })
    }

    /// A tracker whose script was healthy, hangs since 10 s and has its deadline at 11 s.
    fn hanging(fall: u32) -> ScriptTracker {
        let mut script = tracker(1, fall, false);
        script.handle_start(Time::from_secs(8));
        actions(&mut script);
        assert_eq!(end(&mut script, 0), (true, true));
        script.handle_timeout(Time::from_secs(10));
        assert_eq!(actions(&mut script), [ScriptAction::Run]);
        assert_eq!(script.poll_timeout(), Some(Time::from_secs(11)));
        script
    }

    #[test]
    fn a_run_that_takes_too_long_has_failed_at_once_and_is_terminated_then_killed() {
        let mut script = hanging(1);
        script.handle_timeout(Time::from_secs(11));
        assert_eq!(actions(&mut script), [ScriptAction::Terminate, timed_out(false, true)]);
        script.handle_timeout(Time::from_secs(12));
        assert_eq!(actions(&mut script), [ScriptAction::Skipped]);
        script.handle_timeout(Time::from_secs(13));
        assert_eq!(actions(&mut script), [ScriptAction::Kill]);
        script.handle_end(RunEnd::Signalled(9));
        assert_eq!(actions(&mut script), [], "no second verdict");
        script.handle_timeout(Time::from_secs(14));
        assert_eq!(actions(&mut script), [ScriptAction::Run]);
        assert_eq!(end(&mut script, 0), (true, true));
    }

    #[test]
    fn a_timed_out_script_that_exits_0_in_the_end_has_failed_all_the_same() {
        let mut script = hanging(1);
        script.handle_timeout(Time::from_secs(11));
        actions(&mut script);
        script.handle_end(RunEnd::Exited(0));
        assert_eq!(actions(&mut script), []);
        assert_eq!(script.result, ScriptResult::Bad);
    }

    #[test]
    fn a_script_that_survives_its_killing_fails_with_every_run_left_out_and_is_told_of_once() {
        let mut script = hanging(3);
        let mut seen = Vec::new();
        for second in 11..=20 {
            script.handle_timeout(Time::from_secs(second));
            seen.extend(actions(&mut script).into_iter().map(|action| (second, action)));
        }
        let expected = [
            (11, ScriptAction::Terminate),
            (11, timed_out(true, false)),
            (12, ScriptAction::Skipped),
            (13, ScriptAction::Kill),
            (14, timed_out(true, false)),
            (16, timed_out(false, true)),
            (18, timed_out(false, false)),
            (20, timed_out(false, false)),
        ];
        assert_eq!(seen, expected);
        script.handle_end(RunEnd::Signalled(9));
        script.handle_timeout(Time::from_secs(22));
        assert_eq!(actions(&mut script), [ScriptAction::Run]);
    }

    #[test]
    fn a_stall_leaves_runs_out_and_starts_none_twice() {
        let mut script = tracker(1, 1, false);
        script.handle_start(Time::from_secs(0));
        actions(&mut script);
        end(&mut script, 0);
        script.handle_timeout(Time::from_secs(9));
        assert_eq!(actions(&mut script), [ScriptAction::Run]);
        assert_eq!(end(&mut script, 0), (true, false));
        assert_eq!(script.poll_timeout(), Some(Time::from_secs(11)));
    }

    #[test]
    fn runs_keep_their_period_whatever_a_run_takes() {
        let mut script = tracker(1, 1, false);
        script.handle_start(Time::from_secs(0));
        actions(&mut script);
        end(&mut script, 0);
        for start in [2, 4, 6] {
            assert_eq!(script.poll_timeout(), Some(Time::from_secs(start)));
            script.handle_timeout(Time::from_secs(start) + Duration::from_millis(3));
            assert_eq!(actions(&mut script), [ScriptAction::Run]);
            end(&mut script, 0);
        }
    }
}
