//! The family of generic netlink that IPVS is, and messages of it (linux/genetlink.h).

use std::process::Command as Program;

use nix::libc;

use super::{Change, Command, socket::Socket};
use crate::kernel::{
    KernelError, ReceiveBuffer,
    attributes::{Attributes, Values},
    error::describe,
};

/// GENL_ID_CTRL, the family that knows the others.
const CONTROL: u16 = 16;
/// CTRL_CMD_GETFAMILY.
const GET_FAMILY: u8 = 3;
/// CTRL_ATTR_FAMILY_ID and CTRL_ATTR_FAMILY_NAME.
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
/// The name of the family, and of the module that brings it.
const NAME: &str = "IPVS";
const MODULE: &str = "ip_vs";
/// The version of the family; the kernel does not look at it.
const VERSION: u8 = 1;
/// Command, version, and two bytes of nothing, before the attributes.
const HEADER: usize = 4;

/// A socket and the number that IPVS has on this host.
#[derive(Debug)]
pub(super) struct Opened {
    socket: Socket,
    family: u16,
}

pub(super) fn open(buffer: ReceiveBuffer) -> Result<Opened, KernelError> {
    let mut socket = Socket::open(buffer)
        .map_err(|error| KernelError::from_io("opening a socket of generic netlink", &error))?;
    let family = match number(&mut socket) {
        Ok(family) => family,
        // The kernel could not load it by itself: no modprobe at the place where it looks for one.
        Err(_) => load_module().and_then(|()| number(&mut socket))?,
    };
    Ok(Opened { socket, family })
}

fn number(socket: &mut Socket) -> Result<u16, KernelError> {
    let mut attributes = Attributes::default();
    attributes.text(FAMILY_NAME, NAME);
    let doing = format!("asking the kernel for {NAME} (module {MODULE})");
    let answers = socket.ask(CONTROL, &message(GET_FAMILY, &attributes));
    let answers = answers.map_err(|error| KernelError::from_io(&doing, &error))?;
    answers
        .iter()
        .find_map(|answer| Values::of(answer.get(HEADER..)?).u16(FAMILY_ID))
        .ok_or_else(|| KernelError::other(doing, "it does not say which number the family has"))
}

fn load_module() -> Result<(), KernelError> {
    let doing = format!("loading module {MODULE}");
    let output = Program::new("modprobe").arg(MODULE).output();
    let output =
        output.map_err(|error| KernelError::other(&doing, format!("modprobe: {}", describe(&error))))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(KernelError::other(doing, if said.is_empty() { output.status.to_string() } else { said }))
}

/// A message without the header of netlink.
fn message(command: u8, attributes: &Attributes) -> Vec<u8> {
    [&[command, VERSION, 0, 0], attributes.as_bytes()].concat()
}

impl Opened {
    pub(super) fn make(&mut self, changes: &[Change]) -> Vec<Result<(), KernelError>> {
        let messages = changes.iter().map(|change| {
            let mut attributes = Attributes::default();
            change.write(&mut attributes);
            message(change.command() as u8, &attributes)
        });
        let answers = self.socket.make(self.family, messages);
        let told = |(change, answer): (&Change, Result<(), std::io::Error>)| {
            answer.map_err(|error| KernelError::from_io(change.to_string(), &error))
        };
        changes.iter().zip(answers).map(told).collect()
    }

    /// The answers to a question for all of something, each without its headers.
    pub(super) fn list(
        &mut self,
        doing: &str,
        command: Command,
        write: impl FnOnce(&mut Attributes),
    ) -> Result<Vec<Vec<u8>>, KernelError> {
        let mut attributes = Attributes::default();
        write(&mut attributes);
        let answers = self.socket.list(self.family, &message(command as u8, &attributes));
        let answers = answers.map_err(|error| KernelError::from_io(doing, &error))?;
        Ok(answers.iter().filter_map(|answer| Some(answer.get(HEADER..)?.to_vec())).collect())
    }

    /// The one answer to a question.
    pub(super) fn ask(&mut self, doing: &str, command: Command) -> Result<Vec<u8>, KernelError> {
        let answers = self.socket.ask(self.family, &message(command as u8, &Attributes::default()));
        let answers = answers.map_err(|error| KernelError::from_io(doing, &error))?;
        let answer = answers.first().and_then(|answer| answer.get(HEADER..));
        answer.map(<[u8]>::to_vec).ok_or_else(|| KernelError::from_io(doing, &no_answer()))
    }
}

/// When the kernel says nothing.
fn no_answer() -> std::io::Error {
    std::io::Error::from_raw_os_error(libc::ENODATA)
}
