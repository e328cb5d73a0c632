//! Where log lines go: from whoever has something to say through bounded, lossy, counted queues to writer threads.
//!
//! A blocked terminal, disk or syslog must never hold up the lane that sends advertisements, so a line that finds a queue
//! full is dropped and counted; [`Log::lost`] says how many were. No place keeps another one waiting: each has its own
//! queue and thread.
//!
//! | file | what |
//! |---|---|
//! | `choice` | which places the command line and the surroundings ask for |
//! | `collect` | the subscriber: makes an [`entry::Entry`] of each event and queues it |
//! | `entry` | an entry, and what it is as a line of text, as JSON and for the journal |
//! | `writer` | the thread of a place |
//! | `syslog`, `journal`, `file` | places; the terminal is a stream as others are |

mod choice;
mod collect;
mod entry;
mod file;
mod journal;
mod syslog;
mod writer;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tracing::{level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer as _, filter::Targets, layer::SubscriberExt as _};

use self::{
    choice::{Choice, Place, Surroundings},
    collect::Collector,
    writer::{Stream, Write, Writer},
};
use crate::{cli::Arguments, config::settings::ProcessSettings};

/// The running log; lines still queued are written when it is dropped.
#[derive(Debug)]
pub(super) struct Log {
    lost: Arc<AtomicU64>,
    _writers: Vec<Writer>,
}

/// Starts logging where the command line, the words of the top level and the surroundings say.
///
/// # Errors
/// When the process logs already, or threads cannot be started.
pub(super) fn start(arguments: &Arguments, process: &ProcessSettings) -> Result<Log, StartError> {
    let choice = Choice::new(arguments, process, &Surroundings::found());
    let lost = Arc::default();
    let mut writers = Vec::new();
    let mut problems: Vec<String> = choice.problem.iter().cloned().collect();
    for place in &choice.places {
        match open(place, &choice) {
            Ok(write) => writers.push(Writer::start(write, &lost)?),
            Err(error) => problems.push(format!("no log in {place}: {error}")),
        }
    }
    if writers.is_empty() && !choice.places.is_empty() {
        // A log that nobody can read helps nobody.
        writers.push(Writer::start(open(&Place::Terminal, &choice)?, &lost)?);
    }
    let level = if arguments.logs_detail() { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let ours = Targets::new()
        .with_target("steadfast", level)
        .with_target("agentx", level)
        // `-a`
        .with_target(
            "addresses",
            if arguments.address_monitoring { LevelFilter::INFO } else { LevelFilter::OFF },
        )
        .with_default(LevelFilter::WARN);
    let queues = writers.iter().map(Writer::queue).collect();
    let collector = Collector::new(queues, Arc::clone(&lost));
    tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(collector.with_filter(ours)),
    )?;
    for problem in problems {
        warn!("{problem}");
    }
    Ok(Log { lost, _writers: writers })
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// Of the subscriber.
    #[error(transparent)]
    Logging(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// Of a thread or of the terminal.
    #[error("the log: {0}")]
    Io(#[from] io::Error),
}

fn open(place: &Place, choice: &Choice) -> io::Result<Box<dyn Write>> {
    let Choice { format, ident, flush, .. } = choice;
    Ok(match place {
        // Flushed when no line waits any more, and between lines.
        Place::Terminal => Box::new(Stream::new(io::BufWriter::new(io::stderr()), *format, false)),
        Place::Syslog(facility) => Box::new(syslog::Syslog::open(*facility, ident)?),
        Place::Journal(facility) => Box::new(journal::Journal::open(*facility, ident)?),
        Place::File(path) => Box::new(file::LogFile::open(path, *format, *flush)?),
    })
}

impl Log {
    /// How many lines found a queue full, or could not be written, since the start.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Writes many lines (`-d`), none of them lost to a full queue: a thread waits for the places to take them.
    pub(super) fn write_all(&self, text: String) {
        let writers: Vec<_> = self._writers.iter().map(Writer::queue).collect();
        let written = thread::Builder::new().name("dump-conf".to_owned()).spawn(move || {
            for line in text.lines() {
                let entry = Arc::new(entry::Entry::info(line));
                writers.iter().for_each(|queue| queue.wait_push(&entry));
            }
        });
        if let Err(error) = written {
            warn!("the configuration is not written to the log: {error}");
        }
    }
}
