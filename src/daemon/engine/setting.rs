//! What a manager has changed while the routers run, and what that asks of the host.

use std::sync::{Arc, mpsc::SyncSender};

use super::{Engine, Router};
use crate::{
    config::settings::LinkbeatKind,
    daemon::host::Wish,
    kernel::Refusal,
    registry::{AddressRow, Lineage, Setting, Switch},
    units::Time,
};

impl Engine {
    /// Gives a router another setting; `done` hears of it when its row shows it and the host is as it has to be for it.
    /// It hears nothing, and is dropped, when that cannot be.
    pub(super) fn set(&mut self, router: &Lineage, setting: Setting, now: Time, done: SyncSender<()>) {
        let Some(number) = self.routers.iter().position(|known| known.row.lineage() == *router) else {
            return;
        };
        if self.routers[number].row.setting_like(setting) == setting {
            // Whoever has given up waiting does not matter any more.
            let _ = done.try_send(());
            return;
        }
        // First of all: without room nothing is changed.
        let room = match setting {
            Setting::Switch(Switch::Accept | Switch::PromoteSecondaries, _) => match self.links.host().room()
            {
                Some(room) => Some(room),
                None => return,
            },
            _ => None,
        };
        self.routers[number].machine.handle_setting(now, setting);
        // What a router wants before its start is done at its start.
        if self.has_started() {
            self.carry_out(number, now);
        } else {
            self.routers[number].publish();
        }
        // Whoever waits for the setting finds the transition.
        self.tell();
        if let Setting::Switch(Switch::Linkbeat, _) = setting {
            self.ask_for_link(number);
        }
        match (room, self.wish(number, setting)) {
            (Some(room), Some(wish)) => self.links.host().wish(wish, room, done),
            // As above.
            _ => drop(done.try_send(())),
        }
    }

    /// What a setting asks of the host.
    fn wish(&mut self, number: usize, setting: Setting) -> Option<Wish> {
        match setting {
            Setting::Switch(Switch::Accept, true) => std::mem::take(&mut self.routers[number].refusing)
                .then_some(Wish::Accept(self.routers[number].serial)),
            Setting::Switch(Switch::Accept, false) => {
                let refused = self.refused(number);
                let router = &mut self.routers[number];
                router.refusing |= !refused.is_empty();
                (!refused.is_empty()).then_some(Wish::Refuse(router.serial, refused))
            }
            Setting::Switch(Switch::PromoteSecondaries, _) => {
                let interface = &self.routers[number].row.config.interface;
                let wants = |on: &Router| {
                    on.row.config.interface == *interface
                        && on.row.config.link.is_none()
                        && on.row.is_on(Switch::PromoteSecondaries)
                };
                Some(Wish::Promote(interface.clone(), self.routers.iter().any(wants)))
            }
            Setting::Switch(..) | Setting::BasePriority(_) => None,
        }
    }

    /// The addresses of a router that the firewall has to know at once, as they are on the host or on their way; the
    /// others it learns of before they come.
    fn refused(&self, number: usize) -> Vec<Refusal> {
        let router = &self.routers[number];
        if !router.row.refuses_packets() || !router.holdings.are_wanted() {
            return Vec::new();
        }
        let refusal = |row: &Arc<AddressRow>| {
            let device = self.interfaces.named(&row.device)?;
            Some(Refusal::new(row.config.address, device.link.index))
        };
        router.row.addresses.iter().filter_map(refusal).collect()
    }

    /// Has the interfaces of a router asked for their link, or no longer, as those that use them want it.
    fn ask_for_link(&self, number: usize) {
        let topology = self.registry.topology();
        let config = &self.routers[number].row.config;
        let named = topology.process.linkbeat(&config.interface);
        for name in [&*config.interface, config.transport()] {
            let wants = |other: &Router| {
                let config = &other.row.config;
                (config.interface == name || config.transport() == name) && other.row.is_on(Switch::Linkbeat)
            };
            let kind = named.or_else(|| self.routers.iter().any(wants).then_some(LinkbeatKind::Best));
            let mut rows = topology.interfaces.iter();
            if let Some(row) = rows.find(|row| row.config.name == name) {
                row.set_linkbeat(kind);
            }
        }
    }
}
