//! An AgentX subagent.

pub mod address;
pub mod driver;
pub mod mib;
pub mod notification;
pub mod oid;
mod responder;
pub mod session;
pub mod value;
pub mod view;
pub mod wire;

pub use address::{InvalidAddress, MasterAddress};
pub use driver::Subagent;
pub use mib::{Change, CommitFailed, Mib, SetError, UndoFailed};
pub use notification::{Delivery, Notification, Notifications};
pub use oid::Oid;
pub use session::{Config, Link, Region, Session, Status, Timing};
pub use value::{Value, VarBind};
pub use view::{Access, Column, Index, Object, Scalar, Syntax, Table, View, seek_sorted, seek_sorted_by};
