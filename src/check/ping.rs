//! `PING_CHECK`: an echo request, and its reply.

use std::sync::atomic::{AtomicU16, Ordering};

use tokio::time::timeout;

use super::{
    Outcome, Phases,
    tcp::{self, Connect},
};
use crate::{
    config::settings::PingCheck,
    kernel::dial::{self, Missed},
};

/// Types of echo requests and replies (RFC 792; RFC 4443 §4).
const V4: (u8, u8) = (8, 0);
const V6: (u8, u8) = (128, 129);
const HEADER: usize = 8;
/// Bytes behind the header.
const LOAD: usize = 128;
/// What they are.
const FILLER: &[u8] = b"steadfast check ";

/// A check by echo.
#[derive(Debug)]
pub struct Ping {
    connect: Connect,
    /// Of the last request.
    sequence: AtomicU16,
}

impl Ping {
    /// That of a check.
    pub(super) fn new(check: &PingCheck) -> Self {
        Self { connect: Connect::new(&check.connection), sequence: AtomicU16::new(0) }
    }

    pub(super) async fn run(&self, phases: &mut Phases) -> Outcome {
        match timeout(self.connect.limit, self.ask()).await {
            Ok(Ok(())) => {
                phases.answered();
                Outcome::Passed { adds: 0 }
            }
            Ok(Err(missed)) => tcp::outcome(&missed),
            Err(_) => Outcome::Failed(format!("no reply within {:?}", self.connect.limit)),
        }
    }

    async fn ask(&self) -> Result<(), Missed> {
        let (ask, answer) = if self.connect.target.is_ipv4() { V4 } else { V6 };
        let socket = dial::echo(self.connect.target, &self.connect.origin).await?;
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // A request that cannot be sent is a failure, whatever the reason.
        let sent = socket.send(&request(ask, sequence)).await;
        sent.map_err(|error| Missed::There(format!("sending fails: {error}")))?;
        let mut datagram = [0; 512];
        loop {
            let length = socket.recv(&mut datagram).await.map_err(|error| Missed::from_peer(&error))?;
            if is_reply(&datagram[..length], answer, sequence) {
                return Ok(());
            }
        }
    }
}

/// The kernel adds checksum and identifier.
fn request(kind: u8, sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let load = FILLER.iter().copied().cycle().take(LOAD);
    [kind, 0, 0, 0, 0, 0, high, low].into_iter().chain(load).collect()
}

/// Whether a datagram is the reply to the request of that sequence number.
fn is_reply(datagram: &[u8], kind: u8, sequence: u16) -> bool {
    datagram
        .first_chunk::<HEADER>()
        .is_some_and(|header| header[0] == kind && header[6..] == sequence.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_the_kind_and_the_number() {
        let reply = |kind, sequence| request(kind, sequence);
        assert_eq!(reply(8, 1).len(), HEADER + LOAD);
        assert!(is_reply(&reply(0, 258), 0, 258));
        assert!(!is_reply(&reply(0, 258), 0, 259) && !is_reply(&reply(8, 258), 0, 258));
        assert!(!is_reply(&reply(0, 258)[..7], 0, 258));
    }
}
