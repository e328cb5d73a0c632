//! Checks of real servers: when each runs, what it asks, and what the answer means.
//!
//! A [`Schedule`] is the machine that all checks share: it says when the next try is due and what its outcome comes to,
//! and has no clock. A [`Probe`] is one try: it connects, asks and judges within its limits, and ends with an
//! [`Outcome`]. What it reads is judged by a machine of its own where there is more to it than a connection. The lane that
//! carries between both, and tells pools, is the daemon's.
//!
//! The room may import [`crate::config`]'s settings, [`crate::units`], `regex`, `tls`, and of [`crate::kernel`] what opens
//! sockets and starts programs.
//!
//! | part | what it does |
//! |---|---|
//! | `schedule`, `rhythm`, `course` | when a check runs, and when its failures count |
//! | `phases` | how long the parts of a try took |
//! | `probe` | the kinds of checks, and one try of each |
//! | `opening` | the connection of a try, which begins with those of others |
//! | `tcp` | `TCP_CHECK`, and the connections of others |
//! | `http` | `HTTP_GET` and `SSL_GET`: requests, answers, the order of pages |
//! | `smtp`, `dns`, `misc`, `udp`, `ping` | the checks of these names |
//! | `file` | `FILE_CHECK`, which asks nobody: what a number says of a server |

mod course;
mod dns;
mod file;
#[cfg(test)]
mod hostile;
mod http;
mod misc;
mod opening;
mod phases;
mod ping;
mod probe;
mod rhythm;
mod schedule;
mod smtp;
mod tcp;
mod udp;

pub use self::{
    course::Course,
    dns::{Reply, reply},
    file::of_number,
    http::{Clients, Http, Pages, Response, TooLong},
    opening::Opening,
    phases::Phases,
    probe::{Kind, Outcome, Probe},
    rhythm::Rhythm,
    schedule::{Schedule, Verdict},
    smtp::{Talk, Turn},
};
