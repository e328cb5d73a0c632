//! Files of the daemon's own, in folders where somebody else may be at work too: never reached through a link, and
//! never anything but a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::{
    libc,
    sys::stat::{Mode, umask},
};

/// The user who may do anything anyway.
const ROOT: u32 = 0;
/// Bits of a file's mode (inode(7)) that let others than its owner write.
pub(super) const WRITE_OTHERS: u32 = 0o022;

/// Opens a regular file of this one name. Nothing is changed in what another name may lead to, or in what is no file,
/// as long as the options do not truncate.
///
/// # Errors
/// Whatever the system says; and for symbolic links, for what is no file and for what has other names.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = options.custom_flags(flags).open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link"),
        _ => error,
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if found.nlink() > 1 {
        return Err(io::Error::other("the file has other names (hard links)"));
    }
    Ok(file)
}

/// Opens a file of this process's user or of root: what another one owns, that one reads, whatever the mode says.
///
/// # Errors
/// As those of [`open`]; and when it belongs to somebody else.
pub fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = open(options, path)?;
    match file.metadata()?.uid() {
        ROOT => Ok(file),
        owner if owner == nix::unistd::geteuid().as_raw() => Ok(file),
        _ => Err(io::Error::other("it belongs to somebody else")),
    }
}

/// What files that this process makes do not permit to anybody, nor those of the scripts that it starts (`umask`).
pub fn set_umask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// Opens a file that nobody but this process's user can have written.
///
/// # Errors
/// As those of [`open`]; and when somebody else could have written it.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = open(options, path)?;
    let found = file.metadata()?;
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to somebody else"));
    }
    if found.mode() & WRITE_OTHERS != 0 {
        return Err(io::Error::other("others may write to it"));
    }
    Ok(file)
}

/// The text of a file that nobody but this process's user can have written, of at most `limit` bytes.
///
/// # Errors
/// As those of [`open_private`]; and when it holds more, or it is no text.
pub fn read(path: &Path, limit: u64) -> io::Result<String> {
    let file = open_private(OpenOptions::new().read(true), path)?;
    if file.metadata()?.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a file whole or not at all, for its owner alone, by way of a draft beside it. What a power cut leaves of it is
/// open: it is for what counts until the next boot only.
///
/// # Errors
/// Whatever the system says.
pub fn replace(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let (_, draft) = draft(path, content.as_ref())?;
    fs::rename(&draft, path)
}

/// As [`replace`], whole or not at all also when the power is cut: it waits for the disk, before the file has its name
/// (else the name may be on the disk and the content not) and after.
///
/// # Errors
/// Whatever the system says.
pub fn replace_for_good(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let (file, draft) = draft(path, content.as_ref())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A new file beside `path` with this content.
fn draft(path: &Path, content: &[u8]) -> io::Result<(File, PathBuf)> {
    let draft = beside(path, ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // With O_EXCL no link is followed, either.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    Ok((file, draft))
}

/// The path with something behind its whole name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt as _, chown, symlink},
    };

    use super::*;

    #[test]
    fn only_what_nobody_else_can_have_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        let refusal = || read(&path, 100).unwrap_err().to_string();
        replace(&path, "text").unwrap();
        assert_eq!(read(&path, 4).unwrap(), "text");
        assert_eq!(read(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        for mode in [0o620, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(refusal().contains("others may write"), "{mode:o}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let other = folder.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        assert!(refusal().contains("hard links"));
        fs::remove_file(&path).unwrap();
        symlink(&other, &path).unwrap();
        assert!(refusal().contains("symbolic link"));
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refusal().contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        if nix::unistd::geteuid().is_root() {
            fs::write(&path, "text").unwrap();
            chown(&path, Some(1), None).unwrap();
            assert!(refusal().contains("somebody else"));
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_draft_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, precious] = ["notes", "precious"].map(|name| folder.path().join(name));
        fs::write(&precious, "content").unwrap();
        symlink(&precious, beside(&path, ".new")).unwrap();
        replace(&path, "text").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "content");
        assert_eq!(read(&path, 100).unwrap(), "text");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    }
}
