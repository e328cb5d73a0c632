//! What the processes are called (`process_names` and its relatives), as ps(1) and pgrep(1) find them.

use crate::{cli::Part, config::settings::GlobalDefs};

/// Of the engine, with `process_names`: keepalived's name of the process that runs virtual routers.
const VRRP: &str = "keepalived_vrrp";

/// The name of a process; `None` where it is to keep that of its program.
pub(super) fn of(part: Part, settings: &GlobalDefs) -> Option<&str> {
    let GlobalDefs { process_names, process_name, vrrp_process_name, .. } = settings;
    let of_engine = vrrp_process_name.as_deref().or(process_names.then_some(VRRP));
    of_engine.filter(|_| part == Part::Engine).or(process_name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Global;

    #[test]
    fn processes_are_called_as_keepalived_calls_them() {
        let names = |names: bool, parent: Option<&str>, vrrp: Option<&str>| {
            let mut settings = Global::empty().settings;
            settings.process_names = names;
            settings.process_name = parent.map(Into::into);
            settings.vrrp_process_name = vrrp.map(Into::into);
            [Part::Whole, Part::Engine].map(|part| of(part, &settings).map(str::to_owned))
        };
        let both =
            |parent: Option<&str>, engine: Option<&str>| [parent, engine].map(|name| name.map(str::to_owned));
        // As found in /proc/PID/comm of its processes.
        assert_eq!(names(false, None, None), both(None, None));
        assert_eq!(names(true, None, None), both(None, Some("keepalived_vrrp")));
        assert_eq!(names(false, Some("top"), None), both(Some("top"), Some("top")));
        assert_eq!(names(false, None, Some("v")), both(None, Some("v")));
        assert_eq!(names(true, Some("top"), Some("v")), both(Some("top"), Some("v")));
    }
}
