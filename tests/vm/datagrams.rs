//! Servers of datagrams.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lab::{Error, Host, Result};

/// A server of datagrams that answers each with what is made of it, until it is dropped.
pub(crate) struct Datagrams {
    ends: Arc<AtomicBool>,
}

impl Datagrams {
    pub(crate) fn new(host: &Host, address: &str, answer: fn(&[u8]) -> Vec<u8>) -> Result<Self> {
        let bound = host.inside(|| UdpSocket::bind(address))?;
        let socket = bound.map_err(|error| Error::io(format!("bind {address}"), error))?;
        let limit = socket.set_read_timeout(Some(Duration::from_millis(200)));
        limit.map_err(|error| Error::io("set a limit", error))?;
        let ends = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ends);
        thread::spawn(move || {
            let mut datagram = [0; 512];
            while !until.load(Ordering::Relaxed) {
                if let Ok((length, from)) = socket.recv_from(&mut datagram) {
                    let _ = socket.send_to(&answer(&datagram[..length]), from);
                }
            }
        });
        Ok(Self { ends })
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// A question as an answer without error, or with one.
pub(crate) fn dns(question: &[u8], code: u8) -> Vec<u8> {
    let mut answer = question.to_vec();
    if let [_, _, flags, last, ..] = answer.as_mut_slice() {
        (*flags, *last) = (*flags | 0x80, code);
    }
    answer
}
