//! One client: a line comes in, a line goes out, until one of the two has had enough.

use std::{io, sync::Arc, time::Duration};

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

use super::{Request, view};
use crate::registry::Registry;

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
}

impl Answer {
    fn line(&self) -> String {
        // Only maps with odd keys, and numbers that are none, cannot be written; there are none in any answer.
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")) + "\n"
    }
}

/// The line that says why not.
pub(super) fn error(why: &str) -> String {
    Answer::Error(why.to_owned()).line()
}

/// Serves a client until it goes, or has to.
pub(super) async fn serve(stream: UnixStream, registry: &Arc<Registry>) {
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
        if write(&mut to, &answer(&request, registry).line()).await.is_err() {
            return;
        }
        // Whoever has a thousand requests on the way leaves others on this lane their turn.
        yield_now().await;
    }
}

fn answer(request: &Request, registry: &Registry) -> Answer {
    let moment = view::Moment::now(registry);
    match request {
        Request::Status => Answer::Status(Box::new(view::status(&moment))),
        Request::Show { kind, name } => match view::show(&moment, *kind, name.as_deref()) {
            Ok(shown) => Answer::Shown(shown),
            Err(why) => Answer::Error(why),
        },
    }
}

/// Writes a line to a client that reads it in time.
async fn write(to: &mut OwnedWriteHalf, line: &str) -> io::Result<()> {
    timeout(SLOW, to.write_all(line.as_bytes())).await?
}

/// What a client sends, line by line.
struct Lines {
    from: OwnedReadHalf,
    /// What has been read and is not a line yet, or is behind the one that was asked for.
    read: Vec<u8>,
}

/// Why there is no line.
enum Unread {
    TooLong,
    Failed,
}

impl Lines {
    /// The next line, without its end; `None` when there is no other, as is half of one.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Unread> {
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
