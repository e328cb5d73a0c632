//! A subagent's session with a master, a network and a clock that do what the input says.

use std::{sync::Arc, time::Duration};

use agentx::{
    Change, CommitFailed, Config, Mib, Notification, Oid, Region, Session, SetError, UndoFailed, Value,
    VarBind,
    session::{Action, MAX_OUTPUT},
    wire::{Body, ByteOrder, ErrorCode, HEADER_LEN, Header, MAX_PAYLOAD, Pdu, PduType, Response},
};

/// Steps of one input.
const MAX_STEPS: usize = 400;
/// Deadlines that may expire at one moment, one after the other.
const MAX_EXPIRED: usize = 64;
/// The variable there is.
const NAME: [u32; 4] = [1, 3, 5, 1];

/// Carries the input out, a byte for each step with what it needs behind it, and ends the session.
pub fn check(input: &[u8]) {
    let mut input = Input(input);
    let order = if input.byte() & 1 == 0 { ByteOrder::Network } else { ByteOrder::Little };
    let Some(mut world) = World::new(order) else { return };
    for _ in 0..MAX_STEPS {
        if input.0.is_empty() {
            break;
        }
        world.step(&mut input);
        world.look();
    }
    world.session.shutdown(world.now);
    world.look();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.session.poll_timeout(), None, "a session that was shut down still waits");
}

/// What is left of the input; zeros behind its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> Vec<u8> {
        let count = usize::from(self.byte());
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes.to_vec()
    }
}

struct World {
    session: Session<One>,
    now: Duration,
    /// The requests that the master has not answered.
    asked: Vec<Pdu>,
    /// Bytes of the session that are not a whole PDU yet.
    received: Vec<u8>,
    /// The connection the session asked for is there, or is on its way.
    connected: bool,
    notifications: u64,
    packets: u32,
}

impl World {
    fn new(order: ByteOrder) -> Option<Self> {
        let mut config = Config::new("a fuzzed subagent")
            .region(Region::new(Oid::from([1, 3, 5])).describe("five"))
            .region(Region::new(Oid::from([1, 3, 6])));
        config.order = order;
        config.seed = 1;
        let now = Duration::from_secs(1);
        let session = Session::new(config, One, now).ok()?;
        let (asked, received) = (Vec::new(), Vec::new());
        Some(Self { session, now, asked, received, connected: false, notifications: 0, packets: 0 })
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 14 {
            0 => {
                self.connected = true;
                self.session.handle_connected(self.now);
            }
            1 => self.session.handle_connect_failed(self.now),
            2 => {
                self.drop_connection();
                self.session.handle_disconnected(self.now);
            }
            3 => self.write(usize::from(input.byte())),
            4 | 5 => self.write(usize::MAX),
            6 => {
                let bytes = input.bytes();
                self.session.handle_bytes(self.now, &bytes);
            }
            7 | 8 => self.answer(ErrorCode::NoError),
            9 => {
                let code = u16::from(input.byte()) << 8 | u16::from(input.byte());
                self.answer(code.into());
            }
            10 => self.pass(Duration::from_millis(u64::from(input.byte()) * 20)),
            11 => self.notify(),
            12 => {
                let payload = input.bytes();
                let kind = input.byte();
                self.request(kind, payload);
            }
            _ => self.sensible_request(input.byte()),
        }
    }

    /// What holds after each step.
    fn look(&mut self) {
        while let Some(action) = self.session.poll_action() {
            if let Action::Disconnect { farewell } = action {
                assert!(farewell.is_empty() || Pdu::read(&farewell).is_ok(), "a farewell that is no PDU");
                self.drop_connection();
            }
        }
        while self.session.poll_event().is_some() {}
        let most = MAX_OUTPUT + HEADER_LEN + MAX_PAYLOAD;
        assert!(self.session.output().len() <= most, "{} bytes wait", self.session.output().len());
        let status = self.session.status();
        assert!(status.registered <= status.regions);
        assert!(!self.session.can_notify() || self.session.poll_timeout().is_some());
    }

    fn drop_connection(&mut self) {
        self.connected = false;
        self.received.clear();
        self.asked.clear();
    }

    /// The network takes some bytes; whole PDUs are at the master's.
    fn write(&mut self, count: usize) {
        if !self.connected {
            return;
        }
        let output = self.session.output();
        let count = count.min(output.len());
        self.received.extend_from_slice(&output[..count]);
        self.session.handle_written(count);
        while let Ok((header, len)) = Header::read(&self.received) {
            let Some(pdu) = self.received.get(..HEADER_LEN + len) else { break };
            let pdu = Pdu::read(pdu)
                .unwrap_or_else(|invalid| panic!("{:?} is written wrong: {invalid}", header.kind));
            self.received.drain(..HEADER_LEN + len);
            if header.kind != PduType::Response {
                self.asked.push(pdu);
            }
        }
    }

