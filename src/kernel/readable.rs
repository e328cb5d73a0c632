//! Descriptors of any kind that the runtime waits for something to read from.

use std::{io, os::fd::OwnedFd};

use tokio::net::unix::pipe;

/// A descriptor that is read from and nothing else, be it a pipe or not: tokio's type for the reading end of a pipe is the safe way to
/// wait for any of them. Whoever waits for room to write as well is woken up by every packet that has left.
pub(super) type Readable = pipe::Receiver;

/// Has the runtime know a descriptor that does not block.
///
/// # Errors
/// When epoll does not take it, as one of a file.
pub(super) fn readable(descriptor: OwnedFd) -> io::Result<Readable> {
    pipe::Receiver::from_owned_fd_unchecked(descriptor)
}
