//! The AgentX codec: whatever is read is written to the same PDU.

use agentx::wire::{Header, Pdu, ResponseHead};

/// Reads the input as a PDU and as the fixed part of a Response.
pub fn check(input: &[u8]) {
    if let Ok((header, len)) = Header::read(input) {
        let payload = input.get(agentx::wire::HEADER_LEN..).unwrap_or_default();
        let _ = ResponseHead::read(&header, &payload[..payload.len().min(len)]);
    }
    let Ok(pdu) = Pdu::read(input) else { return };
    let bytes = pdu.to_bytes();
    let again = Pdu::read(&bytes);
    assert_eq!(again.as_ref(), Ok(&pdu), "written as {bytes:02x?}");
    assert_eq!(pdu.to_bytes(), again.map_or(Vec::new(), |pdu| pdu.to_bytes()));
}
