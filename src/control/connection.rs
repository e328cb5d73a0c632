//! One client: a line comes in, a line goes out, until one of the two has had enough.

use std::{io, path::Path, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::yield_now,
    time::timeout,
};

use super::{
    Request, follow,
    instruct::Desk,
    view,
    why::{self, Why},
};
use crate::{
    config::compare::Forecast,
    registry::{Intervention, Lasting, Registry, Whom},
};

/// Bytes of a line: a request has some dozens, names included.
const LONGEST: usize = 4096;

/// How long a client may take for a request, and be idle between two.
const IDLE: Duration = Duration::from_secs(30);

/// How long it may take to read an answer.
const SLOW: Duration = Duration::from_secs(10);

/// What a line is answered with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Why not.
    Error(String),
    /// Everything at a glance.
    Status(Box<view::Status>),
    /// What was to be shown.
    Shown(view::Shown),
    /// Why an instance is in its state.
    Why(Why),
    /// What was wanted is done.
    Done(Done),
    /// What a reload has done, or would do.
    Reload(Reload),
}

/// A reload.
#[derive(Debug, Serialize)]
pub(super) struct Reload {
    /// Nothing has been changed.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) dry_run: bool,
    #[serde(flatten)]
    pub(super) forecast: Forecast,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What was done.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    /// In words.
    pub(super) what: String,
    /// To which instances.
    pub(super) instances: Vec<String>,
}

/// The line that says why not.
pub(super) fn error(why: &str) -> String {
    line(&Answer::Error(why.to_owned()))
}

/// Serves a client until it goes, or has to.
pub(super) async fn serve(
    stream: UnixStream,
    (registry, journal): (&Arc<Registry>, Option<&Path>),
    desk: Desk<'_>,
) {
    let (from, mut to) = stream.into_split();
    let mut lines = Lines { from, read: Vec::new() };
    loop {
        let line = match timeout(IDLE, lines.next()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None) | Err(Unread::Failed)) => return,
            Ok(Err(Unread::TooLong)) => {
                let why = format!("a request has no more than {LONGEST} bytes");
                return drop(write(&mut to, &error(&why)).await);
            }
            Err(_) => return drop(write(&mut to, &error("nothing was asked for too long")).await),
        };
        let request = match serde_json::from_slice(&line) {
            Ok(request) => request,
            Err(why) => return drop(write(&mut to, &error(&format!("this is no request: {why}"))).await),
        };
        let outcome = match request {
            Request::Why { name } => {
                let moment = view::Moment::now(registry);
                let why = view::instance(&moment, &name).map(|row| why::why(&moment, row));
                send(&mut to, &why.map_or_else(Answer::Error, Answer::Why)).await
            }
            Request::StepDown { name, seconds } => {
                let lasting = match seconds {
                    0 => Lasting::Ended,
                    seconds => Lasting::For(Duration::from_secs(seconds)),
                };
                send(&mut to, &desk.give(Whom::Named(name), Intervention::StepDown, lasting).await).await
            }
            Request::Priority { name, by, seconds } => {
                let lasting = match (by, seconds) {
                    (0, _) => Lasting::Ended,
                    (_, Some(seconds)) => Lasting::For(Duration::from_secs(seconds)),
                    (_, None) => Lasting::UntilEnded,
                };
                send(&mut to, &desk.give(Whom::Named(name), Intervention::Priority(by), lasting).await).await
            }
            Request::Maintenance { on } => {
                let lasting = if on { Lasting::UntilEnded } else { Lasting::Ended };
                send(&mut to, &desk.give(Whom::All, Intervention::Maintenance, lasting).await).await
            }
            Request::Reload { dry_run } => send(&mut to, &desk.reload(dry_run).await).await,
            Request::Events { since } => follow::events(&mut to, (registry, journal), since).await,
            // It ends with the connection.
            Request::Watch => return drop(follow::watch(&mut lines, &mut to, registry).await),
            Request::Status => {
                let status = view::status(&view::Moment::now(registry));
                send(&mut to, &Answer::Status(Box::new(status))).await
            }
            Request::Show { kind, name } => {
                let shown = view::show(&view::Moment::now(registry), kind, name.as_deref());
                send(&mut to, &shown.map_or_else(Answer::Error, Answer::Shown)).await
            }
        };
        if outcome.is_err() {
            return;
        }
        // Whoever has a thousand requests on the way leaves others on this lane their turn.
        yield_now().await;
    }
}

/// Writes an answer to a client that reads it in time.
pub(super) async fn send(to: &mut OwnedWriteHalf, answer: &impl Serialize) -> io::Result<()> {
    write(to, &line(answer)).await
}

/// An answer as it is sent.
fn line(answer: &impl Serialize) -> String {
    // Only maps with odd keys, and numbers that are none, cannot be written; there are none in any answer.
    serde_json::to_string(answer).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")) + "\n"
}

async fn write(to: &mut OwnedWriteHalf, line: &str) -> io::Result<()> {
    timeout(SLOW, to.write_all(line.as_bytes())).await?
}

/// What a client sends, line by line.
pub(super) struct Lines {
    from: OwnedReadHalf,
    /// What has been read and is not a line yet, or is behind the one that was asked for.
    read: Vec<u8>,
}

/// Why there is no line.
pub(super) enum Unread {
    TooLong,
    Failed,
}

impl Lines {
    /// The next line, without its end; `None` when there is no other, as is half of one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Unread> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.truncate(end);
                return Ok(Some(line));
            }
            if self.read.len() > LONGEST {
                return Err(Unread::TooLong);
            }
            let mut chunk = [0; 1024];
            match self.from.read(&mut chunk).await {
                Ok(0) => return Ok(None),
                Ok(length) => self.read.extend_from_slice(&chunk[..length]),
                Err(_) => return Err(Unread::Failed),
            }
        }
    }
}
