//! `authentication` blocks.

use super::Context;
use crate::{
    config::{Auth, Diagnostic, InitialState, Severity, Span, text::Word, tree::Node},
    units::{Family, Priority, Version},
};

/// The lines of the block.
pub(super) struct Authentication<'a> {
    span: Span,
    kind: Option<Word<'a>>,
    /// It has a line for the type that cannot be used, which has been reported.
    unknown: bool,
    password: Option<Word<'a>>,
    /// Its last password cannot be used, which has been reported.
    unusable: bool,
}

impl<'a> Authentication<'a> {
    pub(super) fn read(node: &'a Node) -> Self {
        let last = |name: &str| node.nodes().iter().rfind(|node| node.keyword.name == name);
        let (kind, password) = (last("auth_type"), last("auth_pass"));
        Self {
            span: node.span(),
            kind: kind.and_then(Node::argument),
            unknown: kind.is_some_and(|line| !line.valid),
            password: password.and_then(Node::argument),
            unusable: password.is_some_and(|line| !line.valid),
        }
    }
}

impl Authentication<'_> {
    /// Says that the block has no effect beside one of `auth_hmac`.
    pub(super) fn replaced(self, context: &mut Context<'_>) {
        context.add(
            Diagnostic::new(
                "no-authentication",
                Severity::Error,
                "auth_hmac takes the place of authentication: this block is ignored",
                &self.span,
            )
            .help("remove one of the two blocks, the same on every router"),
        );
    }
}

/// The password, where the version and the lines allow one. `None` when the instance asks for what cannot be done.
pub(super) fn resolve(
    auth: Option<Authentication<'_>>,
    (version, family, strict): (Version, Family, bool),
    context: &mut Context<'_>,
) -> Option<Auth> {
    let Some(Authentication { span, kind, unknown, password, unusable }) = auth else {
        return Some(Auth::None);
    };
    let Some(kind) = kind else {
        if unknown {
            return Some(Auth::None);
        }
        let headline = "without auth_type this block has no effect";
        let finding = Diagnostic::new("no-authentication", Severity::Notice, headline, &span);
        context.add(finding.help("add auth_type PASS, or remove the block"));
        return Some(Auth::None);
    };
    if let Some(finding) = done_away_with(version, strict, &span) {
        context.add(finding);
        return Some(Auth::None);
    }
    if unusable {
        return None;
    }
    let Some(password) = password else {
        let headline = "without auth_pass this block is ignored";
        let finding = Diagnostic::new("no-authentication", Severity::Error, headline, &span);
        context.add(finding.help("add auth_pass with up to 8 characters, the same on every router"));
        return Some(Auth::None);
    };
    let is_header = kind.text == "AH";
    if family == Family::V6 {
        return over_ipv6(is_header.then_some(kind), &span, context);
    }
    let bytes = significant(password, context);
    Some(if is_header { Auth::Header(bytes) } else { Auth::Pass(bytes) })
}

/// Says that strict mode or version 3 has no such block.
fn done_away_with(version: Version, strict: bool, span: &Span) -> Option<Diagnostic> {
    let ignored = |headline| Diagnostic::new("no-authentication", Severity::Error, headline, span);
    if strict {
        let finding = ignored("strict mode has no authentication: this block is ignored")
            .info("RFC 3768 and RFC 9568 have done away with it")
            .help("remove the block here and on the other routers, or strict mode");
        return Some(finding);
    }
    (version == Version::V3).then(|| {
        ignored("version 3 has no authentication: this block is ignored")
            .help("remove the block, or use version 2")
    })
}

/// Over IPv6 there is neither kind: the header (`kind` is where it was asked for) is ignored as keepalived does it, a
/// password cannot be.
fn over_ipv6(kind: Option<Word<'_>>, block: &Span, context: &mut Context<'_>) -> Option<Auth> {
    if let Some(kind) = kind {
        let headline = "auth_type AH is for IPv4 alone: this block is ignored";
        let finding = Diagnostic::new("no-authentication", Severity::Error, headline, &kind.span());
        context.add(finding.help("remove the block here and on the other routers, or use auth_hmac"));
        return Some(Auth::None);
    }
    let headline = "over IPv6 an advertisement has no room for a password: this instance cannot run";
    context.add(
        Diagnostic::new("no-authentication", Severity::Refused, headline, block)
            .info("running it without authentication is not what the file asks for")
            .help("remove the block here and on the other routers"),
    );
    None
}

/// What of a password is sent: eight bytes, zeros behind a shorter one.
fn significant(password: Word<'_>, context: &mut Context<'_>) -> [u8; 8] {
    let mut bytes = [0; 8];
    if password.text.len() > bytes.len() {
        let headline = "only the first 8 characters of this password count";
        let finding = Diagnostic::new("password-too-long", Severity::Error, headline, &password.span());
        context.add(finding.help("shorten it here and on the other routers"));
    }
    for (slot, byte) in bytes.iter_mut().zip(password.text.bytes()) {
        *slot = byte;
    }
    bytes
}

/// With authentication headers a router has to hear the sequence number of the last master before it can be one itself.
pub(super) fn initial_state(
    auth: Option<&Auth>,
    state: InitialState,
    priority: Priority,
    written: &Option<(InitialState, Span)>,
    context: &mut Context<'_>,
) -> InitialState {
    let (Some(Auth::Header(_)), InitialState::Master, Some((_, at))) = (auth, state, written) else {
        return state;
    };
    if priority == Priority::OWNER {
        return state;
    }
    context.add(
        Diagnostic::new(
            "backup-with-ah",
            Severity::Error,
            "with auth_type AH this router begins as BACKUP",
            at,
        )
        .info("it has to hear the last sequence number before the others can believe it")
        .help("write state BACKUP"),
    );
    InitialState::Backup
}
