//! What can happen to a virtual router, as a value: what a simulation hands in, a recording keeps and a replay repeats.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Fault, Holding, Instance, Order, Reload, Source};
use crate::{
    config::tracking::Tracker,
    registry::{Intervention, Operator, Reason, Setting, Standing, State},
    units::{Time, Utc},
};

/// One call of an input of [`Instance`], without its time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// [`Instance::handle_start`].
    Start,
    /// [`Instance::handle_packet`].
    Packet(#[serde(with = "super::hex")] Vec<u8>),
    /// [`Instance::handle_timeout`].
    Timeout,
    /// [`Instance::handle_source`].
    Source(Source),
    /// [`Instance::handle_fault`].
    Fault(Fault, Option<Reason>),
    /// [`Instance::handle_delay`]: until when.
    Delay(Time),
    /// [`Instance::handle_interruption`]: for how long nobody was there.
    Interruption(Duration),
    /// [`Instance::handle_weight`]: the tracker and its contribution.
    Weight(Tracker, i32),
    /// [`Instance::handle_addresses_installed`]: what is missing.
    AddressesInstalled(Vec<Holding>),
    /// [`Instance::handle_address_removed`].
    AddressRemoved(IpAddr),
    /// [`Instance::handle_routing_removed`]: which route or rule.
    RoutingRemoved(String),
    /// [`Instance::handle_clock`].
    Clock(Utc),
    /// [`Instance::handle_order`].
    Order(Order),
    /// [`Instance::handle_setting`].
    Setting(Setting),
    /// [`Instance::handle_reload`].
    Reload(Box<Reload>),
    /// [`Instance::handle_removal`]: what it is told as.
    Removal(State),
    /// [`Instance::handle_intervention`].
    Intervention(Standing),
    /// [`Instance::handle_relenting`].
    Relenting(Intervention, Option<Operator>),
    /// [`Instance::handle_shutdown`]: whether mastership is released.
    Shutdown(bool),
}

impl Instance {
    /// Hands an input to the method that it is a call of.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Start => self.handle_start(now),
            Input::Packet(packet) => self.handle_packet(now, &packet),
            Input::Timeout => self.handle_timeout(now),
            Input::Source(source) => self.handle_source(now, source),
            Input::Fault(fault, reason) => self.handle_fault(now, fault, reason),
            Input::Delay(until) => self.handle_delay(until),
            Input::Interruption(away) => drop(self.handle_interruption(now, away)),
            Input::Weight(tracker, contribution) => self.handle_weight(now, tracker, contribution),
            Input::AddressesInstalled(missing) => self.handle_addresses_installed(now, &missing),
            Input::AddressRemoved(address) => self.handle_address_removed(now, address),
            Input::RoutingRemoved(entry) => self.handle_routing_removed(now, entry),
            Input::Clock(utc) => self.handle_clock(now, utc),
            Input::Order(order) => self.handle_order(now, order),
            Input::Setting(setting) => self.handle_setting(now, setting),
            Input::Reload(reload) => self.handle_reload(now, *reload),
            Input::Removal(to) => self.handle_removal(now, to),
            Input::Intervention(standing) => self.handle_intervention(now, standing),
            Input::Relenting(what, by) => self.handle_relenting(now, what, by),
            Input::Shutdown(release) => self.handle_shutdown(now, release),
        }
    }
}

/// Never prints the bytes of a packet, which may hold a password.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Packet(packet) => write!(f, "Packet({} bytes)", packet.len()),
            Self::Timeout => f.write_str("Timeout"),
            Self::Source(source) => f.debug_tuple("Source").field(source).finish(),
            Self::Fault(fault, reason) => f.debug_tuple("Fault").field(fault).field(reason).finish(),
            Self::Interruption(away) => f.debug_tuple("Interruption").field(away).finish(),
            Self::Delay(until) => f.debug_tuple("Delay").field(until).finish(),
            Self::Weight(tracker, sum) => f.debug_tuple("Weight").field(tracker).field(sum).finish(),
            Self::AddressesInstalled(missing) => f.debug_tuple("AddressesInstalled").field(missing).finish(),
            Self::AddressRemoved(address) => f.debug_tuple("AddressRemoved").field(address).finish(),
            Self::RoutingRemoved(entry) => f.debug_tuple("RoutingRemoved").field(entry).finish(),
            Self::Clock(utc) => f.debug_tuple("Clock").field(utc).finish(),
            Self::Order(order) => f.debug_tuple("Order").field(order).finish(),
            Self::Setting(setting) => f.debug_tuple("Setting").field(setting).finish(),
            Self::Reload(reload) => f.debug_tuple("Reload").field(reload).finish(),
            Self::Removal(to) => f.debug_tuple("Removal").field(to).finish(),
            Self::Intervention(standing) => f.debug_tuple("Intervention").field(standing).finish(),
            Self::Relenting(what, by) => f.debug_tuple("Relenting").field(what).field(by).finish(),
            Self::Shutdown(release) => f.debug_tuple("Shutdown").field(release).finish(),
        }
    }
}
