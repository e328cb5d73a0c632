//! Whole PDUs out of a byte stream (RFC 2741 §8.1).

use crate::wire::{HEADER_LEN, Header, InvalidPdu};

/// Bytes received that do not make a PDU yet. Never holds more than one PDU and one read.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    /// How many of them were taken already.
    taken: usize,
}

impl Assembly {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole PDU: its header and payload.
    ///
    /// # Errors
    /// What [`Header::read`] refuses: where the next PDU starts is then unknown.
    pub(super) fn next_pdu(&mut self) -> Result<Option<(Header, &[u8])>, InvalidPdu> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        if rest.len() < HEADER_LEN {
            return Ok(None);
        }
        let (header, len) = Header::read(rest)?;
        let Some(payload) = rest.get(HEADER_LEN..HEADER_LEN + len) else {
            return Ok(None);
        };
        self.taken += HEADER_LEN + len;
        Ok(Some((header, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, ByteOrder, Pdu, PduType};

    #[test]
    fn any_cut_of_the_stream_gives_the_same_pdus() {
        let pdu = |packet_id, order| {
            let header = Header { packet_id, ..Header::new(PduType::Get, order) };
            Pdu { header, context: Some(b"abc".to_vec()), body: Body::Get(Vec::new()) }.to_bytes()
        };
        let stream =
            [pdu(1, ByteOrder::Network), pdu(2, ByteOrder::Little), pdu(3, ByteOrder::Network)].concat();
        for chunk in 1..=stream.len() {
            let mut assembly = Assembly::default();
            let mut seen = Vec::new();
            for bytes in stream.chunks(chunk) {
                assembly.push(bytes);
                while let Some((header, payload)) = assembly.next_pdu().unwrap() {
                    seen.push((header.packet_id, payload.len()));
                }
            }
            assert_eq!(seen, [(1, 8), (2, 8), (3, 8)], "in pieces of {chunk}");
        }
    }
}
