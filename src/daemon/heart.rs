//! The sign of life that systemd waits for (`WatchdogSec=`): only as long as all lanes go on.

use std::{env, time::Duration};

use tokio::sync::mpsc;

use super::{
    engine::Command,
    tether::{Voice, Word},
};
use crate::kernel::{Deadline, clock};

/// How often there is one at least, where somebody waits for it.
const PERIOD: Duration = Duration::from_secs(1);

/// Says again and again that the lanes go on: this one does as it says so, and the vrrp lane has answered. Returns when
/// nobody waits for it, or there is no engine any more.
pub(super) async fn beat(engine: mpsc::WeakSender<Command>, voice: Voice) {
    let limit = env::var("WATCHDOG_USEC").ok().and_then(|text| period(&text));
    let (Some(period), Ok(mut next)) = (limit, Deadline::new()) else { return };
    loop {
        if next.set(Some(clock::now() + period)).is_err() || next.expired().await.is_err() {
            return;
        }
        let Some(engine) = engine.upgrade() else { return };
        let (done, mut answer) = mpsc::channel(1);
        let asked = engine.send(Command::Alive(done)).await;
        // The engine is not kept by whoever waits for it.
        drop(engine);
        if asked.is_err() || answer.recv().await.is_none() {
            return;
        }
        voice.say(Word::Alive);
    }
}

/// From systemd's limit in microseconds: twice within it.
fn period(limit: &str) -> Option<Duration> {
    let limit: u64 = limit.parse().ok().filter(|limit| *limit > 0)?;
    Some(PERIOD.min(Duration::from_micros(limit) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_is_shown_twice_within_the_limit() {
        assert_eq!(period("500000"), Some(Duration::from_millis(250)));
        assert_eq!(period("30000000"), Some(PERIOD));
        assert_eq!(period("0"), None);
        assert_eq!(period("soon"), None);
    }
}
