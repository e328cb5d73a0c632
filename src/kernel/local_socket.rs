//! The socket in a file that programs of this host talk to the daemon over (unix(7)).

use std::{
    fs::{self, File, Permissions},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown},
            net::UnixListener as StdListener,
        },
    },
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::KernelError;

/// Connections that wait to be accepted; the next ones wait to be taken up or are refused by the kernel.
const BACKLOG: i32 = 64;

/// A socket that listens. The file is removed with it, unless something else has its name by then.
#[derive(Debug)]
pub struct LocalSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

/// Who is at the other end, by the kernel's word (SO_PEERCRED).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// User id.
    pub uid: u32,
    /// Process id; `None` from another PID namespace.
    pub pid: Option<i32>,
}

impl Caller {
    /// Whether it is the user who may do anything anyway.
    pub const fn is_root(self) -> bool {
        self.uid == 0
    }

    /// The user's name. The name service may take as long as it likes for it.
    pub fn user_name(self) -> Option<String> {
        User::from_uid(Uid::from_raw(self.uid)).ok().flatten().map(|user| user.name)
    }
}

impl LocalSocket {
    /// Listens at `path`, for root and this process's user alone, or for the members of a group too. What a dead process
    /// has left there gives way. Needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// Whatever the system says; where somebody listens already; and where something else than a socket is.
    pub fn bind(path: &Path, group: Option<u32>) -> Result<Self, KernelError> {
        let doing = format!("listening at {}", path.display());
        make_way(path).map_err(|why| KernelError::other(&*doing, why))?;
        listen(path, group).map_err(|error| KernelError::from_io(doing, &error).needing(Some("CAP_CHOWN")))
    }

    /// The next connection.
    ///
    /// # Errors
    /// Whatever the system says: no descriptors are left, mostly.
    pub async fn accept(&self) -> io::Result<(UnixStream, Caller)> {
        let (stream, _) = self.listener.accept().await?;
        let credentials = stream.peer_cred()?;
        Ok((stream, Caller { uid: credentials.uid(), pid: credentials.pid() }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file) {
            let _anyway = fs::remove_file(&self.path);
        }
    }
}

/// Removes what a dead process has left.
fn make_way(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
        Ok(found) if !found.file_type().is_socket() => return Err("something else is there".into()),
        Ok(_) => {}
    }
    let probe = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    match probe() {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| error.to_string())
        }
        // Also when so many wait there that nobody more may.
        _ => Err("another daemon listens there".into()),
    }
}

/// At no time anybody else can connect.
fn listen(path: &Path, group: Option<u32>) -> io::Result<LocalSocket> {
    let socket = File::from(OwnedFd::from(Socket::new(Domain::UNIX, Type::STREAM, None)?));
    // What the socket has before it is bound, its file has from its first moment on.
    socket.set_permissions(Permissions::from_mode(0o600))?;
    let socket = Socket::from(OwnedFd::from(socket));
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let ready = || {
        if let Some(group) = group {
            chown(path, None, Some(group))?;
            fs::set_permissions(path, Permissions::from_mode(0o660))?;
        }
        socket.listen(BACKLOG)?;
        fs::symlink_metadata(path)
    };
    let found = ready().inspect_err(|_| drop(fs::remove_file(path)))?;
    let listener = UnixListener::from_std(StdListener::from(OwnedFd::from(socket)))?;
    Ok(LocalSocket { listener, path: path.to_owned(), file: (found.dev(), found.ino()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> (u32, u32) {
        let found = fs::metadata(path).unwrap();
        (found.mode() & 0o7777, found.gid())
    }

    #[tokio::test]
    async fn it_is_for_its_owner_alone_or_for_a_group_and_goes_with_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let socket = LocalSocket::bind(&path, None).unwrap();
        assert_eq!(mode(&path).0, 0o600);
        let _client = UnixStream::connect(&path).await.unwrap();
        let (_, caller) = socket.accept().await.unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(caller, Caller { uid: nix::unistd::geteuid().as_raw(), pid: Some(pid) });
        drop(socket);
        assert!(!path.exists());
        let socket = LocalSocket::bind(&path, Some(12_345)).expect("this test needs root");
        assert_eq!(mode(&path), (0o660, 12_345));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        drop(socket);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn what_a_dead_process_left_gives_way_and_a_living_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let refusal = || LocalSocket::bind(&path, None).unwrap_err().to_string();
        drop(StdListener::bind(&path).unwrap());
        let living = LocalSocket::bind(&path, None).unwrap();
        assert!(refusal().ends_with("another daemon listens there"), "{}", refusal());
        drop(living);
        fs::write(&path, "precious").unwrap();
        assert!(refusal().ends_with("something else is there"), "{}", refusal());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        assert!(LocalSocket::bind(&folder.path().join("none").join("sock"), None).is_err());
    }
}
