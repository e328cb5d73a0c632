//! What routes and rules have in common: where they stand, one family, who made them.

use std::{collections::HashSet, net::IpAddr};

use super::{
    Context,
    address::prefix_length,
    options::{Chosen, Unusable, invalid, unusable},
};
use crate::{
    config::{
        Diagnostic, Network, PROTOCOL, Severity,
        keywords::Status,
        text::{Line, Word},
        value::{self, Net},
    },
    units::Family,
};

/// Where a line stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// In an instance.
    Virtual,
    /// At the top level, below these track groups.
    Static(&'a HashSet<String>),
}

impl Place<'_> {
    /// `track_group NAME`, which only static lines have; its group must be defined above.
    pub(super) fn track_group(
        self,
        chosen: &Chosen<'_>,
        context: &mut Context<'_>,
    ) -> Result<Option<Box<str>>, Unusable> {
        let name = chosen.value.text;
        match self {
            Self::Static(groups) if groups.contains(name) => Ok(Some(name.into())),
            Self::Static(_) => {
                context.add(
                    Diagnostic::new(
                        "unknown-group",
                        Severity::Error,
                        format!("there is no track_group {name} above this line: it is not followed"),
                        &chosen.value.span(),
                    )
                    .help(format!("define track_group {name} above")),
                );
                Ok(None)
            }
            Self::Virtual => {
                context.add(
                    Diagnostic::new(
                        "unknown-option",
                        Severity::Error,
                        "track_group is for static lines only: this line is ignored",
                        &chosen.word.span(),
                    )
                    .help("remove it: what an instance has is tracked by the instance"),
                );
                Err(Unusable)
            }
        }
    }

    /// Takes the track group of a line that names no device.
    pub(super) fn only_with(
        self,
        device: Option<&String>,
        group: &mut Option<Box<str>>,
        what: &str,
        line: &Line,
        context: &mut Context<'_>,
    ) {
        if device.is_none() && group.take().is_some() {
            context.add(
                Diagnostic::new(
                    "track-group-ignored",
                    Severity::Error,
                    format!("{what} has no track_group: it is ignored"),
                    &line.first().span(),
                )
                .help("name the interface, or remove track_group"),
            );
        }
    }
}

/// Holds a line to one family.
pub(super) fn family(
    known: &mut Option<Family>,
    family: Family,
    word: Word<'_>,
    context: &mut Context<'_>,
) -> Result<(), Unusable> {
    let first = *known.get_or_insert(family);
    if first == family {
        return Ok(());
    }
    context.add(
        Diagnostic::new(
            "other-family",
            Severity::Error,
            format!("this is for {family}, but the line is {first}: it is ignored"),
            &word.span(),
        )
        .help("write a line of its own for each family"),
    );
    Err(Unusable)
}

/// An address of a host, of the line's family.
pub(super) fn address(
    known: &mut Option<Family>,
    chosen: &Chosen<'_>,
    what: &str,
    context: &mut Context<'_>,
) -> Result<IpAddr, Unusable> {
    let Ok(address) = chosen.value.text.parse() else { return Err(unusable(chosen, what, context)) };
    family(known, Family::of(address), chosen.value, context)?;
    Ok(address)
}

/// A prefix of the line's family.
pub(super) fn prefix(
    known: &mut Option<Family>,
    chosen: &Chosen<'_>,
    context: &mut Context<'_>,
) -> Result<Network, Unusable> {
    match value::network(chosen.value.text) {
        Some(Net::Of(address, length)) => {
            family(known, Family::of(address), chosen.value, context)?;
            Ok(network(address, length, chosen.value, context))
        }
        Some(Net::EveryV6) => {
            family(known, Family::V6, chosen.value, context)?;
            Ok(Network::every(Family::V6))
        }
        _ => Ok(Network::every(known.unwrap_or_default())),
    }
}

/// A prefix; one whose length is not valid is a host's address.
pub(super) fn network(
    address: IpAddr,
    length: Option<&str>,
    word: Word<'_>,
    context: &mut Context<'_>,
) -> Network {
    let longest = Family::of(address).bits();
    let prefix = length.map_or(longest, |length| prefix_length(length, longest, word, context));
    Network { address, prefix }
}

/// What is tracked must be recognised as ours.
pub(super) fn keep_protocol(
    protocol: &mut u8,
    no_track: bool,
    what: &str,
    line: &Line,
    context: &mut Context<'_>,
) {
    if no_track || *protocol == PROTOCOL {
        return;
    }
    *protocol = PROTOCOL;
    context.add(
        Diagnostic::new(
            "protocol-reset",
            Severity::Error,
            format!("a {what} that is tracked has protocol {PROTOCOL}: the one given is ignored"),
            &line.first().span(),
        )
        .help("remove protocol, or add no_track"),
    );
}

/// Says that a word is no longer to be used.
pub(super) fn note_deprecated(chosen: &Chosen<'_>, context: &mut Context<'_>) {
    if let Status::Outdated(instead) = chosen.keyword.status {
        let headline = format!("{} is deprecated", chosen.keyword.name);
        context.add(
            Diagnostic::new("deprecated", Severity::Error, headline, &chosen.word.span())
                .help(format!("use {instead}")),
        );
    }
}

/// A range `A-B` of numbers.
pub(super) fn range<T: TryFrom<u64> + PartialOrd>(
    chosen: &Chosen<'_>,
    help: &'static str,
    context: &mut Context<'_>,
) -> Result<crate::config::Range<T>, Unusable> {
    let number = |text: &str| value::numeral(text).and_then(|number| T::try_from(number).ok());
    let ends = chosen.value.text.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?)));
    match ends.filter(|(first, last)| first <= last) {
        Some((first, last)) => Ok(crate::config::Range { first, last }),
        None => {
            invalid(chosen, "the rule is ignored", help, context);
            Err(Unusable)
        }
    }
}
