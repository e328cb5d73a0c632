//! Who may send echo requests without privileges (ip-sysctl: `ping_group_range`).

use std::{fs, path::Path};

use nix::unistd::getegid;

use super::KernelError;

const SETTING: &str = "/proc/sys/net/ipv4/ping_group_range";

/// The setting as it was before the daemon's own group was let in.
#[derive(Debug)]
pub struct PingGroup(String);

impl PingGroup {
    /// Lets the daemon's own group in, in the network namespace of this thread; `None` when it is in already.
    ///
    /// # Errors
    /// Where the setting cannot be read or written.
    pub fn widen() -> Result<Option<Self>, KernelError> {
        let failed = |error| {
            KernelError::from_io(format!("letting the daemon send echo requests ({SETTING})"), &error)
        };
        let before = fs::read_to_string(Path::new(SETTING)).map_err(failed)?;
        let own = getegid().as_raw();
        let Some(range) = with(&before, own) else { return Ok(None) };
        fs::write(SETTING, range).map_err(failed)?;
        Ok(Some(Self(before)))
    }

    /// As it was.
    pub fn restore(self) {
        // In a namespace that is gone by now there is nothing to put back.
        let _ = fs::write(SETTING, self.0);
    }
}

/// The range with this group in it; `None` when it is already.
fn with(range: &str, own: u32) -> Option<String> {
    let mut ends = range.split_whitespace().map(str::parse::<u32>);
    match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) if first <= last => {
            let fits = (first..=last).contains(&own);
            (!fits).then(|| format!("{} {}", first.min(own), last.max(own)))
        }
        _ => Some(format!("{own} {own}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_widened_as_far_as_need_be() {
        assert_eq!(with("1\t0\n", 0).as_deref(), Some("0 0"));
        assert_eq!(with("100\t200\n", 0).as_deref(), Some("0 200"));
        assert_eq!(with("0\t2147483647\n", 0), None);
    }
}
