//! Programs: where they are, and who may change them or what leads to them.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Bits of a file's mode (inode(7)).
const STICKY: u32 = 0o1000;
const WRITE_GROUP: u32 = 0o020;
const WRITE_OTHERS: u32 = 0o002;

/// Symbolic links on the way to a file; the kernel follows as many (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// What became of a search for a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// An executable file.
    Found {
        /// Where it is, symbolic links to other folders resolved.
        path: PathBuf,
        /// Where it was found, as it is named there.
        named: PathBuf,
    },
    /// There is a file, but it cannot be executed.
    NotExecutable(PathBuf),
    /// Nothing of that name.
    Missing,
}

/// The file at `path`, if it can be executed.
///
/// Symbolic links are resolved, but for one in the file's own folder: a program of many names (`sh` for `dash`) keeps
/// the one it was called by, as in keepalived.
pub(super) fn probe(path: &Path) -> Program {
    let Ok(target) = path.canonicalize() else { return Program::Missing };
    let Ok(meta) = fs::metadata(&target) else { return Program::Missing };
    let resolved = match (path.parent().and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
        (Some(folder), Some(name)) if target.parent() == Some(&*folder) => folder.join(name),
        _ => target,
    };
    if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        Program::Found { path: resolved, named: path.to_path_buf() }
    } else {
        Program::NotExecutable(resolved)
    }
}

/// The first part of a path, from the top, that somebody other than root may change or replace.
///
/// Each part must belong to root and be writable by root's user and group alone. A folder with the sticky bit may be
/// writable: nobody but root can replace root's files in it. keepalived 2.2.7 judges the same.
pub(super) fn exposed_part(path: &Path) -> Option<PathBuf> {
    let Some(parts) = passed(path).filter(|_| path.exists()) else { return Some(path.to_path_buf()) };
    parts.into_iter().find(|part| fs::symlink_metadata(part).map_or(true, |meta| is_exposed(&meta)))
}

/// Every folder and every symbolic link on the way to a file, and the file, in order; `None` when the way does not end.
fn passed(path: &Path) -> Option<Vec<PathBuf>> {
    let absolute = std::path::absolute(path).ok()?;
    let mut ahead: VecDeque<OsString> = absolute.iter().map(OsStr::to_owned).collect();
    let (mut here, mut parts, mut links) = (PathBuf::from("/"), Vec::new(), 0);
    while let Some(name) = ahead.pop_front() {
        // With `/` it begins at the root again.
        let next = here.join(&name);
        if name == ".." {
            here.pop();
        } else if let Ok(target) = fs::read_link(&next) {
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            target.iter().rev().for_each(|name| ahead.push_front(name.to_owned()));
            parts.push(next);
        } else {
            parts.push(next.clone());
            here = next;
        }
    }
    Some(parts)
}

fn is_exposed(meta: &fs::Metadata) -> bool {
    let mode = meta.mode();
    // A link has no mode.
    let by_others =
        !meta.is_symlink() && (mode & WRITE_OTHERS != 0 || mode & WRITE_GROUP != 0 && meta.gid() != 0);
    meta.uid() != 0 || by_others && !(meta.is_dir() && mode & STICKY != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::{Environment as _, System};

    #[test]
    fn root_alone_may_change_a_system_program() {
        let Program::Found { path: shell, .. } = System.program("/bin/sh") else { panic!("no /bin/sh") };
        assert_eq!(System.writable_by_others(&shell), None);
        assert!(!System.gains_root(&shell));
        let missing = Path::new("/no/such/program");
        assert_eq!(System.writable_by_others(missing).as_deref(), Some(missing));
    }

    #[test]
    fn the_part_of_a_path_that_others_may_change_is_named() {
        // Root's files alone can be safe; without root every part is somebody else's.
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().canonicalize().unwrap().join("inner");
        let script = inner.join("script");
        fs::create_dir(&inner).unwrap();
        fs::write(&script, "").unwrap();
        let mode =
            |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let exposed = || System.writable_by_others(&script);
        mode(&inner, 0o755);
        mode(&script, 0o755);
        if !nix::unistd::geteuid().is_root() {
            return assert!(exposed().is_some());
        }
        assert_eq!(exposed(), None);
        mode(&inner, 0o1777);
        assert_eq!(exposed(), None, "root's file in a sticky folder");
        mode(&inner, 0o777);
        assert_eq!(exposed().as_ref(), Some(&inner));
        mode(&inner, 0o755);
        mode(&script, 0o777);
        assert_eq!(exposed().as_ref(), Some(&script));
        mode(&script, 0o775);
        assert_eq!(exposed(), None, "root's group");
        std::os::unix::fs::chown(&script, None, Some(1)).unwrap();
        assert_eq!(exposed().as_ref(), Some(&script), "another group");
        mode(&script, 0o4755);
        assert!(exposed().is_none() && System.gains_root(&script));
        std::os::unix::fs::chown(&script, Some(1), None).unwrap();
        assert_eq!(exposed().as_ref(), Some(&script), "another owner");
    }

    #[test]
    fn whoever_may_change_a_link_on_the_way_may_change_the_program() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let [real, other, link, far] = ["real", "other", "link", "far"].map(|name| folder.join(name));
        fs::create_dir(&real).unwrap();
        fs::create_dir(&other).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(real.join("script"), "").unwrap();
        fs::set_permissions(real.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("other/link", &link).unwrap();
        symlink("../real", other.join("link")).unwrap();
        let script = link.join("script");
        fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(exposed_part(&script), None);
        let Program::Found { path, named } = probe(&script) else { panic!("no program") };
        assert_eq!((path, named), (real.join("script"), script.clone()));
        // A folder that only a link leads through.
        fs::set_permissions(&other, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(exposed_part(&script), Some(other.clone()));
        fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::lchown(&link, Some(1), None).unwrap();
        assert_eq!(exposed_part(&script), Some(link));
        symlink("far", &far).unwrap();
        assert_eq!(exposed_part(&far), Some(far.clone()), "it has no end");
    }
}
