//! Tracked processes as a machine: who runs, and whether there are as many as there should be.

mod census;
mod matching;
mod quorum;

pub use self::{
    census::{Census, ProcessVerdict},
    matching::Image,
};
