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
use tokio::time::{error::Elapsed, timeout};

use super::letter::Letter;
use crate::registry::MailConfig;

/// What sends the mails.
const MAILER: &str = concat!("Steadfast v", env!("CARGO_PKG_VERSION"));

/// What became of some mails.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// How many the server has accepted or refused for good, from the first on.
    pub(super) taken: usize,
    /// What the server refused for good: of which mail or address, and why.
    pub(super) refused: Vec<String>,
    /// How many of those taken nobody gets.
    pub(super) lost: u64,
    /// Why the rest could not be delivered.
    pub(super) error: Option<String>,
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
    let helo = ClientId::Domain(config.helo.clone());
    let server = (config.server.as_str(), config.port);
    let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(config.timeout), &helo, None, None);
    let mut connection = match timeout(config.timeout, connecting).await.map_err(Failure::from) {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Delivered { error: Some(told(&error)), ..delivered },
        Err(late) => return Delivered { error: Some(late.0), ..delivered },
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
        delivered.refused.push(format!("{}: it cannot be put into a mail", letter.subject));
        delivered.lost += 1;
        return Ok(());
    };
    let mut somebody = false;
    connection.command(Mail::new(Some(envelope.from.email.clone()), Vec::new())).await?;
    for to in &envelope.to {
        match connection.command(Rcpt::new(to.email.clone(), Vec::new())).await {
            Ok(_) => somebody = true,
            Err(error) if error.is_permanent() => {
                delivered.refused.push(format!("{}: {}", to.email, told(&error)));
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

/// An error with its causes.
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
    text
}
