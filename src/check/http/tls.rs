//! TLS of a check: it must work, and nobody's certificate is looked at, as keepalived has it.

use std::sync::{Arc, LazyLock};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use super::Shared;
use crate::config::settings::HttpCheck;

/// Takes every certificate: a check asks whether a server works, not whether it is who it says.
#[derive(Debug)]
struct Anyone(CryptoProvider);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// One for all checks with SNI, and one for all without.
static SHARED: LazyLock<[Option<Shared>; 2]> = LazyLock::new(|| [shared(false), shared(true)]);

fn shared(sni: bool) -> Option<Shared> {
    let provider = ring::default_provider();
    let versions = ClientConfig::builder_with_provider(Arc::new(provider.clone()));
    // The provider has both versions of the protocol.
    let versions = versions.with_safe_default_protocol_versions().ok()?;
    let verifier = Arc::new(Anyone(provider));
    let mut config = versions.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.enable_sni = sni;
    // Each try is a handshake of its own, or it would not be tried.
    config.resumption = tokio_rustls::rustls::client::Resumption::disabled();
    Some(Arc::new(config))
}

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
