//! `HTTP_GET` and `SSL_GET`: pages that must be there as they are.

mod pages;
mod patience;
mod request;
mod response;
mod tls;

pub use self::{
    pages::Pages,
    response::{Response, TooLong},
    tls::Clients,
};

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    task::yield_now,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use self::patience::Patience;
use super::{
    Opening, Outcome, Phases,
    tcp::{Connect, outcome},
};
use crate::{
    config::settings::{Digest, HttpCheck, StatusCodes},
    kernel::dial::tcp::Made,
    regex::Regex,
};

/// What is read at once: most pages that are made for checks fit, and a thousand checks at once do not take much.
const PIECE: usize = 4 << 10;

/// A check of pages.
#[derive(Debug)]
pub struct Http {
    connect: Connect,
    tls: Option<Tls>,
    pages: Vec<Page>,
}

/// How a page is asked for, and what it must be.
#[derive(Debug)]
struct Page {
    request: Vec<u8>,
    path: String,
    status: StatusCodes,
    digest: Option<Digest>,
    /// `regex`; one that cannot be was reported when the configuration was read.
    regex: Option<Regex>,
    /// `regex_no_match`: it must not be there.
    unwanted: bool,
    /// `tls_compliant`: without a close_notify the answer is cut.
    strict_end: bool,
}

struct Tls {
    /// Why there is none: the files of `SSL` are not what they should be.
    connector: Result<TlsConnector, String>,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

impl Http {
    /// That of a check, over TLS where there are clients for that.
    pub(super) fn new(check: &HttpCheck, clients: Option<&Clients>) -> Self {
        let connect = Connect::new(&check.connection);
        let page = |url: &crate::config::settings::Url| {
            let path = url.path.as_deref().unwrap_or("/");
            Page {
                request: request::bytes(
                    path,
                    *check.http_protocol,
                    url.virtualhost.as_deref(),
                    connect.target,
                ),
                path: path.to_owned(),
                status: *url.status_code,
                digest: url.digest,
                regex: url.search().and_then(Result::ok),
                unwanted: url.regex_no_match,
                strict_end: *url.tls_compliant,
            }
        };
        let pages = check.url.iter().map(page).collect();
        let tls = clients
            .map(|clients| Tls { connector: clients.connector(*check.enable_sni), name: tls::name(check) });
        Self { connect, tls, pages }
    }

    /// Begins the connection of a try.
    pub(super) fn begin(&self) -> Opening {
        self.connect.begin_to_speak()
    }

    /// One try of the page at that place.
    pub(super) async fn run(&self, opening: Opening, page: usize, phases: &mut Phases) -> Outcome {
        let Some(page) = self.pages.get(page) else { return Outcome::Untold("there is no such page".into()) };
        self.fetch(opening, page, phases).await.map_or_else(|ended| ended, |response| page.judge(&response))
    }

    async fn fetch(&self, opening: Opening, page: &Page, phases: &mut Phases) -> Result<Response, Outcome> {
        let patience = Patience::new(&self.connect);
        let made = self.connect.finish(opening, phases).await?;
        if let Some(tls) = &self.tls {
            // What TLS has to remember is several times as much as everything else, which each try would have room for.
            return Box::pin(self.fetch_over(tls, made, page, (patience, phases))).await;
        }
        let sent = made.send(&page.request).map_err(|error| page.broken("sending the request", &error))?;
        if sent == page.request.len() {
            let reader = made.into_reader().map_err(|missed| outcome(&missed))?;
            return listen(reader, page, (patience, phases)).await;
        }
        let stream = made.into_stream().map_err(|missed| outcome(&missed))?;
        Box::pin(converse(stream, (page, sent), (patience, phases))).await
    }

