//! `SMTP_CHECK`: a greeting, a HELO and a QUIT, each with its answer.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    Outcome, Phases,
    tcp::{Connect, outcome},
};
use crate::config::settings::SmtpCheck;

/// The longest line that an answer may have.
const LONGEST: usize = 512;

/// A check of one mail server, or of several addresses of it.
#[derive(Debug)]
pub struct Smtp {
    hosts: Vec<Connect>,
    hello: String,
}

/// Where a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Greeting,
    Hello,
    Quit,
}

/// A conversation as a machine: lines in, lines out.
#[derive(Debug)]
pub struct Talk {
    step: Step,
    line: Vec<u8>,
}

/// What comes of what the server has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It has not finished its line.
    Listen,
    /// This is said next.
    Say(&'static str),
    /// It is well.
    Done,
    /// It is not.
    Bad(String),
}

impl Default for Talk {
    fn default() -> Self {
        Self { step: Step::Greeting, line: Vec::new() }
    }
}

impl Talk {
    /// The server has said something. Of what it says at once only the first line counts.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Turn {
        let end = memchr::memchr(b'\n', bytes);
        self.line.extend_from_slice(&bytes[..end.map_or(bytes.len(), |end| end + 1)]);
        if end.is_none() && self.line.len() < LONGEST {
            return Turn::Listen;
        }
        let line = std::mem::take(&mut self.line);
        let shown = String::from_utf8_lossy(&line[..line.len().min(64)]).trim_end().to_owned();
        if end.is_none() || line.len() > LONGEST {
            return Turn::Bad(format!("a line without an end: {shown}"));
        }
        let is = |code: &[u8]| line.starts_with(code);
        match self.step {
            Step::Greeting if is(b"220 ") => {
                self.step = Step::Hello;
                Turn::Say("HELO")
            }
            Step::Hello if is(b"250 ") => {
                self.step = Step::Quit;
                Turn::Say("QUIT")
            }
            Step::Quit => Turn::Done,
            Step::Greeting => Turn::Bad(format!("a bad greeting: {shown}")),
            Step::Hello => Turn::Bad(format!("a bad answer to HELO: {shown}")),
        }
    }
}

impl Smtp {
    /// That of a check.
    pub(super) fn new(check: &SmtpCheck) -> Self {
        let hosts: Vec<Connect> = check.host.iter().map(|host| Connect::new(&host.connection)).collect();
        let hosts = if hosts.is_empty() { vec![Connect::new(&check.connection)] } else { hosts };
        Self { hosts, hello: check.helo_name.to_string() }
    }

    /// One try of all hosts; the first that is not well is the outcome.
    pub(super) async fn run(&self, phases: &mut Phases) -> Outcome {
        for host in &self.hosts {
            match timeout(host.longest(), self.talk(host, phases)).await {
                Ok(Ok(())) => {}
                Ok(Err(ended)) => return ended,
                Err(_) => return Outcome::Failed(format!("no end of it within {:?}", host.longest())),
            }
        }
        Outcome::Passed { adds: 0 }
    }

    async fn talk(&self, host: &Connect, phases: &mut Phases) -> Result<(), Outcome> {
        let made = host.open(phases).await?;
        let mut stream = made.into_stream().map_err(|missed| outcome(&missed))?;
        let mut talk = Talk::default();
        let mut piece = [0; LONGEST];
        loop {
            let length = within(host.limit, stream.read(&mut piece)).await?;
            if length == 0 {
                return Err(Outcome::Failed("the server closes the connection".into()));
            }
            phases.answered();
            match talk.handle_bytes(&piece[..length]) {
                Turn::Listen => {}
                Turn::Say("HELO") => {
                    self.say(&mut stream, &format!("HELO {}\r\n", self.hello), host.limit).await?
                }
                Turn::Say(word) => self.say(&mut stream, &format!("{word}\r\n"), host.limit).await?,
                Turn::Done => {
                    phases.ended();
                    return Ok(());
                }
                Turn::Bad(why) => return Err(Outcome::Failed(why)),
            }
        }
    }

    async fn say(&self, stream: &mut TcpStream, text: &str, limit: Duration) -> Result<(), Outcome> {
        within(limit, stream.write_all(text.as_bytes())).await
    }
}

async fn within<T>(limit: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, Outcome> {
    match timeout(limit, step).await {
        Ok(done) => done.map_err(|error| Outcome::Failed(format!("the connection breaks: {error}"))),
        Err(_) => Err(Outcome::Failed(format!("no answer within {limit:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of these pieces, up to the first that ends the conversation.
    fn course(pieces: &[&str]) -> Vec<Turn> {
        let mut talk = Talk::default();
        pieces.iter().map(|piece| talk.handle_bytes(piece.as_bytes())).collect()
    }

    #[test]
    fn three_answers_are_well_whatever_the_last_says() {
        let turns = course(&["220 hi\r\n", "250 ok\n", "5", "00 x\r\n"]);
        assert_eq!(turns, [Turn::Say("HELO"), Turn::Say("QUIT"), Turn::Listen, Turn::Done]);
    }

    #[test]
    fn what_is_not_the_one_answer_is_bad() {
        for greeting in ["220-a\r\n220 b\r\n", "220\r\n", "554 no\r\n", "\n"] {
            assert!(matches!(course(&[greeting])[..], [Turn::Bad(_)]), "{greeting}");
        }
        for hello in ["250-a\r\n250 b\r\n", "550 no\r\n"] {
            assert!(matches!(course(&["220 hi\r\n", hello])[..], [_, Turn::Bad(_)]), "{hello}");
        }
        let endless = "220 ".to_owned() + &"x".repeat(700);
        assert!(matches!(course(&[&endless])[..], [Turn::Bad(_)]));
    }

    #[test]
    fn of_what_is_said_at_once_only_the_first_line_counts() {
        assert_eq!(course(&["220 hi\r\n250 ok\r\n221 bye\r\n"]), [Turn::Say("HELO")]);
    }

    proptest! {
        #[test]
        fn garbage_ends_within_a_line(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..50)) {
            let mut talk = Talk::default();
            for piece in &pieces {
                match talk.handle_bytes(&piece[..piece.len().min(LONGEST)]) {
                    Turn::Done | Turn::Bad(_) => return Ok(()),
                    Turn::Listen | Turn::Say(_) => prop_assert!(talk.line.len() < LONGEST),
                }
            }
        }
    }
}
