//! How mails reach the mail server: SMTP (RFC 5321), several over one connection.

use std::{sync::Arc, time::Duration};

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt, Rset},
        extension::ClientId,
    },
};
use tokio::{
    net::TcpStream,
    time::{error::Elapsed, timeout},
};

use super::{bounded::Bounded, letter::Letter};
use crate::registry::MailConfig;

/// What sends the mails.
const MAILER: &str = concat!("Steadfast v", env!("CARGO_PKG_VERSION"));

/// What a server may send besides its answers to what is asked, in bytes: greeting and extensions.
const MOST_TO_BEGIN: usize = 256 * 1024;

/// What an answer may have, in bytes (a line, RFC 5321 §4.5.3.1.5).
const MOST_OF_AN_ANSWER: usize = 512;

/// How much of the words of a server is told, in characters.
const MOST_WORDS: usize = 200;

/// How many refusals over one connection are told one by one.
const MOST_REFUSALS: usize = 5;

/// What became of some mails.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// How many the server has accepted or refused for good, from the first on.
    pub(super) taken: usize,
    /// What the server refused for good: of which mail or address, and why; the first few.
    pub(super) refused: Vec<String>,
    /// How many more it refused.
    pub(super) untold: u64,
    /// How many of those taken nobody gets.
    pub(super) lost: u64,
    /// Why the rest could not be delivered.
    pub(super) error: Option<String>,
}

impl Delivered {
    fn handle_refused(&mut self, what: impl FnOnce() -> String) {
        match self.refused.len() {
            ..MOST_REFUSALS => self.refused.push(what()),
            _ => self.untold += 1,
        }
    }
}

/// Who sends mails to whom.
#[derive(Debug)]
pub(super) struct Envelope {
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Envelope {
    /// Reads the addresses of a configuration; one without `@` is of this host. The errors name those that are none.
    pub(super) fn new(config: &MailConfig) -> (Option<Self>, Vec<String>) {
        let read = |written: &str| mailbox(written, &config.host_name).ok_or_else(|| written.to_owned());
        let (to, bad): (Vec<_>, Vec<_>) = config.to.iter().map(|to| read(to)).partition(Result::is_ok);
        let mut bad: Vec<_> = bad.into_iter().filter_map(Result::err).collect();
        let to: Vec<_> = to.into_iter().flatten().collect();
        let from = read(&config.from).map_err(|from| bad.push(from)).ok();
        (from.filter(|_| !to.is_empty()).map(|from| Self { from, to }), bad)
    }
}

fn mailbox(written: &str, host: &str) -> Option<Mailbox> {
    let local = || Some(Mailbox::new(None, Address::new(written, host).ok()?));
    if written.contains('@') { written.parse().ok() } else { local() }
}

/// Delivers mails in order. Whatever hangs, it ends within the timeout for the connection and the same again for each mail.
pub(super) async fn deliver(config: MailConfig, envelope: Arc<Envelope>, letters: Vec<Letter>) -> Delivered {
    let mut delivered = Delivered::default();
    // MAIL, DATA and what ends it, and one for each recipient.
    let answers = letters.len() * (envelope.to.len() + 3);
    let connecting = connect(&config, MOST_TO_BEGIN + answers * MOST_OF_AN_ANSWER);
    let mut connection = match timeout(config.timeout, connecting).await.map_err(Failure::from).flatten() {
        Ok(connection) => connection,
        Err(Failure(error)) => return Delivered { error: Some(error), ..delivered },
    };
    for letter in &letters {
        let sending = send(&mut connection, &envelope, letter, &mut delivered);
        match within(config.timeout, sending).await {
            Ok(()) => delivered.taken += 1,
            Err(Failure(error)) => {
                delivered.error = Some(error);
                break;
            }
        }
    }
    let _in_vain = timeout(config.timeout, connection.abort()).await;
    delivered
}

/// Connects and says who this is. The server may send so many bytes as long as the connection lasts.
async fn connect(config: &MailConfig, limit: usize) -> Result<AsyncSmtpConnection, Failure> {
    let server = (config.server.as_str(), config.port);
    let stream =
        TcpStream::connect(server).await.map_err(|error| Failure(format!("Connection error: {error}")))?;
    // A mail leaves in several writes. Without this each waits for the server to acknowledge the one before, which takes its
    // time, and mails arrive 40 ms apart; that is no reason not to send them.
    let _ = stream.set_nodelay(true);
    let stream = Box::new(Bounded::new(stream, limit));
    let helo = ClientId::Domain(config.helo.clone());
    Ok(AsyncSmtpConnection::connect_with_transport(stream, &helo).await?)
}

/// Why something failed, in words.
struct Failure(String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(told(&error))
    }
}

impl From<Elapsed> for Failure {
    fn from(_: Elapsed) -> Self {
        Self("the mail server does not answer in time".to_owned())
    }
}

async fn within(limit: Duration, what: impl Future<Output = Result<(), Error>>) -> Result<(), Failure> {
    Ok(timeout(limit, what).await??)
}