    async fn fetch_over(
        &self,
        Tls { connector, name }: &Tls,
        made: Made,
        page: &Page,
        (patience, phases): (Patience, &mut Phases),
    ) -> Result<Response, Outcome> {
        let limit = patience.step;
        let stream = made.into_stream().map_err(|missed| outcome(&missed))?;
        let connector = connector.as_ref().map_err(|why| Outcome::Untold(why.clone()))?;
        let shaken = timeout(limit, connector.connect(name.clone(), stream)).await;
        let stream = shaken
            .map_err(|_| Outcome::Failed(format!("no TLS handshake within {limit:?}")))?
            .map_err(|error| Outcome::Failed(format!("TLS: {}", tls::why(&error))))?;
        phases.secured();
        converse(stream, (page, 0), (patience, phases)).await
    }
}

/// Asks for a page, of which so many bytes have been sent already, and reads the answer.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    (page, sent): (&Page, usize),
    (patience, phases): (Patience, &mut Phases),
) -> Result<Response, Outcome> {
    say(&mut stream, (page, sent), patience).await?;
    listen(stream, page, (patience, phases)).await
}

/// Asks for a page; so many bytes of the request have been sent already.
async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    (page, sent): (&Page, usize),
    patience: Patience,
) -> Result<(), Outcome> {
    let rest = page.request.get(sent..).unwrap_or_default();
    let said = async {
        stream.write_all(rest).await?;
        stream.flush().await
    };
    match timeout(patience.step, said).await {
        Ok(said) => said.map_err(|error| page.broken("sending the request", &error)),
        Err(_) => Err(Outcome::Failed(format!("{}: the request is not taken", page.path))),
    }
}

/// Reads the answer to its end.
async fn listen(
    mut stream: impl AsyncRead + Unpin,
    page: &Page,
    (patience, phases): (Patience, &mut Phases),
) -> Result<Response, Outcome> {
    let mut response = Response::searched(page.regex.as_ref().map(Regex::search));
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        let Some(limit) = patience.next() else {
            return Err(Outcome::Failed(format!("{}: no end of it within {:?}", page.path, patience.whole)));
        };
        match timeout(limit, stream.read_buf(&mut piece)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(_)) => {
                phases.answered();
                response
                    .handle_bytes(&piece)
                    .map_err(|why| Outcome::Failed(format!("{}: {why}", page.path)))?;
                if page.regex.is_some() {
                    // A search takes its time, and a page may make the most of it: others have their turn.
                    yield_now().await;
                }
            }
            // The end of a connection of TLS without a word, which most servers leave out.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof && !page.strict_end => break,
            Ok(Err(error)) => return Err(page.broken("reading the answer", &error)),
            Err(_) if limit < patience.step => {}
            Err(_) => {
                return Err(Outcome::Failed(format!("{}: no end of the answer within {limit:?}", page.path)));
            }
        }
    }
    phases.ended();
    Ok(response)
}

impl Page {
    /// The connection has broken over it.
    fn broken(&self, what: &str, error: &io::Error) -> Outcome {
        Outcome::Failed(format!("{}: {what}: {error}", self.path))
    }

    /// Whether an answer is what it must be.
    fn judge(&self, response: &Response) -> Outcome {
        let failed = |why: String| Outcome::Failed(format!("{}: {why}", self.path));
        match response.status() {
            None => return failed("no data received".into()),
            Some(None) => return failed("an answer without a status".into()),
            Some(Some(status)) if !self.status.contains(status) => return failed(format!("status {status}")),
            Some(Some(_)) => {}
        }
        if let Some(Digest(expected)) = &self.digest
            && response.digest() != *expected
        {
            let hex: String = response.digest().iter().map(|byte| format!("{byte:02x}")).collect();
            return failed(format!("the page has the digest {hex}"));
        }
        match response.has_match() {
            Some(true) if self.unwanted => failed("the page matches the regex".into()),
            Some(false) if !self.unwanted => failed("the page does not match the regex".into()),
            _ => Outcome::Passed { adds: 0 },
        }
    }
}
