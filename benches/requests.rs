//! What a request costs the daemon itself, from the bytes of the PDU to the bytes of its answer, in processor instructions: a
//! figure that no neighbour on the machine changes.
//!
//! The view of KEEPALIVED-MIB over rows of a configuration, in a session whose master is this benchmark; a thousand Gets and as
//! many GetNexts of names all over a subtree, each in a transaction of its own. Valgrind's callgrind counts; beside it stands
//! the time without it.
//!
//! `cargo bench --bench requests`. Needs valgrind.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
mod support;

use std::{env, hint::black_box, process::Command, sync::Arc, time::Duration};

use agentx::{
    Config, Oid, Region, Session, View,
    wire::{Body, ByteOrder, ErrorCode, HEADER_LEN, Header, Pdu, PduType, Response, SearchRange},
};
use lab::{Error, Result, clock};
use steadfast::{
    snmp::{self, Snapshot},
    units::Time,
};

use support::{
    fleet, rows,
    table::{head, row},
};

/// KEEPALIVED-MIB::vrrp and realServerTable.
const VRRP: &str = "1.3.6.1.4.1.9586.100.5.2";
const REAL_SERVERS: &str = "1.3.6.1.4.1.9586.100.5.3.4";
/// Requests of each kind.
const REQUESTS: usize = 1000;
/// What tells this benchmark to carry requests out and to say how long they took: what is served, and what is asked, follow.
const FLAG: &str = "--requests";
/// The function whose instructions count.
const COUNTED: &str = "*carry_out*";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == FLAG) {
        return be_asked(&arguments[at + 1..]);
    }
    if !support::wanted() {
        return Ok(());
    }
    head(
        &format!("{REQUESTS} requests of each kind: instructions and ns for one"),
        &["subtree", "rows", "request", "instructions", "ns"],
    );
    for (subtree, sizes) in [("vrrp", [10, 2000]), ("realServerTable", [100, 100_000])] {
        for size in sizes {
            for kind in ["Get", "GetNext"] {
                let size = size.to_string();
                let words = [FLAG, subtree, &size, kind];
                let (instructions, nanos) = (counted(&words)?, timed(&words)?);
                row(&[&subtree, &size, &kind, &instructions, &nanos]);
            }
        }
    }
    Ok(())
}

fn failed(what: impl ToString) -> Error {
    Error::Unexpected(what.to_string())
}

fn output(program: &str, arguments: &[&str], words: &[&str]) -> Result<(String, String)> {
    let own = env::current_exe().map_err(failed)?;
    let arguments = arguments.iter().map(AsRef::as_ref).chain([own.as_os_str()]);
    let output = Command::new(program).args(arguments).args(words).output();
    let output = output.map_err(|error| failed(format!("{program}: {error}; install valgrind")))?;
    let [said, complained] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok((said, complained)) } else { Err(failed(complained)) }
}

/// Instructions of one request.
fn counted(words: &[&str]) -> Result<u64> {
    let toggle = format!("--toggle-collect={COUNTED}");
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null", &toggle];
    let (_, said) = output("valgrind", &options, words)?;
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    let count: Option<u64> = line.and_then(|(_, count)| count.trim().parse().ok());
    Ok(count.ok_or_else(|| failed(said))? / REQUESTS as u64)
}

/// Nanoseconds of one request: the best of five runs.
fn timed(words: &[&str]) -> Result<u64> {
    let once = |_| -> Result<u64> { output("env", &[], words)?.0.trim().parse().map_err(failed) };
    (0..5).map(once).try_fold(u64::MAX, |best, nanos| nanos.map(|nanos| best.min(nanos)))
}

/// Carries the requests out, and prints how many nanoseconds one took.
#[expect(clippy::print_stdout, reason = "what the other half of this benchmark reads")]
fn be_asked(words: &[String]) -> Result<()> {
    let [subtree, size, kind] = words else { return Err(failed(format!("{words:?}"))) };
    let size: usize = size.parse().map_err(failed)?;
    let (text, subtree) = match subtree.as_str() {
        "vrrp" => (fleet::config(size, 100, ""), VRRP),
        _ => (rows::servers(size), REAL_SERVERS),
    };
    let subtree: Oid = subtree.parse().map_err(failed)?;
    let topology = rows::topology(&text)?;
    let snapshot = Arc::new(Snapshot::new(Arc::new(topology), None, (Time::default(), Time::default)));
    let view = snmp::view();
    let requests = requests(&view, &snapshot, &subtree, kind == "GetNext");
    let mut session = open(view, &snapshot)?;
    let took = carry_out(&mut session, &requests);
    println!("{}", took.as_nanos() / REQUESTS as u128);
    Ok(())
}

/// Names all over the subtree, and a request for each, or for what follows it.
fn requests(view: &View<Snapshot>, snapshot: &Snapshot, subtree: &Oid, next: bool) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let mut at = subtree.clone();
    while let Some(found) =
        view.next(snapshot, &at, false, None).filter(|found| found.name.starts_with(subtree))
    {
        at = found.name.clone();
        names.push(found.name);
    }
    let request = |number: usize| {
        let start = names[number * names.len() / REQUESTS].clone();
        let ranges = vec![SearchRange { start, include: false, end: Oid::null() }];
        let body = if next { Body::GetNext(ranges) } else { Body::Get(ranges) };
        let id = u32::try_from(number + 1).unwrap_or_default();
        let header = Header {
            session_id: 1,
            transaction_id: id,
            packet_id: id,
            ..Header::new(PduType::Get, ByteOrder::Network)
        };
        Pdu { header, context: None, body }.to_bytes()
    };
    (0..REQUESTS).map(request).collect()
}

/// An open session with this view.
fn open(view: View<Snapshot>, snapshot: &Arc<Snapshot>) -> Result<Session<impl agentx::Mib>> {
    let snapshot = Arc::clone(snapshot);
    let mib = view.serve(move || Arc::clone(&snapshot));
    let config = Config::new("bench").region(Region::new(Oid::from(snmp::KEEPALIVED)));
    let mut session = Session::new(config, mib, Duration::ZERO).map_err(failed)?;
    session.handle_connected(Duration::ZERO);
    while let Ok((header, _)) = Header::read(session.output()) {
        session.handle_written(session.output().len());
        let header = Header { session_id: 1, ..header };
        let response = Response { sys_up_time: 1, error: ErrorCode::NoError, index: 0, varbinds: Vec::new() };
        let answer = Pdu { header, context: None, body: Body::Response(response) };
        session.handle_bytes(Duration::ZERO, &answer.to_bytes());
    }
    if session.status().is_registered() { Ok(session) } else { Err(failed("not registered")) }
}

/// From bytes to bytes.
#[inline(never)]
fn carry_out(session: &mut Session<impl agentx::Mib>, requests: &[Vec<u8>]) -> Duration {
    let began = clock::now();
    for request in requests {
        session.handle_bytes(Duration::ZERO, request);
        let answer = session.output();
        assert!(black_box(answer).len() > HEADER_LEN, "no answer");
        session.handle_written(answer.len());
    }
    began.elapsed()
}
