//! A master that asks without a pause: what else the driver has to do is done all the same.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    io::{self, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use agentx::{
    Config, MasterAddress, Oid, Region, Subagent, View,
    driver::monotonic,
    notification::queue,
    wire::{Body, ByteOrder, ErrorCode, HEADER_LEN, Header, Pdu, PduType, Response, SearchRange},
};
use tokio::{sync::oneshot, time::timeout};

const SOON: Duration = Duration::from_secs(5);

/// The header and the bytes of the next PDU.
fn read_pdu(from: &mut impl io::Read) -> Option<(Header, Vec<u8>)> {
    let mut bytes = vec![0; HEADER_LEN];
    from.read_exact(&mut bytes).ok()?;
    let (header, length) = Header::read(&bytes).unwrap();
    bytes.resize(HEADER_LEN + length, 0);
    from.read_exact(&mut bytes[HEADER_LEN..]).ok()?;
    Some((header, bytes))
}

fn answer(to: &mut UnixStream, request: Header) {
    let header = Header { session_id: 7, ..request };
    let response = Response { sys_up_time: 1, error: ErrorCode::NoError, index: 0, varbinds: Vec::new() };
    let answer = Pdu { header, context: None, body: Body::Response(response) };
    to.write_all(&answer.to_bytes()).unwrap();
}

/// Opens the session, lets the region be registered, and asks without a pause while it reads the answers; what the subagent
/// says of its own goes to `said`.
fn be_master(listener: &UnixListener, said: &mpsc::Sender<Body>) {
    let (mut stream, _) = listener.accept().unwrap();
    for _ in 0..2 {
        let (request, _) = read_pdu(&mut stream).unwrap();
        answer(&mut stream, request);
    }
    let mut asking = stream.try_clone().unwrap();
    let asker = thread::spawn(move || {
        let ranges = vec![SearchRange { start: Oid::from([1, 3]), include: false, end: Oid::null() }];
        let header = Header { session_id: 7, ..Header::new(PduType::GetNext, ByteOrder::Network) };
        let request = Pdu { header, context: None, body: Body::GetNext(ranges) }.to_bytes().repeat(100);
        while asking.write_all(&request).is_ok() {}
    });
    // By far faster than the subagent, which gives up a master that does not read its answers.
    let mut reader = BufReader::with_capacity(65_536, stream);
    while let Some((header, bytes)) = read_pdu(&mut reader) {
        if header.kind != PduType::Response {
            let _ = said.send(Pdu::read(&bytes).unwrap().body);
        }
    }
    asker.join().unwrap();
}

#[test]
fn a_master_that_asks_without_a_pause_is_told_of_what_happens_and_of_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master");
    let listener = UnixListener::bind(&path).unwrap();
    let (say, said) = mpsc::channel();
    let master = thread::spawn(move || be_master(&listener, &say));
    let (sender, notifications) = queue(8);
    let (end, ended) = oneshot::channel();
    let subagent = thread::spawn(move || {
        let config = Config::new("flooded").region(Region::new(Oid::from([1, 3, 6])));
        let mib = View::<()>::new().serve(|| Arc::new(()));
        let address: MasterAddress = path.to_str().unwrap().parse().unwrap();
        let subagent = Subagent::new(address, config, mib, monotonic).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = subagent.with_notifications(notifications).run_until(async { drop(ended.await) });
        runtime.block_on(async { timeout(SOON, run).await.map(drop) })
    });
    let next = || said.recv_timeout(SOON).unwrap();
    sender.send(monotonic(), Oid::from([1, 3, 6, 0, 1]), Vec::new());
    assert!(matches!(next(), Body::Notify(_)));
    end.send(()).unwrap();
    assert!(matches!(next(), Body::Close(_)));
    assert_eq!(subagent.join().unwrap(), Ok(()));
    master.join().unwrap();
}
