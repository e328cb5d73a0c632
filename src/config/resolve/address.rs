//! Lines of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `unicast_peer`.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    net::{IpAddr, Ipv4Addr},
};

use super::Context;
use crate::config::{
    Diagnostic, Scope, Severity, Span, VirtualAddress,
    keywords::{self, Status},
    text::{Line, Word},
    value::{self, Broadcast},
};

/// The longest address label the kernel takes.
const MAX_LABEL_BYTES: usize = 15;

/// One address line. Reports and returns `None` when the address cannot be used.
pub(super) fn virtual_address(
    line: &Line,
    excluded: bool,
    context: &mut Context<'_>,
) -> Option<VirtualAddress> {
    let word = line.first();
    let Some((address, prefix)) = value::prefixed_address(word.text) else {
        context.add(
            Diagnostic::new(
                "invalid-address",
                Severity::Error,
                format!("`{}` is not an IP address: the line is ignored", word.text),
                &word.span(),
            )
            .help("write ADDRESS/PREFIX, such as 192.0.2.10/24"),
        );
        return None;
    };
    let IpAddr::V4(address) = address else {
        report_ipv6(word, excluded, context);
        return None;
    };
    let mut found = VirtualAddress {
        address,
        prefix: prefix.map_or(32, |prefix| prefix_length(prefix, word, context)),
        broadcast: None,
        device: None,
        scope: Scope::GLOBAL,
        label: None,
        at: word.span(),
    };
    let mut options = line.words(1);
    while let Some(option) = options.next() {
        let Some(keyword) = keywords::ADDRESS_LINE.keyword(option.text) else {
            report_unknown(option, context);
            continue;
        };
        let value = if keyword.arguments.is_empty() { None } else { options.next() };
        if !keyword.arguments.is_empty() && value.is_none() {
            context.add(
                Diagnostic::new(
                    "missing-argument",
                    Severity::Error,
                    format!("{} needs a value: the address is ignored", option.text),
                    &option.span(),
                )
                .help(format!("write {} {}", option.text, keyword.arguments)),
            );
            return None;
        }
        if keyword.status != Status::Supported {
            let headline = format!("{} is not supported yet: it has no effect", keyword.name);
            context.add(
                Diagnostic::new("not-supported-yet", Severity::Notice, headline, &option.span())
                    .info(format!("its meaning in keepalived: {}", keyword.help)),
            );
        } else if let Some(value) = value {
            set(&mut found, keyword.name, value, context)?;
        }
    }
    Some(found)
}

/// Applies one option; `None` drops the whole address, as keepalived does.
fn set(found: &mut VirtualAddress, option: &str, word: Word<'_>, context: &mut Context<'_>) -> Option<()> {
    match option {
        "dev" => {
            if !context.env.interface_exists(word.text) {
                super::instance::report_no_interface(word, context);
                return None;
            }
            found.device = Some(word.text.to_owned());
        }
        "label" => {
            if word.text.len() > MAX_LABEL_BYTES {
                context.add(
                    Diagnostic::new(
                        "invalid-value",
                        Severity::Error,
                        format!("label `{}` is too long: the address is ignored", word.text),
                        &word.span(),
                    )
                    .help(format!("a label has at most {MAX_LABEL_BYTES} characters, such as eth0:1")),
                );
                return None;
            }
            found.label = Some(word.text.to_owned());
        }
        "scope" => found.scope = scope(word, context),
        _ => found.broadcast = broadcast(found, word, context)?,
    }
    Some(())
}

#[expect(clippy::option_option, reason = "the outer one is whether the address is used at all")]
fn broadcast(found: &VirtualAddress, word: Word<'_>, context: &mut Context<'_>) -> Option<Option<Ipv4Addr>> {
    let host_bits = u32::MAX.checked_shr(u32::from(found.prefix)).unwrap_or(0);
    let address = u32::from(found.address);
    match value::broadcast(word.text) {
        Some(Broadcast::Address(address)) => Some(Some(address)),
        // A prefix longer than 30 has no room for a broadcast address (RFC 3021).
        Some(_) if found.prefix > 30 => Some(None),
        Some(Broadcast::HostBitsSet) => Some(Some((address | host_bits).into())),
        Some(Broadcast::HostBitsClear) => Some(Some((address & !host_bits).into())),
        None => {
            context.add(
                Diagnostic::new(
                    "invalid-value",
                    Severity::Error,
                    format!("`{}` is not a broadcast address: the address is ignored", word.text),
                    &word.span(),
                )
                .help("write brd ADDRESS, or brd + to set all host bits"),
            );
            None
        }
    }
}

fn scope(word: Word<'_>, context: &mut Context<'_>) -> Scope {
    match word.text {
        "global" => Scope::GLOBAL,
        "site" => Scope::SITE,
        "link" => Scope::LINK,
        "host" => Scope::HOST,
        "nowhere" => Scope::NOWHERE,
        other => match other.parse() {
            Ok(number) => Scope(number),
            Err(_) => {
                context.add(
                    Diagnostic::new(
                        "invalid-value",
                        Severity::Error,
                        format!("`{other}` is not a scope: global is used"),
                        &word.span(),
                    )
                    .help("write global, site, link, host, nowhere or a number from 0 to 255"),
                );
                Scope::GLOBAL
            }
        },
    }
}

