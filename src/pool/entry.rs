//! A service with its servers as the kernel holds it or should, and the way from one to the other.

use std::collections::HashMap;

use crate::kernel::ipvs::{Change, Destination, DestinationKey, Service};

/// A service of IPVS with its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The service.
    pub service: Service,
    /// Its destinations, each once.
    pub destinations: Vec<Destination>,
}

impl Entry {
    /// A service with these destinations, as if each was another virtual server's.
    pub(super) fn new(service: Service, destinations: Vec<Destination>) -> Self {
        let mut entry = Self { service, destinations: Vec::with_capacity(destinations.len()) };
        entry.join(destinations);
        entry
    }

    /// Adds the destinations of another virtual server with the same service. Where both have one, that which serves
    /// stays, else the first.
    pub fn join(&mut self, others: Vec<Destination>) {
        let mut places: HashMap<DestinationKey, usize> = HashMap::new();
        for (place, destination) in self.destinations.iter().enumerate() {
            places.insert(destination.key, place);
        }
        for other in others {
            match places.get(&other.key) {
                Some(place) if self.destinations[*place].weight == 0 && other.weight > 0 => {
                    self.destinations[*place] = other;
                }
                Some(_) => {}
                None => {
                    places.insert(other.key, self.destinations.len());
                    self.destinations.push(other);
                }
            }
        }
    }
}

/// What makes what is `held` what is `wanted`, in order: who is to have new connections comes first, then others lose
/// theirs.
pub fn changes(held: Option<&Entry>, wanted: Option<&Entry>) -> Vec<Change> {
    let wanted = match (held, wanted) {
        (None, None) => return Vec::new(),
        (Some(held), None) => return vec![Change::DeleteService(held.service.key)],
        (_, Some(wanted)) => wanted,
    };
    let key = wanted.service.key;
    let mut changes = Vec::new();
    match held {
        None => changes.push(Change::AddService(wanted.service.clone())),
        Some(held) if held.service != wanted.service => {
            changes.push(Change::EditService(wanted.service.clone()));
        }
        Some(_) => {}
    }
    let there: HashMap<DestinationKey, &Destination> =
        held.iter().flat_map(|held| &held.destinations).map(|one| (one.key, one)).collect();
    let mut drained = Vec::new();
    for destination in &wanted.destinations {
        match there.get(&destination.key) {
            None => changes.push(Change::AddDestination(key, *destination)),
            Some(held) if *held == destination => {}
            Some(_) if destination.weight == 0 => drained.push(Change::EditDestination(key, *destination)),
            Some(_) => changes.push(Change::EditDestination(key, *destination)),
        }
    }
    changes.append(&mut drained);
    let stays: HashMap<DestinationKey, ()> = wanted.destinations.iter().map(|one| (one.key, ())).collect();
    let leaving = held.iter().flat_map(|held| &held.destinations).filter(|one| !stays.contains_key(&one.key));
    changes.extend(leaving.map(|one| Change::DeleteDestination(key, one.key)));
    changes
}
