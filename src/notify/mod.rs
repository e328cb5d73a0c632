//! Who is told of transitions, each sink at its own pace: notify scripts, FIFOs, mail, D-Bus.
//!
//! Every sink reads the one stream of transitions with a cursor of its own, in order, and is never waited for: neither by
//! the engine nor by another sink. What it cannot take yet waits in the stream, which is the queue, and is bounded; what
//! the stream has lost by then is counted in the sink's row. The room may import [`crate::registry`], [`crate::config`]'s
//! model, [`crate::units`] and of [`crate::kernel`] processes, FIFOs and the clock.
//!
//! | part | what it does |
//! |---|---|
//! | `runner`, `command` | starts `notify_<state>` and then `notify`, as keepalived does: both at once, neither awaited |
//! | `fifo`, `writer`, `line` | writes a line for each transition into `notify_fifo`, `vrrp_notify_fifo` and `lvs_notify_fifo` |
//! | `pools` | what scripts and FIFOs are told of virtual servers and their real servers |
//! | `mail`, `letter`, `postbox`, `smtp`, `bounded` | mails what `smtp_alert` asks for, and tries again while the server is away |
//! | `dbus` | sends signals on the system bus, and answers there |
//! | `reader` | keeps the script of a FIFO running |
//! | `contests` | how often it is told that a MASTER hears a router with a lower claim |
//! | `kept` | what a panic in one of them ends: nothing but that one, for a moment |
//! | `sinks` | all of them together, from the start to the end |

mod bounded;
mod command;
mod contests;
mod dbus;
mod fifo;
mod kept;
mod letter;
mod line;
mod mail;
mod pools;
mod postbox;
mod reader;
mod runner;
mod sinks;
mod smtp;
mod writer;

pub use self::dbus::Errands;
pub use self::kept::{Keeper, Part, kept, tell_of_restart};
pub use self::sinks::{Sinks, rows};
