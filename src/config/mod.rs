//! Text → logical lines → tree → typed [`Config`], with diagnostics.
//!
//! The room reads `keepalived.conf` unchanged and says everything that is wrong with it in one run:
//!
//! * `source` reads files and does what happens before keywords matter: comments, includes, conditionals,
//!   parameters, braces; `text` keeps every character's column on the way;
//! * [`keywords`] is the language as data, one file per block;
//! * `tree` arranges lines by those tables and checks plain values;
//! * `resolve` makes a [`Config`] of the tree: names, defaults, what excludes what;
//! * [`settings`] holds what is written, word by word, in typed structs;
//! * [`Reading`] is all of that together, and how it is asked for;
//! * [`plan`] says what leads from one configuration to another;
//! * [`Report`] collects the findings and decides exit codes, [`render`] shows them;
//! * [`show`], [`compare`], [`peers`], [`explain`] and [`catalogue`] answer questions about configurations.
//!
//! It asks the system only through [`Environment`] and may import [`crate::units`] and what [`agentx`] calls an address,
//! nothing else of the program.

pub mod catalogue;
pub mod compare;
pub mod explain;
pub mod keywords;
pub mod peers;
pub mod plan;
pub mod render;
pub mod settings;
pub mod show;

mod diagnostic;
mod environment;
mod idle;
mod json;
mod line_index;
mod model;
mod place;
mod programs;
mod prose;
mod reading;
mod resolve;
mod secrets;
mod slips;
mod source;
mod surplus;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;

pub use diagnostic::{Diagnostic, Report, Severity, SourceText, Span};
pub use environment::{Account, Elsewhere, Environment, KeyFile, NAMESPACES, Program, System};
pub use model::{
    AddressLine, AntiReplay, Auth, Config, Encap, Garp, Global, Hop, Identity, InitialState, Insertion,
    Instance, IpTunnel, IpvlanMode, MAIN_TABLE, Mark, Metric, MetricTime, Network, NextHop, Notify,
    NotifyScript, PROTOCOL, Preferred, Range, Realms, Route, RouteKind, RouteMetrics, RouterPreference, Rule,
    RuleAction, Scope, Script, ScriptCommand, SignatureMode, Signatures, SigningKey, SyncGroup, UnicastPeer,
    User, VirtualLink, VirtualLinkKind, tracking,
};
pub use place::Place;
pub use prose::Prose;
pub use reading::{Options, Reading, effective, load, load_with};
