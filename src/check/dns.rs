//! `DNS_CHECK`: one question, and an answer that says no error.

use std::hash::{BuildHasher as _, RandomState};

use tokio::time::timeout;

use super::{
    Outcome, Phases,
    tcp::{self, Connect},
};
use crate::{config::settings::DnsCheck, kernel::dial};

/// A header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
/// Class IN.
const INTERNET: u16 = 1;
/// The longest label and the longest name (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 255;

/// A check of a name server.
#[derive(Debug)]
pub struct Dns {
    connect: Connect,
    /// The question, without its number; `None` for a name that cannot be asked for.
    question: Option<Vec<u8>>,
}

/// What a datagram is to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Something else.
    Other,
    /// An answer, with its code (RCODE).
    Code(u8),
}

/// What a datagram is to the question of that number.
pub fn reply(datagram: &[u8], number: u16) -> Reply {
    let Some(header) = datagram.first_chunk::<HEADER>() else { return Reply::Other };
    let is_answer = header[2] & 0x80 != 0;
    if header[..2] != number.to_be_bytes() || !is_answer {
        return Reply::Other;
    }
    Reply::Code(header[3] & 0xf)
}

/// A question for records of that kind, recursion desired, to go behind its number.
fn question(name: &str, kind: &str) -> Option<Vec<u8>> {
    let kind: u16 = match kind {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "RRSIG" => 46,
        "DNSKEY" => 48,
        _ => 6,
    };
    let mut bytes = vec![1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let begin = bytes.len();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let length = u8::try_from(label.len()).ok().filter(|length| usize::from(*length) <= LONGEST_LABEL)?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    if bytes.len() - begin > LONGEST_NAME {
        return None;
    }
    bytes.extend(kind.to_be_bytes());
    bytes.extend(INTERNET.to_be_bytes());
    Some(bytes)
}

impl Dns {
    /// That of a check.
    pub(super) fn new(check: &DnsCheck) -> Self {
        Self {
            connect: Connect::new(&check.connection),
            question: question(&check.name.0, *check.record_type),
        }
    }

    pub(super) async fn run(&self, phases: &mut Phases) -> Outcome {
        let Some(question) = &self.question else { return Outcome::Untold("its name is too long".into()) };
        match timeout(self.connect.limit, self.ask(question)).await {
            Ok(Ok(code)) => {
                phases.answered();
                match code {
                    0 => Outcome::Passed { adds: 0 },
                    _ => Outcome::Failed(format!("the answer is error {code}")),
                }
            }
            Ok(Err(ended)) => ended,
            Err(_) => Outcome::Failed(format!("no answer within {:?}", self.connect.limit)),
        }
    }

    /// The code of the answer.
    async fn ask(&self, question: &[u8]) -> Result<u8, Outcome> {
        let missed = |error: std::io::Error| tcp::outcome(&dial::Missed::from_io(&error));
        let opened = dial::udp(self.connect.target, &self.connect.origin).await;
        let socket = opened.map_err(|missed| tcp::outcome(&missed))?;
        let [high, low, ..] = RandomState::new().hash_one(question).to_be_bytes();
        let number = u16::from_be_bytes([high, low]);
        socket.send(&[&number.to_be_bytes(), question].concat()).await.map_err(missed)?;
        let mut datagram = [0; 512];
        loop {
            let received = socket.recv(&mut datagram).await;
            let length = received.map_err(|error| tcp::outcome(&dial::Missed::from_peer(&error)))?;
            if let Reply::Code(code) = reply(&datagram[..length], number) {
                return Ok(code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_question_is_as_the_rfc_has_it() {
        let bytes = question("www.example.com.", "A").unwrap();
        assert_eq!(bytes, b"\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01");
        assert_eq!(question(".", "SOA").unwrap(), b"\x01\0\0\x01\0\0\0\0\0\0\0\0\x06\0\x01");
        assert_eq!(question(&"x".repeat(64), "A"), None);
        assert_eq!(question(&"abcdefg.".repeat(40), "A"), None);
    }

    #[test]
    fn an_answer_has_the_number_and_its_bit_and_nothing_else_matters() {
        let header = |flags: u16| [&[0xab, 0xcd], &flags.to_be_bytes()[..], &[0; 8]].concat();
        assert_eq!(reply(&header(0x8180), 0xabcd), Reply::Code(0));
        assert_eq!(reply(&header(0x8383), 0xabcd), Reply::Code(3));
        assert_eq!(reply(&header(0x0180), 0xabcd), Reply::Other);
        assert_eq!(reply(&header(0x8180), 0xabce), Reply::Other);
        assert_eq!(reply(&header(0x8180)[..11], 0xabcd), Reply::Other);
    }

    proptest! {
        #[test]
        fn garbage_is_no_trouble(datagram: Vec<u8>, number: u16) {
            let _ = reply(&datagram, number);
        }
    }
}
