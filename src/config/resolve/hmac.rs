//! `auth_hmac` blocks: keys are read here, once, from the line, a file or a credential of the service.

use std::{io, path::Path, time::Duration};

use zeroize::Zeroizing;

use super::{Context, strict};
use crate::config::{
    AntiReplay, Diagnostic, KeyFile, Severity, SignatureMode, Signatures, SigningKey, Span,
    settings::{AuthHmac, HmacKey},
    text::Word,
    tree::Node,
};

/// The largest file with a key: 64 bytes in hexadecimal, and room for line feeds.
const LARGEST_FILE: u64 = 1024;
/// `time_window` unless written: three whole intervals within these bounds.
const WINDOWS: std::ops::RangeInclusive<u64> = 5..=300;
/// Where systemd puts the credentials of a service (systemd.exec(5)).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The keys and rules of an instance. `None` when it asks for signatures that cannot be made.
pub(super) fn resolve(
    block: &AuthHmac,
    node: &Node,
    (name, interval, strict): (Word<'_>, Duration, bool),
    context: &mut Context<'_>,
) -> Option<Signatures> {
    let line = |word: &str| node.nodes().iter().rfind(|line| line.keyword.name == word).map(Node::span);
    let keys: Vec<_> = block.key.iter().filter_map(|key| read(key, node, context)).collect();
    let Some(active) = block.active_key.filter(|active| keys.iter().any(|key| key.id == *active)) else {
        let headline = format!("{} has no usable key to sign with: it cannot run", name.text);
        context.add(
            Diagnostic::new("no-active-key", Severity::Refused, headline, &node.span())
                .info("running it without authentication is not what the file asks for")
                .help("write active_key N with the number of one of its keys"),
        );
        return None;
    };
    let mut mode = match *block.mode {
        "permissive" => SignatureMode::Permissive,
        "receive-only" => SignatureMode::ReceiveOnly,
        _ => SignatureMode::Enforce,
    };
    if strict && mode != SignatureMode::Enforce {
        let at = line("mode").unwrap_or_else(|| node.span());
        context.add(strict::set_aside("mode", name, &at, "write mode enforce, or leave strict mode"));
        mode = SignatureMode::Enforce;
    }
    let usual = (3 * interval.as_secs()).clamp(*WINDOWS.start(), *WINDOWS.end());
    let window = block.time_window.unwrap_or_else(|| u16::try_from(usual).unwrap_or(u16::MAX));
    let anti_replay =
        if *block.anti_replay == "monotonic" { AntiReplay::Monotonic } else { AntiReplay::Time { window } };
    Some(Signatures { keys, active, anti_replay, mode })
}

/// Reads a key; reports one that cannot be used, never with a word of it.
fn read(key: &HmacKey, block: &Node, context: &mut Context<'_>) -> Option<SigningKey> {
    let is_its = |line: &&Node| line.keyword.name == "key" && line.integer() == Some(key.id.into());
    let at = || block.nodes().iter().find(is_its).map_or_else(|| block.span(), Node::span);
    let written = key.value.reveal();
    let path = written.strip_prefix("file:").map(|path| Ok(path.to_owned()));
    let source = path.or_else(|| Some(credential(written.strip_prefix("credential:")?, context)));
    let bytes = match source {
        None => decoded(written.as_bytes()),
        Some(path) => path.and_then(|path| {
            let file = context.env.key_file(Path::new(&path), LARGEST_FILE).map_err(because)?;
            complain_if_exposed(&file, key.id, &at(), context);
            let content = &file.content;
            let end = content.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
            decoded(&content[..end.map_or(0, |last| last + 1)])
        }),
    };
    let usable = bytes.and_then(|bytes| {
        let length = bytes.len();
        SigningKey::new(key.id, bytes).ok_or_else(|| format!("it has {length} bytes"))
    });
    let report = |why| {
        let headline = format!("key {} is ignored: {why}", key.id);
        let help = "a key has 32 to 64 bytes: write text, or hex:DIGITS, file:PATH or credential:NAME";
        context.add(Diagnostic::new("unusable-key", Severity::Error, headline, &at()).help(help));
    };
    usable.map_err(report).ok()
}

/// Where a credential is. Its name leads nowhere else.
fn credential(name: &str, context: &Context<'_>) -> Result<String, String> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err("this is not the name of a credential".to_owned());
    }
    let folder = context.env.variable(CREDENTIALS).filter(|folder| !folder.is_empty());
    let folder = folder.ok_or_else(|| format!("{CREDENTIALS} is not set: systemd gives the service none"))?;
    Ok(format!("{folder}/{name}"))
}

fn because(error: io::Error) -> String {
    format!("its file cannot be read: {error}")
}

fn complain_if_exposed(file: &KeyFile, id: u8, at: &Span, context: &mut Context<'_>) {
    if file.exposed {
        let headline = format!("the file of key {} is open to others, or somebody else's", id);
        context.add(
            Diagnostic::new("exposed-key", Severity::Warning, headline, at)
                .info("whoever reads it can speak as a router")
                .help("chown root and chmod 600 the file, and give all routers a new key"),
        );
    }
}

/// The bytes of `hex:` digits or of a text.
fn decoded(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let Some(digits) = text.strip_prefix(b"hex:") else {
        return Ok(Zeroizing::new(text.to_vec()));
    };
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err("it has an odd number of hexadecimal digits".to_owned());
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        let (Some(high), Some(low)) = (value(high), value(low)) else {
            return Err("not all of it are hexadecimal digits".to_owned());
        };
        bytes.push(high << 4 | low);
    }
    Ok(bytes)
}
