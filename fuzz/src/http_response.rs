//! What a web server answers a check, cut into pieces in two ways.

use steadfast::check::{Response, TooLong};

/// How an answer ended: its status, or why it was not read on, and the digest of its body.
type Read = (Result<(), TooLong>, Option<Option<u16>>, [u8; 16]);

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut response = Response::default();
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = response.handle_bytes(piece);
        if outcome.is_err() {
            break;
        }
    }
    (outcome, response.status(), response.digest())
}

/// The first byte says how large the pieces are.
pub fn check(input: &[u8]) {
    let Some((&size, answer)) = input.split_first() else { return };
    let cut = read(answer.chunks(usize::from(size).max(1)));
    let whole = read(std::iter::once(answer));
    if cut.0.is_ok() && whole.0.is_ok() {
        assert_eq!(cut, whole, "it matters how an answer is cut");
    }
    if let Some(Some(status)) = cut.1 {
        assert!(status < 1000);
    }
}