fn prefix_length(prefix: &str, word: Word<'_>, context: &mut Context<'_>) -> u8 {
    match prefix.parse() {
        Ok(length) if length <= 32 => length,
        _ => {
            context.add(
                Diagnostic::new(
                    "invalid-value",
                    Severity::Error,
                    format!("`{prefix}` is not a prefix length: 32 is used"),
                    &word.span(),
                )
                .help("write a number from 0 to 32 after the slash"),
            );
            32
        }
    }
}

fn report_unknown(option: Word<'_>, context: &mut Context<'_>) {
    let near = keywords::similar(keywords::ADDRESS_LINE, option.text);
    let help = if value::prefixed_address(option.text).is_some() {
        "write one address per line".to_owned()
    } else if let Some(near) = near {
        format!("did you mean {near}?")
    } else {
        "the options are brd, dev, scope and label".to_owned()
    };
    context.add(
        Diagnostic::new(
            "unknown-option",
            Severity::Error,
            format!("`{}` means nothing here and is ignored", option.text),
            &option.span(),
        )
        .help(help),
    );
}

fn report_ipv6(word: Word<'_>, excluded: bool, context: &mut Context<'_>) {
    let diagnostic = if excluded {
        Diagnostic::new(
            "not-supported-yet",
            Severity::Notice,
            "IPv6 is not supported yet: this address is left out",
            &word.span(),
        )
    } else {
        Diagnostic::new(
            "not-supported-yet",
            Severity::Refused,
            "IPv6 is not supported yet: this instance cannot run",
            &word.span(),
        )
        .info("leaving the address out would leave its users without a router")
        .help("take the line out, or keep this instance on keepalived for now")
    };
    context.add(diagnostic);
}

/// A peer or source address. keepalived silently ignores what follows a `/` or `-`; here that is said.
pub(super) fn host(word: Word<'_>, what: &str, context: &mut Context<'_>) -> Option<Ipv4Addr> {
    let Some((address, cut)) = value::host_address(word.text) else {
        context.add(
            Diagnostic::new(
                "invalid-address",
                Severity::Error,
                format!("`{}` is not an IP address: the {what} is ignored", word.text),
                &word.span(),
            )
            .help("write an address, such as 192.0.2.1"),
        );
        return None;
    };
    if cut {
        context.add(
            Diagnostic::new(
                "extra-words",
                Severity::Notice,
                format!("what follows {address} is ignored"),
                &word.span(),
            )
            .help(format!("a {what} is an address without a prefix length")),
        );
    }
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => {
            report_ipv6(word, false, context);
            None
        }
    }
}

/// The lines of `unicast_peer`.
pub(super) fn peers(lines: &[Line], peers: &mut Vec<Ipv4Addr>, context: &mut Context<'_>) {
    let mut known: HashSet<Ipv4Addr> = peers.iter().copied().collect();
    for line in lines {
        let word = line.first();
        let Some(address) = host(word, "peer", context) else {
            continue;
        };
        if !known.insert(address) {
            context.add(
                Diagnostic::new(
                    "duplicate-address",
                    Severity::Error,
                    format!("peer {address} is already listed: the line is ignored"),
                    &word.span(),
                )
                .help("remove the line"),
            );
            continue;
        }
        peers.push(address);
        if let Some(option) = line.word(1) {
            report_peer_option(option, context);
        }
    }
}

fn report_peer_option(option: Word<'_>, context: &mut Context<'_>) {
    if matches!(option.text, "min_ttl" | "max_ttl") {
        let headline = format!("{} is not supported yet: it has no effect in unicast_peer", option.text);
        context.add(Diagnostic::new("not-supported-yet", Severity::Notice, headline, &option.span()));
    } else {
        context.add(
            Diagnostic::new(
                "unknown-option",
                Severity::Error,
                format!("`{}` means nothing here and is ignored", option.text),
                &option.span(),
            )
            .help("write one peer per line"),
        );
    }
}

/// Adds the addresses of a block; one that is listed twice counts once. True when one was refused, so that the instance
/// cannot run.
pub(super) fn virtual_addresses(
    lines: &[Line],
    excluded: bool,
    addresses: &mut Vec<VirtualAddress>,
    context: &mut Context<'_>,
) -> bool {
    let mut refused = false;
    let mut known: HashMap<Ipv4Addr, usize> =
        addresses.iter().enumerate().map(|(index, found)| (found.address, index)).collect();
    for line in lines {
        refused |= !excluded && is_ipv6(line.first());
        let Some(found) = virtual_address(line, excluded, context) else {
            continue;
        };
        match known.entry(found.address) {
            Entry::Occupied(first) => {
                report_duplicate(&found, &addresses[*first.get()].at, context);
                continue;
            }
            Entry::Vacant(entry) => entry.insert(addresses.len()),
        };
        addresses.push(found);
    }
    refused
}

fn is_ipv6(word: Word<'_>) -> bool {
    matches!(value::prefixed_address(word.text), Some((IpAddr::V6(_), _)))
}

fn report_duplicate(found: &VirtualAddress, first: &Span, context: &mut Context<'_>) {
    let headline =
        format!("{} is already listed at {}: this line is ignored", found.address, first.beside(&found.at));
    context.add(
        Diagnostic::new("duplicate-address", Severity::Error, headline, &found.at)
            .help("remove one of the two lines"),
    );
}
