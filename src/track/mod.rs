//! What moves a priority or sends a router to FAULT: interfaces, scripts, files, processes, BFD sessions.
//!
//! A tracker watches one thing and belongs to nobody: any number of instances subscribe to it, each with a line of
//! its own ([`Tracked`](crate::config::tracking::Tracked)). What the tracker has found out is an [`Observation`];
//! what that means to one line is its [`Effect`]. This is the same for all kinds; what differs is how each comes to
//! its observation, which is a machine of its own:
//!
//! * [`LinkTracker`]: whether an interface counts as up, after its delays;
//! * [`ScriptTracker`]: when to run a script, when to end it, and what its exits mean;
//! * [`FileTracker`]: the number in a file;
//! * [`Census`]: which processes run, and whether there are as many as there should be;
//! * [`Sessions`]: what the states of BFD sessions mean, for whoever runs them.
//!
//! The room holds machines only: whoever drives them starts processes, reads files and the clock. It may import
//! [`crate::config`]'s model, [`crate::registry`]'s row types and [`crate::units`].

mod effect;
mod file;
mod link;
mod process;
mod script;
pub mod session;
#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    effect::{Effect, Finding, Observation, effect},
    file::{Content, FileTracker, FileVerdict, LONGEST},
    link::LinkTracker,
    process::{Census, Image, ProcessVerdict},
    script::{RunEnd, ScriptAction, ScriptTracker, Verdict},
    session::Sessions,
};
