//! Pools: what IPVS should hold, from what the checks of real servers say.
//!
//! A [`Pool`] is a virtual server as a machine without I/O or clock. It is told what checks have found
//! ([`Pool::handle_check`]), and says in which order what has happened ([`Pool::poll_event`]) and what the kernel should
//! hold ([`Pool::wanted`]), which is a function of its state. [`changes`] is the way from what the kernel holds to what it
//! should: whoever is to serve comes before who is to leave goes, so that a pool with a server is never empty on the way.
//!
//! The room may import [`crate::config`]'s settings, [`crate::units`], and of [`crate::kernel`] the nouns of IPVS, which do
//! nothing by themselves.

mod entry;
mod event;
mod machine;
mod member;
mod quorum;
mod reload;
mod services;
#[cfg(test)]
mod tests;

pub use self::{
    entry::{Entry, changes},
    event::{Event, Move},
    machine::{Found, Pool},
    quorum::Quorum,
    services::services,
};
