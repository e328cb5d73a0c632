//! Lines of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `static_ipaddress`.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    net::{IpAddr, Ipv4Addr},
};

use super::{
    Context,
    options::{Chosen, Options, device, invalid, note_status},
    place::Place,
};
use crate::{
    config::{
        AddressLine, Diagnostic, Preferred, Scope, Severity, Span, keywords, slips,
        text::{Line, Word},
        value::{self, Broadcast},
    },
    units::Family,
};

/// The longest address label the kernel takes.
const MAX_LABEL_BYTES: usize = 15;
/// The longest IPv4 prefix that leaves room for a broadcast address (RFC 3021).
const MAX_BROADCAST_PREFIX: u8 = 30;

/// Which list lines stand in.
pub(super) enum List<'a> {
    /// Addresses of one family, which the first decides.
    Advertised(&'a mut Option<Family>),
    /// Addresses of any family.
    Excluded,
    /// Addresses of the top level, below these track groups.
    Static(&'a HashSet<String>),
}

/// Adds the addresses of a list; a virtual one that is listed twice counts once. `known` has the places of the addresses
/// that earlier lists added.
pub(super) fn lines(
    lines: &[Line],
    mut list: List<'_>,
    addresses: &mut Vec<AddressLine>,
    known: &mut HashMap<IpAddr, usize>,
    context: &mut Context<'_>,
) {
    // They stay as long as the daemon: room for more would, too.
    addresses.reserve_exact(lines.len());
    for line in lines {
        let word = line.first();
        let Some((address, prefix)) = value::prefixed_address(word.text) else {
            report_invalid(word, context);
            continue;
        };
        if let List::Advertised(family) = &mut list
            && !belongs(address, family, word, "address", context)
        {
            continue;
        }
        let mut found = AddressLine { at: word.span().into(), ..AddressLine::new(address) };
        if let Some(prefix) = prefix {
            found.prefix = prefix_length(prefix, found.prefix, word, context);
        }
        if options(line, &list, prefix.is_some(), &mut found, context).is_none() {
            continue;
        }
        match known.entry(address) {
            // The same address may be on two interfaces.
            Entry::Occupied(_) if matches!(list, List::Static(_)) => {}
            Entry::Occupied(first) => {
                report_duplicate(&found, &addresses[*first.get()].at, context);
                continue;
            }
            Entry::Vacant(entry) => {
                entry.insert(addresses.len());
            }
        }
        addresses.push(found);
    }
}

/// Whether an address is of the family that the first one decided; reports one that is not.
pub(super) fn belongs(
    address: IpAddr,
    family: &mut Option<Family>,
    word: Word<'_>,
    what: &str,
    context: &mut Context<'_>,
) -> bool {
    let family = *family.get_or_insert(Family::of(address));
    if Family::of(address) == family {
        return true;
    }
    let help = match what {
        "address" => "put addresses of the other family into virtual_ipaddress_excluded or another instance",
        _ => "an instance is IPv4 or IPv6, by the first address in its block",
    };
    context.add(
        Diagnostic::new(
            "other-family",
            Severity::Error,
            format!("this {what} is not {family}, as the instance is: it is ignored"),
            &word.span(),
        )
        .help(help),
    );
    false
}

/// The options of a line; `None` when the address cannot be used, which has been reported.
fn options(
    line: &Line,
    list: &List<'_>,
    prefixed: bool,
    found: &mut AddressLine,
    context: &mut Context<'_>,
) -> Option<()> {
    let mut options = Options::new(line.words(1), keywords::ADDRESS_LINE, "address");
    let mut preferred = None;
    while let Some(chosen) = options.next(context).ok()? {
        match chosen.keyword.name {
            "home" => found.home = true,
            "-nodad" => found.nodad = false,
            "mngtmpaddr" => found.mngtmpaddr = true,
            "noprefixroute" => found.noprefixroute = true,
            "autojoin" => found.autojoin = true,
            "no_track" => found.no_track = true,
            "use_vmac" if !matches!(list, List::Static(_)) => found.use_vmac = true,
            "use_vmac" => options.report_unknown(chosen.word, "is ignored", context),
            "track_group" => match list {
                List::Static(groups) => {
                    found.track_group = Place::Static(groups).track_group(&chosen, context).ok()?;
                }
                _ => options.report_unknown(chosen.word, "is ignored", context),
            },
            "preferred_lft" => preferred = lifetime(&chosen, context).or(preferred),
            "peer" => peer(&chosen, prefixed, found, context),
            "dev" => found.device = Some(device(&chosen, context).ok()?),
            "label" => label(&chosen, found, context)?,
            "scope" => scope(&chosen, found, context),
            _ => broadcast(&chosen, found, context)?,
        }
        note_status(&chosen, context);
    }
    // Also beside a peer.
    let deprecated = found.prefix == 128;
    found.preferred =
        preferred.unwrap_or(if deprecated { Preferred::Seconds(0) } else { Preferred::Forever });
    Some(())
}

fn label(chosen: &Chosen<'_>, found: &mut AddressLine, context: &mut Context<'_>) -> Option<()> {
    if found.address.is_ipv6() {
        report_ipv4_only(chosen, context);
    } else if chosen.value.text.len() > MAX_LABEL_BYTES {
        let help = format!("a label has at most {MAX_LABEL_BYTES} characters, such as eth0:1");
        context.add(
            Diagnostic::new(
                "invalid-value",
                Severity::Error,
                format!("label `{}` is too long: the address is ignored", chosen.value.text),
                &chosen.value.span(),
            )
            .help(help),
        );
        return None;
    } else {
        found.label = Some(chosen.value.text.to_owned());
    }
    Some(())
}

fn report_ipv4_only(chosen: &Chosen<'_>, context: &mut Context<'_>) {
    context.add(
        Diagnostic::new(
            "other-family",
            Severity::Error,
            format!("an IPv6 address has no {}: it is ignored", chosen.keyword.name),
            &chosen.word.span(),
        )
        .help(format!("remove {} {}", chosen.keyword.name, chosen.value.text)),
    );
}

fn scope(chosen: &Chosen<'_>, found: &mut AddressLine, context: &mut Context<'_>) {
    if found.address.is_ipv6() {
        return report_ipv4_only(chosen, context);
    }
    found.scope = match chosen.value.text {
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
                        &chosen.value.span(),
                    )
                    .help("write global, site, link, host, nowhere or a number from 0 to 255"),
                );
                Scope::GLOBAL
            }
        },
    };
}

