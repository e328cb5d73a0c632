//! Following tracked files: one thread that waits for their changes and reads them.

use std::{io::ErrorKind, os::unix::net::UnixStream, path::Path, sync::Arc};

use tokio::sync::Notify;
use tracing::{info, warn};

use super::ToEngine;
use crate::{
    config::tracking::{InitFile, Tracker},
    kernel::{FileWatch, capabilities::Capability, clock, file_watch},
    registry::{FileRow, FileStatus},
    track::{Content, FileTracker, FileVerdict, LONGEST},
};

/// A file that is followed.
struct Follower<'a> {
    row: &'a FileRow,
    tracker: FileTracker,
    /// What was wrong with it at the last look, so that it is said once.
    problem: Option<String>,
}

/// Writes what `init_file` asks for.
pub(super) fn initialise(rows: &[Arc<FileRow>]) {
    for row in rows {
        if let Some(init) = row.config.init {
            write_initial(row, init);
        }
    }
}

/// Who hears of another number: the engine, and whoever checks real servers by it.
type Listeners<'a> = (&'a ToEngine, &'a Notify);

/// Follows the files of these rows until the other end of `end` is closed.
pub(super) fn follow(rows: &[Arc<FileRow>], listeners: Listeners<'_>, end: UnixStream) {
    let mut followers: Vec<Follower<'_>> = rows
        .iter()
        .map(|row| Follower { row: row.as_ref(), tracker: FileTracker::default(), problem: None })
        .collect();
    let mut watch = FileWatch::open(rows.iter().map(|row| row.config.path.clone()).collect()).until(end);
    // Watched first and read then, so that no change is missed in between.
    let mut changed: Vec<usize> = (0..followers.len()).collect();
    while !watch.is_over() {
        for trouble in watch.take_troubles() {
            warn!("{trouble}: the file is looked at every second instead");
        }
        for position in changed {
            followers[position].look(position, listeners);
        }
        changed = watch.wait();
    }
}

/// Nobody follows these files for the moment: they count like those that cannot be read.
pub(super) fn lose(rows: &[Arc<FileRow>], (engine, followed): Listeners<'_>, why: &str) {
    if engine.is_over() {
        return;
    }
    for (position, row) in rows.iter().enumerate() {
        let verdict = FileTracker::default().handle_content(&Content::Unreadable(why.to_owned()));
        row.set_status(status(&verdict));
        engine.tell((Tracker::File(position), &row.config.name), verdict.observation());
    }
    followed.notify_one();
}

fn status(verdict: &FileVerdict) -> FileStatus {
    FileStatus { number: verdict.number, problem: verdict.problem.clone(), at: Some(clock::now()) }
}

impl Follower<'_> {
    fn look(&mut self, position: usize, (engine, followed): Listeners<'_>) {
        let config = &self.row.config;
        let verdict = self.tracker.handle_content(&read(&config.path));
        // The read may have taken as long as it liked.
        if engine.is_over() {
            return;
        }
        if verdict.problem != self.problem {
            if let Some(problem) = &verdict.problem {
                warn!(
                    "Track file {}: {}: {problem}, it counts as {}",
                    config.name,
                    config.path.display(),
                    verdict.number
                );
            }
            self.problem.clone_from(&verdict.problem);
        }
        self.row.set_status(status(&verdict));
        if verdict.changed {
            followed.notify_one();
            engine.tell((Tracker::File(position), &config.name), verdict.observation());
        }
    }
}

fn read(path: &Path) -> Content {
    match file_watch::read_beginning(path, LONGEST) {
        Ok(bytes) => Content::Bytes(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Content::Missing,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Content::Unreadable(format!("{error} (needs {})", Capability::DacOverride.name()))
        }
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

/// `init_file`.
fn write_initial(row: &FileRow, init: InitFile) {
    let (name, path) = (&row.config.name, row.config.path.display());
    match file_watch::initialise(&row.config.path, &format!("{}\n", init.value), init.overwrite) {
        Ok(true) => info!("Track file {name}: wrote {} to {path}", init.value),
        Ok(false) => {}
        Err(error) => warn!("Track file {name}: cannot write {} to {path}: {error}", init.value),
    }
}
