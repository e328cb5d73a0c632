//! What a MASTER holds in the kernel, as its machine is told of it.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

/// One thing that a MASTER holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// A virtual address.
    Address(IpAddr),
    /// A virtual route or rule, in the words that people are told.
    Routing(String),
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "address {address}"),
            Self::Routing(words) => f.write_str(words),
        }
    }
}