/// `brd`; `None` drops the whole address, as keepalived does.
fn broadcast(chosen: &Chosen<'_>, found: &mut AddressLine, context: &mut Context<'_>) -> Option<()> {
    let IpAddr::V4(address) = found.address else {
        report_broadcast(chosen, "an IPv6 address has no broadcast address", "remove it", context);
        return None;
    };
    let host_bits = u32::MAX.checked_shr(u32::from(found.prefix)).unwrap_or(0);
    let address = u32::from(address);
    let broadcast: Ipv4Addr = match value::broadcast(chosen.value.text) {
        Some(Broadcast::Address(address)) => address,
        Some(_) if found.prefix > MAX_BROADCAST_PREFIX => return Some(()),
        Some(Broadcast::HostBitsSet) => (address | host_bits).into(),
        Some(Broadcast::HostBitsClear) => (address & !host_bits).into(),
        None => {
            let why = format!("`{}` is not a broadcast address", chosen.value.text);
            report_broadcast(chosen, &why, "write brd ADDRESS, or brd + to set all host bits", context);
            return None;
        }
    };
    if found.peer.is_none() {
        found.broadcast = Some(broadcast);
    } else {
        report_beside_peer(chosen, context);
    }
    Some(())
}

fn report_broadcast(chosen: &Chosen<'_>, why: &str, help: &'static str, context: &mut Context<'_>) {
    let headline = format!("{why}: the address is ignored");
    context.add(Diagnostic::new("invalid-value", Severity::Error, headline, &chosen.value.span()).help(help));
}

