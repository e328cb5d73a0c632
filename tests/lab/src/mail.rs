//! A mail server that takes what it is given and remembers it.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::{Error, Result};
use crate::host::Host;

/// From one look at whether the server is to stop to the next.
const LOOK: Duration = Duration::from_millis(50);

/// A mail as it arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The name in HELO or EHLO.
    pub helo: String,
    /// The address in MAIL FROM.
    pub from: String,
    /// The addresses in RCPT TO that were accepted.
    pub to: Vec<String>,
    /// The fields of the header, each in one line, however it was folded (RFC 5322 §2.2.3).
    pub header: Vec<String>,
    /// The lines after it, without empty ones at the end.
    pub body: Vec<String>,
}

impl Mail {
    /// What a header field says; nothing when it is not there.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.header.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The fields of a header.
fn unfolded(lines: &[String]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in lines {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => fields.push(line.clone()),
        }
    }
    fields
}

/// How the server treats its clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Temper {
    /// It takes every mail.
    #[default]
    Takes,
    /// It has no time for mails just now (451).
    Busy,
    /// It accepts connections and says nothing.
    Hangs,
    /// It does not know this user (550).
    DoesNotKnow(&'static str),
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    temper: Mutex<Temper>,
    mails: Mutex<Vec<Mail>>,
}

impl Shared {
    fn temper(&self) -> Temper {
        *self.temper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mails(&self) -> std::sync::MutexGuard<'_, Vec<Mail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server, on a port of its host until it is dropped.
#[derive(Debug)]
pub struct MailServer {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Listens on this port of every IPv4 address of the host.
    pub fn start(host: &Host, port: u16) -> Result<Self> {
        let listening = |e| Error::io(format!("listen on port {port} of {}", host.name()), e);
        let listener = host.inside(|| TcpListener::bind(("0.0.0.0", port)))?.map_err(listening)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &of_thread));
        Ok(Self { shared, accepting: Some(accepting) })
    }

    /// Treats clients in another way from now on.
    pub fn set_temper(&self, temper: Temper) {
        *self.shared.temper.lock().unwrap_or_else(PoisonError::into_inner) = temper;
    }

    /// The mails so far, in the order in which they arrived.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.mails().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            let _panicked = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::MAX);
    let mut serving = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, timeout).unwrap_or(0) == 0 {
            continue;
        }
        if let Ok((stream, _)) = listener.accept() {
            let shared = Arc::clone(shared);
            serving.push(thread::spawn(move || serve(stream, &shared)));
        }
    }
    for thread in serving {
        let _panicked = thread.join();
    }
}

/// A connection, up to its end.
fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(LOOK));
    let Ok(mut answers) = stream.try_clone() else { return };
    let mut lines = Lines { reader: BufReader::new(stream), shared };
    while shared.temper() == Temper::Hangs {
        if lines.next().is_none() {
            return;
        }
    }
    let mut say = |answer: &str| answers.write_all(format!("{answer}\r\n").as_bytes());
    let mut mail = Mail::default();
    let _ = say("220 lab");
    while let Some(line) = lines.next() {
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
        let address = || {
            rest.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map_or("", |(a, _)| a).to_owned()
        };
        let said = match verb.to_ascii_uppercase().as_str() {
            "HELO" | "EHLO" => {
                mail.helo = rest.to_owned();
                say("250 lab")
            }
            "MAIL" if shared.temper() == Temper::Busy => say("451 not now"),
            "MAIL" => {
                mail = Mail { helo: mail.helo, from: address(), ..Mail::default() };
                say("250 ok")
            }
            "RCPT" => match shared.temper() {
                Temper::DoesNotKnow(user) if address() == user => say("550 no such user"),
                _ => {
                    mail.to.push(address());
                    say("250 ok")
                }
            },
            "DATA" => {
                let _ = say("354 go on");
                let text: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                let mut parts = text.splitn(2, String::is_empty).map(<[String]>::to_vec);
                mail.header = unfolded(&parts.next().unwrap_or_default());
                mail.body = parts.next().unwrap_or_default();
                while mail.body.pop_if(|line| line.is_empty()).is_some() {}
                shared.mails().push(mail.clone());
                say("250 taken")
            }
            "QUIT" => return say("221 bye").unwrap_or_default(),
            _ => say("250 ok"),
        };
        if said.is_err() {
            return;
        }
    }
}

/// Lines of a connection, until its end or the server's.
struct Lines<'a> {
    reader: BufReader<TcpStream>,
    shared: &'a Shared,
}

impl Iterator for Lines<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => break,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.shared.stop.load(Ordering::Relaxed) {
                        return None;
                    }
                }
                Err(_) => return None,
            }
        }
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}
