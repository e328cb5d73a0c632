//! A session with the master that is written by hand, PDU by PDU: what the master does to one that is not this crate's.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use agentx::wire::{
    Body, ByteOrder, ErrorCode, HEADER_LEN, Header, Open, Pdu, PduType, Register, Response, Unregister,
};
use agentx::{Oid, VarBind};

use super::Host;

/// An open session.
pub(crate) struct Probe {
    stream: UnixStream,
    order: ByteOrder,
    session_id: u32,
    packet_id: u32,
}

impl Probe {
    /// Opens a session with the unix master of `host`.
    pub(crate) fn open(host: &Host, order: ByteOrder) -> Self {
        let stream = UnixStream::connect(host.path("master")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut probe = Self { stream, order, session_id: 0, packet_id: 0 };
        let open = Open { timeout: 0, id: Oid::null(), description: b"a probe".to_vec() };
        let (header, response) = probe.ask(Body::Open(open));
        assert_eq!(response.error, ErrorCode::NoError);
        probe.session_id = header.session_id;
        probe
    }

    /// Sends a request and waits for its Response.
    pub(crate) fn ask(&mut self, body: Body) -> (Header, Response) {
        self.packet_id += 1;
        let header = Header {
            session_id: self.session_id,
            packet_id: self.packet_id,
            ..Header::new(body.kind(), self.order)
        };
        self.write(&Pdu { header, context: None, body });
        let Pdu { header, body, .. } = self.receive();
        match body {
            Body::Response(response) => (header, response),
            other => panic!("{other:?}"),
        }
    }

    /// What the master says to a request.
    pub(crate) fn error(&mut self, body: Body) -> ErrorCode {
        self.ask(body).1.error
    }

    /// Registers the region below `subtree`.
    pub(crate) fn register(&mut self, subtree: Oid, priority: u8) -> ErrorCode {
        self.error(Body::Register(Register { timeout: 0, priority, subtree, range: None }))
    }

    /// Gives a region back.
    pub(crate) fn unregister(&mut self, subtree: Oid, priority: u8) -> ErrorCode {
        self.error(Body::Unregister(Unregister { priority, subtree, range: None }))
    }

    /// The next PDU of the master.
    pub(crate) fn receive(&mut self) -> Pdu {
        let mut bytes = vec![0; HEADER_LEN];
        self.stream.read_exact(&mut bytes).unwrap();
        let (_, length) = Header::read(&bytes).unwrap();
        bytes.resize(HEADER_LEN + length, 0);
        self.stream.read_exact(&mut bytes[HEADER_LEN..]).unwrap();
        Pdu::read(&bytes).unwrap()
    }

    /// Answers a request of the master.
    pub(crate) fn answer(&mut self, request: &Pdu, error: ErrorCode, varbinds: Vec<VarBind>) {
        let header = Header { kind: PduType::Response, ..request.header.clone() };
        let index = u16::from(error != ErrorCode::NoError);
        let body = Body::Response(Response { sys_up_time: 0, error, index, varbinds });
        self.write(&Pdu { header, context: None, body });
    }

    /// Whether the master says nothing for a while.
    pub(crate) fn hears_nothing(&mut self, within: Duration) -> bool {
        self.stream.set_read_timeout(Some(within)).unwrap();
        let outcome = self.stream.read(&mut [0]);
        self.stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        outcome.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn write(&mut self, pdu: &Pdu) {
        self.stream.write_all(&pdu.to_bytes()).unwrap();
    }
}
