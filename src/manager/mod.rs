//! `steadfast snmp …`: a small SNMP manager. It asks any agent in versions 1, 2c and 3, and listens to notifications, with the
//! names of the MIB modules that are compiled in.
//!
//! | file | what |
//! |---|---|
//! | `credentials` | who asks in version 3, as the command line says it |
//! | `session` | a conversation with one agent, as a machine without socket and clock |
//! | `walk` | question by question through a subtree, likewise |
//! | `receiver` | what arrives of notifications, and what is answered, likewise |
//! | `link` | the socket: questions, answers, and patience |
//! | `listen` | the other one, on which notifications arrive |
//! | `failure` | what can go wrong, and the way out |

mod credentials;
mod failure;
mod link;
mod listen;
mod receiver;
mod session;
#[cfg(test)]
mod tests;
mod walk;

use std::{
    hash::{BuildHasher as _, RandomState},
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::Duration,
};

use agentx::{Oid, Value, VarBind};

use self::{
    credentials::Credentials,
    failure::Failure,
    link::Link,
    receiver::{Notification, Receiver},
    session::{Heard, Session},
    walk::{Step, Walk},
};
use crate::{
    cli::{Asking, SnmpCommand, SnmpVersion},
    mib::Names,
    snmp_wire::{Kind, Pdu, Version},
};

/// What ends a command early.
const FAILED: u8 = 1;

/// noSuchName (RFC 1157 §4.1.1): in version 1 also what a walk ends with.
const NO_SUCH_NAME: i32 = 2;

/// Carries out a command. The exit status is 0 when it has been answered, else 1.
pub fn run(command: &SnmpCommand) -> ExitCode {
    let done = match command {
        SnmpCommand::Walk { asking, max_repetitions, agent, object } => {
            Manager::new(asking, agent).and_then(|mut manager| manager.walk(object, *max_repetitions))
        }
        SnmpCommand::Get { asking, agent, objects } => {
            Manager::new(asking, agent).and_then(|mut manager| manager.get(objects))
        }
        SnmpCommand::Listen { user, community, count, numeric, address } => {
            let credentials = Credentials::read(user);
            credentials.and_then(|credentials| {
                listen::listen(address, community.as_deref(), credentials, Shown::new(*numeric), *count)
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever has closed it has read enough.
        Err(Failure::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(why) => {
            // Whoever closed stderr still has the exit status.
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(FAILED)
        }
    }
}

/// What would be printed of a datagram, as the answer to question 1 of the community `public` or as a notification: for whoever has
/// no socket.
pub fn read(names: &Names, datagram: &[u8]) -> Vec<String> {
    let asked = Pdu::new(Kind::Get, 1, Vec::new());
    let mut lines = Vec::new();
    for version in [Version::V1, Version::V2c] {
        let mut session = Session::of_community(version, b"public");
        if let Ok(Heard::Answer(answer)) = session.hear(Duration::ZERO, &asked, datagram) {
            lines.extend(answer.varbinds.iter().map(|varbind| names.line(varbind)));
        }
    }
    let heard = Receiver::new(Duration::ZERO, 1, None, None).handle(Duration::ZERO, datagram);
    if let Some(Notification { id, varbinds, .. }) = heard.notification {
        lines.push(names.name(&id));
        lines.extend(varbinds.iter().map(|varbind| names.line(varbind)));
    }
    lines
}

/// A number that nobody can foresee.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// How objects are printed.
struct Shown {
    names: Names,
    numeric: bool,
}

impl Shown {
    fn new(numeric: bool) -> Self {
        Self { names: Names::new(), numeric }
    }

    fn name(&self, oid: &Oid) -> String {
        if self.numeric { format!(".{oid}") } else { self.names.name(oid) }
    }

    fn line(&self, varbind: &VarBind) -> String {
        match &varbind.value {
            Value::ObjectIdentifier(id) if self.numeric => format!(".{} = OID: .{id}", varbind.name),
            value => format!("{} = {}", self.name(&varbind.name), self.names.value(&varbind.name, value)),
        }
    }
}

/// One who asks.
struct Manager {
    link: Link,
    is_first_version: bool,
    shown: Shown,
    output: BufWriter<io::Stdout>,
}

impl Manager {
    fn new(asking: &Asking, agent: &str) -> Result<Self, Failure> {
        let community = |version| Session::of_community(version, asking.community.as_bytes());
        let session = match asking.version {
            SnmpVersion::V1 => community(Version::V1),
            SnmpVersion::V2c => community(Version::V2c),
            SnmpVersion::V3 => {
                let credentials = Credentials::read(&asking.user)?.ok_or(Failure::NoUser)?;
                Session::of_user(credentials, asking.context.as_bytes(), random())
            }
        };
        let link = Link::open(agent, session, asking.timeout, asking.retries)?;
        let is_first_version = asking.version == SnmpVersion::V1;
        let output = BufWriter::new(io::stdout());
        Ok(Self { link, is_first_version, shown: Shown::new(asking.numeric), output })
    }

    fn get(&mut self, objects: &[String]) -> Result<(), Failure> {
        let objects = objects.iter().map(|object| Ok(self.shown.names.find(object)?));
        let answer = self.ask_for(objects.collect::<Result<_, Failure>>()?)?;
        self.print(&self.accepted(answer)?)
    }

    fn walk(&mut self, root: &str, repetitions: i32) -> Result<(), Failure> {
        let root = self.shown.names.find(root)?;
        let repetitions = if self.is_first_version { 0 } else { repetitions };
        let (mut walk, mut found) = (Walk::new(root.clone(), repetitions), 0);
        loop {
            let (kind, numbers, asked) = walk.question();
            let answer = self.link.ask(kind, numbers, asked)?;
            if self.is_first_version && answer.first == NO_SUCH_NAME {
                return if found > 0 { self.say("End of MIB") } else { self.get_root(root) };
            }
            let Step { rows, is_last } = walk.take(self.accepted(answer)?.varbinds)?;
            found += rows.len();
            for row in &rows {
                writeln!(self.output, "{}", self.shown.line(row)).map_err(Failure::Output)?;
            }
            if is_last {
                break;
            }
        }
        if found == 0 { self.get_root(root) } else { self.output.flush().map_err(Failure::Output) }
    }

    /// Where there is nothing below, it may be the object itself that is meant.
    fn get_root(&mut self, root: Oid) -> Result<(), Failure> {
        let answer = self.ask_for(vec![root])?;
        self.print(&self.accepted(answer)?)
    }

    fn ask_for(&mut self, objects: Vec<Oid>) -> Result<Pdu, Failure> {
        let asked = objects.into_iter().map(|name| VarBind::new(name, Value::Null));
        self.link.ask(Kind::Get, (0, 0), asked.collect())
    }

    /// An answer without an error.
    fn accepted(&self, answer: Pdu) -> Result<Pdu, Failure> {
        if answer.first == 0 {
            return Ok(answer);
        }
        let place = usize::try_from(answer.second).ok().and_then(|place| place.checked_sub(1));
        let object = place.and_then(|place| answer.varbinds.get(place));
        Err(Failure::refused(answer.first, object.map(|object| self.shown.name(&object.name))))
    }

    fn print(&mut self, answer: &Pdu) -> Result<(), Failure> {
        for varbind in &answer.varbinds {
            writeln!(self.output, "{}", self.shown.line(varbind)).map_err(Failure::Output)?;
        }
        self.output.flush().map_err(Failure::Output)
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.output, "{text}").and_then(|()| self.output.flush()).map_err(Failure::Output)
    }
}
