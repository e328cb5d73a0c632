//! A pool over a reload: what is known of a server that goes on stays known.

use super::{
    Event, Move, Quorum,
    machine::{Pool, Sorry},
    member::Member,
};
use crate::{
    config::{
        plan::KeptServer,
        settings::{Names, VirtualServer},
    },
    kernel::ipvs::Service,
};

impl Pool {
    /// The pool has come with a reload: servers that have yet to pass are not told of when they fail, since nobody knew of
    /// them.
    pub fn handle_joining(&mut self) {
        for member in &mut self.members {
            member.told.get_or_insert(false);
        }
    }

    /// These servers are about to be removed: they are told of under the names that they have had.
    pub fn handle_leaving(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            if let Some(member) = self.members.get(place).filter(|member| member.is_alive()) {
                let inhibited = member.inhibit;
                self.events.push_back(Event::Server { place, change: Move::Gone, inhibited });
            }
        }
    }

    /// The end of this pool alone: nothing is wanted of the kernel for it any more.
    pub fn handle_removal(&mut self) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.handle_leaving(0..self.members.len());
        if self.has_quorum {
            let (quorum, weight) = (self.quorum, self.alive_weight());
            self.events.push_back(Event::Quorum { change: Move::Gone, quorum, weight });
        }
    }

    /// Goes on with another configuration, in which `kept` says what its servers were before; with `tell_servers`
    /// (`rs_init_notifies`) new ones that are up are told of.
    ///
    /// A server is what it was until its checks say otherwise, also where these are other ones: one that has failed does not
    /// serve again before a check has found it well.
    pub fn handle_reload(
        &mut self,
        (before, now): (&VirtualServer, &VirtualServer),
        services: Vec<Service>,
        kept: &[Option<KeptServer>],
        tell_servers: bool,
    ) {
        let sorry = std::mem::replace(&mut self.sorry, Sorry::new(now));
        let old = std::mem::take(&mut self.members);
        let mut events = Vec::new();
        for (place, (config, kept)) in now.real_server.iter().zip(kept).enumerate() {
            let mut member = Member::new(config);
            let known = kept.as_ref().and_then(|kept| Some((kept, old.get(kept.before)?)));
            let Some((kept, known)) = known else {
                if tell_servers && member.is_alive() {
                    let change = Move::Up { first: true };
                    events.push(Event::Server { place, change, inhibited: member.inhibit });
                }
                // As in a pool that joins.
                member.told.get_or_insert(false);
                self.members.push(member);
                continue;
            };
            let is_same_weight = before.real_server[kept.before].weight == config.weight;
            member.take_over(known, kept, is_same_weight);
            let (from, to) = (known.effective_weight(), member.effective_weight());
            if from != to {
                events.push(Event::Weight { place, from, to, alive: member.is_alive() });
            }
            if member.is_alive() && member.told != Some(true) {
                let change = Move::Up { first: member.told.is_none() };
                member.told = Some(true);
                events.push(Event::Server { place, change, inhibited: member.inhibit });
            }
            self.members.push(member);
        }
        (self.names, self.services, self.quorum) = (Names::new(now), services, Quorum::new(now));
        self.events.extend(events);
        if self.sorry != sorry && !self.has_quorum {
            self.tell_of_sorry(true);
        }
        self.look_at_quorum();
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Found, services, tests},
        *,
    };
    use crate::{
        config::{Config, plan},
        units::Family,
    };

    /// A service with these lines and servers, each `NUMBER WEIGHT LINES`.
    fn config(lines: &str, servers: &[&str]) -> Config {
        let server = |text: &&str| {
            let [number, weight, lines] = text.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{text}")
            };
            format!("real_server 10.64.1.{number} 80 {{\n weight {weight}\n {lines}\n}}\n")
        };
        let servers: String = servers.iter().map(server).collect();
        tests::config(&format!("virtual_server 10.64.0.1 80 {{\n protocol TCP\n {lines}\n {servers}}}\n"))
    }

    const TCP: &str = "TCP_CHECK {\n}";

    fn server(text: &str) -> String {
        format!("{text} {TCP}")
    }

    fn began(config: &Config) -> Pool {
        let mut pool = tests::pool_of(config);
        pool.handle_start(false);
        tests::lines(&mut pool);
        pool
    }

    /// What is told of a reload.
    fn reload(pool: &mut Pool, before: &Config, now: &Config) -> Vec<String> {
        let (before, now) = (&before.virtual_servers[0], &now.virtual_servers[0]);
        let kept = plan::kept_servers(before, now);
        let goes_on = |place: &usize| kept.iter().flatten().any(|kept| kept.before == *place);
        pool.handle_leaving((0..before.real_server.len()).filter(|place| !goes_on(place)));
        let mut told = tests::lines(pool);
        pool.handle_reload((before, now), services(now, Family::V4, None), &kept, false);
        told.extend(tests::lines(pool));
        told
    }

    const VS: &str = "[10.64.0.1]:tcp:80";

    #[test]
    fn what_goes_on_keeps_its_state_and_what_leaves_is_told_of() {
        let before = config("", &[&server("1 1"), &server("2 1"), &server("3 1")]);
        let mut pool = began(&before);
        pool.handle_check(1, 0, Found::Down);
        tests::lines(&mut pool);
        assert!(reload(&mut pool, &before, &before).is_empty(), "nothing differs");
        let now = config("lb_algo wrr", &[&server("2 1"), &server("6 1"), &server("1 5")]);
        let told = reload(&mut pool, &before, &now);
        let expected = [
            format!("Removing service [10.64.1.3]:tcp:80 from VS {VS}"),
            format!("Changing weight from 1 to 5 for active service [10.64.1.1]:tcp:80 of VS {VS}"),
        ];
        assert_eq!(told, expected);
        assert_eq!(tests::held(&pool), [["6:80=1", "1:80=5"]]);
        assert_eq!(pool.services[0].scheduler, "wrr");
    }

    #[test]
    fn one_that_has_failed_waits_for_a_check_that_finds_it_well() {
        let before = config("", &[&server("1 1"), &server("2 1")]);
        let mut pool = began(&before);
        pool.handle_check(0, 0, Found::Down);
        tests::lines(&mut pool);
        let other = "TCP_CHECK {\n connect_port 81\n}";
        let now = config("", &[&format!("1 1 {other}"), &format!("2 1 alpha\n {other}")]);
        assert!(reload(&mut pool, &before, &now).is_empty());
        assert_eq!(tests::held(&pool), [["2:80=1"]]);
        assert!(!pool.passes(0, 0) && pool.passes(1, 0));
        pool.handle_check(0, 0, Found::Up(0));
        assert_eq!(tests::lines(&mut pool), [format!("Adding service [10.64.1.1]:tcp:80 to VS {VS}")]);
        pool.handle_check(0, 0, Found::Down);
        tests::lines(&mut pool);
        let unchecked = config("", &["1 1 ", &format!("2 1 {other}")]);
        let told = reload(&mut pool, &now, &unchecked);
        assert_eq!(told, [format!("Adding service [10.64.1.1]:tcp:80 to VS {VS}")]);
    }

    #[test]
    fn another_quorum_counts_at_once_and_an_order_for_a_weight_holds() {
        let sorry = "sorry_server 10.64.1.9 80";
        let before = config(sorry, &[&server("1 1"), &server("2 3")]);
        let mut pool = began(&before);
        pool.handle_weight(0, 0);
        pool.handle_check(1, 0, Found::Down);
        tests::lines(&mut pool);
        assert_eq!(tests::held(&pool), [["9:80=1"]]);
        let told = reload(&mut pool, &before, &config("quorum 2", &[&server("1 1"), &server("2 3")]));
        assert_eq!(told, [""; 0]);
        assert_eq!(tests::held(&pool), [["1:80=0"]], "nobody stands in any more");
        let told = reload(&mut pool, &before, &config(sorry, &[&server("1 2"), &server("2 3")]));
        let expected = [
            format!("Changing weight from 0 to 2 for active service [10.64.1.1]:tcp:80 of VS {VS}"),
            format!("Adding sorry server [10.64.1.9]:tcp:80 to VS {VS}"),
            format!("Gained quorum 1+0=1 <= 2 for VS {VS}"),
            format!("Removing sorry server [10.64.1.9]:tcp:80 from VS {VS}"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_new_one_that_has_yet_to_pass_is_not_told_of_when_it_fails() {
        let before = config("", &[&server("1 1")]);
        let mut pool = began(&before);
        let now = config("", &[&server("1 1"), &format!("2 1 alpha\n {TCP}")]);
        assert!(reload(&mut pool, &before, &now).is_empty());
        pool.handle_check(1, 0, Found::Down);
        assert!(tests::lines(&mut pool).is_empty());
        pool.handle_check(1, 0, Found::Up(0));
        assert_eq!(tests::lines(&mut pool), [format!("Adding service [10.64.1.2]:tcp:80 to VS {VS}")]);
        pool.handle_removal();
        let expected = [
            format!("Removing service [10.64.1.1]:tcp:80 from VS {VS}"),
            format!("Removing service [10.64.1.2]:tcp:80 from VS {VS}"),
            format!("Removing Virtual Server {VS}"),
        ];
        assert_eq!(tests::lines(&mut pool), expected);
        assert!(pool.wanted().is_empty());
    }
}
