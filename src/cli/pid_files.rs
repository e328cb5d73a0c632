//! Where the pid files are: `-p`, `-r`, `use_pid_dir`, `instance`, `net_namespace`.

use std::path::{Path, PathBuf};

use super::Arguments;
use crate::config::settings::ProcessSettings;

/// Where they are when nobody says.
const RUN: &str = "/run";
/// The folder of daemons that are not alone on their host, below [`RUN`].
const FOLDER: &str = "steadfast";

/// The parent's, where packaging/steadfast.service has it: in a folder that a service of an ordinary user may write to.
pub const OF_THE_UNIT: &str = "/run/steadfast/steadfast.pid";

/// The files of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PidFiles {
    /// Of the parent, the process to signal.
    pub parent: PathBuf,
    /// Of the engine, as long as it runs virtual routers.
    pub vrrp: PathBuf,
}

impl PidFiles {
    /// Those of the command line, and for each that is not there what the configuration makes of it. The engine's is in the
    /// folder of the parent's.
    pub fn new(arguments: &Arguments, process: &ProcessSettings) -> Self {
        let namespace = process.net_namespace.as_deref();
        let instance = process.instance.as_deref();
        let mut folder = PathBuf::from(RUN);
        if process.use_pid_dir || namespace.is_some() || instance.is_some() {
            folder.push(FOLDER);
        }
        folder.extend(namespace);
        let name = |stem: &str| match instance {
            Some(instance) => format!("{stem}_{instance}.pid"),
            None => format!("{stem}.pid"),
        };
        let parent = arguments.pid.clone().unwrap_or_else(|| folder.join(name("steadfast")));
        let beside = || parent.parent().unwrap_or(Path::new("")).join(name("vrrp"));
        let vrrp = arguments.vrrp_pid.clone().unwrap_or_else(beside);
        Self { parent, vrrp }
    }

    /// Makes the folder of the parent's file where it is the daemon's own.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn make_folder(&self) -> std::io::Result<()> {
        match self.parent.parent() {
            Some(folder) if folder.starts_with(Path::new(RUN).join(FOLDER)) => {
                std::fs::create_dir_all(folder)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn files(line: &str, use_pid_dir: bool, instance: Option<&str>) -> [String; 2] {
        let arguments = Arguments::parse_from(["steadfast"].into_iter().chain(line.split_whitespace()));
        let instance = instance.map(Into::into);
        let process = ProcessSettings { use_pid_dir, instance, ..ProcessSettings::default() };
        let PidFiles { parent, vrrp } = PidFiles::new(&arguments, &process);
        [parent, vrrp].map(|path| path.display().to_string())
    }

    #[test]
    fn the_unit_has_the_file_where_it_is_looked_for() {
        let unit = include_str!("../../packaging/steadfast.service");
        let start = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
        assert!(start.contains(&format!(" --pid {OF_THE_UNIT} ")), "{start}");
    }

    #[test]
    fn the_command_line_comes_before_the_configuration() {
        assert_eq!(files("", false, None), ["/run/steadfast.pid", "/run/vrrp.pid"]);
        assert_eq!(files("", true, None), ["/run/steadfast/steadfast.pid", "/run/steadfast/vrrp.pid"]);
        let of_instance = ["/run/steadfast/steadfast_a.pid", "/run/steadfast/vrrp_a.pid"];
        assert_eq!(files("", false, Some("a")), of_instance);
        assert_eq!(files("-p /x/pid", true, None), ["/x/pid", "/x/vrrp.pid"]);
        assert_eq!(files("-p /x/pid", false, Some("a")), ["/x/pid", "/x/vrrp_a.pid"]);
        assert_eq!(files("-p /x/pid -r /y/z", false, Some("a")), ["/x/pid", "/y/z"]);
    }
}
