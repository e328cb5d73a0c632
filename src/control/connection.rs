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

/// What answers are made of: the rows, and what memory has forgotten where there is a journal.
type Known<'a> = (&'a Arc<Registry>, Option<&'a Path>);

/// Serves a client until it goes, or has to.
pub(super) async fn serve(stream: UnixStream, known: Known<'_>, desk: Desk<'_>) {
    let (from, mut to) = stream.into_split();
    let mut lines = Lines { from, read: Vec::new() };
    loop {
        let request = match lines.request().await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(why) => return drop(write(&mut to, &error(&why)).await),
        };
        if reply(request, (&mut lines, &mut to), known, desk).await.is_err() {
            return;
        }
        // Whoever has a thousand requests on the way leaves others on this lane their turn.
        yield_now().await;
    }
}

/// Answers a request. An error, also that of a client that has gone, ends the connection.
async fn reply(
    request: Request,
    (lines, to): (&mut Lines, &mut OwnedWriteHalf),
    (registry, journal): Known<'_>,
    desk: Desk<'_>,
) -> io::Result<()> {
    let answer = match request {
        Request::Events { since } => return follow::events(to, (registry, journal), since).await,
        Request::Watch => {
            follow::watch(lines, to, registry).await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Request::Status => Answer::Status(Box::new(view::status(&view::Moment::now(registry)))),
        Request::Show { kind, name } => {
            let shown = view::show(&view::Moment::now(registry), kind, name.as_deref());
            shown.map_or_else(Answer::Error, Answer::Shown)
        }
        Request::Why { name } => {
            let moment = view::Moment::now(registry);
            let why = view::instance(&moment, &name).map(|row| why::why(&moment, row));
            why.map_or_else(Answer::Error, Answer::Why)
        }
        Request::StepDown { name, seconds } => {
            let lasting =
                if seconds == 0 { Lasting::Ended } else { Lasting::For(Duration::from_secs(seconds)) };
            desk.give(Whom::Named(name), Intervention::StepDown, lasting).await
        }
        Request::Priority { name, by, seconds } => {
            let lasting = match (by, seconds) {
                (0, _) => Lasting::Ended,
                (_, Some(seconds)) => Lasting::For(Duration::from_secs(seconds)),
                (_, None) => Lasting::UntilEnded,
            };
            desk.give(Whom::Named(name), Intervention::Priority(by), lasting).await
        }
        Request::Maintenance { on } => {
            let lasting = if on { Lasting::UntilEnded } else { Lasting::Ended };
            desk.give(Whom::All, Intervention::Maintenance, lasting).await
        }
        Request::Reload { dry_run } => desk.reload(dry_run).await,
    };
    send(to, &answer).await
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
    /// The next request; `None` when there is no other. The error is what the client is told before it is left.
    async fn request(&mut self) -> Result<Option<Request>, String> {
        let line = match timeout(IDLE, self.next()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None) | Err(Unread::Failed)) => return Ok(None),
            Ok(Err(Unread::TooLong)) => return Err(format!("a request has no more than {LONGEST} bytes")),
            Err(_) => return Err("nothing was asked for too long".to_owned()),
        };
        serde_json::from_slice(&line).map(Some).map_err(|why| format!("this is no request: {why}"))
    }

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