    /// The master answers its oldest request.
    fn answer(&mut self, error: ErrorCode) {
        self.write(usize::MAX);
        if self.asked.is_empty() {
            return;
        }
        let request = self.asked.remove(0);
        let session_id = if matches!(request.body, Body::Open(_)) { 7 } else { request.header.session_id };
        let header = Header { session_id, ..request.header };
        let response = Response { sys_up_time: 100, error, index: 0, varbinds: Vec::new() };
        let bytes = Pdu { header, context: None, body: Body::Response(response) }.to_bytes();
        self.session.handle_bytes(self.now, &bytes);
    }

    /// The master sends a PDU of any kind with any payload.
    fn request(&mut self, kind: u8, mut payload: Vec<u8>) {
        payload.truncate(payload.len() / 4 * 4);
        self.packets += 1;
        let mut bytes = vec![1, kind, if kind & 0x20 == 0 { 0x10 } else { 0 }, 0, 0, 0, 0, 7];
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(self.packets.to_be_bytes());
        bytes.extend(u32::try_from(payload.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(payload);
        self.session.handle_bytes(self.now, &bytes);
    }

    /// The master sends one of the requests that masters send.
    fn sensible_request(&mut self, choice: u8) {
        let set = || vec![VarBind::new(NAME.into(), Value::Integer(choice.into()))];
        let range =
            || agentx::wire::SearchRange { start: Oid::from([1, 3, 5]), include: true, end: Oid::null() };
        let body = match choice % 8 {
            0 => Body::Get(vec![agentx::wire::SearchRange { start: NAME.into(), ..range() }]),
            1 => Body::GetNext(vec![range(), range()]),
            2 => Body::GetBulk(agentx::wire::GetBulk {
                non_repeaters: 1,
                max_repetitions: u16::from(choice) << 8,
                ranges: vec![range(), range()],
            }),
            3 => Body::TestSet(set()),
            4 => Body::CommitSet,
            5 => Body::UndoSet,
            6 => Body::CleanupSet,
            _ => Body::Ping,
        };
        self.packets += 1;
        let header = Header {
            session_id: 7,
            transaction_id: u32::from(choice / 64),
            packet_id: self.packets,
            ..Header::new(body.kind(), ByteOrder::Network)
        };
        let bytes = Pdu { header, context: None, body }.to_bytes();
        self.session.handle_bytes(self.now, &bytes);
    }

    fn notify(&mut self) {
        self.notifications += 1;
        let notification = Notification {
            id: self.notifications,
            at: self.now,
            trap_oid: Oid::from([1, 3, 5, 0, 1]),
            varbinds: Vec::new(),
        };
        self.session.notify(self.now, notification);
    }

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut at_once = 0;
        while let Some(deadline) = self.session.poll_timeout().filter(|deadline| *deadline <= end) {
            at_once = if deadline > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MAX_EXPIRED, "the same deadline comes again and again");
            self.now = self.now.max(deadline);
            self.session.handle_timeout(self.now);
            self.look();
        }
        self.now = end;
    }
}

/// One variable that can be set, unless to 13; a commit of 14 fails, and so does taking it back.
struct One;

struct Pending(bool);

impl Change for Pending {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        if self.0 { Ok(()) } else { Err(CommitFailed) }
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        if self.0 { Ok(()) } else { Err(UndoFailed) }
    }
}

impl Mib for One {
    type Snapshot = ();

    fn snapshot(&self) -> Arc<()> {
        Arc::new(())
    }

    fn value(&self, (): &(), oid: &Oid) -> Value {
        if *oid == Oid::from(NAME) { Value::Integer(42) } else { Value::NoSuchObject }
    }

    fn next(&self, (): &(), after: &Oid, include: bool, end: Option<&Oid>) -> Option<VarBind> {
        let name = Oid::from(NAME);
        let follows = name > *after || include && name == *after;
        (follows && end.is_none_or(|end| name < *end)).then(|| VarBind::new(name, Value::Integer(42)))
    }

    fn test_set(&self, (): &(), varbinds: &[VarBind]) -> Result<Box<dyn Change>, SetError> {
        match varbinds.first().map(|varbind| &varbind.value) {
            Some(Value::Integer(13)) => Err(SetError { index: 1, error: ErrorCode::WrongValue }),
            value => Ok(Box::new(Pending(value != Some(&Value::Integer(14))))),
        }
    }
}
