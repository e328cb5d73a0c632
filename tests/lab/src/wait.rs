//! Waiting for a condition, with a deadline and a message that says what was last seen.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::{clock, vm};

/// Between two looks at the least. Short against every protocol timer.
const POLL: Duration = Duration::from_millis(3);
/// The same in a guest: an emulated processor starts anew with every change from one process to another.
const POLL_IN_GUEST: Duration = Duration::from_millis(25);
/// And at the most.
const LONGEST: Duration = Duration::from_millis(500);

/// Looks until `probe` answers `Ok`, and returns its value.
///
/// `Err` carries the value seen this time; the last one goes into [`Error::Timeout`], beside `what`.
/// The probe is run at least once, and once more after the deadline has passed. Looking takes half of the time at the most: a
/// look that starts a program would else keep an emulated processor from what is looked at.
pub fn until<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> std::result::Result<T, String>,
) -> Result<T> {
    let started = clock::now();
    loop {
        let looked_at = started.elapsed();
        let late = looked_at >= deadline;
        match probe() {
            Ok(value) => return Ok(value),
            Err(last) if late => {
                return Err(Error::Timeout { what: what.into(), deadline, last });
            }
            Err(_) => pause(started.elapsed().saturating_sub(looked_at)),
        }
    }
}

/// Waits until `condition` is true; for conditions without a value worth showing.
pub fn until_true(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    until(what, deadline, || if condition() { Ok(()) } else { Err("not yet".into()) })
}

/// Waits until `value` equals `expected`; the message shows the value.
pub fn until_eq<T: PartialEq + Debug>(
    what: &str,
    deadline: Duration,
    expected: &T,
    mut value: impl FnMut() -> T,
) -> Result<()> {
    until(what, deadline, || {
        let seen = value();
        if seen == *expected { Ok(()) } else { Err(format!("{seen:?}, awaited {expected:?}")) }
    })
}

/// The opposite: `condition` must stay true for all of `span`. `Err` of the probe ends it as a failure.
pub fn throughout(
    what: &str,
    span: Duration,
    mut probe: impl FnMut() -> std::result::Result<(), String>,
) -> Result<()> {
    let started = clock::now();
    loop {
        let looked_at = started.elapsed();
        if looked_at >= span {
            return Ok(());
        }
        if let Err(seen) = probe() {
            let after = started.elapsed();
            return Err(Error::Unexpected(format!(
                "{what} did not hold for {span:?}: after {after:?}: {seen}"
            )));
        }
        pause(started.elapsed().saturating_sub(looked_at));
    }
}

#[expect(clippy::disallowed_methods, reason = "the one poll loop that every wait of the lab goes through")]
fn pause(cost_of_look: Duration) {
    static SHORTEST: LazyLock<Duration> =
        LazyLock::new(|| if vm::is_inside() { POLL_IN_GUEST } else { POLL });
    std::thread::sleep(cost_of_look.clamp(*SHORTEST, LONGEST));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_names_what_was_awaited_and_what_was_seen() {
        let error = until_eq("the answer", Duration::from_millis(10), &42, || 41).unwrap_err();
        assert_eq!(error.to_string(), "waited 10ms for the answer; last seen: 41, awaited 42");
    }

    #[test]
    fn the_first_success_ends_the_wait() {
        let mut looks = 0;
        let value = until("the third look", Duration::from_secs(5), || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(looks.to_string()) }
        });
        assert_eq!(value.unwrap(), 3);
    }

    #[test]
    fn a_condition_that_breaks_is_reported_with_its_value() {
        let mut looks = 0;
        let result = throughout("calm", Duration::from_secs(5), || {
            looks += 1;
            if looks < 3 { Ok(()) } else { Err("storm".into()) }
        });
        assert!(result.unwrap_err().to_string().ends_with("storm"));
    }
}
