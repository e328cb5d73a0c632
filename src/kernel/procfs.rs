//! The processes of this system as /proc shows them (proc(5)).
//!
//! Reading a command line takes a lock of the process it belongs to, so a process that is stuck can hold up the reader:
//! for threads that nobody waits for.

use std::{fs, io, path::Path};

/// A process that runs; one that has ended and waits for its parent does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: u32,
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: Vec<u8>,
    /// The words of its command line; empty for a kernel thread, and when it was not asked for.
    pub command_line: Vec<Vec<u8>>,
}

/// Every process there is.
pub fn processes(command_lines: bool) -> io::Result<Vec<ProcessInfo>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        if let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) {
            // One that has ended meanwhile is left out.
            all.extend(process(pid, command_lines));
        }
    }
    Ok(all)
}

/// One process, unless it is gone.
pub fn process(pid: u32, command_line: bool) -> Option<ProcessInfo> {
    let directory = Path::new("/proc").join(pid.to_string());
    let name = running_name(&fs::read(directory.join("stat")).ok()?)?.to_vec();
    let command_line =
        if command_line { words(&fs::read(directory.join("cmdline")).ok()?) } else { Vec::new() };
    Some(ProcessInfo { pid, name, command_line })
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
        let all = processes(true).unwrap();
        let found = all.iter().find(|process| process.pid == own).unwrap();
        let first = std::env::args().next().unwrap();
        assert_eq!(found.command_line.first().map(Vec::as_slice), Some(first.as_bytes()));
        assert!(!found.name.is_empty());
        assert_eq!(process(own, false).unwrap().command_line, Vec::<Vec<u8>>::new());
        assert_eq!(process(u32::MAX, true), None);
    }
}
