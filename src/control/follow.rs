//! Transitions, one line each: those that there were, and those that come.

use std::io;

use serde::Serialize;
use tokio::{net::unix::OwnedWriteHalf, task::yield_now};

use super::{
    connection::{Lines, send},
    request::Since,
    view::Moment,
};
use crate::registry::{Cursor, Registry, Subject, Transition};

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
    number: u64,
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
    fn of(transition: &'a Transition, moment: &Moment<'_>) -> Self {
        let Transition { seq, subject, change, .. } = transition;
        Self {
            number: *seq,
            time: moment.label(transition.at),
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

/// Tells what there was since then, up to now.
pub(super) async fn events(
    to: &mut OwnedWriteHalf,
    registry: &Registry,
    since: Option<Since>,
) -> io::Result<()> {
    let end = registry.transitions.newest();
    let moment = Moment::now(registry);
    let mut cursor = Cursor::default();
    if let Some(Since::After(number)) = since {
        cursor.advance_past(number);
    }
    let after = match since {
        Some(Since::Ago(seconds)) => moment.now - std::time::Duration::from_secs(seconds),
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
