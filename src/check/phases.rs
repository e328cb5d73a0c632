//! How long the phases of a try took.

use std::time::Duration;

use crate::{kernel::clock, units::Time};

/// The phases of a try, as far as it came. Those that a check has not stay empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// Until there was a connection.
    pub connect: Option<Duration>,
    /// From there to the end of the handshake of TLS.
    pub tls: Option<Duration>,
    /// From there to the first byte of an answer.
    pub first_byte: Option<Duration>,
    /// From there to the end of it.
    pub body: Option<Duration>,
    /// When the one that goes on has begun.
    since: Time,
}

impl Phases {
    /// Those of a try that begins now.
    pub fn begin() -> Self {
        Self { connect: None, tls: None, first_byte: None, body: None, since: clock::now() }
    }

    pub(super) fn connected(&mut self) {
        self.connect = Some(self.lap());
    }

    pub(super) fn secured(&mut self) {
        self.tls = Some(self.lap());
    }

    /// Something has come; only the first counts.
    pub(super) fn answered(&mut self) {
        if self.first_byte.is_none() {
            self.first_byte = Some(self.lap());
        }
    }

    pub(super) fn ended(&mut self) {
        self.body = Some(self.lap());
    }

    fn lap(&mut self) -> Duration {
        let now = clock::now();
        let lasted = now.since(self.since);
        self.since = now;
        lasted
    }
}
