//! Who sits where after a reload, and what each holds from then on.

use std::{collections::HashMap, mem, sync::Arc};

use super::{
    super::{
        Engine, blueprint::Blueprint, departing::Departing, holder::Holder, router::Router, timers::Timers,
        unheld::Unheld,
    },
    succession::Fate,
};
use crate::{
    config::plan::Plan,
    registry::{InstanceRow, Topology},
    vrrp::Reload,
};

impl Engine {
    /// Everything that holders hold who are gone or hold other things from now on.
    pub(super) fn unhold(&mut self, routers: &mut [Option<Router>], plan: &Plan, fates: &[Fate]) -> Unheld {
        let mut unheld = Unheld::default();
        let changed = fates.iter().filter_map(|fate| match fate {
            Fate::Changed { before, items: true, .. } => Some(*before),
            _ => None,
        });
        for number in plan.instances.gone.iter().copied().chain(changed) {
            if let Some(router) = &mut routers[number] {
                let rows = &router.row.addresses;
                unheld.take(Holder::Router(number), &mut router.holdings, rows, &self.routing);
            }
        }
        let Self { statics, departing, routing, .. } = self;
        unheld.take(Holder::Static, &mut statics.holdings, &statics.rows, routing);
        unheld.take(Holder::Departing, &mut departing.holdings, &departing.rows, routing);
        unheld
    }

    /// Gives every router its place. Returns what a reload has for each.
    pub(super) fn seat(
        &mut self,
        routers: &mut [Option<Router>],
        fates: Vec<Fate>,
        topology: &Topology,
        (blueprint, mut unheld): (&mut Blueprint, Unheld),
    ) -> Vec<Option<Box<Reload>>> {
        let mut repairs = Timers::new(topology.instances.len());
        let mut kept = HashMap::new();
        let mut reloads = Vec::with_capacity(fates.len());
        for (number, fate) in fates.into_iter().enumerate() {
            let (place, reload, items) = match fate {
                Fate::New => (None, None, true),
                Fate::Untouched(place) => (Some(place), None, false),
                Fate::Changed { before, reload, items } => (Some(before), Some(reload), items),
            };
            let known = place.and_then(|place| Some((place, routers[place].take()?)));
            if let Some((place, _)) = &known {
                repairs.set(number, self.repairs.get(*place));
                kept.insert(*place, (number, items));
            }
            let row = &topology.instances[number];
            let router = self.seated(number, row, (known, items), (blueprint, &mut unheld));
            self.routers.push(router);
            reloads.push(reload);
        }
        self.seat_others(topology, (blueprint, unheld));
        self.repairs = repairs;
        let whereto = |place: usize| kept.get(&place).copied();
        self.synchroniser.move_to(|place| whereto(place).map(|(number, _)| number));
        let paces = mem::take(&mut blueprint.paces);
        self.announcements = mem::take(&mut self.announcements).follow(paces, whereto);
        reloads
    }

    /// The router of a row: the one that is known from its place before, or a new one. With `items` it holds other things
    /// than before.
    fn seated(
        &mut self,
        number: usize,
        row: &Arc<InstanceRow>,
        (known, items): (Option<(usize, Router)>, bool),
        (blueprint, unheld): (&mut Blueprint, &mut Unheld),
    ) -> Router {
        let holder = Holder::Router(number);
        let is_known = known.is_some();
        let mut router = match known {
            Some((place, mut router)) => {
                router.row = Arc::clone(row);
                router.tracks = Arc::clone(&blueprint.tracks[number]);
                if !items {
                    blueprint.routing.take_over(holder, Holder::Router(place), &self.routing);
                }
                router
            }
            None => {
                self.serial += 1;
                let made = (blueprint.memberships[number], Arc::clone(&blueprint.tracks[number]));
                Router::new(self.serial - 1, row, made, self.recorder.as_ref())
            }
        };
        if items {
            if is_known {
                let sizes = [row.addresses.len(), row.routes.len(), row.rules.len()];
                router.holdings = router.holdings.refill(sizes);
            }
            let routing = (&mut blueprint.routing, &self.routing);
            unheld.give(holder, &mut router.holdings, &row.addresses, routing);
        }
        router
    }

    /// What is there whoever is MASTER, and what has to go.
    fn seat_others(&mut self, topology: &Topology, (blueprint, mut unheld): (&mut Blueprint, Unheld)) {
        let (statics, rows) = (&mut blueprint.statics, &topology.statics);
        statics.follow(&self.statics, [rows.routes.len(), rows.rules.len()]);
        let routing = (&mut blueprint.routing, &self.routing);
        unheld.give(Holder::Static, &mut statics.holdings, &statics.rows, routing);
        let departing = unheld.leave(&mut blueprint.routing, &self.routing);
        let refusing = mem::take(&mut self.departing.refusing);
        self.departing = Departing { refusing, ..departing };
    }
}
