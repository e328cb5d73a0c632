//! TLS of a check: it must work, and nobody's certificate is looked at, as keepalived has it.

use std::{io, path::Path, sync::Arc};

use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, pki_types::ServerName},
};

use crate::{
    config::settings::{HttpCheck, Ssl},
    tls::{self, Identity},
};

/// Who begins connections for all checks: without the server's name in the handshake, and with it.
#[derive(Clone, Debug)]
pub struct Clients([Result<Arc<ClientConfig>, String>; 2]);

impl Clients {
    /// Those of a configuration: they show what `SSL` says to whoever asks.
    ///
    /// `ca` is read, so that a mistake in it is found, and nothing is made of it, as in keepalived: nobody's certificate is
    /// looked at.
    pub fn new(ssl: Option<&Ssl>) -> Self {
        let identity = identity(ssl);
        Self([false, true].map(|sni| {
            let identity = identity.as_ref().map_err(String::clone)?;
            tls::client(sni, identity.as_ref()).map(Arc::new).map_err(|error| error.to_string())
        }))
    }

    /// Why there can be no connection, if there can be none.
    pub fn problem(&self) -> Option<&str> {
        self.0.iter().find_map(|client| client.as_ref().err()).map(String::as_str)
    }

    /// Who begins connections, with the server's name in them or without.
    pub(super) fn connector(&self, sni: bool) -> Result<TlsConnector, String> {
        self.0[usize::from(sni)].clone().map(TlsConnector::from)
    }
}

/// What a client shows, if `SSL` names it; the key may be in the file of the certificate.
fn identity(ssl: Option<&Ssl>) -> Result<Option<Identity>, String> {
    let Some(ssl) = ssl else { return Ok(None) };
    if let Some(ca) = &ssl.ca {
        tls::certificates(Path::new(&**ca))?;
    }
    let certificate = ssl.certificate.as_deref().or(ssl.key.as_deref());
    let Some(certificate) = certificate else { return Ok(None) };
    let key = ssl.key.as_deref().unwrap_or(certificate);
    Identity::read(Path::new(certificate), Path::new(key)).map(Some)
}

/// The name that is sent: `sni_name`, else the virtual host without its port. Where there is none that could be sent it is
/// the address, which is never sent.
pub(super) fn name(check: &HttpCheck) -> ServerName<'static> {
    let written = check.sni_name.as_ref().and_then(|sni| sni.name.as_deref());
    let host = check.virtualhost.as_deref().map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    });
    let name = written.or(host).and_then(|name| ServerName::try_from(name.to_owned()).ok());
    name.unwrap_or_else(|| ServerName::from(check.connection.connect_ip.0))
}

/// Why a handshake has failed: errors of TLS come wrapped in one of the stream.
pub(super) fn why(error: &io::Error) -> String {
    let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    of_tls.map_or_else(|| error.to_string(), tls::explain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_none_are_named() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        let path: Box<str> = empty.path().to_string_lossy().into();
        let with = |ca: Option<&str>, certificate: Option<&str>| Ssl {
            ca: ca.map(Box::from),
            certificate: certificate.map(Box::from),
            ..Ssl::default()
        };
        assert_eq!(Clients::new(None).problem(), None);
        assert_eq!(Clients::new(Some(&with(None, None))).problem(), None);
        let missing = Clients::new(Some(&with(Some("/no/ca.pem"), None)));
        assert!(missing.problem().unwrap().contains("/no/ca.pem"));
        let nothing = Clients::new(Some(&with(None, Some(&path))));
        assert!(nothing.problem().unwrap().contains("there is none"));
    }
}
