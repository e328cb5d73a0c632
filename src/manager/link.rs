//! The socket: questions, answers, and patience.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    time::Duration,
};

use agentx::VarBind;

use super::{
    Failure, random,
    session::{Heard, Session},
};
use crate::{
    kernel::clock,
    snmp_wire::{Kind, MAX_MESSAGE, Pdu, Refusal},
};

/// The port that agents have (RFC 3417 §3.2).
const PORT: u16 = 161;

/// How often an agent of version 3 may say something that makes the question another one: its engine, its time, and that it has
/// begun anew meanwhile.
const LESSONS: u32 = 4;

/// The way to an agent.
pub(super) struct Link {
    socket: UdpSocket,
    /// As it was called.
    agent: String,
    session: Session,
    timeout: Duration,
    retries: u32,
    /// Of the last question.
    number: i32,
    buffer: Vec<u8>,
}

impl Link {
    pub(super) fn open(
        agent: &str,
        session: Session,
        timeout: Duration,
        retries: u32,
    ) -> Result<Self, Failure> {
        let unknown = |why| Failure::UnknownAgent { agent: agent.to_owned(), why };
        let address = address(agent).map_err(unknown)?;
        let own =
            if address.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((own, 0)).and_then(|socket| socket.connect(address).map(|()| socket));
        let socket = socket.map_err(|why| Failure::Socket { agent: agent.to_owned(), why })?;
        // What nobody can guess: an answer has to have it.
        let number = i32::try_from(random() & 0x3fff_ffff).unwrap_or(1);
        let buffer = vec![0; MAX_MESSAGE + 1];
        Ok(Self { socket, agent: agent.to_owned(), session, timeout, retries, number, buffer })
    }

    /// Asks until there is an answer, or no patience any more.
    pub(super) fn ask(
        &mut self,
        kind: Kind,
        (first, second): (i32, i32),
        varbinds: Vec<VarBind>,
    ) -> Result<Pdu, Failure> {
        self.number = self.number.checked_add(1).unwrap_or(1);
        let asked = Pdu { first, second, ..Pdu::new(kind, self.number, varbinds) };
        for _ in 0..=self.retries {
            if let Some(answer) = self.try_once(&asked)? {
                return Ok(answer);
            }
        }
        Err(Failure::Silent { agent: self.agent.clone(), tries: self.retries.saturating_add(1) })
    }

    /// Sends the question, again where something was learnt, and waits.
    fn try_once(&mut self, asked: &Pdu) -> Result<Option<Pdu>, Failure> {
        for _ in 0..=LESSONS {
            let datagram = self.session.datagram(clock::now().0, asked).ok_or(Failure::Unsayable)?;
            match self.socket.send(&datagram).and_then(|_| self.wait(asked)) {
                Ok(Ok(Heard::Answer(answer))) => return Ok(Some(answer)),
                Ok(Ok(Heard::Nothing)) => return Ok(None),
                Ok(Ok(Heard::Again)) => {}
                Ok(Err(refusal)) => return Err(refusal.into()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return Err(Failure::Nobody(self.agent.clone()));
                }
                Err(why) => return Err(Failure::Socket { agent: self.agent.clone(), why }),
            }
        }
        Err(Refusal::NotInTime.into())
    }

    /// What comes in time; nothing otherwise.
    fn wait(&mut self, asked: &Pdu) -> io::Result<Result<Heard, Refusal>> {
        let deadline = clock::now().0 + self.timeout;
        loop {
            let left = deadline.saturating_sub(clock::now().0);
            if left.is_zero() {
                return Ok(Ok(Heard::Nothing));
            }
            self.socket.set_read_timeout(Some(left))?;
            let length = match self.socket.recv(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if is_patience(&error) => continue,
                Err(error) => return Err(error),
            };
            let datagram = self.buffer.get(..length).unwrap_or_default();
            match self.session.hear(clock::now().0, asked, datagram) {
                Ok(Heard::Nothing) => {}
                heard => return Ok(heard),
            }
        }
    }
}

/// Whether only time has passed.
pub(super) fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Where an agent is: an address or a name, either with a port behind it; also as net-snmp's tools write it.
fn address(agent: &str) -> io::Result<SocketAddr> {
    let agent = agent.strip_prefix("udp:").or_else(|| agent.strip_prefix("udp6:")).unwrap_or(agent);
    if let Ok(address) = agent.parse() {
        return Ok(address);
    }
    if let Ok(address) = agent.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok((address, PORT).into());
    }
    let with_port = agent.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let mut found: Vec<_> = with_port.unwrap_or((agent, PORT)).to_socket_addrs()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.into_iter().next().ok_or_else(|| io::Error::other("it has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_written_in_many_ways() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1:161"),
            ("192.0.2.1:1161", "192.0.2.1:1161"),
            ("udp:192.0.2.1:1161", "192.0.2.1:1161"),
            ("::1", "[::1]:161"),
            ("[::1]", "[::1]:161"),
            ("udp6:[::1]:1161", "[::1]:1161"),
            ("localhost:7", "127.0.0.1:7"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected, "{text}");
        }
    }
}
