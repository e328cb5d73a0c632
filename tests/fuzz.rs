//! What fuzzing found and keeps asking, by plain `cargo test`: the inputs in `fuzz/corpus`, and configurations made of
//! the keyword tables with seeds that are always the same.

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "fuzz/limits.rs"]
mod limits;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the module is a library of its own, too")]
#[expect(clippy::panic, reason = "a check panics when the program breaks a promise")]
mod targets;

use std::{
    env, fs, panic,
    path::{Path, PathBuf},
};

use steadfast::config::{self, Options, render, show};

use crate::targets::{
    files::{Files, MAIN},
    grammar::{self, Random, SECRET},
};

/// Generated configurations of each kind; all together take a few seconds without optimisation.
const CASES: u64 = 400;

/// What servers and the kernel may say anywhere in an answer.
const MARKS: [&str; 10] = [
    "\r\n",
    "\r\n\r\n",
    " ",
    "220 ",
    "250 ok\r\n",
    "HTTP/1.1 200 ",
    "Content-Length: ",
    "99999999999999999999",
    "\0\0\0\0",
    "\u{1}\0",
];

/// The inputs of a target with their names, always in the same order.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new("fuzz/corpus").join(target);
    let listed = fs::read_dir(&folder).expect("the target has a corpus");
    let mut paths: Vec<PathBuf> =
        listed.map(|entry| entry.expect("the corpus can be listed").path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "only {} inputs in {}", paths.len(), folder.display());
    let read = |path: PathBuf| {
        let input = fs::read(&path).expect("the input can be read");
        (path, input)
    };
    paths.into_iter().map(read).collect()
}

/// Replays the corpus of a target; the name of the file that fails is in the message.
fn replay(target: &str, check: fn(&[u8])) {
    for (path, input) in corpus(target) {
        let outcome = panic::catch_unwind(|| check(&input));
        assert!(outcome.is_ok(), "{} fails, see above", path.display());
    }
}

#[test]
fn the_corpus_of_configurations_is_read() {
    replay("config", targets::config::check);
}

#[test]
fn the_corpus_of_vrrp_packets_is_judged() {
    replay("vrrp_packet", targets::vrrp_packet::check);
}

#[test]
fn the_corpus_of_agentx_pdus_is_decoded() {
    replay("agentx_pdu", targets::agentx_pdu::check);
}

#[test]
fn the_corpus_of_agentx_sessions_is_lived_through() {
    replay("agentx_session", targets::agentx_session::check);
}

#[test]
fn the_corpus_of_names_is_asked_for() {
    replay("snmp_view", targets::snmp_view::check);
}

#[test]
fn any_names_are_asked_for() {
    for seed in 0..CASES {
        let input = targets::snmp_view::names(&mut Random::new(seed));
        let outcome = panic::catch_unwind(|| targets::snmp_view::check(&input));
        assert!(outcome.is_ok(), "seed {seed} fails, see above: {input:02x?}");
    }
}

#[test]
fn the_corpora_of_snmp_are_heard() {
    replay("udp_agent_message", targets::udp_agent_message::check);
    replay("snmp_client_response", targets::snmp_client_response::check);
}

#[test]
fn the_corpora_of_answers_to_checks_are_judged() {
    replay("http_response", targets::http_response::check);
    replay("smtp_talk", targets::smtp_talk::check);
    replay("dns_reply", targets::dns_reply::check);
}

#[test]
fn the_corpus_of_the_kernels_answers_is_decoded() {
    replay("ipvs_answer", targets::ipvs_answer::check);
}

/// Millions of them where `FUZZ_CASES` says so.
#[test]
fn any_damaged_answer_is_judged() {
    let cases = env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    judge_damaged("http_response", targets::http_response::check, cases);
    judge_damaged("smtp_talk", targets::smtp_talk::check, cases);
    judge_damaged("dns_reply", targets::dns_reply::check, cases);
    judge_damaged("ipvs_answer", targets::ipvs_answer::check, cases);
}

/// Inputs of a target's corpus, each damaged in another way.
fn judge_damaged(target: &str, check: fn(&[u8]), cases: u64) {
    let corpus = corpus(target);
    for seed in 0..cases {
        let mut random = Random::new(seed);
        let mut input = corpus[random.below(corpus.len())].1.clone();
        grammar::damage(&mut input, &MARKS, &mut random);
        let outcome = panic::catch_unwind(|| check(&input));
        assert!(outcome.is_ok(), "seed {seed} of {target} fails, see above: {input:02x?}");
    }
}

#[test]
fn any_configuration_of_the_tables_is_read_and_shows_no_secret() {
    for seed in 0..CASES {
        let text = grammar::sensible(&mut Random::new(seed));
        let outcome = panic::catch_unwind(|| {
            targets::config::check(text.as_bytes());
            shows_no_secret(&text);
        });
        assert!(outcome.is_ok(), "seed {seed} fails, see above:\n{text}");
    }
}

#[test]
fn a_misspelt_word_shows_no_secret() {
    for seed in 0..CASES {
        shows_no_secret(&grammar::misspelt(&mut Random::new(seed)));
    }
}

#[test]
fn any_damaged_configuration_is_read() {
    for seed in 0..CASES {
        let input = grammar::damaged(&mut Random::new(seed));
        let outcome = panic::catch_unwind(|| targets::config::check(&input));
        assert!(outcome.is_ok(), "seed {seed} fails, see above:\n{}", String::from_utf8_lossy(&input));
    }
}

fn shows_no_secret(text: &str) {
    let (main, options) = (Path::new(MAIN), Options { config_id: Some("router1"), ..Options::default() });
    let files = Files::of(text.as_bytes());
    let (_, report) = config::load_with(main, &options, &files);
    let (items, _) = config::effective(main, &options, true, &files);
    let log: String = report.lines().collect();
    for shown in [report.render(), log, render::json(&report), show::text(&items), show::json(&items)] {
        assert!(!shown.contains(SECRET), "the password is shown:\n{shown}");
    }
}

#[test]
fn the_fuzzer_s_dictionary_is_the_language() {
    let path = Path::new("fuzz/config.dict");
    let made = grammar::dictionary();
    if env::var_os("UPDATE_DICTIONARY").is_some() {
        fs::write(path, &made).expect("the dictionary can be written");
    }
    let written = fs::read_to_string(path).expect("the dictionary is there");
    assert!(written == made, "run this test with UPDATE_DICTIONARY=1");
}
