//! Regular expressions of pages (`regex` of `HTTP_GET`), over a stream: whatever the size of a page, nothing of it is kept.
//!
//! keepalived has PCRE2, which tries one way after the other and keeps what it may have to return to. Here an expression
//! becomes an automaton once, and every byte of a page is one step of it. What no automaton can do (back references,
//! look-around, `\K`) is refused where the configuration is read.
//!
//! Bytes are matched, not characters, unless `utf` is asked for; `$` also matches before a line feed at the very end unless
//! `dollar_endonly` is: as PCRE2 has it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson,
    util::{primitives::StateID, start},
};
use regex_syntax::{
    ParserBuilder,
    hir::{Hir, HirKind, Look},
};

/// The largest automaton, in bytes: an expression that needs more would cost every byte of a page too much.
const LARGEST: usize = 4 << 20;
/// Memory for making it.
const MAKING: usize = 16 << 20;

/// Options of PCRE2 by their names there, lower case, that say something about what matches. The others that are known only
/// say how to go about it.
const REFUSED: [&str; 4] = ["allow_empty_class", "alt_bsux", "alt_circumflex", "extended_more"];

type Automaton = dense::DFA<Vec<u32>>;

/// The automata that somebody has, by expression and options: thousands of servers with the same page, and those of the next
/// configuration, have one together.
static MADE: Mutex<Option<Made>> = Mutex::new(None);

type Made = HashMap<(Box<str>, Vec<Box<str>>), Weak<Automaton>>;

/// An expression, ready for any number of pages.
#[derive(Clone)]
pub(crate) struct Regex {
    automaton: Arc<Automaton>,
    /// Where a match may begin.
    from: u64,
    until: u64,
    /// A match begins in the first line.
    first_line: bool,
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regex").field("from", &self.from).field("until", &self.until).finish_non_exhaustive()
    }
}

impl Regex {
    /// An expression with options of PCRE2. A match begins at byte `from` of a page or behind it, and at `until` at the latest.
    ///
    /// # Errors
    /// Why there is no automaton for it.
    pub(crate) fn new<'a>(
        pattern: &str,
        options: impl IntoIterator<Item = &'a str>,
        (from, until): (u64, u64),
    ) -> Result<Self, String> {
        let options: Vec<&str> = options.into_iter().collect();
        let first_line = options.contains(&"firstline");
        Ok(Self { automaton: shared(pattern, &options)?, from, until, first_line })
    }

    /// A search of a page, which has not begun.
    pub(crate) fn search(&self) -> Search {
        Search {
            regex: self.clone(),
            at: 0,
            before: None,
            line: true,
            found: false,
            live: Vec::new(),
            marks: Vec::new(),
        }
    }
}

/// The automaton of an expression, which may be there already.
fn shared(pattern: &str, options: &[&str]) -> Result<Arc<Automaton>, String> {
    let key = (Box::from(pattern), options.iter().copied().map(Box::from).collect());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    if let Some(known) = made.get(&key).and_then(Weak::upgrade) {
        return Ok(known);
    }
    let automaton = Arc::new(automaton(pattern, options)?);
    made.retain(|_, known| known.strong_count() > 0);
    made.insert(key, Arc::downgrade(&automaton));
    Ok(automaton)
}

fn automaton(pattern: &str, options: &[&str]) -> Result<Automaton, String> {
    let has = |name| options.contains(&name);
    if let Some(refused) = REFUSED.iter().find(|name| has(name)) {
        return Err(format!("the option {refused} is not known here"));
    }
    let quoted = if has("literal") { Some(regex_syntax::escape(pattern)) } else { None };
    let hir = ParserBuilder::new()
        .unicode(has("utf") || has("ucp"))
        .utf8(false)
        .case_insensitive(has("caseless"))
        .dot_matches_new_line(has("dotall"))
        .multi_line(has("multiline"))
        .ignore_whitespace(has("extended"))
        .swap_greed(has("ungreedy"))
        .build()
        .parse(quoted.as_deref().unwrap_or(pattern))
        .map_err(|error| reason(&error))?;
    let hir = if has("dollar_endonly") { hir } else { before_last_line_feed(hir) };
    let nfa = thompson::Compiler::new()
        .configure(thompson::Config::new().utf8(false).nfa_size_limit(Some(LARGEST)))
        .build_from_hir(&hir)
        .map_err(|error| error.to_string())?;
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(LARGEST))
        .determinize_size_limit(Some(MAKING));
    dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|error| error.to_string())
}

