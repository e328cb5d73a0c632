//! nf_tables, as far as the daemon needs it: a batch of changes that the kernel makes all at once or not at all.
//!
//! A codec of our own for the messages of linux/netfilter/nf_tables.h, because the crates that exist bind a C library
//! or are under another licence. [`Batch`] puts changes one after the other, [`Batch::commit`] has the kernel make
//! them. What the rules are for is not known here, see [`firewall`](super::firewall). What the bytes mean was held
//! against what `nft` sends for the same text, and `nft list ruleset` says whether the kernel understood them alike.

mod batch;
mod expression;
mod set;
mod socket;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Chain, Family, Hook};
pub use expression::{Expression, Header, Meta, Register, Verdict};
pub use set::{DataType, Element, Set};
