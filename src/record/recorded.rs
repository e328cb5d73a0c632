//! A machine whose inputs and actions are recorded on their way, if anybody wants that.

use std::{fmt, net::IpAddr, time::Duration};

use super::{
    line::{Event, Line, Proof, is_compared, told},
    wipe::Wiper,
};
use crate::{
    config::tracking::Tracker,
    registry::{Counter, InstanceStatus, Intervention, Operator, Reason, Setting, Standing, State},
    units::{Allowance, Time, Utc},
    vrrp::{
        Action, Auth, Fault, Holding, Input, Instance, Member, Order, Outgoing, Reload, Settings, Source,
    },
};

/// Packets in a row that are recorded although they have no effect.
const REJECTED: u32 = 64;
/// From one to the next after that.
const REJECTED_PACE: Duration = Duration::from_secs(10);

/// Where the lines of one router go.
pub struct Tape {
    router: usize,
    count: u64,
    wiper: Wiper,
    /// What anybody on the link can send in any number must not fill the recording.
    rejected: Allowance,
    sink: Box<dyn FnMut(Line) + Send>,
}

impl Tape {
    /// A tape for the router of that position. `sink` takes every line and must not wait for anything.
    pub fn new(router: usize, settings: &Settings, sink: Box<dyn FnMut(Line) + Send>) -> Self {
        let rejected = Allowance::new(REJECTED, REJECTED_PACE);
        let wiper = Wiper::new(&settings.auth);
        let mut tape = Self { router, count: 0, wiper, rejected, sink };
        let auth = Proof::of(&settings.auth);
        let settings = Box::new(Settings { auth: Auth::None, ..settings.clone() });
        tape.write(Event::Router { settings, auth });
        tape
    }

    /// The router is not recorded any more.
    fn end(mut self, name: &str, why: &str) {
        self.write(Event::Ended { name: name.to_owned(), why: why.to_owned() });
    }

    fn write(&mut self, event: Event) {
        self.count += 1;
        (self.sink)(Line { router: self.router, n: self.count, event });
    }

    fn input(&mut self, at: Time, input: Input) {
        self.write(Event::Input { at, input });
    }

    fn packet(&mut self, at: Time, packet: &[u8], had_effect: bool) {
        if had_effect || self.rejected.take(at) {
            self.input(at, Input::Packet(self.wiper.wiped(packet)));
        }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("router", &self.router)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// An [`Instance`] with the same inputs and outputs. Nothing but these methods changes it, so whatever happens to it is on
/// the tape.
#[derive(Debug)]
pub struct Recorded {
    instance: Instance,
    tape: Option<Tape>,
}

impl Recorded {
    /// A new machine, recorded on `tape`.
    pub fn new(instance: Instance, tape: Option<Tape>) -> Self {
        Self { instance, tape }
    }

    /// [`Instance::handle`].
    pub fn handle(&mut self, now: Time, input: Input) {
        if let Input::Packet(packet) = &input {
            return self.handle_packet(now, packet);
        }
        if let Some(tape) = &mut self.tape {
            tape.input(now, input.clone());
        }
        self.instance.handle(now, input);
    }

    /// [`Instance::handle_packet`].
    pub fn handle_packet(&mut self, now: Time, packet: &[u8]) {
        let had_effect = self.instance.accept_packet(now, packet);
        if let Some(tape) = &mut self.tape {
            tape.packet(now, packet, had_effect);
        }
    }

    /// [`Instance::handle_start`].
    pub fn handle_start(&mut self, now: Time) {
        self.handle(now, Input::Start);
    }

    /// [`Instance::handle_delay`].
    pub fn handle_delay(&mut self, now: Time, until: Time) {
        self.handle(now, Input::Delay(until));
    }

    /// [`Instance::handle_interruption`].
    pub fn handle_interruption(&mut self, now: Time, away: Duration) -> bool {
        self.handle(now, Input::Interruption(away));
        self.instance.may_resume()
    }

    /// [`Instance::may_resume`].
    pub fn may_resume(&self) -> bool {
        self.instance.may_resume()
    }

    /// [`Instance::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        if let Some(tape) = &mut self.tape {
            tape.input(now, Input::Timeout);
        }
        self.instance.handle_timeout(now);
    }

