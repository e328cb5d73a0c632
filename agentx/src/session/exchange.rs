//! What a session and its master say to each other: the master's requests and our answers (RFC 2741 §7.2), our
//! requests and the master's answers (§7.1).

use std::time::Duration;

use super::outstanding::Request;
use super::timers::Timer;
use super::{Event, LostBecause, Region, Session, State, Step, Timing, Uptime};
use crate::mib::Mib;
use crate::notification::{Delivery, Notification};
use crate::responder::refuse;
use crate::value::{Value, VarBind};
use crate::wire::{Body, Close, CloseReason, ErrorCode, Header, Pdu, PduType, Register, ResponseHead};

/// sysUpTime.0
pub(super) const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// snmpTrapOID.0
pub(super) const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

impl<M: Mib> Session<M> {
    pub(super) fn handle_pdu(&mut self, now: Duration, header: Header, payload: &[u8]) {
        match header.kind {
            PduType::Response => self.handle_response(now, &header, payload),
            PduType::Close => {
                if header.session_id == self.session_id() {
                    let reason = match Pdu::read_payload(header, payload) {
                        Ok(Pdu { body: Body::Close(Close { reason }), .. }) => reason,
                        _ => CloseReason::Other,
                    };
                    self.lose(now, LostBecause::Closed(reason));
                }
            }
            PduType::Get
            | PduType::GetNext
            | PduType::GetBulk
            | PduType::TestSet
            | PduType::CommitSet
            | PduType::UndoSet
            | PduType::CleanupSet => self.handle_request(now, header, payload),
            // What only a subagent sends, and what nobody does.
            other => tracing::debug!(?other, "a PDU that no master sends is ignored"),
        }
    }

    /// RFC 2741 §7.2.2.
    fn handle_request(&mut self, now: Duration, header: Header, payload: &[u8]) {
        // The one request without an answer gets no error either.
        let is_answered = header.kind != PduType::CleanupSet;
        let is_ours = matches!(self.state, State::Open { id, .. } if id == header.session_id);
        if !is_ours {
            if is_answered {
                refuse(&header, ErrorCode::NotOpen, &mut self.output);
            }
            return;
        }
        // §6.2.9: these are a header only, whatever comes with it.
        let bare = matches!(header.kind, PduType::CommitSet | PduType::UndoSet | PduType::CleanupSet);
        let payload = if bare && !header.has_context { &[] } else { payload };
        match Pdu::read_payload(header.clone(), payload) {
            Ok(request) => {
                self.note_regions(now, &request.body);
                self.responder.answer(now, &request, &mut self.output);
            }
            Err(invalid) => {
                tracing::debug!(%invalid, kind = ?header.kind, "a request of the master cannot be parsed");
                if is_answered {
                    refuse(&header, ErrorCode::ParseError, &mut self.output);
                }
            }
        }
    }

    fn handle_response(&mut self, now: Duration, header: &Header, payload: &[u8]) {
        // RFC 2741 §7.2.2: a Response that cannot be parsed is dropped; its request stays unanswered.
        let Ok(head) = ResponseHead::read(header, payload) else {
            return;
        };
        let was_overdue = self.outstanding.is_overdue();
        let Some((request, asked)) = self.outstanding.answer(now, header.packet_id) else {
            return;
        };
        if was_overdue && !self.outstanding.is_overdue() {
            self.events.push_back(Event::Responsive);
        }
        let known = if request == Request::Open { None } else { self.status.uptime };
        self.status.uptime = Some(match known {
            Some(uptime) => uptime.refine(asked, now, head.sys_up_time),
            None => Uptime::learn(asked, now, head.sys_up_time),
        });
        match (request, head.error) {
            (Request::Close, _) => self.close(now),
            (Request::Open, ErrorCode::NoError) => self.opened(now, header.session_id),
            (Request::Open, error) => self.lose(now, LostBecause::NotOpened(error)),
            (_, ErrorCode::NotOpen) => self.lose(now, LostBecause::NotOpen),
            (Request::Register(region), error) => self.region_answered(now, region, error),
            (Request::Check(region), error) => self.check_answered(now, region, error),
            (Request::AddAgentCaps(region), error) => {
                if error != ErrorCode::NoError {
                    let region = &self.config.regions[region].subtree;
                    tracing::debug!(%region, %error, "the master refuses the agent capability");
                }
            }
            (Request::Notify(id), ErrorCode::NoError) => {
                self.window.accept(now, id);
                self.notified(id, Delivery::Accepted);
            }
            (Request::Notify(id), error) => self.count_try(id, Delivery::Refused(error)),
            (Request::Ping, _) => {}
        }
    }

    fn opened(&mut self, now: Duration, id: u32) {
        self.state = State::Open { id, since: now };
        self.status.sessions += 1;
        self.refusals = 0;
        self.events.push_back(Event::Opened);
        for (place, region) in self.config.regions.iter().enumerate() {
            self.steps.push_back(Step::Register(place));
            if region.capability.is_some() {
                self.steps.push_back(Step::AddAgentCaps(place));
            }
        }
    }

