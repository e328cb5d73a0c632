//! Stories of pools, and what holds of every pool.

use proptest::prelude::*;

use super::*;
use crate::{
    config::{self, Config, Elsewhere, Options},
    kernel::ipvs::{Change, ServiceKey},
    units::Family,
};

/// The pool of the one `virtual_server` in a file, and its group if it names one.
fn pool(text: &str) -> Pool {
    pool_of(&config(text))
}

/// That of a configuration.
pub(super) fn pool_of(config: &Config) -> Pool {
    let service = &config.virtual_servers[0];
    Pool::new(service, services(service, Family::V4, config.server_groups.first()))
}

/// What a file says.
pub(super) fn config(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    config.unwrap_or_else(|| panic!("{}", report.render()))
}

/// Three servers of weight 2, 2 and 1 with a check each.
fn of_three(lines: &str, of_check: &str) -> Pool {
    let server = |number: u8, weight: u8| {
        format!("real_server 10.64.1.{number} 80 {{\n weight {weight}\n TCP_CHECK {{\n {of_check}\n }}\n}}\n")
    };
    let servers = [server(1, 2), server(2, 2), server(3, 1)].concat();
    pool(&format!(
        "virtual_server 10.64.0.1 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n {lines}\n {servers}}}\n"
    ))
}

/// The lines of what has happened since.
pub(super) fn lines(pool: &mut Pool) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = pool.poll_event() {
        lines.push(pool.line(&event));
    }
    lines
}

/// What the kernel should hold, as `LAST-OCTET:PORT=WEIGHT`.
pub(super) fn held(pool: &Pool) -> Vec<Vec<String>> {
    let shown = |entry: Entry| {
        let one = |one: &crate::kernel::ipvs::Destination| {
            let address = one.key.ip().to_string();
            let last = address.rsplit('.').next().unwrap().to_owned();
            format!("{last}:{}={}", one.key.port(), one.weight)
        };
        entry.destinations.iter().map(one).collect()
    };
    pool.wanted().into_iter().map(shown).collect()
}

const VS: &str = "[10.64.0.1]:tcp:80";

#[test]
fn without_a_sorry_server_the_pool_follows_each_server_and_the_quorum_is_only_told() {
    let mut pool = of_three("quorum 3\n hysteresis 1", "");
    assert_eq!(held(&pool), Vec::<Vec<String>>::new(), "nothing before the start");
    pool.handle_start(false);
    assert_eq!(lines(&mut pool), [format!("Gained quorum 3+1=4 <= 5 for VS {VS}")]);
    assert_eq!(held(&pool), [["1:80=2", "2:80=2", "3:80=1"]]);
    pool.handle_check(0, 0, Found::Up(0));
    assert_eq!(lines(&mut pool), [""; 0], "it is up already");
    pool.handle_check(0, 0, Found::Down);
    assert_eq!(lines(&mut pool), [format!("Removing service [10.64.1.1]:tcp:80 from VS {VS}")]);
    pool.handle_check(1, 0, Found::Down);
    let lost = format!("Lost quorum 3-1=2 > 1 for VS {VS}");
    assert_eq!(lines(&mut pool), [format!("Removing service [10.64.1.2]:tcp:80 from VS {VS}"), lost]);
    assert_eq!(held(&pool), [["3:80=1"]]);
    pool.handle_check(0, 0, Found::Up(0));
    assert_eq!(lines(&mut pool), [format!("Adding service [10.64.1.1]:tcp:80 to VS {VS}")], "3 is below 4");
    pool.handle_check(1, 0, Found::Up(0));
    let gained = format!("Gained quorum 3+1=4 <= 5 for VS {VS}");
    assert_eq!(lines(&mut pool), [format!("Adding service [10.64.1.2]:tcp:80 to VS {VS}"), gained]);
}

#[test]
fn a_sorry_server_takes_the_place_of_all_while_the_quorum_is_lost() {
    let mut pool = of_three("quorum 3\n sorry_server 10.64.1.100 80", "");
    pool.handle_start(false);
    lines(&mut pool);
    pool.handle_check(0, 0, Found::Down);
    pool.handle_check(2, 0, Found::Down);
    let told = lines(&mut pool);
    assert_eq!(
        told[2..],
        [
            format!("Lost quorum 3-0=3 > 2 for VS {VS}"),
            format!("Adding sorry server [10.64.1.100]:tcp:80 to VS {VS}"),
        ]
    );
    assert_eq!(held(&pool), [["100:80=1"]]);
    pool.handle_check(2, 0, Found::Up(0));
    let told = lines(&mut pool);
    assert_eq!(told.last().unwrap(), &format!("Removing sorry server [10.64.1.100]:tcp:80 from VS {VS}"));
    assert_eq!(held(&pool), [["2:80=2", "3:80=1"]]);
}

