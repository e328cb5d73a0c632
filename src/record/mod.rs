//! Recordings: what was handed to the machines of virtual routers, and what they wanted done, as lines of JSON that can be
//! replayed.
//!
//! `--record FILE` writes one while the daemon runs, `steadfast replay FILE` hands its inputs to new machines and compares
//! what they do. A machine is deterministic, so a difference means that the program has changed since, or is broken.
//!
//! The first line is a [`Header`], every other one a [`Line`]: the router by its position in the configuration, the line's
//! number among those of that router, from 1 without gaps, and one [`Event`]. Times are nanoseconds of the monotonic clock.
//! A gap, or [`Event::Lost`], says that lines were dropped because the disk was slower than the network; what follows it for
//! that router proves nothing and is not compared.
//!
//! Anybody on the link can send packets that are rejected, in any number. They have no effect but on counters and log lines, so
//! only some of them are recorded, and no line about packets is.
//!
//! Passwords and keys are no part of it: settings leave them out, and in packets the password is replaced by a public one, a
//! check value or signature by one made with a public key, with the checksum brought in line, so that every packet is judged
//! as the original was.
//!
//! The room imports [`crate::vrrp`] with what its inputs are made of: [`crate::units`], the configuration's `Tracker`, the
//! registry's `Reason` and `InstanceStatus`; and the checksum. Who writes to a file is the daemon's business.

mod line;
mod recorded;
mod replay;
mod wipe;

pub use self::{
    line::{Event, Header, Line, Proof, VERSION},
    recorded::{Recorded, Tape},
    replay::{Difference, Invalid, Replayed, replay},
};

#[cfg(test)]
mod tests;