fn report_beside_peer(chosen: &Chosen<'_>, context: &mut Context<'_>) {
    let headline = "an address with a peer has no broadcast address: brd is ignored";
    context.add(
        Diagnostic::new("beside-peer", Severity::Error, headline, &chosen.word.span())
            .help("remove brd or peer"),
    );
}

/// `peer`; one that cannot be used leaves the address without.
fn peer(chosen: &Chosen<'_>, prefixed: bool, found: &mut AddressLine, context: &mut Context<'_>) {
    let of_family = |peer: &IpAddr| Family::of(*peer) == Family::of(found.address);
    let Some(peer) = chosen.value.text.parse().ok().filter(of_family) else {
        let family = Family::of(found.address);
        return invalid(
            chosen,
            "the address has no peer",
            format!("after peer write an {family} address without a prefix length"),
            context,
        );
    };
    if prefixed {
        context.add(
            Diagnostic::new(
                "beside-peer",
                Severity::Error,
                "an address with a peer has no prefix length: that of a host is used",
                &found.at,
            )
            .help("remove the slash and the number behind it"),
        );
        found.prefix = Family::of(found.address).bits();
    }
    if found.broadcast.take().is_some() {
        report_beside_peer(chosen, context);
    }
    found.peer = Some(peer);
}

fn lifetime(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Option<Preferred> {
    if chosen.value.text == "forever" {
        return Some(Preferred::Forever);
    }
    let seconds = value::integer(chosen.value.text).and_then(|seconds| u32::try_from(seconds).ok());
    if seconds.is_none() {
        invalid(
            chosen,
            "the default holds",
            format!("write forever or a whole number of seconds from 0 to {}", u32::MAX),
            context,
        );
    }
    seconds.map(Preferred::Seconds)
}

pub(super) fn prefix_length(prefix: &str, longest: u8, word: Word<'_>, context: &mut Context<'_>) -> u8 {
    let length = value::integer(prefix).and_then(|length| u8::try_from(length).ok());
    length.filter(|length| *length <= longest).unwrap_or_else(|| {
        let slip = slips::mask(prefix).or_else(|| Some(slips::ended(prefix)?.1.to_owned()));
        context.add(
            Diagnostic::new(
                "invalid-value",
                Severity::Error,
                format!("`{prefix}` is not a prefix length: {longest} is used"),
                &word.span(),
            )
            .help(slip.unwrap_or_else(|| format!("write a number from 0 to {longest} after the slash"))),
        );
        longest
    })
}

fn report_invalid(word: Word<'_>, context: &mut Context<'_>) {
    context.add(
        Diagnostic::new(
            "invalid-address",
            Severity::Error,
            format!("`{}` is not an IP address: the line is ignored", word.text),
            &word.span(),
        )
        .help(address_slip(word.text).unwrap_or("write ADDRESS/PREFIX, such as 192.0.2.10/24")),
    );
}

/// What to write in place of a word that is nearly an address, or begins a comment elsewhere.
pub(super) fn address_slip(word: &str) -> Option<&'static str> {
    let ended = slips::ended(word).filter(|(rest, _)| value::prefixed_address(rest).is_some());
    ended.map(|(_, help)| help).or_else(|| slips::comment(word))
}

fn report_duplicate(found: &AddressLine, first: &Span, context: &mut Context<'_>) {
    let headline =
        format!("{} is already listed at {}: this line is ignored", found.address, first.beside(&found.at));
    context.add(
        Diagnostic::new("duplicate-address", Severity::Error, headline, &found.at)
            .help("remove one of the two lines"),
    );
}
