//! Asking interfaces for their link: one thread that does so twice a second (`linkbeat_interfaces`).

use std::{
    io::{self, Read as _},
    os::unix::net::UnixStream,
    sync::Arc,
    time::Duration,
};

use tracing::{info, warn};

use super::ToEngine;
use crate::{
    config::settings::LinkbeatKind,
    kernel::{
        LinkBeat,
        error::describe,
        link_beat::{Answer, Method},
    },
    registry::InterfaceRow,
};

/// From one question to the next.
const INTERVAL: Duration = Duration::from_millis(500);

/// An interface that is asked, or may come to be.
struct Asked<'a> {
    row: &'a InterfaceRow,
    /// How it answered last, or why not, so that it is said once.
    said: Option<Result<Method, String>>,
}

/// Asks all of them once, before anybody relies on what they say.
pub(in crate::daemon) fn first_answers(rows: &[Arc<InterfaceRow>]) {
    let mut asked = all(rows);
    if asked.iter().all(|one| one.row.linkbeat().is_none()) {
        return;
    }
    match LinkBeat::open() {
        Ok(link_beat) => asked.iter_mut().for_each(|one| {
            one.ask(&link_beat);
        }),
        Err(error) => warn!("cannot ask interfaces for their links: {error}"),
    }
}

/// Asks them until the other end of `end` is closed.
///
/// # Errors
/// Why they cannot be asked.
pub(super) fn follow(rows: &[Arc<InterfaceRow>], engine: &ToEngine, end: UnixStream) -> io::Result<()> {
    let mut asked = all(rows);
    let link_beat = LinkBeat::open()?;
    end.set_read_timeout(Some(INTERVAL))?;
    loop {
        for one in &mut asked {
            if engine.is_over() {
                return Ok(());
            }
            if one.ask(&link_beat) {
                engine.tell_asked(&one.row.config.name);
            }
        }
        // Nothing is ever sent: it is the end, or time to ask again.
        if (&end).read(&mut [0]).is_ok() {
            return Ok(());
        }
    }
}

/// Nobody asks them for the moment: what the kernel reports counts.
pub(super) fn lose(rows: &[Arc<InterfaceRow>], engine: &ToEngine, _why: &str) {
    if engine.is_over() {
        return;
    }
    for one in all(rows) {
        if one.row.set_beat(None).is_some() {
            engine.tell_asked(&one.row.config.name);
        }
    }
}

fn all(rows: &[Arc<InterfaceRow>]) -> Vec<Asked<'_>> {
    rows.iter().map(|row| Asked { row, said: None }).collect()
}

impl Asked<'_> {
    /// Asks it, if it is to be asked. Returns whether its answer is another one than before.
    fn ask(&mut self, link_beat: &LinkBeat) -> bool {
        let Some(kind) = self.row.linkbeat() else {
            self.said = None;
            return self.row.set_beat(None).is_some();
        };
        let name = &self.row.config.name;
        let answer = link_beat.ask(name, methods(kind));
        let (beat, said) = match answer {
            Ok(Answer { method, has_link }) => (Some(has_link), Some(Ok(method))),
            // That it is gone the kernel reports.
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, self.said.clone()),
            Err(error) => (None, Some(Err(describe(&error)))),
        };
        // First of all: whoever reads in the log that it is asked may rely on what it says.
        let is_another = self.row.set_beat(beat) != beat;
        if said != self.said {
            match &said {
                Some(Ok(method)) => info!("Interface {name} is asked for its link by {method}"),
                Some(Err(why)) => warn!("Interface {name} does not say whether it has a link: {why}"),
                None => {}
            }
            self.said = said;
        }
        is_another
    }
}

/// The ways to ask, the one that is wanted first.
fn methods(kind: LinkbeatKind) -> [Method; 3] {
    match kind {
        LinkbeatKind::Best | LinkbeatKind::Mii => [Method::Mii, Method::Ethtool, Method::Flags],
        LinkbeatKind::Ethtool => [Method::Ethtool, Method::Mii, Method::Flags],
        LinkbeatKind::Ioctl => [Method::Flags, Method::Mii, Method::Ethtool],
    }
}
