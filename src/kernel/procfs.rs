//! The processes of this system as /proc shows them (proc(5)).
//!
//! Reading a command line takes a lock of the process it belongs to, so a process that is stuck can hold up the reader:
//! for threads that nobody waits for.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// A process that runs; one that has ended and waits for its parent does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: u32,
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: Vec<u8>,
    /// The words of its command line as far as it was asked for; empty for a kernel thread.
    pub command_line: Vec<Vec<u8>>,
}

/// Every process there is, each read when its turn comes, with at most `limit` bytes of its command line.
pub fn processes(limit: usize) -> io::Result<impl Iterator<Item = io::Result<ProcessInfo>>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(move |entry| match entry {
        // One that has ended meanwhile is left out.
        Ok(entry) => process(entry.file_name().to_str()?.parse().ok()?, limit).map(Ok),
        Err(error) => Some(Err(error)),
    }))
}

/// One process, unless it is gone, with at most `limit` bytes of its command line.
pub fn process(pid: u32, limit: usize) -> Option<ProcessInfo> {
    let directory = Path::new("/proc").join(pid.to_string());
    let name = running_name(&fs::read(directory.join("stat")).ok()?)?.to_vec();
    let command_line =
        if limit == 0 { Vec::new() } else { words(&beginning(&directory.join("cmdline"), limit).ok()?) };
    Some(ProcessInfo { pid, name, command_line })
}

/// The first bytes of a file. Any process can show gigabytes as its command line.
fn beginning(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name in /proc/PID/stat, `PID (NAME) STATE …`, where the name may hold anything; `None` for the dead.
fn running_name(stat: &[u8]) -> Option<&[u8]> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let state = stat.get(close + 2)?;
    (!matches!(state, b'Z' | b'X' | b'x')).then(|| stat.get(open + 1..close))?
}

/// Each word of /proc/PID/cmdline ends in a zero, the last one perhaps not.
fn words(command_line: &[u8]) -> Vec<Vec<u8>> {
    let whole = command_line.strip_suffix(&[0]).unwrap_or(command_line);
    if whole.is_empty() { Vec::new() } else { whole.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_the_dead_have_none() {
        assert_eq!(running_name(b"7 (nginx) S 1 7"), Some(&b"nginx"[..]));
        assert_eq!(running_name(b"7 (a) Z (b) R 1 7"), Some(&b"a) Z (b"[..]));
        assert_eq!(running_name(b"7 (nginx) Z 1 7"), None);
        for broken in [&b""[..], b"7 (", b"7 (a)", b"7 )a( S 1", b"7 nginx S"] {
            assert_eq!(running_name(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_command_line_is_split_at_its_zeros() {
        assert_eq!(words(b""), Vec::<Vec<u8>>::new());
        assert_eq!(words(b"a\0"), [b"a".to_vec()]);
        assert_eq!(words(b"a\0\0b c\0"), [b"a".to_vec(), b"".to_vec(), b"b c".to_vec()]);
        assert_eq!(words(b"nginx: worker"), [b"nginx: worker".to_vec()]);
    }

    #[test]
    fn this_process_is_among_all() {
        let own = std::process::id();
        let found = processes(4096).unwrap().map(Result::unwrap).find(|process| process.pid == own).unwrap();
        let first = std::env::args().next().unwrap();
        assert_eq!(found.command_line.first().map(Vec::as_slice), Some(first.as_bytes()));
        assert!(!found.name.is_empty());
        assert_eq!(process(own, 0).unwrap().command_line, Vec::<Vec<u8>>::new());
        assert_eq!(process(u32::MAX, 4096), None);
    }

    #[test]
    fn no_more_of_a_command_line_is_read_than_was_asked_for() {
        let first = std::env::args().next().unwrap();
        let cut = process(std::process::id(), 3).unwrap().command_line;
        assert_eq!(cut, [first.as_bytes()[..3].to_vec()]);
    }
}
