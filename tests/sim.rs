//! Routers on a LAN in memory, by the ten thousand: it loses, damages, delays, reorders, doubles, cuts and partitions, in
//! virtual time, over the real machines and the bytes that they send.
//!
//! Each seed is one story: some hosts with virtual routers of both families and versions, sync groups and trackers, some
//! seconds of trouble, then a healthy network, which may stay partitioned. The rules of [`watch::Invariant`] are checked
//! after every input and at the end. That each can be broken is shown by [`mutation::TABLE`].
//!
//! | room | what it is |
//! |---|---|
//! | `plan`, `trouble`, `tale` | what a story is about, what befalls it, its course |
//! | `world`, `host`, `clock`, `wire` | what stands in for the daemon, the kernel and the network |
//! | `watch` | the rules, by a small model of its own |
//! | `mutation` | machines with a broken rule |
//! | `story`, `report` | what happened, to be read, and to be replayed |
//!
//! A failure prints its story, its seed and where its recording is, which `steadfast replay` takes.
//! `STEADFAST_SIM_SEED=N cargo test --test sim -- --nocapture` tells the story of one seed, `STEADFAST_SIM_SEEDS=N` tells as
//! many as wanted.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "sim/clock.rs"]
mod clock;
#[path = "sim/host.rs"]
mod host;
#[path = "sim/mutation.rs"]
mod mutation;
#[path = "sim/plan/mod.rs"]
mod plan;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/report.rs"]
mod report;
#[path = "sim/story.rs"]
mod story;
#[path = "sim/tale.rs"]
mod tale;
#[path = "sim/trouble.rs"]
mod trouble;
#[path = "sim/watch/mod.rs"]
mod watch;
#[path = "sim/wire.rs"]
mod wire;
#[path = "sim/world.rs"]
mod world;

use std::{collections::BTreeSet, env, fs, process::Command, thread};

use steadfast::record;

use self::{
    mutation::{Mutation, TABLE},
    plan::{FEATURES, Plan, Secret},
    random::Random,
    report::report,
    story::Story,
    tale::{Outcome, tell},
    watch::Invariant,
};

/// Stories told, unless the environment says how many.
const SEEDS: u64 = 10_000;

/// Stories in which a broken rule must be noticed.
const CHANCES: u64 = 400;

#[test]
fn every_story_ends_well() {
    if let Some(seed) = from_environment("STEADFAST_SIM_SEED") {
        println!("{}", report(seed, None).0);
        return assert_eq!(tell(seed, None, Story::default()).violation, None, "seed {seed}");
    }
    let seeds = from_environment("STEADFAST_SIM_SEEDS").unwrap_or(SEEDS);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let story = |seed| tell(seed, None, Story::default());
    let tell_some = |first| (first..seeds).step_by(threads).map(story).collect::<Vec<_>>();
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads as u64).map(|first| scope.spawn(move || tell_some(first))).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("its message is above")).collect()
    });
    if let Some(failed) = outcomes.iter().filter(|one| one.violation.is_some()).min_by_key(|one| one.seed) {
        println!("{}", report(failed.seed, None).0);
        let count = outcomes.iter().filter(|one| one.violation.is_some()).count();
        panic!("{count} stories of {seeds} end badly, the first one is told above");
    }
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    let (masters, moves, packets) = (sum(|one| one.masters), sum(|one| one.moves), sum(|one| one.packets));
    let (doubted, unsettled) = (sum(|one| one.doubted), sum(|one| u64::from(!one.is_settled)));
    println!(
        "{seeds} stories, {packets} packets, {doubted} of them replayed or foreign, {moves} changes of state, \
         {masters} masters at the end; in {unsettled} stories it changed who believes whom until then"
    );
    // Stories are worth something only when there was trouble, and somebody left to be master.
    assert!(masters > seeds && moves > seeds * 10 && packets > seeds * 50);
    assert!(doubted > seeds && unsettled * 100 < seeds);
}

#[test]
fn every_broken_rule_is_noticed() {
    for (mutation, expected) in TABLE {
        let found = (0..CHANCES).filter_map(|seed| tell(seed, Some(mutation), Story::default()).violation);
        let mut found = found.map(|(invariant, _)| invariant);
        assert!(found.any(|invariant| invariant == expected), "{mutation:?} is not noticed by {expected:?}");
    }
}

#[test]
fn every_rule_of_the_watch_is_broken_by_a_mutation() {
    let broken: BTreeSet<_> = TABLE.iter().map(|(_, invariant)| *invariant).collect();
    let all: BTreeSet<_> = Invariant::ALL.iter().copied().collect();
    assert_eq!(broken, all);
}

#[test]
fn every_feature_is_drawn_among_the_stories_in_which_broken_rules_are_looked_for() {
    let plans: Vec<_> = (0..CHANCES).map(|seed| Plan::new(&mut Random::new(seed))).collect();
    for (name, has) in FEATURES {
        let count = plans.iter().filter(|plan| has(plan)).count();
        println!("{count:>4} of {CHANCES} stories: {name}");
        assert!(count > 0, "{name} is never drawn");
    }
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in 0..20 {
        assert_eq!(tell(seed, None, Story::told()).told, tell(seed, None, Story::told()).told, "{seed}");
    }
}

#[test]
fn the_recording_of_a_story_replays_without_a_difference() {
    let mut inputs = 0;
    for seed in 0..100 {
        let recording = tell(seed, None, Story::told()).recording;
        let replayed = record::replay(recording.as_bytes()).expect("a recording");
        assert_eq!(replayed.differences, vec![], "seed {seed}");
        assert_eq!(replayed.notes, [""; 0], "seed {seed}");
        inputs += replayed.inputs;
    }
    assert!(inputs > 10_000, "{inputs}");
}

#[test]
fn a_story_that_ends_badly_is_told_with_a_recording_that_replays() {
    let kinds: [fn(Secret) -> bool; 4] = [
        |_| true,
        |secret| secret == Secret::Password,
        |secret| secret == Secret::Header,
        |secret| matches!(secret, Secret::Signed(..)),
    ];
    for is_of_kind in kinds {
        let ends_badly =
            |seed: &u64| tell(*seed, Some(Mutation::Impatient), Story::default()).violation.is_some();
        let is_about =
            |seed: &u64| Plan::new(&mut Random::new(*seed)).routers.iter().all(|one| is_of_kind(one.secret));
        let seed = (0..10 * CHANCES).filter(is_about).find(ends_badly).expect("a broken rule is noticed");
        check_that_the_recording_replays(seed);
    }
}

fn check_that_the_recording_replays(seed: u64) {
    let (text, file) = report(seed, Some(Mutation::Impatient));
    for told in ["VIOLATION of ", "did not hold", &format!("STEADFAST_SIM_SEED={seed} "), "host 0 boots"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(text.ends_with(&format!("steadfast replay {}", file.display())));
    let replay = || {
        let output = Command::new(env!("CARGO_BIN_EXE_steadfast")).arg("replay").arg(&file).output();
        let output = output.expect("the program runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (status, said) = replay();
    assert!(status == Some(0) && said.ends_with(" 0 differences\n"), "{status:?}: {said}");
    // A program that does otherwise than this one did is noticed.
    let recording = fs::read_to_string(&file).expect("the recording");
    fs::write(&file, recording.replacen("InstallAddresses", "WithdrawAddresses", 1))
        .expect("it can be written");
    let (status, said) = replay();
    assert!(status == Some(1) && said.contains("1 differences"), "{status:?}: {said}");
}

fn from_environment(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}
