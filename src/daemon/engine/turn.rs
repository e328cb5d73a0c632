//! The loop: what it wakes up for, and what is done in a turn of it. Before any timer is looked at the sockets are drained, so
//! that after a stall an advertisement that has arrived counts before the silence it ends.

use std::time::Duration;

use tracing::warn;

use super::{
    Command, Engine,
    observe::{Listed, listed},
    opener::Opening,
    work::Done,
};
use crate::{
    daemon::host::Report,
    kernel::{Event, KernelError, clock},
    units::Time,
};

/// Packets taken, or routers looked at, before the advertisements that are due leave: a fraction of a millisecond.
pub(super) const PORTION: usize = 64;
/// How long the kernel's answers and reports, thousands of which may come at once, may keep the sockets from being looked at
/// when no timer asks for it.
const UNHEARD: Duration = Duration::from_millis(1);

/// Why the loop woke up.
enum Wake {
    Time,
    Packet,
    Event(Result<Event, KernelError>),
    Listed(Result<Listed, KernelError>),
    Links(Vec<Report>),
    Socket(Opening),
    NetlinkEnded,
    Done(Vec<Done>),
    Command(Option<Command>),
}

impl Engine {
    /// Runs until a shutdown is complete.
    pub(in crate::daemon) async fn run(mut self) -> Result<(), KernelError> {
        for number in 0..self.routers.len() {
            self.wait_for_trackers(number, clock::now());
        }
        self.list();
        while !self.stopped() {
            self.go_on_starting(clock::now());
            self.go_on_reloading();
            // The last thing before it waits, whatever brought the news about.
            self.tell();
            self.arm();
            let wake = self.wake().await;
            let may_hear = matches!(wake, Wake::Time | Wake::Packet);
            match wake {
                Wake::Time | Wake::Packet => {}
                Wake::Event(event) => self.handle_event(event),
                Wake::Listed(listed) => self.handle_listed(listed),
                Wake::Links(reports) => self.handle_links(reports),
                Wake::Socket(opening) => self.handle_opening(opening),
                Wake::NetlinkEnded => self.renew_netlink(),
                Wake::Done(done) => self.handle_done(done),
                Wake::Command(command) => self.handle_command(command),
            }
            self.catch_up();
            self.tell_clock();
            // What is due by now is due after every packet that has arrived by now.
            let now = clock::now();
            if may_hear || self.timers.due(now).is_some() || self.drained_at + UNHEARD <= now {
                self.drain_sockets();
                self.drained_at = now;
            }
            self.run_timers(now);
            self.advertise();
            self.announce();
            self.synchroniser.deliver();
        }
        self.tell();
        self.failure.map_or(Ok(()), Err)
    }

    /// Sets the timer to the earliest deadline of all.
    fn arm(&mut self) {
        let deadlines = [
            self.adverts.next(),
            self.timers.next(),
            self.repairs.next(),
            self.statics.repair_at,
            self.departing.repair_at,
            self.trackers.next_deadline(),
            self.links.next_retry(),
            self.list_at,
            self.stop_by,
            self.settle_by,
            self.start.deadline(),
            self.announcements.deadline(),
            self.relent_at,
        ];
        if let Err(error) = self.deadline.set(deadlines.into_iter().flatten().min()) {
            warn!("cannot set the engine's timer: {error}");
        }
    }

    async fn wake(&mut self) -> Wake {
        tokio::select! {
            () = self.interfaces.sockets.readable(), if self.has_started() => Wake::Packet,
            _ = self.deadline.expired() => Wake::Time,
            event = self.events.next(), if self.listing.is_none() => Wake::Event(event),
            listed = listed(&mut self.listing) => Wake::Listed(listed),
            reports = self.links.reports() => Wake::Links(reports),
            Some(opening) = self.openings.recv() => Wake::Socket(opening),
            done = self.work.next(&self.requests) => Wake::Done(done),
            () = tokio::task::yield_now(), if !self.announcements.is_idle(clock::now()) => Wake::Time,
            () = tokio::task::yield_now(), if self.is_behind() => Wake::Time,
            () = self.netlink.ended(), if self.stop_by.is_none() => Wake::NetlinkEnded,
            // Without anyone left to command it, the engine has no reason to go on.
            command = self.commands.recv(), if self.stop_by.is_none() => Wake::Command(command),
        }
    }

    fn run_timers(&mut self, now: Time) {
        if let Some(due) = self.timers.next().filter(|due| *due <= now) {
            self.note_lag(due);
        }
        for done in 0..2 * self.routers.len() {
            let Some(number) = self.timers.due(now) else { break };
            // Each by the clock: those who become MASTER in the same instant advertise together ever after.
            let now = clock::now();
            self.routers[number].machine.handle_timeout(now);
            self.carry_out(number, now);
            if done % PORTION == PORTION - 1 {
                self.move_together(now);
                self.advertise();
            }
            // One that is alone waits for nobody; thousands have as many packets and requests leave in a few system calls.
            self.gather();
        }
        self.move_together(clock::now());
        self.run_link_timers(now);
        self.relent(clock::now());
        while let Some(number) = self.repairs.due(now) {
            self.repair(number, now);
        }
        self.repair_statics(now);
        self.repair_departing(now);
        if self.stop_by.is_none() {
            self.links.retry(now);
        }
        if self.list_at.is_some_and(|at| at <= now) {
            self.list_at = None;
            self.list();
        }
    }
}
