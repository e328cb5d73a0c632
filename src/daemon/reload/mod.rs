//! A reload (SIGHUP): the configuration is read anew, and what differs is brought about.
//!
//! Reading, checking and comparing happen on a thread of their own, and so does everything that follows from the new
//! configuration alone: the lanes only put it in place. A file with mistakes changes nothing.
//!
//! | file | what |
//! |---|---|
//! | `read` | reads the file, and says whether it can take the place of what runs |
//! | `findings` | what is wrong with it, and whether that stands in its way |
//! | `saved` | what is kept of reloads for whoever looks into them |
//! | `marker` | the file that says that it is being read |
//! | `time_file`, `schedule` | reloads at a time that a file names |
//! | `reloader` | one reload: reading, then the engine |
//! | `queue` | one after the other, whoever asks for them; then the manage lane |
//!
//! What differs is said by [`crate::config::plan`]; the engine's part is in `engine::reload`.

mod findings;
mod marker;
mod queue;
mod read;
mod reloader;
mod saved;
mod schedule;
mod time_file;

pub(super) use self::{
    findings::Mistakes,
    queue::{Desk, Queue},
    read::Source,
    reloader::{Adopted, Reloader},
    time_file::TimeFile,
};
