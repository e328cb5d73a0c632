//! Memory that a process has used and does not need for what it does from now on.

use std::io;

use super::sys;

/// Gives back what was freed, and the pages of code that ran once: reading a configuration takes most of the program, and
/// watching an engine next to none of it.
///
/// # Errors
/// When the kernel does not say what is mapped, or keeps it, as it does what is locked.
pub fn give_back() -> io::Result<()> {
    sys::trim_heap();
    sys::let_go_of_code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Resident pages of files, in KiB.
    fn resident() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    #[test]
    fn code_that_was_let_go_of_runs_again() {
        // Other tests, in other threads, use theirs meanwhile: one that finds less is enough.
        let is_less = |_| {
            let before = resident();
            give_back().unwrap();
            resident() < before
        };
        assert!((0..100).any(is_less), "{} KiB", resident());
    }
}
