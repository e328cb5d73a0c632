//! What systemd is told (sd_notify(3)): datagrams to the socket that it names in the environment.

use std::{
    env,
    ffi::OsStr,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

use tracing::warn;

use crate::units::Time;

/// Where systemd listens; a name that begins with `@` is in the abstract namespace.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Tells systemd how the service is; nobody when it was not started by it. Nothing here waits: what systemd does not take
/// is left out.
#[derive(Debug)]
pub(super) struct Notifier(Option<(UnixDatagram, SocketAddr)>);

impl Notifier {
    /// As the environment says.
    pub(super) fn from_env() -> Self {
        let name = env::var_os(SOCKET).filter(|name| !name.is_empty());
        Self(name.and_then(|name| {
            let opened = open(&name);
            opened.inspect_err(|error| warn!("systemd cannot be told anything ({SOCKET}): {error}")).ok()
        }))
    }

    /// The service has started, or follows its new configuration.
    pub(super) fn ready(&self, engine: Option<u32>) {
        let engine = engine.map_or_else(String::new, |pid| format!(" (engine {pid})"));
        self.send(&format!("READY=1\nSTATUS=Running{engine}"));
    }

    /// It reads its configuration anew. `now` has to be of the monotonic clock.
    pub(super) fn reloading(&self, now: Time) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reloading", now.0.as_micros()));
    }

    /// It stops.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=Stopping");
    }

    /// It goes on (`WatchdogSec=`).
    pub(super) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// One line for whoever asks `systemctl status`.
    pub(super) fn status(&self, text: &str) {
        self.send(&format!("STATUS={text}"));
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.0 {
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

fn open(name: &OsStr) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn heard(listener: &UnixDatagram) -> String {
        let mut datagram = [0; 256];
        let length = listener.recv(&mut datagram).unwrap();
        String::from_utf8_lossy(&datagram[..length]).into_owned()
    }

    #[test]
    fn systemd_hears_each_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier(open(path.as_os_str()).ok());
        notifier.ready(Some(7));
        assert_eq!(heard(&listener), "READY=1\nSTATUS=Running (engine 7)");
        notifier.reloading(Time(Duration::from_millis(3)));
        assert_eq!(heard(&listener), "RELOADING=1\nMONOTONIC_USEC=3000\nSTATUS=Reloading");
        notifier.stopping();
        assert_eq!(heard(&listener), "STOPPING=1\nSTATUS=Stopping");
        notifier.alive();
        assert_eq!(heard(&listener), "WATCHDOG=1");
    }

    #[test]
    fn an_abstract_socket_is_one_and_nobody_is_no_trouble() {
        let name = format!("steadfast-test-{}", std::process::id());
        let listener = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notifier(open(OsStr::new(&format!("@{name}"))).ok()).alive();
        assert_eq!(heard(&listener), "WATCHDOG=1");
        Notifier(None).ready(None);
        Notifier(open(OsStr::new("/nonexistent/socket")).ok()).stopping();
    }
}
