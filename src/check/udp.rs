//! `UDP_CHECK`: a datagram, and what comes back, which may be nothing.

use tokio::time::timeout;

use super::{
    Outcome, Phases,
    tcp::{self, Connect},
};
use crate::{
    config::settings::{Pattern, UdpCheck},
    kernel::dial::{self, Missed},
};

/// More of an answer is not read.
const LONGEST: usize = 1024;

/// A check by datagrams.
#[derive(Debug)]
pub struct Udp {
    connect: Connect,
    payload: Box<[u8]>,
    /// `require_reply`.
    required: Option<Pattern>,
    lengths: std::ops::RangeInclusive<usize>,
}

impl Udp {
    /// That of a check.
    pub(super) fn new(check: &UdpCheck) -> Self {
        Self {
            connect: Connect::new(&check.connection),
            payload: check.payload.0.clone(),
            required: check.require_reply.clone(),
            lengths: usize::from(*check.min_reply_length)..=usize::from(*check.max_reply_length),
        }
    }

    pub(super) async fn run(&self, phases: &mut Phases) -> Outcome {
        match timeout(self.connect.limit, self.exchange()).await {
            Ok(Ok(answer)) => {
                phases.answered();
                self.judge(&answer)
            }
            Ok(Err(missed)) => tcp::outcome(&missed),
            Err(_) if self.required.is_some() => {
                Outcome::Failed(format!("no answer within {:?}", self.connect.limit))
            }
            Err(_) => Outcome::Passed { adds: 0 },
        }
    }

    async fn exchange(&self) -> Result<Vec<u8>, Missed> {
        let socket = dial::udp(self.connect.target, &self.connect.origin).await?;
        socket.send(&self.payload).await.map_err(|error| Missed::from_io(&error))?;
        let mut answer = vec![0; LONGEST];
        let length = socket.recv(&mut answer).await.map_err(|error| Missed::from_peer(&error))?;
        answer.truncate(length);
        Ok(answer)
    }

    /// Lengths count only beside a pattern; the pattern as far as both reach.
    fn judge(&self, answer: &[u8]) -> Outcome {
        let Some(Pattern(pattern)) = self.required.as_ref().filter(|pattern| !pattern.0.is_empty()) else {
            return Outcome::Passed { adds: 0 };
        };
        if !self.lengths.contains(&answer.len()) {
            return Outcome::Failed(format!("an answer of {} bytes", answer.len()));
        }
        let differs = |((value, mask), byte): (&(u8, u8), &u8)| byte & mask != value & mask;
        match pattern.iter().zip(answer).position(differs) {
            Some(at) => Outcome::Failed(format!("the answer differs at byte {at}")),
            None => Outcome::Passed { adds: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kernel::dial::Origin;

    /// Whether `jello`, or what is said, is well for a pattern.
    fn is_well(pattern: Option<&str>, lengths: std::ops::RangeInclusive<usize>, answer: &str) -> bool {
        let nibble =
            |digit: char| digit.to_digit(16).map_or((0, 0), |value| (u8::try_from(value).unwrap(), 0xf));
        let required = pattern.map(|text| {
            let digits: Vec<_> = text.chars().map(nibble).collect();
            Pattern(
                digits.chunks(2).map(|two| (two[0].0 << 4 | two[1].0, two[0].1 << 4 | two[1].1)).collect(),
            )
        });
        let connect = Connect {
            target: ([127, 0, 0, 1], 9).into(),
            origin: Origin::default(),
            limit: Duration::from_secs(1),
        };
        let check = Udp { connect, payload: Box::default(), required, lengths };
        check.judge(answer.as_bytes()) == Outcome::Passed { adds: 0 }
    }

    #[test]
    fn answers_are_judged_as_keepalived_judges_them() {
        let long = "x".repeat(400);
        assert!(is_well(None, 0..=255, &long) && is_well(Some(""), 3..=255, "he"));
        assert!(is_well(Some("68656c"), 0..=255, "hello") && is_well(Some("68656c6c6f"), 0..=255, "he"));
        assert!(!is_well(Some("68656c"), 0..=255, "jello") && is_well(Some("6x656c"), 0..=255, "jello"));
        assert!(!is_well(Some("68656c6c6f"), 3..=255, "he") && !is_well(Some("78"), 0..=255, &long));
    }

    #[tokio::test]
    async fn silence_is_well_unless_an_answer_is_required_and_a_closed_port_never_is() {
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let connect = Connect {
            target: silent.local_addr().unwrap(),
            origin: Origin::default(),
            limit: Duration::from_millis(50),
        };
        let check = |required| Udp {
            connect: connect.clone(),
            payload: Box::from(*b"x"),
            required,
            lengths: 0..=255,
        };
        assert_eq!(check(None).run(&mut Phases::begin()).await, Outcome::Passed { adds: 0 });
        assert!(matches!(
            check(Some(Pattern(Box::default()))).run(&mut Phases::begin()).await,
            Outcome::Failed(_)
        ));
        drop(silent);
        assert_eq!(
            check(None).run(&mut Phases::begin()).await,
            Outcome::Failed("ECONNREFUSED: Connection refused".into())
        );
    }
}
