//! TLS of a check: it must work, and nobody's certificate is looked at, as keepalived has it.

use std::sync::{Arc, LazyLock};

use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::Shared;
use crate::{config::settings::HttpCheck, tls};

/// One for all checks with SNI, and one for all without.
static SHARED: LazyLock<[Option<Shared>; 2]> =
    LazyLock::new(|| [false, true].map(|sni| tls::client(sni).ok().map(Arc::new)));

/// Who begins connections, with the server's name in them or without.
pub(super) fn connector(sni: bool) -> Option<TlsConnector> {
    SHARED[usize::from(sni)].clone().map(TlsConnector::from)
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
