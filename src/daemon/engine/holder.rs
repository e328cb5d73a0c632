//! Who holds something in the kernel: a virtual router while it is MASTER, or the configuration itself from the start to
//! the end.

use std::sync::Arc;

use super::{Engine, departing::Departing, holdings::Holdings, router::Router, statics::Statics};
use crate::registry::AddressRow;

/// Whose an address, route or rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// The virtual router of that number.
    Router(usize),
    /// Nobody's: `static_ipaddress`, `static_routes` and `static_rules` are there whoever is MASTER.
    Static,
    /// What a reload has removed from the configuration, and which is not gone yet.
    Departing,
}

impl Holder {
    /// What it holds, and the rows of its addresses.
    pub(super) fn holdings<'a>(
        self,
        routers: &'a mut [Router],
        statics: &'a mut Statics,
        departing: &'a mut Departing,
    ) -> (&'a mut Holdings, &'a [Arc<AddressRow>]) {
        match self {
            Self::Router(number) => {
                let router = &mut routers[number];
                (&mut router.holdings, &router.row.addresses)
            }
            Self::Static => (&mut statics.holdings, &statics.rows),
            Self::Departing => (&mut departing.holdings, &departing.rows),
        }
    }
}

impl Engine {
    /// The name in front of a log line about it.
    pub(super) fn name_of(&self, holder: Holder) -> &str {
        match holder {
            Holder::Router(number) => &self.routers[number].row.config.name,
            Holder::Static => "static",
            Holder::Departing => "removed",
        }
    }

    /// The rows of its addresses.
    pub(super) fn addresses_of(&self, holder: Holder) -> &[Arc<AddressRow>] {
        match holder {
            Holder::Router(number) => &self.routers[number].row.addresses,
            Holder::Static => &self.statics.rows,
            Holder::Departing => &self.departing.rows,
        }
    }
}