#[test]
fn who_is_inhibited_stays_with_weight_0() {
    let mut pool = of_three("inhibit_on_failure\n sorry_server 10.64.1.100 80\n sorry_server_inhibit", "");
    pool.handle_start(false);
    assert_eq!(held(&pool), [["1:80=2", "2:80=2", "3:80=1", "100:80=0"]]);
    pool.handle_check(0, 0, Found::Down);
    assert_eq!(lines(&mut pool)[1], format!("Disabling service [10.64.1.1]:tcp:80 of VS {VS}"));
    assert_eq!(held(&pool), [["1:80=0", "2:80=2", "3:80=1", "100:80=0"]]);
    pool.handle_check(1, 0, Found::Down);
    pool.handle_check(2, 0, Found::Down);
    assert_eq!(held(&pool), [["1:80=0", "2:80=0", "3:80=0", "100:80=1"]]);
    assert_eq!(lines(&mut pool)[3], format!("Enabling sorry server [10.64.1.100]:tcp:80 to VS {VS}"));
}

#[test]
fn with_alpha_a_server_comes_with_its_first_success_and_a_first_failure_is_told() {
    let mut pool = of_three("alpha\n sorry_server 10.64.1.100 80", "");
    pool.handle_start(true);
    assert_eq!(lines(&mut pool)[0], format!("Starting with quorum down 1-0=1 > 0 for VS {VS}"));
    assert_eq!(held(&pool), [["100:80=1"]]);
    pool.handle_check(0, 0, Found::Down);
    let event = pool.poll_event().unwrap();
    assert!(matches!(event, Event::Server { change: Move::Down { first: true }, .. }), "{event:?}");
    pool.handle_check(0, 0, Found::Down);
    assert_eq!(pool.poll_event(), None);
    pool.handle_check(1, 0, Found::Up(0));
    assert_eq!(held(&pool), [["2:80=2"]]);
    assert_eq!(pool.servers_up(), 1);
}

#[test]
fn servers_are_told_of_at_the_start_where_that_is_asked_for_and_at_the_end_always() {
    let mut pool = of_three("", "");
    pool.handle_start(true);
    assert_eq!(lines(&mut pool).len(), 4);
    pool.handle_check(1, 0, Found::Down);
    lines(&mut pool);
    pool.handle_stop();
    assert_eq!(
        lines(&mut pool),
        [
            format!("Shutting down service [10.64.1.1]:tcp:80 from VS {VS}"),
            format!("Shutting down service [10.64.1.3]:tcp:80 from VS {VS}"),
            format!("Shutting down VS {VS}"),
        ]
    );
    assert_eq!(held(&pool), Vec::<Vec<String>>::new());
}

#[test]
fn weights_add_up_stay_above_nothing_and_count_for_the_quorum() {
    let checks = "MISC_CHECK {\n misc_path /bin/true\n misc_dynamic\n }\n".repeat(2);
    let mut pool = pool(&format!(
        "virtual_server 10.64.0.1 80 {{\n protocol TCP\n sorry_server 10.64.1.100 80\n real_server 10.64.1.1 80 {{\n weight 10\n {checks}}}\n}}\n"
    ));
    pool.handle_start(false);
    lines(&mut pool);
    pool.handle_check(0, 0, Found::Up(-5));
    let server = "service [10.64.1.1]:tcp:80";
    assert_eq!(lines(&mut pool), [format!("Changing weight from 10 to 5 for active {server} of VS {VS}")]);
    pool.handle_check(0, 1, Found::Up(-8));
    let told = lines(&mut pool);
    assert_eq!(told[0], format!("Changing weight from 5 to 0 for active {server} of VS {VS}"));
    assert_eq!((held(&pool), pool.is_alive(0)), (vec![vec!["100:80=1".to_owned()]], true));
    pool.handle_weight(0, 20);
    assert_eq!(held(&pool), [["1:80=7"]]);
}

