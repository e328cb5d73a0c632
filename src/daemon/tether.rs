//! What ties an engine to the parent that started it: a socket, the engine's standard input.
//!
//! The engine says through it how it is, one word a line; the parent says nothing. Either learns of the other's end by the
//! end of the stream, however that end comes about.

use std::{
    io::{self, stdin},
    os::{fd::AsFd as _, unix::net::UnixStream as StdStream},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::UnixStream,
    sync::mpsc,
};

/// Words that may wait to be said. One that finds no room is left out: the next one says more.
const WAITING: usize = 64;

/// How an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Its virtual routers have begun; after a reload, they follow the new configuration, or go on with the old one.
    Ready,
    /// All its lanes go on.
    Alive,
    /// A reload has begun.
    Reloading,
    /// It is stopping, and makes headway.
    Stopping,
}

impl Word {
    const ALL: [Self; 4] = [Self::Ready, Self::Alive, Self::Reloading, Self::Stopping];

    const fn text(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Alive => "alive",
            Self::Reloading => "reloading",
            Self::Stopping => "stopping",
        }
    }

    fn read(line: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.text() == line)
    }
}

/// Says words to the parent, never waiting; to nobody when there is no parent.
#[derive(Clone, Debug)]
pub(super) struct Voice(mpsc::Sender<Word>);

impl Voice {
    /// One, and where its words come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<Word>) {
        let (words, said) = mpsc::channel(WAITING);
        (Self(words), said)
    }

    /// Says how the engine is.
    pub(super) fn say(&self, word: Word) {
        let _ = self.0.try_send(word);
    }
}

/// The parent's end, and what an engine is started with as its standard input.
pub(super) fn pair() -> io::Result<(Hearing, Stdio)> {
    let (ours, theirs) = StdStream::pair()?;
    Ok((Hearing::new(ours)?, Stdio::from(std::os::fd::OwnedFd::from(theirs))))
}

/// What the parent hears.
#[derive(Debug)]
pub(super) struct Hearing(Lines<BufReader<UnixStream>>);

impl Hearing {
    fn new(stream: StdStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(BufReader::new(UnixStream::from_std(stream)?).lines()))
    }

    /// The next word; `None` when the engine has closed its end. Words of another release are passed over. Cancelling it
    /// loses nothing.
    pub(super) async fn next(&mut self) -> Option<Word> {
        loop {
            if let Some(word) = Word::read(&self.0.next_line().await.ok()??) {
                return Some(word);
            }
        }
    }
}

/// Carries words to the parent behind the standard input, and returns when the parent is gone.
pub(super) async fn hold(said: mpsc::Receiver<Word>) -> io::Result<()> {
    let stream = StdStream::from(stdin().as_fd().try_clone_to_owned()?);
    stream.set_nonblocking(true)?;
    carry(UnixStream::from_std(stream)?, said).await;
    Ok(())
}

async fn carry(stream: UnixStream, mut said: mpsc::Receiver<Word>) {
    let (mut from_parent, mut to_parent) = stream.into_split();
    let mut nothing = [0; 64];
    loop {
        tokio::select! {
            read = from_parent.read(&mut nothing) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            Some(word) = said.recv() => {
                let line = format!("{}\n", word.text());
                if to_parent.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_parent_hears_every_word_and_the_end() {
        let (ours, theirs) = StdStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut hearing = Hearing::new(ours).unwrap();
        let (voice, said) = Voice::new();
        let mut engine = tokio::task::JoinSet::new();
        engine.spawn(carry(UnixStream::from_std(theirs).unwrap(), said));
        for word in Word::ALL {
            voice.say(word);
            assert_eq!(hearing.next().await, Some(word));
        }
        engine.abort_all();
        assert_eq!(hearing.next().await, None);
    }

    #[tokio::test]
    async fn the_engine_hears_that_the_parent_is_gone() {
        let (ours, theirs) = StdStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (_voice, said) = Voice::new();
        drop(ours);
        carry(UnixStream::from_std(theirs).unwrap(), said).await;
    }

    #[test]
    fn nobody_waits_for_a_parent_that_does_not_listen() {
        let (voice, _said) = Voice::new();
        for _ in 0..2 * WAITING {
            voice.say(Word::Alive);
        }
    }

    #[tokio::test]
    async fn words_of_another_release_are_passed_over() {
        let (ours, mut theirs) = StdStream::pair().unwrap();
        io::Write::write_all(&mut theirs, b"status 7\nready\n").unwrap();
        assert_eq!(Hearing::new(ours).unwrap().next().await, Some(Word::Ready));
    }
}