/// Sends one mail. What the server refuses for good is no error: an address that it does not know keeps no mail from the
/// others.
async fn send(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    letter: &Letter,
    delivered: &mut Delivered,
) -> Result<(), Error> {
    let Some(message) = message(envelope, letter) else {
        delivered.handle_refused(|| format!("{}: it cannot be put into a mail", letter.subject));
        delivered.lost += 1;
        return Ok(());
    };
    let mut somebody = false;
    connection.command(Mail::new(Some(envelope.from.email.clone()), Vec::new())).await?;
    for to in &envelope.to {
        match connection.command(Rcpt::new(to.email.clone(), Vec::new())).await {
            Ok(_) => somebody = true,
            Err(error) if error.is_permanent() => {
                delivered.handle_refused(|| format!("{}: {}", to.email, told(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    if somebody {
        connection.command(Data).await?;
        connection.message(&message).await?;
    } else {
        connection.command(Rset).await?;
        delivered.lost += 1;
    }
    Ok(())
}

/// The mail as it travels. The number of the transition and its reason are in the header: the body is keepalived's.
fn message(envelope: &Envelope, letter: &Letter) -> Option<Vec<u8>> {
    let header = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    let builder = Message::builder()
        .date(letter.at)
        .from(envelope.from.clone())
        .subject(&letter.subject)
        .raw_header(header("X-Mailer", MAILER.to_owned()))
        .raw_header(header("X-Transition", letter.seq.to_string()))
        .raw_header(header("X-Reason", letter.reason.clone()));
    let builder = envelope.to.iter().cloned().fold(builder, lettre::message::MessageBuilder::to);
    Some(builder.body(format!("{}\r\n", letter.body)).ok()?.formatted())
}

/// An error with its causes, as far as it is worth a line: the server may have said anything.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    if let Some((end, _)) = text.char_indices().nth(MOST_WORDS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Nothing here takes as long.
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn server() -> (TcpListener, MailConfig) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = MailConfig {
            server: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            helo: "host".into(),
            timeout: TIMEOUT,
            from: "from@example.org".into(),
            to: (0..8).map(|number| format!("to{number}@example.org")).collect(),
            faults: true,
            host_name: "host".into(),
        };
        (listener, config)
    }

    #[tokio::test]
    async fn a_server_that_sends_a_line_without_end_is_left() {
        let (listener, config) = server().await;
        let envelope = Arc::new(Envelope::new(&config).0.unwrap());
        let flood = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut sent = 0;
            while let Ok(length) = stream.write(&[b'2'; 4096]).await {
                sent += length;
            }
            sent
        };
        let both = futures_util::future::join(deliver(config, envelope, Vec::new()), flood);
        let (delivered, sent) = timeout(TIMEOUT / 2, both).await.expect("it ends before the timeout");
        assert!(delivered.error.unwrap().contains("the mail server sends too much"));
        assert!(sent > MOST_TO_BEGIN, "{sent}");
    }

    #[tokio::test]
    async fn of_what_a_server_says_as_much_is_told_as_fits_a_line() {
        let (listener, config) = server().await;
        let envelope = Arc::new(Envelope::new(&config).0.unwrap());
        let refusing = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 4096];
            stream.write_all(b"220 lab\r\n").await.unwrap();
            while let Ok(length @ 1..) = stream.read(&mut heard).await {
                let is_recipient = heard[..length].starts_with(b"RCPT");
                let answer =
                    if is_recipient { format!("550 {}\r\n", "no ".repeat(150)) } else { "250 ok\r\n".into() };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        let delivering = deliver(config, envelope, vec![Letter::default()]);
        let (delivered, ()) = futures_util::future::join(delivering, refusing).await;
        assert_eq!((delivered.taken, delivered.error), (1, None));
        assert_eq!((delivered.refused.len(), delivered.untold), (5, 3));
        let told = &delivered.refused[0];
        assert!(told.starts_with("to0@example.org: ") && told.ends_with('…'), "{told}");
        assert!(told.chars().count() < 230, "{told}");
    }

    #[tokio::test]
    async fn nothing_that_a_name_or_a_server_says_is_a_line_of_a_mail() {
        let (_, config) = server().await;
        let envelope = Envelope::new(&config).0.unwrap();
        let forged = "x\r\nBcc: evil@example.org\r\n\r\nbody\rBcc: a\nBcc: b\0";
        let letter = Letter { subject: forged.into(), reason: forged.into(), ..Letter::default() };
        let text = String::from_utf8(message(&envelope, &letter).unwrap()).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "\r\n");
        let names = header.split("\r\n").filter(|line| !line.starts_with(' '));
        let names: Vec<_> = names.filter_map(|line| Some(line.split_once(':')?.0)).collect();
        let expected = ["Date", "From", "Subject", "X-Mailer", "X-Transition", "X-Reason", "To"];
        assert!(
            names.iter().all(|name| expected.contains(name)
                || name.starts_with("Content-")
                || *name == "MIME-Version"),
            "{header}"
        );
        assert!(!header.replace("\r\n", "").contains(char::is_control), "{header:?}");
    }
}