#[test]
fn a_server_is_up_while_all_its_checks_are() {
    let mut pool = pool(
        "virtual_server 10.64.0.1 80 {\n protocol TCP\n real_server 10.64.1.1 80 {\n TCP_CHECK {\n }\n TCP_CHECK {\n }\n}\n}\n",
    );
    pool.handle_start(false);
    lines(&mut pool);
    pool.handle_check(0, 0, Found::Down);
    assert_eq!(lines(&mut pool).len(), 2);
    pool.handle_check(0, 1, Found::Down);
    pool.handle_check(0, 0, Found::Up(0));
    assert_eq!(lines(&mut pool), [""; 0]);
    assert_eq!(pool.checks(0), (1, 0));
    pool.handle_check(0, 1, Found::Up(0));
    assert_eq!(lines(&mut pool).len(), 2);
}

#[test]
fn of_two_servers_that_are_one_destination_whoever_is_alive_serves() {
    let server = |port| {
        format!(
            "real_server 10.64.1.1 {port} {{\n inhibit_on_failure\n TCP_CHECK {{\n }}\n weight {port}\n}}\n"
        )
    };
    let servers = [server(80), server(81)].concat();
    let mut pool =
        pool(&format!("virtual_server 10.64.0.1 80 {{\n lb_kind DR\n protocol TCP\n{servers}}}\n"));
    pool.handle_start(false);
    assert_eq!(held(&pool), [["1:80=80"]]);
    pool.handle_check(0, 0, Found::Down);
    assert_eq!(held(&pool), [["1:80=81"]], "not the one that is held at 0");
    pool.handle_check(1, 0, Found::Down);
    assert_eq!(held(&pool), [["1:80=0"]]);
    pool.handle_check(0, 0, Found::Up(0));
    assert_eq!(held(&pool), [["1:80=80"]]);
}

#[test]
fn a_group_is_a_service_for_each_address_and_mark_with_ports_by_method() {
    let group =
        "virtual_server_group G {\n 10.67.0.20 80\n 10.67.0.21-22 81\n fwmark 300\n 10.67.0.28/31 82\n}\n";
    let with = |kind| {
        let mut pool = pool(&format!(
            "{group}virtual_server group G {{\n protocol TCP\n lb_kind {kind}\n real_server 10.67.1.1 8080 {{\n }}\n}}\n"
        ));
        pool.handle_start(false);
        assert_eq!(pool.names().service, "[G]:0");
        let marks = pool.keys().filter(|key| matches!(key, ServiceKey::Mark { mark: 300, .. })).count();
        assert_eq!((pool.keys().count(), marks), (6, 1));
        let mut ports: Vec<String> = held(&pool).concat();
        ports.sort();
        ports
    };
    assert_eq!(with("NAT"), ["1:8080=1"; 6]);
    assert_eq!(with("DR"), ["1:0=1", "1:80=1", "1:81=1", "1:81=1", "1:82=1", "1:82=1"]);
}

#[test]
fn names_are_keepaliveds() {
    let names = |head: &str, server: &str| {
        pool(&format!(
            "virtual_server {head} {{\n protocol TCP\n lb_kind DR\n real_server {server} {{\n }}\n}}\n"
        ))
        .names()
        .clone()
    };
    let named = names("fwmark 7", "10.67.1.10");
    assert_eq!((named.service.as_str(), named.servers[0].as_str()), ("FWM 7", "[10.67.1.10]:none:0"));
    let named = names("fd00::1 80", "fd00::2 81");
    assert_eq!((named.service.as_str(), named.servers[0].as_str()), ("[fd00::1]:tcp:80", "[fd00::2]:tcp:80"));
}

#[test]
fn two_services_of_one_key_share_what_they_have() {
    let mut pool = of_three("", "");
    pool.handle_start(false);
    let mut first = pool.wanted().remove(0);
    let mut second = first.clone();
    first.destinations.truncate(2);
    first.destinations[0].weight = 0;
    second.destinations.remove(1);
    first.join(second.destinations);
    let weights: Vec<u32> = first.destinations.iter().map(|one| one.weight).collect();
    assert_eq!(weights, [2, 2, 1]);
}