/// What is wrong with an expression, without the picture of it.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    }
}

/// The same with every end of the text as an end with perhaps a line feed before it.
fn before_last_line_feed(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Look(Look::End) => Hir::alternation(vec![
            Hir::look(Look::End),
            Hir::concat(vec![Hir::literal(*b"\n"), Hir::look(Look::End)]),
        ]),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(before_last_line_feed(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(before_last_line_feed(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(all) => Hir::concat(all.into_iter().map(before_last_line_feed).collect()),
        HirKind::Alternation(all) => Hir::alternation(all.into_iter().map(before_last_line_feed).collect()),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
    }
}

/// A search of one page, piece by piece. It keeps states of the automaton, each once, and no bytes.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    regex: Regex,
    /// Bytes so far, and the last of them.
    at: u64,
    before: Option<u8>,
    /// There was no line feed yet.
    line: bool,
    found: bool,
    /// Of matches that have begun.
    live: Vec<StateID>,
    /// By number of the state, after which byte (and one) it was last among them.
    marks: Vec<u64>,
}

impl Search {
    /// More of the page.
    pub(crate) fn handle_bytes(&mut self, bytes: &[u8]) {
        let automaton = Arc::clone(&self.regex.automaton);
        for byte in bytes {
            if self.found {
                return;
            }
            self.begin();
            self.step(|state| automaton.next_state(state, *byte));
            (self.at, self.before) = (self.at + 1, Some(*byte));
            self.line &= *byte != b'\n';
        }
    }

    /// Whether there is a match, now that the page has ended.
    pub(crate) fn finish(mut self) -> bool {
        if !self.found {
            self.begin();
            let automaton = Arc::clone(&self.regex.automaton);
            self.step(|state| automaton.next_eoi_state(state));
        }
        self.found
    }

    /// A match may begin here.
    fn begin(&mut self) {
        let Regex { automaton, from, until, first_line } = &self.regex;
        if self.at < *from || self.at > *until || (*first_line && !self.line) {
            return;
        }
        let here = start::Config::new().anchored(Anchored::Yes).look_behind(self.before);
        // There is a state for every byte before, but for bytes that an automaton gives up at, and this has none.
        if let Ok(state) = automaton.start_state(&here)
            && !self.live.contains(&state)
        {
            self.live.push(state);
        }
    }

    /// Every state goes on to the next; those that lead nowhere end.
    fn step(&mut self, next: impl Fn(StateID) -> StateID) {
        let automaton = &self.regex.automaton;
        // A page may have as many of them as the expression has states: each is looked up, not looked for.
        let mark = self.at + 1;
        let mut kept = 0;
        for number in 0..self.live.len() {
            let state = next(self.live[number]);
            // The automaton says one byte late that it has matched.
            self.found |= automaton.is_match_state(state);
            if automaton.is_dead_state(state) {
                continue;
            }
            let place = state.as_usize() >> automaton.stride2();
            if place >= self.marks.len() {
                self.marks.resize(place + 1, 0);
            }
            if self.marks[place] != mark {
                self.marks[place] = mark;
                self.live[kept] = state;
                kept += 1;
            }
        }
        self.live.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANYWHERE: (u64, u64) = (0, u64::MAX);

    fn found(pattern: &str, options: &[&str], places: (u64, u64), page: &str) -> bool {
        let mut search = Regex::new(pattern, options.iter().copied(), places).unwrap().search();
        search.handle_bytes(page.as_bytes());
        search.finish()
    }

    fn is_in(pattern: &str, page: &str) -> bool {
        found(pattern, &[], ANYWHERE, page)
    }

    #[test]
    fn an_expression_is_found_anywhere() {
        let build = "BUILD: rpm-.{3,50} :: DATE: [0-9]{2}/[0-9]{2}/[0-9]{4} .{12}";
        let page = "<p>BUILD: rpm-2.4.3-1.el9 :: DATE: 12/03/2024 10:00:00 UTC</p>\n";
        assert!(is_in(build, page) && !is_in(build, &page.replace("DATE", "Date")));
        assert!(is_in("passing", "checks: passing") && is_in("", "") && !is_in("a", ""));
        assert!(is_in("^ok$", "ok") && is_in("^ok$", "ok\n") && !is_in("^ok$", "ok\n\n"));
        assert!(!is_in("^b", "a\nb") && is_in(r"\bb", "a\nb") && !is_in("a.b", "a\nb"));
    }

    #[test]
    fn many_matches_that_have_begun_are_each_followed() {
        let page = "a".repeat(4096);
        assert!(!is_in("[a-z]{1,200}: ok", &page) && is_in("[a-z]{1,200}: ok", &format!("{page}: ok")));
        assert!(!is_in("b.{0,500}c", &page) && is_in("a.{0,500}c", &format!("{page}{}c", "d".repeat(500))));
        assert!(!is_in("a.{0,500}c", &format!("{page}{}c", "d".repeat(501))));
    }

    #[test]
    fn options_are_those_of_pcre() {
        let with = |option, pattern, page| found(pattern, &[option], ANYWHERE, page);
        assert!(with("caseless", "OK", "ok") && with("multiline", "^b$", "a\nb\nc"));
        assert!(with("dotall", "a.b", "a\nb") && with("extended", "a b # c", "ab"));
        assert!(with("literal", "a+", "a+") && !with("literal", "a+", "aa"));
        assert!(!with("dollar_endonly", "^ok$", "ok\n") && !with("firstline", "b", "a\nb"));
        assert!(with("utf", "^.$", "é") && !is_in("^.$", "é"));
    }

    #[test]
    fn a_match_begins_where_it_may() {
        let between = |from, until| found("bc+", &[], (from, until), "abccabc");
        assert!(between(0, 1) && between(1, 1) && between(2, 5) && between(5, u64::MAX));
        assert!(!between(0, 0) && !between(2, 4) && !between(6, u64::MAX));
        assert!(!found("^a", &[], (4, u64::MAX), "abccabc"), "it still knows what is before");
    }

    #[test]
    fn what_no_automaton_can_do_is_refused() {
        for pattern in [r"(a)\1", "a(?=b)", "(?<!a)b", "(?>a)", "(", r"\R", "[", r"a\Kb"] {
            assert!(Regex::new(pattern, [], ANYWHERE).is_err(), "{pattern}");
        }
        let large = Regex::new("(a|b)*a(a|b){40}", [], ANYWHERE).unwrap_err();
        assert!(large.contains("limit"), "{large}");
        assert!(Regex::new("a", ["alt_bsux"], ANYWHERE).is_err());
    }

    #[test]
    fn pages_with_the_same_expression_have_one_automaton() {
        let pattern = "pages_with_the_same_expression";
        let made =
            |options: &[&'static str], places| Regex::new(pattern, options.iter().copied(), places).unwrap();
        let first = made(&["caseless"], ANYWHERE);
        let second = made(&["caseless"], (7, 70));
        assert!(Arc::ptr_eq(&first.automaton, &second.automaton) && second.from == 7);
        assert!(!Arc::ptr_eq(&first.automaton, &made(&[], ANYWHERE).automaton));
        let gone = Arc::downgrade(&first.automaton);
        drop((first, second));
        assert!(gone.upgrade().is_none(), "nobody keeps it");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_it_is_cut(text in "[abc\n]{0,60}", cut in 0..61_usize) {
            let regex = Regex::new("b.?c$|^a{3}", [], ANYWHERE).unwrap();
            let whole = { let mut search = regex.search(); search.handle_bytes(text.as_bytes()); search.finish() };
            let (one, two) = text.as_bytes().split_at(cut.min(text.len()));
            let mut search = regex.search();
            search.handle_bytes(one);
            search.handle_bytes(two);
            prop_assert_eq!(search.finish(), whole);
        }
    }
}
