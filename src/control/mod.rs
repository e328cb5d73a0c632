//! Control from outside: a socket in a file, a JSON object a line each way, and `steadfast ctl` at the other end.
//!
//! A [`Request`] is answered with one line, from the rows of the registry, as every other output is made. The server runs on
//! the manage lane and cannot hold up the engine: a line, an answer, a connection and their number are bounded, and whoever
//! sends garbage or does not read is shown the door. Who may connect is decided by the socket's file.
//!
//! * [`Request`]: what may be asked;
//! * `view`: what is answered, made of the rows;
//! * `follow`: transitions as they come; `past`: those that only the journal on disk still has;
//! * `why`: the same rows as an explanation;
//! * `instruct`: what an operator wants, given to whoever carries it out;
//! * `connection`: one client; [`Server`]: all of them.
//!
//! It may use `config`, `journal`, `kernel`, `registry` and `units`.

mod connection;
mod follow;
mod instruct;
mod past;
mod request;
mod server;
mod view;
mod why;

use std::path::{Path, PathBuf};

pub use self::{
    instruct::RELOAD,
    request::{Kind, Request, Since},
    server::Server,
    why::Why,
};
use crate::kernel::own_file;

/// Where the socket is when nobody says: beside the pid file.
pub fn socket_beside(pid_file: &Path) -> PathBuf {
    if pid_file.extension().is_some_and(|extension| extension == "pid") {
        pid_file.with_extension("sock")
    } else {
        own_file::beside(pid_file, ".sock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_pid_file() {
        for (pid_file, socket) in [("/run/steadfast.pid", "/run/steadfast.sock"), ("/x/pid", "/x/pid.sock")] {
            assert_eq!(socket_beside(Path::new(pid_file)), Path::new(socket));
        }
    }
}
