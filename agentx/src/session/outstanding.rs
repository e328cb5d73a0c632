//! Our requests that wait for the master's answers: never more than a few dozen.

use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Open,
    /// The region at this place.
    Register(usize),
    /// The region at this place once more.
    Check(usize),
    /// The capability of the region at this place.
    AddAgentCaps(usize),
    Ping,
    /// The notification of this number.
    Notify(u64),
    Close,
}

#[derive(Debug)]
struct Sent {
    packet: u32,
    request: Request,
    at: Duration,
    is_overdue: bool,
    /// When a later request was answered and this one was not.
    overtaken: Option<Duration>,
}

/// Requests in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    sent: Vec<Sent>,
    last_packet: u32,
    /// When the last answer came. Requests are answered in turn, so that each has its time from then on.
    answered: Duration,
}

impl Outstanding {
    /// Notes a request and returns the packet number it travels under.
    pub(super) fn add(&mut self, now: Duration, request: Request) -> u32 {
        // Unique among the few that are outstanding, also after a wrap (RFC 2741 §6.1).
        loop {
            self.last_packet = self.last_packet.wrapping_add(1);
            if self.sent.iter().all(|sent| sent.packet != self.last_packet) {
                break;
            }
        }
        let packet = self.last_packet;
        self.sent.push(Sent { packet, request, at: now, is_overdue: false, overtaken: None });
        packet
    }

    /// Takes out the request that `packet` answers, with when it was made; `None` when there is none, or no more.
    pub(super) fn answer(&mut self, now: Duration, packet: u32) -> Option<(Request, Duration)> {
        let place = self.sent.iter().position(|sent| sent.packet == packet)?;
        for earlier in self.sent.iter_mut().take(place) {
            earlier.overtaken.get_or_insert(now);
        }
        self.answered = now;
        let Sent { request, at, .. } = self.sent.remove(place);
        Some((request, at))
    }

    /// Marks what waits for longer than `answer_within`.
    pub(super) fn mark_overdue(&mut self, now: Duration, answer_within: Duration) {
        for sent in &mut self.sent {
            sent.is_overdue |= sent.at.max(self.answered) + answer_within <= now;
        }
    }

    pub(super) fn overdue_at(&self, answer_within: Duration) -> Option<Duration> {
        let waiting = self.sent.iter().filter(|sent| !sent.is_overdue);
        waiting.map(|sent| sent.at.max(self.answered) + answer_within).min()
    }

    pub(super) fn lost_at(&self, answer_within: Duration) -> Option<Duration> {
        self.sent.iter().filter_map(|sent| sent.overtaken).min().map(|overtaken| overtaken + answer_within)
    }

    pub(super) fn patience_ends_at(&self, patience: Duration) -> Option<Duration> {
        self.sent.iter().map(|sent| sent.at + patience).min()
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.sent.iter().any(|sent| sent.is_overdue)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn has_ping(&self) -> bool {
        self.sent.iter().any(|sent| sent.request == Request::Ping)
    }

    pub(super) fn has_set_up(&self) -> bool {
        let is_set_up =
            |request| matches!(request, Request::Register(_) | Request::Check(_) | Request::AddAgentCaps(_));
        self.sent.iter().any(|sent| is_set_up(sent.request))
    }

    /// Whether there are none but notifications.
    pub(super) fn has_notifications_only(&self) -> bool {
        self.sent.iter().all(|sent| matches!(sent.request, Request::Notify(_)))
    }

    /// The numbers of the notifications that count as lost: what was sent later was answered `answer_within` ago.
    pub(super) fn lost_notifications(&self, now: Duration, answer_within: Duration) -> Vec<u64> {
        let is_lost = |sent: &&Sent| sent.overtaken.is_some_and(|overtaken| overtaken + answer_within <= now);
        let number = |sent: &Sent| match sent.request {
            Request::Notify(id) => Some(id),
            _ => None,
        };
        self.sent.iter().filter(is_lost).filter_map(number).collect()
    }

    /// Forgets the requests but not the numbers, so that a late answer to one of them answers nothing else.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_use_are_passed_over_after_a_wrap() {
        let mut outstanding = Outstanding { last_packet: u32::MAX, ..Outstanding::default() };
        assert_eq!(outstanding.add(Duration::ZERO, Request::Ping), 0);
        outstanding.last_packet = u32::MAX;
        assert_eq!(outstanding.add(Duration::ZERO, Request::Ping), 1);
    }
}
