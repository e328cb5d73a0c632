//! What the kernel counts of services and servers, added up for the rows that readers see.

use std::{collections::HashMap, sync::Arc};

use super::served::pool;
use crate::{
    kernel::ipvs::{Connections, DestinationKey, Held, ServiceKey, Statistics},
    registry::{Rate, Topology, Traffic, VirtualServerRow},
};

/// What was seen of a service: its counters and those of its destinations.
pub(super) type Seen = (ServiceKey, Statistics, Vec<Held<(DestinationKey, Connections)>>);

/// Where counts belong.
pub(super) struct Counted {
    rows: Vec<Row>,
    /// The rows of a service.
    of: HashMap<ServiceKey, Vec<usize>>,
}

struct Row {
    row: Arc<VirtualServerRow>,
    /// Of each service, which destination is which server; the sorry server is behind the others.
    places: HashMap<(ServiceKey, DestinationKey), usize>,
}

impl Counted {
    /// For the virtual servers of a topology.
    pub(super) fn new(topology: &Topology) -> Self {
        let mut counted = Self { rows: Vec::new(), of: HashMap::new() };
        for row in &topology.virtual_servers {
            let pool = pool(topology, row);
            for key in pool.keys() {
                counted.of.entry(key).or_default().push(counted.rows.len());
            }
            let places = pool.places().collect();
            counted.rows.push(Row { row: Arc::clone(row), places });
        }
        counted
    }

    /// Whether it belongs to somebody.
    pub(super) fn has(&self, key: &ServiceKey) -> bool {
        self.of.contains_key(key)
    }

    /// Shows what was counted.
    pub(super) fn show(&self, seen: &[Seen]) {
        let mut sums: HashMap<usize, (Traffic, HashMap<usize, Traffic>)> = HashMap::new();
        for (key, statistics, destinations) in seen {
            for number in self.of.get(key).into_iter().flatten() {
                let (service, servers) = sums.entry(*number).or_default();
                add(service, statistics, Connections::default());
                for held in destinations {
                    let (destination, connections) = held.what;
                    if let Some(place) = self.rows[*number].places.get(&(*key, destination)) {
                        add(servers.entry(*place).or_default(), &held.statistics, connections);
                    }
                }
            }
        }
        for (number, (service, servers)) in sums {
            let row = &self.rows[number].row;
            row.set_traffic(service);
            let all = row.servers.iter().chain(&row.sorry).enumerate();
            // One that is not in the kernel's table has no traffic.
            all.for_each(|(place, server)| {
                server.set_traffic(servers.get(&place).copied().unwrap_or_default())
            });
        }
    }
}

fn add(sum: &mut Traffic, counted: &Statistics, connections: Connections) {
    sum.connections += counted.connections;
    sum.packets_in += counted.packets_in;
    sum.packets_out += counted.packets_out;
    sum.bytes_in += counted.bytes_in;
    sum.bytes_out += counted.bytes_out;
    let Rate { connections: rate, packets_in, packets_out, bytes_in, bytes_out } = &mut sum.rate;
    *rate += counted.connection_rate;
    *packets_in += counted.packet_rate_in;
    *packets_out += counted.packet_rate_out;
    *bytes_in += counted.byte_rate_in;
    *bytes_out += counted.byte_rate_out;
    sum.active = sum.active.saturating_add(connections.active);
    sum.inactive = sum.inactive.saturating_add(connections.inactive);
    sum.persistent = sum.persistent.saturating_add(connections.persistent);
}
