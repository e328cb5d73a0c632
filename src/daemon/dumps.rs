//! Dump files: what SIGUSR1, SIGUSR2, SIGRTMAX-1 and SIGRTMIN+2 ask for, where keepalived puts it.

use std::{
    convert::Infallible,
    env,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info};

use super::signum;
use crate::{
    config::settings::{GlobalDefs, ProcessSettings},
    dump::{self, Baseline, Form, Moment},
    kernel::{clock, own_file},
    registry::Registry,
};

/// Which dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dump {
    /// `state_dump_file`.
    Data,
    /// `stats_dump_file`.
    Stats,
    /// The same, and the counters begin anew.
    StatsClear,
    /// `json_dump_file`.
    Json,
}

/// Writes dumps of a registry.
#[derive(Clone, Debug)]
pub(super) struct Dumps {
    registry: Arc<Registry>,
    baseline: Arc<Mutex<Baseline>>,
}

impl Dumps {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self { registry: Arc::clone(registry), baseline: Arc::default() }
    }

    /// Has a thread write a dump: no disk holds up a lane.
    pub(super) fn write(&self, dump: Dump) {
        let dumps = self.clone();
        let writer = std::thread::Builder::new().name("dump".to_owned());
        if let Err(cause) = writer.spawn(move || dumps.write_now(dump)) {
            error!("no dump: {cause}");
        }
    }

    fn write_now(&self, dump: Dump) {
        let topology = self.registry.topology();
        let path = file(dump, &topology.global.settings, &topology.process);
        // Held until the file is there: of two dumps at once each is whole, and the later one stays.
        let mut baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        let moment =
            Moment { topology: &topology, now: clock::now(), wall: clock::wall(), baseline: &baseline };
        let text = match dump {
            Dump::Data => moment.data(),
            Dump::Stats | Dump::StatsClear => moment.stats(),
            Dump::Json if *topology.global.settings.json_version == 2 => dump::json(&moment, Form::Named),
            Dump::Json => dump::json(&moment, Form::List),
        };
        match replace(&path, &text) {
            Ok(()) => info!("written: {}", path.display()),
            Err(cause) => error!("cannot write {}: {}", path.display(), told(&cause, dump)),
        }
        if dump == Dump::StatsClear {
            *baseline = Baseline::of(&topology);
        }
    }
}

/// The signals that ask for dumps, heard from its making on.
pub(super) struct Asked {
    data: Signal,
    stats: Signal,
    stats_clear: Signal,
    json: Signal,
}

impl Asked {
    /// Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When descriptors run out.
    pub(super) fn new() -> io::Result<Self> {
        let hear = |number| signal(SignalKind::from_raw(number));
        let (data, stats) = (hear(signum::DATA)?, hear(signum::STATS)?);
        Ok(Self { data, stats, stats_clear: hear(signum::STATS_CLEAR)?, json: hear(signum::JSON)? })
    }
}

/// Writes what signals ask for, for ever.
pub(super) async fn on_signals(dumps: Dumps, asked: Asked) -> Infallible {
    let Asked { mut data, mut stats, mut stats_clear, mut json } = asked;
    loop {
        dumps.write(tokio::select! {
            _ = data.recv() => Dump::Data,
            _ = stats.recv() => Dump::Stats,
            _ = stats_clear.recv() => Dump::StatsClear,
            _ = json.recv() => Dump::Json,
        });
    }
}

/// Why there is no dump, with the way out where others write to the folder: in `/tmp` nobody but root with CAP_FOWNER, which the
/// daemon gives up, takes away what somebody else has put there.
fn told(cause: &io::Error, dump: Dump) -> String {
    let keyword = match dump {
        Dump::Data => "state_dump_file",
        Dump::Stats | Dump::StatsClear => "stats_dump_file",
        Dump::Json => "json_dump_file",
    };
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => format!(
            "{cause}: what is there may be somebody else's, and no dump; a folder of the daemon's own is named with {keyword}"
        ),
        _ => cause.to_string(),
    }
}

/// Where a dump goes.
fn file(dump: Dump, settings: &GlobalDefs, process: &ProcessSettings) -> PathBuf {
    let GlobalDefs { state_dump_file, stats_dump_file, json_dump_file, .. } = settings;
    let written = match dump {
        Dump::Data => state_dump_file,
        Dump::Stats | Dump::StatsClear => stats_dump_file,
        Dump::Json => json_dump_file,
    };
    let mut path = PathBuf::from(&***written);
    if let (Some(folder), Ok(name)) = (env::var_os("TMPDIR"), path.strip_prefix("/tmp")) {
        path = Path::new(&folder).join(name);
    }
    let instance = process.instance.as_deref().filter(|_| *settings.data_use_instance);
    match (instance, path.extension()) {
        (Some(instance), Some(extension)) => {
            let extension = format!("{instance}.{}", extension.to_string_lossy());
            path.with_extension(extension)
        }
        (Some(instance), None) => own_file::beside(&path, &format!(".{instance}")),
        (None, _) => path,
    }
}

/// Puts a file in the place of the one that is there, whole; it may be a folder that everybody writes to. Who may read it,
/// `umask` decides.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = own_file::beside(path, ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // With O_EXCL no link is followed.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&draft, path));
    written.inspect_err(|_| drop(fs::remove_file(&draft)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::kernel::unprivileged::{self, CAP_DAC_OVERRIDE};

    #[test]
    fn a_dump_takes_the_place_of_the_one_before_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let [path, precious] = ["keepalived.data", "precious"].map(|name| folder.path().join(name));
        fs::write(&precious, "content").unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "content");
    }

    #[test]
    fn what_somebody_else_has_put_there_is_said_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let [path, draft] = ["keepalived.data", "keepalived.data.new"].map(|name| folder.path().join(name));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        for theirs in [&path, &draft] {
            fs::write(theirs, "forged").unwrap();
            let path = path.clone();
            // As a daemon that was started as root: it may write anywhere, and not remove from such a folder.
            let refused =
                unprivileged::with(12_000, &[CAP_DAC_OVERRIDE], move || replace(&path, "own").unwrap_err());
            assert!(told(&refused, Dump::Data).ends_with("named with state_dump_file"), "{refused}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of the attempt");
            fs::remove_file(theirs).unwrap();
        }
        fs::create_dir(&draft).unwrap();
        let refused = replace(&path, "own").unwrap_err();
        assert!(told(&refused, Dump::Json).ends_with("named with json_dump_file"), "{refused}");
    }

    #[test]
    fn an_instance_has_files_of_its_own() {
        let mut settings = crate::config::Global::empty().settings;
        let process = ProcessSettings { instance: Some("a".into()), ..ProcessSettings::default() };
        let name = |settings: &GlobalDefs| {
            let path = file(Dump::Data, settings, &process);
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        assert_eq!(name(&settings), "keepalived.data");
        settings.data_use_instance.replace(true);
        assert_eq!(name(&settings), "keepalived.a.data");
    }
}
