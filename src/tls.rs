//! TLS of whoever looks at a page and trusts nothing: as with keepalived, the handshake must work, and whatever certificate
//! the server shows is taken.

use std::{path::Path, sync::Arc};

use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};

/// What a client shows a server that asks who it is.
#[derive(Debug)]
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From files in PEM: the client's certificate with those that lead to its authority, and its key.
    ///
    /// # Errors
    /// Which file is not what it should be, and why. A key that is behind a password cannot be read.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| format!("no private key in {}: {error}", key.display()))?;
        Ok(Self { chain, key })
    }
}

/// The certificates of a file in PEM, one at least.
///
/// # Errors
/// Why there are none.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("no certificate in {}: {error}", path.display());
    let all = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
    if all.is_empty() { Err(failed(&"there is none")) } else { Ok(all) }
}

/// A client that names the server in the handshake or does not (`sni`), and begins each session with a handshake of its own.
///
/// # Errors
/// When the cryptography has no version of the protocol, or can do nothing with the key.
pub(crate) fn client(sni: bool, identity: Option<&Identity>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let anyone = Arc::new(Anyone(Arc::clone(&provider)));
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verified = versions.dangerous().with_custom_certificate_verifier(anyone);
    let mut config = match identity {
        Some(Identity { chain, key }) => verified.with_client_auth_cert(chain.clone(), key.clone_key())?,
        None => verified.with_no_client_auth(),
    };
    config.enable_sni = sni;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// What a server must have something of. Servers that are known to have not: `docs/differences.md`.
const OFFERED: &str =
    "TLS 1.2 and 1.3, keys agreed on by X25519, P-256 or P-384, AES-GCM and ChaCha20-Poly1305";

/// Why a handshake or a connection has failed; where the server may have nothing of what it was offered, what that is.
pub(crate) fn explain(error: &Error) -> String {
    use AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    match error {
        Error::AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        | Error::PeerIncompatible(_)
        | Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => {
            format!("{error}; offered are {OFFERED}; or it asks for a certificate")
        }
        _ => error.to_string(),
    }
}

/// Takes every certificate: what is asked is whether a server works, not whether it is who it says.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

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

    /// Those that the library could verify, and those that it need not.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.0.signature_verification_algorithms.supported_schemes();
        schemes.extend([
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED448,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]);
        schemes
    }
}
