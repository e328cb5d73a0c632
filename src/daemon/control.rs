//! Where the control socket is, and for whom.

use std::{path::Path, sync::Arc};

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{engine::Command, orders::Desk, reload};
use crate::{
    config::{Environment as _, Global, System},
    control::{Server, socket_beside},
    kernel::LocalSocket,
    registry::Registry,
};

/// The server that answers `steadfast ctl`; without one everything else works. On the manage lane, whose runtime it needs.
pub(super) fn server(
    (pid_file, journal): (&Path, Option<&Path>),
    registry: &Arc<Registry>,
    commands: &mpsc::Sender<Command>,
    reloads: reload::Desk,
) -> Option<Server> {
    let topology = registry.topology();
    let Global { settings, .. } = &topology.global;
    let path = match settings.control_socket.as_deref() {
        Some("none") => return None,
        Some(path) => path.into(),
        None => socket_beside(pid_file),
    };
    let group = settings.control_group.as_deref().and_then(|group| System.group(group));
    match LocalSocket::bind(&path, group) {
        Ok(socket) => {
            info!("`steadfast ctl` is answered at {}", socket.path().display());
            let server =
                Server::new(socket, Arc::clone(registry), Arc::new(Desk::new(commands)), Arc::new(reloads));
            Some(server.with_journal(journal.map(Path::to_owned)))
        }
        Err(error) => {
            warn!("`steadfast ctl` is not answered: {error}");
            None
        }
    }
}
