//! Who wants something of which service of IPVS: nearly always one virtual server, and all of them together where there are
//! several.

use std::collections::HashMap;

use super::super::served::Served;
use crate::{kernel::ipvs::ServiceKey, pool::Entry};

/// The numbers of virtual servers by what they serve.
#[derive(Default)]
pub(super) struct Owners(HashMap<ServiceKey, Vec<usize>>);

impl Owners {
    /// Those of these virtual servers.
    pub(super) fn of(services: &[Served]) -> Self {
        let mut owners: HashMap<ServiceKey, Vec<usize>> = HashMap::new();
        for (number, service) in services.iter().enumerate() {
            service.pool.keys().for_each(|key| owners.entry(key).or_default().push(number));
        }
        Self(owners)
    }

    /// Everything that is served.
    pub(super) fn keys(&self) -> Vec<ServiceKey> {
        self.0.keys().copied().collect()
    }

    /// Whose a service is.
    pub(super) fn of_key(&self, key: &ServiceKey) -> &[usize] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// What the kernel should hold of a service; `None` for nothing.
    pub(super) fn wanted(&self, services: &[Served], key: &ServiceKey) -> Option<Entry> {
        let mut entries = self.of_key(key).iter().filter_map(|number| services[*number].pool.wanted_of(key));
        let mut first = entries.next()?;
        entries.for_each(|other| first.join(other.destinations));
        Some(first)
    }
}
