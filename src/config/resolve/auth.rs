//! `authentication` blocks.

use super::Context;
use crate::{
    config::{Auth, Diagnostic, Severity, Span, text::Word, tree::Node},
    units::{Family, Version},
};

/// The lines of the block.
pub(super) struct Authentication<'a> {
    span: Span,
    kind: Option<Word<'a>>,
    password: Option<Word<'a>>,
}

impl<'a> Authentication<'a> {
    pub(super) fn read(node: &'a Node) -> Self {
        let last = |name: &str| {
            let line = node.nodes().iter().rfind(|node| node.keyword.name == name)?;
            line.argument()
        };
        Self { span: node.span(), kind: last("auth_type"), password: last("auth_pass") }
    }
}

/// The password, where the version and the lines allow one. `None` when the instance asks for what cannot be done.
pub(super) fn resolve(
    auth: Option<Authentication<'_>>,
    (version, family, strict): (Version, Family, bool),
    context: &mut Context<'_>,
) -> Option<Auth> {
    let Some(Authentication { span, kind, password }) = auth else {
        return Some(Auth::None);
    };
    let Some(kind) = kind else {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Notice,
                "without auth_type this block has no effect",
                &span,
            )
            .help("add auth_type PASS, or remove the block"),
        );
        return Some(Auth::None);
    };
    if strict {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Error,
                "strict mode has no authentication: this block is ignored",
                &span,
            )
            .info("RFC 3768 and RFC 9568 have done away with it")
            .help("remove the block here and on the other routers, or strict mode"),
        );
        return Some(Auth::None);
    }
    if kind.text == "AH" {
        context.add(
            Diagnostic::new(
                "not-supported-yet",
                Severity::Refused,
                "auth_type AH is not supported yet: this instance cannot run",
                &kind.span(),
            )
            .info("running it without authentication is not what the file asks for")
            .help("use auth_type PASS on all routers, or no authentication"),
        );
        return None;
    }
    if version == Version::V3 {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Error,
                "version 3 has no authentication: this block is ignored",
                &span,
            )
            .help("remove the block, or use version 2"),
        );
        return Some(Auth::None);
    }
    let Some(password) = password else {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Error,
                "without auth_pass this block is ignored",
                &span,
            )
            .help("add auth_pass with up to 8 characters, the same on every router"),
        );
        return Some(Auth::None);
    };
    if family == Family::V6 {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Refused,
                "over IPv6 an advertisement has no room for a password: this instance cannot run",
                &span,
            )
            .info("running it without authentication is not what the file asks for")
            .help("remove the block here and on the other routers"),
        );
        return None;
    }
    let mut bytes = [0; 8];
    if password.text.len() > bytes.len() {
        context.add(
            Diagnostic::new(
                "password-too-long",
                Severity::Error,
                "only the first 8 characters of this password count",
                &password.span(),
            )
            .help("shorten it here and on the other routers"),
        );
    }
    for (slot, byte) in bytes.iter_mut().zip(password.text.bytes()) {
        *slot = byte;
    }
    Some(Auth::Pass(bytes))
}
