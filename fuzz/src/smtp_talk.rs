//! What a mail server says to a check.

use steadfast::check::{Talk, Turn};

/// The longest piece that is read at once.
const PIECE: usize = 512;
/// Answers that a conversation has.
const ANSWERS: usize = 3;

/// The first byte says how large the pieces are.
pub fn check(input: &[u8]) {
    let Some((&size, said)) = input.split_first() else { return };
    let mut talk = Talk::default();
    let (mut answers, mut heard) = (0, 0);
    for piece in said.chunks((usize::from(size) * 4).clamp(1, PIECE)) {
        heard += piece.len();
        match talk.handle_bytes(piece) {
            Turn::Listen => assert!(heard < PIECE, "a line without an end is listened to"),
            Turn::Say(word) => {
                assert!(matches!(word, "HELO" | "QUIT"));
                (answers, heard) = (answers + 1, 0);
            }
            Turn::Done => return assert_eq!(answers + 1, ANSWERS, "it is done too early"),
            Turn::Bad(why) => return assert!(!why.is_empty()),
        }
    }
    assert!(answers < ANSWERS);
}
