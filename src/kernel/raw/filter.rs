//! Which packets of a protocol a socket takes: a program of classic BPF, which the kernel runs on the packet from its IP
//! header on.

use socket2::SockFilter;

use super::VRRP;

/// BPF_LDX | BPF_B | BPF_MSH: the length of an IPv4 header into the index register.
const LOAD_HEADER_LENGTH: u16 = 0xb1;
/// BPF_LD | BPF_B | BPF_IND: a byte at the index register.
const LOAD_BYTE_THERE: u16 = 0x50;
/// BPF_JMP | BPF_JEQ | BPF_K.
const JUMP_IF_EQUAL: u16 = 0x15;
/// BPF_RET | BPF_K: take so many bytes of the packet.
const TAKE: u16 = 0x06;

/// Packets with VRRP behind an authentication header, whose first byte says so.
pub(super) static VRRP_BEHIND_AH: [SockFilter; 5] = [
    SockFilter::new(LOAD_HEADER_LENGTH, 0, 0, 0),
    SockFilter::new(LOAD_BYTE_THERE, 0, 0, 0),
    SockFilter::new(JUMP_IF_EQUAL, 0, 1, VRRP as u32),
    SockFilter::new(TAKE, 0, 0, u32::MAX),
    SockFilter::new(TAKE, 0, 0, 0),
];
