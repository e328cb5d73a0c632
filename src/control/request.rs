//! What may be asked over the socket: one JSON object a line.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A line of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Everything at a glance.
    Status,
    /// All there is to say of one thing, or of all of a kind.
    Show {
        /// Of which kind.
        kind: Kind,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Why an instance is in its state.
    Why {
        /// The instance.
        name: String,
    },
    /// The transitions up to now, a line each, and a last line that says so.
    Events {
        /// From when on; from the start when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Since>,
    },
    /// Each transition that comes, until the client goes.
    Watch,
    /// An instance, with its sync group, or a sync group gives way, and lets a worse master be for a while.
    StepDown {
        /// The instance or sync group.
        name: String,
        /// For how long; 0 ends it.
        seconds: u64,
    },
    /// Something is added to the priority of an instance, or of all of a sync group.
    Priority {
        /// The instance or sync group.
        name: String,
        /// What, -253..=253; 0 ends it.
        by: i16,
        /// For how long; until it is ended when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// All instances stand aside until it is switched off.
    Maintenance {
        /// Whether they do.
        on: bool,
    },
    /// The configuration is read anew, and what differs brought about.
    Reload {
        /// Only say what that would do.
        #[serde(default)]
        dry_run: bool,
    },
}

/// From when on transitions are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// So many seconds ago.
    Ago(u64),
    /// After the transition of this number.
    After(u64),
}

/// Kinds of things that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Virtual routers
    Instance,
    /// Sync groups
    Group,
    /// Tracked scripts
    Script,
    /// Whatever is tracked: interfaces, scripts, files, processes, BFD sessions
    Track,
    /// Virtual servers with their real servers
    Server,
    /// The session with the SNMP master agent
    Snmp,
    /// What the kernel has of an instance's addresses, routes and rules
    Kernel,
}

impl Kind {
    /// What one of them is called in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Instance | Self::Kernel => "instance",
            Self::Group => "sync group",
            Self::Script => "script",
            Self::Track => "tracker",
            Self::Server => "virtual server",
            Self::Snmp => "SNMP session",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_request_is_an_object_that_says_what_to_do() {
        assert_eq!(read(r#"{"do":"status"}"#).unwrap(), Request::Status);
        let show = read(r#"{"do":"show","kind":"instance","name":"VI"}"#).unwrap();
        assert_eq!(show, Request::Show { kind: Kind::Instance, name: Some("VI".into()) });
        assert_eq!(
            read(r#"{"do":"show","kind":"snmp"}"#).unwrap(),
            Request::Show { kind: Kind::Snmp, name: None }
        );
    }

    #[test]
    fn events_are_asked_for_by_time_or_number() {
        let events = |since| Request::Events { since };
        assert_eq!(read(r#"{"do":"events"}"#).unwrap(), events(None));
        assert_eq!(read(r#"{"do":"events","since":{"ago":600}}"#).unwrap(), events(Some(Since::Ago(600))));
        assert_eq!(read(r#"{"do":"events","since":{"after":7}}"#).unwrap(), events(Some(Since::After(7))));
    }

    #[test]
    fn a_reload_is_carried_out_unless_the_request_says_otherwise() {
        assert_eq!(read(r#"{"do":"reload"}"#).unwrap(), Request::Reload { dry_run: false });
        assert_eq!(read(r#"{"do":"reload","dry_run":true}"#).unwrap(), Request::Reload { dry_run: true });
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["", "{}", "[]", "status", r#"{"do":"dance"}"#, r#"{"do":"show","kind":"moon"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(
            read(r#"{"do":"show","kind":"instance","nmae":"VI"}"#).is_err(),
            "a slip is no request for all"
        );
    }
}
