//! `reload_time_file`: a reload at the time that a file names, as long as the file is there.
//!
//! A thread of its own follows the file, as a disk may take its time. A clock that is set is noticed within seconds.

use std::{
    fs,
    future::pending,
    io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::schedule;
use crate::{
    config::settings::GlobalDefs,
    kernel::{Deadline, FileWatch, clock, file_watch},
};

/// The longest time from one look at the clock of the host to the next.
const LOOK: Duration = Duration::from_secs(5);
/// What is read of the file: more than the longest time.
const LONGEST: usize = 64;

/// When the next reload is due by the file of the configuration, if that names one.
#[derive(Debug)]
pub(in crate::daemon) struct TimeFile {
    followed: Option<Followed>,
    /// `reload_repeat`: the file stays.
    repeats: bool,
    /// What the file says.
    line: Option<String>,
    due: Option<Timestamp>,
    look: Deadline,
}

/// A file that a thread follows until this is dropped.
#[derive(Debug)]
struct Followed {
    path: PathBuf,
    lines: mpsc::UnboundedReceiver<Option<String>>,
    _alive: UnixStream,
}

impl Followed {
    /// What the file says next; never, once nobody follows it any more.
    async fn line(&mut self) -> Option<String> {
        match self.lines.recv().await {
            Some(line) => line,
            None => pending().await,
        }
    }
}

impl TimeFile {
    /// The file of these settings. Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When descriptors or threads run out.
    pub(in crate::daemon) fn new(settings: &GlobalDefs) -> io::Result<Self> {
        let look = Deadline::new()?;
        let mut file = Self { followed: None, repeats: false, line: None, due: None, look };
        file.follow(settings)?;
        Ok(file)
    }

    /// The file of other settings, after a reload.
    ///
    /// # Errors
    /// When descriptors or threads run out.
    pub(in crate::daemon) fn follow(&mut self, settings: &GlobalDefs) -> io::Result<()> {
        self.repeats = settings.reload_repeat;
        let path = settings.reload_time_file.as_deref().map(Path::new);
        if self.followed.as_ref().map(|known| known.path.as_path()) != path {
            (self.line, self.due, self.followed) = (None, None, None);
            self.followed = path.map(|path| Followed::start(path.to_owned())).transpose()?;
        }
        Ok(())
    }

    /// Returns when a reload is due. Cancelling it loses nothing.
    pub(in crate::daemon) async fn due(&mut self) {
        loop {
            let wall = wall();
            if self.due.is_some_and(|due| due <= wall) {
                self.done();
                return;
            }
            let left = self.due.and_then(|due| Duration::try_from(due.duration_since(wall)).ok());
            let set = self.look.set(left.map(|left| clock::now() + left.min(LOOK)));
            let lines = async {
                match &mut self.followed {
                    Some(followed) => followed.line().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                line = lines => {
                    self.line = line;
                    self.plan();
                }
                _ = self.look.expired(), if set.is_ok() => {}
            }
        }
    }

    /// The reload is asked for: without `reload_repeat` it was the only one.
    fn done(&mut self) {
        if self.repeats {
            return self.plan();
        }
        self.due = None;
        let Some(path) = self.followed.as_ref().map(|followed| followed.path.clone()) else { return };
        let remove = move || {
            if let Err(error) = fs::remove_file(&path) {
                warn!("reload_time_file {} stays: {error}", path.display());
            }
        };
        if let Err(error) = thread::Builder::new().name("reload time".to_owned()).spawn(remove) {
            warn!("reload_time_file stays: {error}");
        }
    }

    fn plan(&mut self) {
        let before = self.due.take();
        let Some(line) = &self.line else {
            if before.is_some() {
                info!("No reload is planned any more");
            }
            return;
        };
        match schedule::next(line, wall(), &TimeZone::system()) {
            Ok(Some(due)) => {
                info!("A reload is planned for {due}");
                self.due = Some(due);
            }
            Ok(None) => info!("reload_time_file: {line} is over"),
            Err(error) => warn!("reload_time_file: {line:?}: {error}"),
        }
    }
}

impl Followed {
    fn start(path: PathBuf) -> io::Result<Self> {
        let (alive, end) = UnixStream::pair()?;
        let (tell, lines) = mpsc::unbounded_channel();
        let file = path.clone();
        let follow = move || {
            let mut watch = FileWatch::open(vec![file.clone()]).until(end);
            while !watch.is_over() {
                for trouble in watch.take_troubles() {
                    warn!("{trouble}: the file is looked at every second instead");
                }
                // Whoever does not want to know any more has closed the other end.
                let _ = tell.send(first_line(&file));
                watch.wait();
            }
        };
        thread::Builder::new().name("reload time".to_owned()).spawn(follow)?;
        Ok(Self { path, lines, _alive: alive })
    }
}

/// `None` where there is no such file, or none that can be read.
fn first_line(path: &Path) -> Option<String> {
    let bytes = file_watch::read_beginning(path, LONGEST).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.lines().next().unwrap_or_default().to_owned())
}

fn wall() -> Timestamp {
    Timestamp::try_from(clock::wall()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing here takes longer.
    const LIMIT: Duration = Duration::from_secs(30);

    async fn due(file: &mut TimeFile) {
        tokio::time::timeout(LIMIT, file.due()).await.expect("a reload is due");
    }

    #[tokio::test]
    async fn a_reload_is_due_at_the_time_in_the_file_which_then_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("time");
        let mut settings =
            GlobalDefs { reload_time_file: path.to_str().map(Into::into), ..GlobalDefs::default() };
        let mut file = TimeFile::new(&settings).unwrap();
        let soon = || (wall() + Duration::from_secs(1)).strftime("%H:%M:%SZ\n").to_string();
        fs::write(&path, soon()).unwrap();
        due(&mut file).await;
        while path.exists() {
            thread::yield_now();
        }
        settings.reload_repeat = true;
        file.follow(&settings).unwrap();
        fs::write(&path, soon()).unwrap();
        due(&mut file).await;
        assert!(path.exists());
        assert!(file.due.is_some_and(|due| due > wall()), "tomorrow again");
    }
}
