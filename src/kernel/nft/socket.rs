//! Handing a batch to the kernel.

use std::io;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use nix::libc;
use socket2::SockRef;

use crate::kernel::sys;

/// Room for a batch with some ten thousand elements, and for the answers to its messages.
const BUFFER: libc::c_int = 1 << 20;
/// Room for one answer: its header, the error, and the header of what it answers.
const ANSWER: usize = 64;
/// NLMSG_ERROR: the answer to a message; the error 0 says that all is well.
const ERROR: [u8; 2] = 2_u16.to_ne_bytes();

/// Sends a batch and takes the answers: the first refusal is the error.
pub(super) fn exchange(batch: &[u8]) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    // An answer need not repeat what it answers.
    socket.set_cap_ack(true)?;
    SockRef::from(&socket).set_send_buffer_size(BUFFER.unsigned_abs() as usize)?;
    sys::set_receive_buffer(&socket, BUFFER, sys::Limit::Ignored)?;
    socket.send_to(batch, &SocketAddr::new(0, 0), 0)?;
    // The kernel has made the changes, or refused them, and has answered when the call above returns.
    let mut refusal = None;
    let mut answered = false;
    loop {
        let mut answer = Vec::with_capacity(ANSWER);
        match socket.recv_from(&mut answer, libc::MSG_DONTWAIT) {
            Ok(_) => {
                answered = true;
                refusal = refusal.or_else(|| error_of(&answer));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    match refusal {
        Some(error) => Err(error),
        None if answered => Ok(()),
        None => Err(io::Error::other("the kernel gave no answer")),
    }
}

/// The error that an answer reports, if it is not 0.
fn error_of(answer: &[u8]) -> Option<io::Error> {
    let code = answer.get(16..20).filter(|_| answer.get(4..6) == Some(&ERROR[..]))?;
    let code = i32::from_ne_bytes(code.try_into().ok()?);
    (code != 0).then(|| io::Error::from_raw_os_error(-code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i32) -> Vec<u8> {
        let mut answer = vec![36, 0, 0, 0];
        answer.extend(ERROR);
        answer.extend([0; 10]);
        answer.extend(code.to_ne_bytes());
        answer.extend([0; 16]);
        answer
    }

    #[test]
    fn an_answer_is_read_as_what_it_says() {
        assert_eq!(error_of(&answer(-17)).unwrap().raw_os_error(), Some(libc::EEXIST));
        assert!(error_of(&answer(0)).is_none());
        assert!(error_of(&answer(-17)[..18]).is_none());
        assert!(error_of(&[]).is_none());
    }
}
