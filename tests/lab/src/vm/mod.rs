//! A kernel of one's own: Debian's, booted under QEMU over this machine's own files.
//!
//! The kernel below the tests may lack what a story is about (IPVS, ipvlan, VRF). A [`Guest`] runs such stories where it
//! does not: [`Guest::tells`] boots a machine for each processor, once for all stories of a test program, runs that same
//! program in them, and reports each story as the ordinary test it is. A story needs no care: in the guest every program,
//! library and file is where it is outside, and what it writes is gone at the end.

mod guest;
mod machine;
mod report;

pub use guest::Guest;
pub(crate) use guest::{is_inside, limit};
pub use machine::Machine;
