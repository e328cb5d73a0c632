//! Transitions, one line each: those that there were, and those that come.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tokio::{net::unix::OwnedWriteHalf, task::yield_now};
use tracing::warn;

use super::{
    connection::{Lines, send},
    past,
    request::Since,
    view::Moment,
};
use crate::{
    kernel::clock,
    registry::{Cursor, Registry, Subject, Transition},
    units::Utc,
};

/// A line about transitions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Event(Event<'a>),
    /// So many were forgotten before they could be told.
    Lost(u64),
    /// There are no more; the number of the newest.
    End(u64),
}

/// A transition.
#[derive(Debug, Serialize)]
struct Event<'a> {
    /// None of an earlier run.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    time: String,
    subject: &'static str,
    name: &'a str,
    from: &'static str,
    to: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    priority: u8,
    reason: String,
}

impl<'a> Event<'a> {
    /// One that memory has.
    fn of(transition: &'a Transition, moment: &Moment<'_>) -> Self {
        Self::at(transition, moment.label(transition.at))
    }

    /// One that the journal has: its clock may be that of another boot.
    fn past(transition: &'a Transition) -> Self {
        let since_epoch = transition.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::at(transition, Utc(since_epoch).to_string())
    }

    fn at(transition: &'a Transition, time: String) -> Self {
        let Transition { seq, subject, change, .. } = transition;
        Self {
            number: (*seq > 0).then_some(*seq),
            time,
            subject: match subject {
                Subject::Instance { .. } => "instance",
                Subject::Group { .. } => "group",
                Subject::Configuration => "configuration",
                Subject::Service { .. } => "virtual_server",
                Subject::Server { .. } => "real_server",
                Subject::Daemon => "daemon",
            },
            name: subject.name(),
            from: change.from.word(),
            to: change.to.word(),
            priority: change.priority.0,
            reason: change.reason.to_string(),
        }
    }
}

/// Tells what there was since then, up to now: first what only the journal has, if it reaches back that far.
pub(super) async fn events(
    to: &mut OwnedWriteHalf,
    (registry, journal): (&Registry, Option<&Path>),
    since: Option<Since>,
) -> io::Result<()> {
    let end = registry.transitions.newest();
    let moment = Moment::now(registry);
    let mut cursor = Cursor::default();
    if let (Some(since), Some(journal)) = (since, journal) {
        tell_past(to, registry, (&mut cursor, journal), since).await?;
    }
    if let Some(Since::After(number)) = since {
        cursor.advance_past(number);
    }
    let after = match since {
        Some(Since::Ago(seconds)) => moment.now - Duration::from_secs(seconds),
        _ => Default::default(),
    };
    while cursor.position() <= end {
        tell_lost(to, registry, &mut cursor).await?;
        cursor.ready(&registry.transitions, 0).await;
        let Some(transition) = cursor.peek(&registry.transitions) else { continue };
        if transition.seq <= end && transition.at >= after {
            send(to, &Line::Event(Event::of(&transition, &moment))).await?;
            yield_now().await;
        }
        cursor.advance_past(transition.seq);
    }
    send(to, &Line::End(end)).await
}

/// Tells what the journal has from then on, up to the first that memory has, where the cursor is afterwards.
async fn tell_past(
    to: &mut OwnedWriteHalf,
    registry: &Registry,
    (cursor, journal): (&mut Cursor, &Path),
    since: Since,
) -> io::Result<()> {
    let forgotten = cursor.catch_up(&registry.transitions);
    let (after, from) = match since {
        Since::Ago(seconds) => {
            let span = Duration::from_secs(seconds);
            (0, clock::wall().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH))
        }
        Since::After(number) if number < forgotten => (number.max(1), SystemTime::UNIX_EPOCH),
        Since::After(_) => return Ok(()),
    };
    let past = past::before(cursor.peek(&registry.transitions), journal.to_owned(), from).await;
    let past = past.unwrap_or_else(|error| {
        warn!("{error}");
        Vec::new()
    });
    let mut found = 0;
    for transition in past.iter().filter(|past| after == 0 || past.seq > after) {
        found += u64::from(transition.seq > 0);
        send(to, &Line::Event(Event::past(transition))).await?;
        yield_now().await;
    }
    match forgotten.saturating_sub(after).saturating_sub(found) {
        // Nobody asked for what was before that.
        lost if lost > 0 && found == 0 => send(to, &Line::Lost(lost)).await,
        _ => Ok(()),
    }
}

/// Tells each that comes, until the client goes, or says anything.
pub(super) async fn watch(lines: &mut Lines, to: &mut OwnedWriteHalf, registry: &Registry) -> io::Result<()> {
    let mut cursor = Cursor::default();
    cursor.advance_past(registry.transitions.newest());
    // The client knows from it that nothing is missed from here on.
    send(to, &Line::End(registry.transitions.newest())).await?;
    loop {
        tokio::select! {
            () = cursor.ready(&registry.transitions, 0) => {}
            _ = lines.next() => return Ok(()),
        }
        tell_lost(to, registry, &mut cursor).await?;
        while let Some(transition) = cursor.peek(&registry.transitions) {
            send(to, &Line::Event(Event::of(&transition, &Moment::now(registry)))).await?;
            cursor.advance_past(transition.seq);
        }
        yield_now().await;
    }
}

async fn tell_lost(to: &mut OwnedWriteHalf, registry: &Registry, cursor: &mut Cursor) -> io::Result<()> {
    match cursor.catch_up(&registry.transitions) {
        0 => Ok(()),
        lost => send(to, &Line::Lost(lost)).await,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(number: &u8) -> bool {
    *number == 0
}