    fn region_answered(&mut self, now: Duration, place: usize, error: ErrorCode) {
        let subtree = self.config.regions[place].subtree.clone();
        if error == ErrorCode::NoError {
            self.registered.hold(place, now);
            self.events.push_back(Event::Registered(subtree));
            return;
        }
        // Whatever the reason, another try costs little: a duplicate is often our own former session, which
        // the master gives up in a moment.
        self.events.push_back(Event::Refused(subtree, error));
        if !self.timers.is_set(Timer::Register) {
            self.timers.set(Timer::Register, now + doubled(&self.config.timing, self.refusals));
            self.refusals = self.refusals.saturating_add(1);
        }
    }

    /// The master refuses to register a region twice, so this is how it says that it holds it.
    fn check_answered(&mut self, now: Duration, place: usize, error: ErrorCode) {
        match error {
            ErrorCode::DuplicateRegistration => drop(self.registered.hold(place, now)),
            ErrorCode::NoError => {
                self.registered.hold(place, now);
                self.status.restored += 1;
                self.events.push_back(Event::Restored(self.config.regions[place].subtree.clone()));
            }
            error => {
                self.registered.release(place);
                self.region_answered(now, place, error);
            }
        }
    }

    /// What the master asks for shows which regions it has from us.
    fn note_regions(&mut self, now: Duration, request: &Body) {
        let regions = &self.config.regions;
        let mut note = |oid| self.registered.asked(now, oid, regions);
        match request {
            Body::Get(ranges) | Body::GetNext(ranges) => ranges.iter().for_each(|range| note(&range.start)),
            Body::GetBulk(bulk) => bulk.ranges.iter().for_each(|range| note(&range.start)),
            Body::TestSet(varbinds) => varbinds.iter().for_each(|varbind| note(&varbind.name)),
            _ => {}
        }
    }

    /// Sends what was handed over and is not on its way.
    pub(super) fn send_notifications(&mut self, now: Duration) {
        while let Some((notification, is_repeated)) = self.window.send() {
            let id = notification.id;
            let varbinds = announcement(notification, self.status.uptime);
            self.status.notifications.send(is_repeated);
            self.ask(now, Request::Notify(id), Body::Notify(varbinds));
        }
    }

    /// A notification that fails again and again must not hold up the ones after it.
    pub(super) fn count_try(&mut self, id: u64, failure: Delivery) {
        if self.window.fail(id) {
            self.notified(id, failure);
        }
    }

    fn notified(&mut self, id: u64, delivery: Delivery) {
        self.status.notifications.done(delivery);
        self.events.push_back(Event::Notified(id, delivery));
    }

    pub(super) fn ping(&mut self, now: Duration) {
        if matches!(self.state, State::Open { .. }) && !self.outstanding.has_ping() {
            self.ask(now, Request::Ping, Body::Ping);
        }
    }

    pub(super) fn take_step(&mut self, now: Duration, step: Step) {
        let (Step::Register(place) | Step::AddAgentCaps(place) | Step::Check(place)) = step;
        let Region { subtree, priority, capability } = self.config.regions[place].clone();
        match step {
            Step::Register(_) | Step::Check(_) => {
                let request = match step {
                    Step::Check(_) => Request::Check(place),
                    _ => Request::Register(place),
                };
                let register = Register { timeout: 0, priority, subtree, range: None };
                self.ask(now, request, Body::Register(register));
            }
            Step::AddAgentCaps(_) => {
                let mut description = capability.unwrap_or_default().into_bytes();
                description.truncate(255);
                self.ask(now, Request::AddAgentCaps(place), Body::AddAgentCaps { id: subtree, description });
            }
        }
    }

    /// Sends a request of our own and expects its answer.
    pub(super) fn ask(&mut self, now: Duration, request: Request, body: Body) {
        let packet_id = self.outstanding.add(now, request);
        let session_id = self.session_id();
        let header = Header { session_id, packet_id, ..Header::new(body.kind(), self.config.order) };
        // RFC 2741 §6.1.1 lists the PDUs that may have one; a Ping is about the session, which has none.
        let has_context = matches!(body, Body::Register(_) | Body::AddAgentCaps { .. } | Body::Notify(_));
        let context =
            (has_context && !self.config.context.is_empty()).then(|| self.config.context.clone().into());
        Pdu { header, context, body }.write(&mut self.output);
    }
}

/// How long to wait before what was refused so many times before is asked for again.
fn doubled(timing: &Timing, refusals: u32) -> Duration {
    let factor = 1_u32.checked_shl(refusals).unwrap_or(u32::MAX);
    timing.retry_first.saturating_mul(factor).min(timing.register_again_after)
}

/// The VarBinds of a Notify (RFC 2741 §6.2.10).
fn announcement(notification: &Notification, uptime: Option<Uptime>) -> Vec<VarBind> {
    let mut varbinds = Vec::with_capacity(notification.varbinds.len() + 2);
    if let Some(uptime) = uptime {
        varbinds.push(VarBind::new(SYS_UP_TIME.into(), Value::TimeTicks(uptime.at(notification.at))));
    }
    let trap = Value::ObjectIdentifier(notification.trap_oid.clone());
    varbinds.push(VarBind::new(SNMP_TRAP_OID.into(), trap));
    varbinds.extend(notification.varbinds.iter().cloned());
    varbinds
}
