//! What the kernel refused, in words an operator can act on.

use std::{borrow::Cow, fmt, io};

use nix::errno::Errno;

/// What nearly every operation of the engine needs.
const OF_THE_ENGINE: &str = "CAP_NET_ADMIN or CAP_NET_RAW";

/// A refused or failed kernel operation: what was tried, on which object, what the kernel said, and the
/// way out where one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelError {
    operation: String,
    cause: Cause,
    /// The privilege without which the operation is not permitted, where it is known.
    privilege: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// The kernel's errno.
    Errno(Errno),
    /// No errno: the answer was lost or never sent.
    Other(String),
}

impl KernelError {
    /// `operation` is a gerund with its object: "adding 10.9.0.100/24 to eth0".
    pub(super) fn new(operation: impl Into<String>, errno: Errno) -> Self {
        Self { operation: operation.into(), cause: Cause::Errno(errno), privilege: Some(OF_THE_ENGINE) }
    }

    /// For an [`io::Error`] from a system call; keeps its errno if it carries one.
    pub(crate) fn from_io(operation: impl Into<String>, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::new(operation, Errno::from_raw(errno)),
            None => Self::other(operation, error.to_string()),
        }
    }

    /// For a failure that has no errno.
    pub(crate) fn other(operation: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { operation: operation.into(), cause: Cause::Other(reason.into()), privilege: None }
    }

    /// The same for an operation that needs another privilege than most: its name, if one would help.
    pub(super) fn needing(self, privilege: Option<&'static str>) -> Self {
        Self { privilege, ..self }
    }

    /// Whether what the operation is about does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.cause, Cause::Errno(Errno::ENOENT | Errno::ESRCH))
    }

    /// The kernel's error number (errno(3)); `None` when its answer was lost.
    pub fn errno(&self) -> Option<i32> {
        match self.cause {
            Cause::Errno(errno) => Some(errno as i32),
            Cause::Other(_) => None,
        }
    }

    /// The way out, for the refusals an operator can do something about.
    fn help(&self) -> Option<Cow<'static, str>> {
        match self.cause {
            // What is refused for want of a privilege is EACCES from some calls, as from setpriority(2).
            Cause::Errno(Errno::EACCES) if self.privilege == Some(OF_THE_ENGINE) => None,
            Cause::Errno(Errno::EPERM | Errno::EACCES) => {
                self.privilege.map(|name| format!("needs {name}").into())
            }
            Cause::Errno(Errno::ENODEV) => Some("does the interface exist?".into()),
            Cause::Errno(Errno::EMFILE) => Some("raise the limit on open files (ulimit -n)".into()),
            _ => None,
        }
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Errno(errno) => write!(f, "{}: {}", self.operation, errno.desc())?,
            Cause::Other(reason) => write!(f, "{}: {reason}", self.operation)?,
        }
        match self.help() {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for KernelError {}

/// `error` with its errno's symbolic name: "ENETDOWN: Network is down".
pub fn describe(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(errno) => format!("{errno:?}: {}", errno.desc()),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_operation_object_errno_and_way_out() {
        let error = KernelError::new("adding 10.9.0.100/24 to eth0", Errno::EPERM);
        assert_eq!(
            error.to_string(),
            "adding 10.9.0.100/24 to eth0: Operation not permitted (needs CAP_NET_ADMIN or CAP_NET_RAW)"
        );
        assert_eq!(error.errno(), Some(1));
        let error = KernelError::new("sending SIGKILL to check", Errno::EPERM);
        assert_eq!(
            error.clone().needing(None).to_string(),
            "sending SIGKILL to check: Operation not permitted"
        );
        let text = error.needing(Some("CAP_KILL")).to_string();
        assert_eq!(text, "sending SIGKILL to check: Operation not permitted (needs CAP_KILL)");
    }

    #[test]
    fn an_io_error_keeps_its_errno() {
        let error = KernelError::from_io("binding", &io::Error::from_raw_os_error(19));
        assert_eq!(error.errno(), Some(19), "{error}");
        let error = KernelError::from_io("binding", &io::Error::other("broken"));
        assert_eq!((error.errno(), error.to_string()), (None, "binding: broken".to_owned()));
    }

    #[test]
    fn socket_errors_are_described_by_name() {
        assert_eq!(describe(&io::Error::from_raw_os_error(100)), "ENETDOWN: Network is down");
        assert_eq!(describe(&io::Error::from_raw_os_error(105)), "ENOBUFS: No buffer space available");
    }
}
