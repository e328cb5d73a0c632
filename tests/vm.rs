//! What only another kernel can show: every story is told in a guest that boots Debian's (see [`lab::vm`]).
//!
//! | room | what it tells |
//! |---|---|
//! | `ipvs` | requests to IPVS, and its table |
//! | `pools` | pools of real servers: the table as they die and come back, and what is told of it |
//! | `reloads` | the same as the configuration changes |
//! | `services` | kinds of services, and what they ask of their servers |
//! | `checkers` | each kind of check, up and down |
//! | `debian` | the same against servers that Debian has |
//! | `followed` | checks that follow files and addresses, and mails |
//! | `managers` | what SNMP shows of pools, beside `ipvsadm` |
//! | `traffic` | connections through a director, over reloads and restarts |
//! | `seeds` | configurations from the field |
//! | `scale` | thousands of services |
//! | `harm` | what other programs do to the table, and to IPVS |
//! | `connections` | the daemon that tells others of IPVS connections |
//! | `ways` | where checks come from, and firewalls on their way |
//! | `datagrams` | servers of datagrams |
//! | `site` | a director with servers that can be killed |
//! | `links` | links and devices that few kernels have: ipvlan, VRF |

#![allow(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "vm/checkers.rs"]
mod checkers;
#[path = "vm/connections.rs"]
mod connections;
#[path = "vm/datagrams.rs"]
mod datagrams;
#[path = "vm/debian.rs"]
mod debian;
#[path = "vm/followed.rs"]
mod followed;
#[path = "vm/harm.rs"]
mod harm;
#[path = "vm/ipvs.rs"]
mod ipvs;
#[path = "vm/links.rs"]
mod links;
#[path = "vm/managers.rs"]
mod managers;
#[path = "vm/pools.rs"]
mod pools;
#[path = "vm/reloads.rs"]
mod reloads;
#[path = "vm/scale.rs"]
mod scale;
#[path = "vm/seeds.rs"]
mod seeds;
#[path = "vm/services.rs"]
mod services;
#[path = "vm/site.rs"]
mod site;
#[path = "vm/traffic.rs"]
mod traffic;
#[path = "vm/ways.rs"]
mod ways;

use std::time::Duration;

use lab::{Guest, Subject};

/// Where the stories are told.
static GUEST: Guest = Guest::new(env!("CARGO_TARGET_TMPDIR"));

/// Nothing takes longer, on an emulated processor either that has an eighth of a real one.
const SOON: Duration = Duration::from_secs(180);

/// The daemon under test, or keepalived in its place.
fn ours() -> Subject {
    Subject::from_env(env!("CARGO_BIN_EXE_steadfast"))
}
