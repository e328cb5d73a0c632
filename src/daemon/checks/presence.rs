//! `ha_suspend`: which virtual addresses this host has, so that only who serves them checks their servers.

use std::{collections::HashSet, net::IpAddr, time::Duration};

use tracing::warn;

use super::served::Served;
use crate::{
    kernel::{Event, Events, KernelError, ReceiveBuffer, Watch, clock, own_addresses, rest},
    units::Time,
};

/// Without word from the kernel addresses are looked at so often.
const LOOK: Duration = Duration::from_secs(1);

/// The addresses of this host, as far as somebody wants to know.
pub(super) struct Presence {
    /// Whether anybody does.
    wanted: bool,
    buffer: ReceiveBuffer,
    events: Option<Events>,
    here: HashSet<IpAddr>,
    looked_at: Time,
}

impl Presence {
    /// As it is now; `buffer` is that of the kernel's word on changes.
    pub(super) fn new(services: &[Served], buffer: ReceiveBuffer) -> Self {
        let wanted = services.iter().any(|service| service.watched_address().is_some());
        let mut presence =
            Self { wanted, buffer, events: None, here: HashSet::new(), looked_at: Time::default() };
        presence.listen();
        presence.look();
        presence
    }

    /// Listens first: no change after the look is missed.
    fn listen(&mut self) {
        if self.wanted && self.events.is_none() {
            self.events = Events::open(Watch::default(), self.buffer).inspect_err(report).ok();
        }
    }

    /// Looks at the addresses. What cannot be seen stays what it was.
    fn look(&mut self) {
        self.looked_at = clock::now();
        if self.wanted
            && let Ok(here) = own_addresses().inspect_err(report)
        {
            self.here = here;
        }
    }

    /// Whether a service is to be checked: the address is here, or it does not matter.
    pub(super) fn has(&self, service: &Served) -> bool {
        service.watched_address().is_none_or(|address| self.here.contains(&address))
    }

    /// Waits until addresses may be other ones, and looks. Cancelling it loses nothing.
    pub(super) async fn changed(&mut self) {
        if !self.wanted {
            return std::future::pending().await;
        }
        match &mut self.events {
            Some(events) => loop {
                match events.next().await {
                    Ok(Event::AddressAdded(_) | Event::AddressRemoved(_) | Event::Overrun) => break,
                    Ok(_) => {}
                    Err(error) => {
                        report(&error);
                        self.events = None;
                        break;
                    }
                }
            },
            None => {
                // From the last look on, however often the lane wakes up for something else meanwhile.
                rest(LOOK.saturating_sub(clock::now().since(self.looked_at))).await;
                self.listen();
            }
        }
        self.look();
    }
}

fn report(error: &KernelError) {
    warn!("ha_suspend: {error}");
}
