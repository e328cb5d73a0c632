//! `config_save_dir`: what is read at the start and by each reload, and what ran before and after it, for whoever looks into
//! trouble with reloads.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process,
    sync::Arc,
    thread,
};

use tracing::warn;

use crate::{
    config::settings::GlobalDefs, daemon::start::configuration, kernel::own_file, registry::Topology,
};

/// The files of one reload; those of the start have the number 0.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    folder: PathBuf,
    number: u64,
}

impl Saved {
    /// Where these settings say, if they do.
    pub(super) fn new(settings: &GlobalDefs, number: u64) -> Option<Self> {
        settings.config_save_dir.as_deref().map(|folder| Self { folder: folder.into(), number })
    }

    /// What is read, secrets masked: includes and parameters are carried out.
    pub(super) fn save_text(&self, text: &str) {
        self.save("steadfast.conf", "", text);
    }

    /// What runs before.
    pub(super) fn save_before(&self, topology: &Topology) {
        self.save("steadfast_vrrp", ".pre", &configuration(topology));
    }

    /// What runs after. Nobody waits for the disk.
    pub(super) fn save_after(self, topology: &Arc<Topology>) {
        let topology = Arc::clone(topology);
        let save = move || self.save("steadfast_vrrp", ".post", &configuration(&topology));
        if let Err(error) = thread::Builder::new().name("reload".to_owned()).spawn(save) {
            warn!("config_save_dir: {error}");
        }
    }

    /// Writes a file. One that cannot be written is reported: reloads do not depend on it.
    fn save(&self, stem: &str, suffix: &str, text: &str) {
        let path = self.folder.join(format!("{stem}.{}.{}{suffix}", process::id(), self.number));
        if let Err(error) = make(&self.folder).and_then(|()| own_file::replace(&path, text)) {
            warn!("config_save_dir {}: {error}", path.display());
        }
    }
}

/// Makes the folder, for this process's user alone; those above it must be there.
fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
