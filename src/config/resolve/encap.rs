//! `encap` of a route or next hop: how packets are wrapped.

use std::net::IpAddr;

use super::{
    Context,
    options::{Chosen, Options, Unusable, number, small, unusable},
};
use crate::{
    config::{Diagnostic, Encap, IpTunnel, Severity, keywords, text::Word},
    units::Family,
};

/// More labels than any path needs (iproute2's MPLS_MAX_LABELS).
const MAX_LABELS: usize = 16;
/// A label has 20 bits (RFC 3032 §2.1).
const MAX_LABEL: u32 = (1 << 20) - 1;

/// What stands behind `encap`.
pub(super) fn encap<'a>(
    chosen: &Chosen<'a>,
    options: &mut Options<'a, impl Iterator<Item = Word<'a>>>,
    context: &mut Context<'_>,
) -> Result<Encap, Unusable> {
    let word = options.take();
    match word.map(|word| word.text) {
        Some("ip") => ip(Family::V4, chosen, options, context),
        Some("ip6") => ip(Family::V6, chosen, options, context),
        Some("mpls") => {
            let labels = options.take();
            labels
                .and_then(|word| mpls(word.text))
                .ok_or_else(|| refuse("these are no MPLS labels", chosen, labels, context))
        }
        Some("ila") => {
            let locator = options.take();
            locator
                .and_then(|word| ila(word.text))
                .ok_or_else(|| refuse("this is no ILA locator", chosen, locator, context))
        }
        _ => Err(refuse("encap needs a kind that is known", chosen, word, context)),
    }
}

fn refuse(why: &str, chosen: &Chosen<'_>, word: Option<Word<'_>>, context: &mut Context<'_>) -> Unusable {
    context.add(
        Diagnostic::new(
            "invalid-value",
            Severity::Error,
            format!("{why}: the route is ignored"),
            &word.unwrap_or(chosen.word).span(),
        )
        .help("write encap ip, ip6, mpls LABEL[/LABEL] or ila A:B:C:D"),
    );
    Unusable
}

/// `encap ip` and `encap ip6`: an id or an address is needed.
fn ip<'a>(
    family: Family,
    encap: &Chosen<'a>,
    options: &mut Options<'a, impl Iterator<Item = Word<'a>>>,
    context: &mut Context<'_>,
) -> Result<Encap, Unusable> {
    let block = if family == Family::V4 { &keywords::ENCAP_IP } else { &keywords::ENCAP_IP6 };
    let mut tunnel =
        IpTunnel { family, id: None, destination: None, source: None, tos: None, ttl: None, flags: None };
    while let Some(chosen) = options.group(block, context)? {
        match chosen.keyword.name {
            "id" => tunnel.id = Some(number(&chosen, "route", context)?),
            "dst" => tunnel.destination = Some(address(family, &chosen, context)?),
            "src" => tunnel.source = Some(address(family, &chosen, context)?),
            "tos" | "tc" => tunnel.tos = Some(small(&chosen, "route", context)?),
            "flags" => tunnel.flags = Some(small(&chosen, "route", context)?),
            _ => tunnel.ttl = Some(small(&chosen, "route", context)?),
        }
    }
    if tunnel.id.is_none() && tunnel.destination.is_none() {
        return Err(refuse("a tunnel needs id or dst", encap, None, context));
    }
    Ok(Encap::Ip(tunnel))
}

fn address(family: Family, chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<IpAddr, Unusable> {
    let address = chosen.value.text.parse().ok().filter(|address| Family::of(*address) == family);
    address.ok_or_else(|| unusable(chosen, "route", context))
}

fn mpls(word: &str) -> Option<Encap> {
    let label = |text: &str| text.parse().ok().filter(|label| *label <= MAX_LABEL);
    let labels: Vec<u32> = word.split('/').map(label).collect::<Option<_>>()?;
    (labels.len() <= MAX_LABELS).then_some(Encap::Mpls(labels))
}

/// Four groups of 16 bits, as the upper half of an IPv6 address has them.
fn ila(word: &str) -> Option<Encap> {
    let mut groups = word.split(':').map(|group| u16::from_str_radix(group, 16).ok());
    let mut locator = 0;
    for _ in 0..4 {
        locator = locator << 16 | u64::from(groups.next()??);
    }
    groups.next().is_none().then_some(Encap::Ila(locator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_locators_keep_their_bits() {
        assert_eq!(mpls("100/200"), Some(Encap::Mpls(vec![100, 200])));
        assert_eq!(mpls("1048576"), None);
        assert_eq!(ila("0:0:0:1"), Some(Encap::Ila(1)));
        assert_eq!(ila("2001:db8:0:ffff"), Some(Encap::Ila(0x2001_0db8_0000_ffff)));
        assert_eq!((ila("1:2:3"), ila("x")), (None, None));
    }
}