    /// [`Instance::handle_source`].
    pub fn handle_source(&mut self, now: Time, source: Source) {
        self.handle(now, Input::Source(source));
    }

    /// [`Instance::handle_fault`].
    pub fn handle_fault(&mut self, now: Time, fault: Fault, reason: Option<Reason>) {
        self.handle(now, Input::Fault(fault, reason));
    }

    /// [`Instance::handle_weight`].
    pub fn handle_weight(&mut self, now: Time, tracker: Tracker, contribution: i32) {
        self.handle(now, Input::Weight(tracker, contribution));
    }

    /// [`Instance::handle_addresses_installed`].
    pub fn handle_addresses_installed(&mut self, now: Time, missing: Vec<Holding>) {
        self.handle(now, Input::AddressesInstalled(missing));
    }

    /// [`Instance::handle_address_removed`].
    pub fn handle_address_removed(&mut self, now: Time, address: IpAddr) {
        self.handle(now, Input::AddressRemoved(address));
    }

    /// [`Instance::handle_routing_removed`].
    pub fn handle_routing_removed(&mut self, now: Time, entry: String) {
        self.handle(now, Input::RoutingRemoved(entry));
    }

    /// [`Instance::handle_clock`].
    pub fn handle_clock(&mut self, now: Time, utc: Utc) {
        self.handle(now, Input::Clock(utc));
    }

    /// [`Instance::handle_order`].
    pub fn handle_order(&mut self, now: Time, order: Order) {
        self.handle(now, Input::Order(order));
    }

    /// [`Instance::handle_setting`].
    pub fn handle_setting(&mut self, now: Time, setting: Setting) {
        self.handle(now, Input::Setting(setting));
    }

    /// [`Instance::handle_reload`]. A recording ends where the authentication becomes another one.
    pub fn handle_reload(&mut self, now: Time, reload: Box<Reload>) {
        if let Some(tape) = self.tape.take_if(|_| !reload.same_auth) {
            tape.end(&reload.settings.name, "a reload has changed how it authenticates its packets");
        }
        self.handle(now, Input::Reload(reload));
    }

    /// [`Instance::handle_removal`].
    pub fn handle_removal(&mut self, now: Time, to: State) {
        self.handle(now, Input::Removal(to));
    }

    /// [`Instance::handle_intervention`].
    pub fn handle_intervention(&mut self, now: Time, standing: Standing) {
        self.handle(now, Input::Intervention(standing));
    }

    /// [`Instance::handle_relenting`].
    pub fn handle_relenting(&mut self, now: Time, what: Intervention, by: Option<Operator>) {
        self.handle(now, Input::Relenting(what, by));
    }

    /// [`Instance::interventions`].
    pub fn interventions(&self) -> &[Standing] {
        self.instance.interventions()
    }

    /// [`Instance::handle_shutdown`].
    pub fn handle_shutdown(&mut self, now: Time, release: bool) {
        self.handle(now, Input::Shutdown(release));
    }

    /// [`Instance::poll_action`].
    pub fn poll_action(&mut self) -> Option<Action> {
        let action = self.instance.poll_action()?;
        if let Some(tape) = &mut self.tape
            && is_compared(&action)
        {
            let told = told(&action, &tape.wiper);
            tape.write(Event::Action(told));
        }
        Some(action)
    }

    /// [`Instance::poll_rejected`]. Not all packets that are rejected are recorded, so that this is not, either.
    pub fn poll_rejected(&mut self) -> Option<(IpAddr, Counter)> {
        self.instance.poll_rejected()
    }

    /// [`Instance::poll_advert`].
    pub fn poll_advert(&mut self) -> Option<Vec<Outgoing>> {
        let packets = self.instance.poll_advert()?;
        if let Some(tape) = &mut self.tape {
            let told = told(&Action::Send(packets.clone()), &tape.wiper);
            tape.write(Event::Action(told));
        }
        Some(packets)
    }

    /// [`Instance::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.instance.poll_timeout()
    }

    /// [`Instance::status`].
    pub fn status(&self) -> InstanceStatus {
        self.instance.status()
    }

    /// [`Instance::is_master`].
    pub fn is_master(&self) -> bool {
        self.instance.is_master()
    }

    /// [`Instance::member`].
    pub fn member(&self) -> Member {
        self.instance.member()
    }
}