/// A step of a story.
#[derive(Clone, Debug)]
enum Step {
    Check(usize, bool, i64),
    Weight(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let check =
        (0..3_usize, any::<bool>(), -3..2_i64).prop_map(|(place, up, adds)| Step::Check(place, up, adds));
    let weight = (0..3_usize, 0..4_i64).prop_map(|(place, weight)| Step::Weight(place, weight));
    proptest::collection::vec(prop_oneof![4 => check, 1 => weight], 0..40)
}

fn take(pool: &mut Pool, step: &Step) {
    match *step {
        Step::Check(place, true, adds) => pool.handle_check(place, 0, Found::Up(adds)),
        Step::Check(place, false, _) => pool.handle_check(place, 0, Found::Down),
        Step::Weight(place, weight) => pool.handle_weight(place, weight),
    }
}

/// What the kernel holds after a change, and how many destinations take new connections.
fn carry(held: &mut Vec<(std::net::SocketAddr, u32)>, change: &Change) {
    match change {
        Change::AddDestination(_, one) => held.push((one.key, one.weight)),
        Change::EditDestination(_, one) => {
            held.iter_mut().filter(|(key, _)| *key == one.key).for_each(|(_, weight)| *weight = one.weight);
        }
        Change::DeleteDestination(_, key) => held.retain(|(held, _)| held != key),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn with_a_sorry_server_somebody_always_serves(
        steps in steps(), quorum in 1..5_u32, hysteresis in 0..3_u32, inhibit: bool, sorry_inhibit: bool,
    ) {
        let word = |on, word| if on { word } else { "" };
        let mut pool = of_three(&format!(
            "quorum {quorum}\n hysteresis {hysteresis}\n {}\n sorry_server 10.64.1.100 80\n {}",
            word(inhibit, "inhibit_on_failure"), word(sorry_inhibit, "sorry_server_inhibit"),
        ), "");
        pool.handle_start(false);
        let mut before = pool.wanted().remove(0);
        let mut held: Vec<_> = before.destinations.iter().map(|one| (one.key, one.weight)).collect();
        for step in &steps {
            take(&mut pool, step);
            let after = pool.wanted().remove(0);
            prop_assert!(after.destinations.iter().any(|one| one.weight > 0), "{:?} after {:?}", after, step);
            for change in changes(Some(&before), Some(&after)) {
                carry(&mut held, &change);
                prop_assert!(held.iter().any(|(_, weight)| *weight > 0), "after {:?}", change);
            }
            let mut reached = held.clone();
            let mut wanted: Vec<_> = after.destinations.iter().map(|one| (one.key, one.weight)).collect();
            reached.sort();
            wanted.sort();
            prop_assert_eq!(reached, wanted);
            prop_assert_eq!(changes(Some(&after), Some(&after)), []);
            before = after;
        }
    }

    #[test]
    fn what_is_wanted_depends_on_the_state_alone(steps in steps()) {
        // Without hysteresis the quorum, too, is a function of what is alive.
        let start = || {
            let mut pool = of_three("quorum 2\n sorry_server 10.64.1.100 80", "");
            pool.handle_start(false);
            pool
        };
        let mut by_steps = start();
        steps.iter().for_each(|step| take(&mut by_steps, step));
        let mut last: Vec<Option<&Step>> = vec![None; 6];
        for step in &steps {
            match step {
                Step::Check(place, ..) => last[*place] = Some(step),
                Step::Weight(place, _) => last[3 + *place] = Some(step),
            }
        }
        let mut at_once = start();
        last.into_iter().flatten().for_each(|step| take(&mut at_once, step));
        prop_assert_eq!(by_steps.wanted(), at_once.wanted());
    }

    #[test]
    fn a_server_is_up_and_down_by_turns(steps in steps()) {
        let mut pool = of_three("sorry_server 10.64.1.100 80", "");
        pool.handle_start(false);
        let (mut up, mut quorum) = ([true; 3], true);
        while pool.poll_event().is_some() {}
        for step in &steps {
            take(&mut pool, step);
            while let Some(event) = pool.poll_event() {
                match event {
                    Event::Server { place, change, .. } => {
                        prop_assert_ne!(up[place], change.is_up());
                        up[place] = change.is_up();
                    }
                    Event::Quorum { change, .. } => {
                        prop_assert_ne!(quorum, change.is_up());
                        quorum = change.is_up();
                    }
                    Event::Sorry { serves, .. } => prop_assert_ne!(serves, quorum),
                    Event::Weight { from, to, .. } => prop_assert_ne!(from, to),
                }
            }
        }
    }
}
