//! What only another kernel can show: every story is told in a guest that boots Debian's (see [`lab::vm`]).
//!
//! | room | what it tells |
//! |---|---|
//! | `ipvs` | requests to IPVS, and its table |
//! | `links` | links and devices that few kernels have: ipvlan, VRF |

#![allow(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "vm/ipvs.rs"]
mod ipvs;
#[path = "vm/links.rs"]
mod links;

use std::time::Duration;

use lab::{Guest, Subject};

/// Where the stories are told.
static GUEST: Guest = Guest::new(env!("CARGO_TARGET_TMPDIR"));

/// Nothing takes longer, on an emulated processor either.
const SOON: Duration = Duration::from_secs(60);

/// The daemon under test, or keepalived in its place.
fn ours() -> Subject {
    Subject::from_env(env!("CARGO_BIN_EXE_steadfast"))
}
