//! Notify scripts: programs that are told of every transition, in order, and never waited for by the engine.
//!
//! A runner reads the one stream of transitions with a cursor of its own and starts, for each transition,
//! first `notify_<state>` and then `notify`, as keepalived does: both at once, neither awaited. The room may
//! import [`crate::registry`], [`crate::config`]'s model, [`crate::units`] and `kernel::process`.

mod command;
mod runner;

pub use self::runner::Runner;
