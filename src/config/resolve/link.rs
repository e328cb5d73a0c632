//! `use_vmac`, `use_ipvlan` and `vmac_xmit_base`: the link that an instance has of its own.

use super::{Context, strict};
use crate::{
    config::{
        Diagnostic, IpvlanMode, Severity, Span, VirtualLink, VirtualLinkKind, keywords::Names, text::Word,
        tree::Node, value,
    },
    units::{Family, Vrid},
};

/// The longest name of an interface (IFNAMSIZ without its NUL).
const MAX_NAME_BYTES: usize = 15;
/// What RFC 9568 §7.3 begins virtual MACs with, before family and VRID.
const VIRTUAL_MAC: [u8; 4] = [0x00, 0x00, 0x5e, 0x00];

/// The lines of an instance that are about its link.
#[derive(Default)]
pub(super) struct Draft {
    link: Option<VirtualLink>,
    /// A MAC of five octets, which the VRID completes.
    octets: Option<[u8; 5]>,
    at: Option<Span>,
    transmit_on_parent: Option<Span>,
    promote_secondaries: Option<Span>,
}

impl Draft {
    /// `vmac_xmit_base`.
    pub(super) fn transmit_on_parent(&mut self, node: &Node) {
        self.transmit_on_parent = Some(node.span());
    }

    /// `promote_secondaries`.
    pub(super) fn promote_secondaries(&mut self, node: &Node) {
        self.promote_secondaries = Some(node.span());
    }

    /// `use_vmac [[name] NAME] [MAC] [netlink_notify_msg] [group G]`, in any order. The last line decides the kind; a
    /// link has one name.
    pub(super) fn macvlan(&mut self, node: &Node, context: &mut Context<'_>) {
        let mut link = self.link.take().unwrap_or_else(VirtualLink::new);
        link.kind = VirtualLinkKind::Macvlan(None);
        self.octets = None;
        let mut words = node.line.words(1);
        while let Some(word) = words.next() {
            if word.text == "netlink_notify_msg" {
                link.announce_parent = true;
            } else if word.text.contains(':') {
                match mac(word, context) {
                    Some(Mac::Whole(mac)) => link.kind = VirtualLinkKind::Macvlan(Some(mac)),
                    Some(Mac::WithoutVrid(octets)) => self.octets = Some(octets),
                    None => {}
                }
            } else {
                common(&mut link, word, words.by_ref(), context);
            }
        }
        self.set(link, node);
    }

    /// `use_ipvlan [[name] NAME] [ADDRESS] [bridge|private|vepa] [group G]`, in any order.
    pub(super) fn ipvlan(&mut self, node: &Node, context: &mut Context<'_>) {
        let (mut mode, mut address) = (IpvlanMode::default(), None);
        let mut link = self.link.take().unwrap_or_else(VirtualLink::new);
        let mut words = node.line.words(1);
        while let Some(word) = words.next() {
            match word.text {
                "bridge" => mode = IpvlanMode::Bridge,
                "private" => mode = IpvlanMode::Private,
                "vepa" => mode = IpvlanMode::Vepa,
                text => match value::host_address(text) {
                    Some((found, _)) => address = Some(found),
                    None => common(&mut link, word, words.by_ref(), context),
                },
            }
        }
        link.kind = VirtualLinkKind::Ipvlan(mode, address);
        self.set(link, node);
    }

    fn set(&mut self, link: VirtualLink, node: &Node) {
        self.link = Some(link);
        self.at = Some(node.span());
    }

    /// Sets aside what strict mode does not allow: advertisements leave by the link, from the MAC of the RFC.
    pub(super) fn be_strict(&mut self, name: Word<'_>, context: &mut Context<'_>) {
        if let Some(at) = self.transmit_on_parent.take() {
            let help = "remove vmac_xmit_base, or strict mode";
            context.add(strict::set_aside("vmac_xmit_base", name, &at, help));
        }
        let own = self.octets.take().is_some();
        if let (Some(link), Some(at)) = (&mut self.link, &self.at)
            && (own || matches!(link.kind, VirtualLinkKind::Macvlan(Some(_))))
        {
            link.kind = VirtualLinkKind::Macvlan(None);
            context.add(strict::set_aside("the MAC", name, at, "leave the MAC out, or strict mode"));
        }
    }

    /// The link of an instance, when the rest of it is known.
    pub(super) fn finish(
        self,
        family: Family,
        vrid: Vrid,
        unicast: bool,
        context: &mut Context<'_>,
    ) -> Option<VirtualLink> {
        let (Some(mut link), Some(at)) = (self.link, self.at) else {
            if let Some(span) = &self.transmit_on_parent {
                let headline = "vmac_xmit_base has no effect without use_vmac";
                let found = Diagnostic::new("no-vmac", Severity::Error, headline, span);
                context.add(found.help("add use_vmac, or remove this line"));
            }
            return None;
        };
        if let (VirtualLinkKind::Macvlan(_), Some([a, b, c, d, e])) = (link.kind, self.octets) {
            link.kind = VirtualLinkKind::Macvlan(Some([a, b, c, d, e, vrid.value()]));
        }
        if let VirtualLinkKind::Ipvlan(_, None) = link.kind
            && family == Family::V4
        {
            let headline = "use_ipvlan needs an address for IPv4: the instance stays in FAULT";
            context.add(
                Diagnostic::new("no-ipvlan-address", Severity::Error, headline, &at)
                    .info(
                        "an ipvlan shares the MAC of its interface, so it must have an address to send from",
                    )
                    .help("write use_ipvlan ADDRESS with a free address of the interface's subnet"),
            );
        }
        if let Some(span) = &self.promote_secondaries {
            let headline = "promote_secondaries is ignored: a link of the instance's own has it set anyway";
            context.add(
                Diagnostic::new("promoted-anyway", Severity::Notice, headline, span).help("remove this line"),
            );
        }
        link.transmit_on_parent = self.transmit_on_parent.is_some() || unicast;
        if unicast && self.transmit_on_parent.is_none() {
            let headline =
                "with unicast peers advertisements leave by the interface: vmac_xmit_base is assumed";
            context.add(
                Diagnostic::new("unicast-vmac", Severity::Error, headline, &at).help("add vmac_xmit_base"),
            );
        }
        Some(link)
    }
}

impl VirtualLink {
    fn new() -> Self {
        let kind = VirtualLinkKind::Macvlan(None);
        Self { name: None, kind, group: None, announce_parent: false, transmit_on_parent: false }
    }
}

/// The words that both kinds of link know: `group G`, `name NAME`, and a name alone.
fn common<'a>(
    link: &mut VirtualLink,
    word: Word<'a>,
    mut more: impl Iterator<Item = Word<'a>>,
    context: &mut Context<'_>,
) {
    let name = match word.text {
        "group" => {
            link.group = group(word, more.next(), context);
            return;
        }
        "name" => more.next().unwrap_or(word),
        _ => word,
    };
    if link.name.is_some() {
        let headline = format!("the link has a name already: `{}` is ignored", name.text);
        let found = Diagnostic::new("duplicate-setting", Severity::Error, headline, &name.span());
        context.add(found.help("keep one name"));
    } else if !is_name(name.text) {
        let headline = format!("`{}` cannot be the name of an interface: it is ignored", name.text);
        let found = Diagnostic::new("invalid-value", Severity::Error, headline, &name.span());
        context.add(found.help(format!("a name has at most {MAX_NAME_BYTES} characters, none of them a /")));
    } else {
        link.name = Some(name.text.to_owned());
    }
}

/// As the kernel judges names (dev_valid_name).
fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c != '/' && c != ':' && !c.is_whitespace();
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text != "." && text != ".." && text.chars().all(is_letter)
}

fn group(keyword: Word<'_>, word: Option<Word<'_>>, context: &mut Context<'_>) -> Option<u32> {
    let found = word.and_then(|word| context.names.number(Names::Groups, word.text, context.env));
    if found.is_none() {
        let headline = "this is not a group of interfaces: it is ignored";
        context.add(
            Diagnostic::new("invalid-value", Severity::Error, headline, &word.unwrap_or(keyword).span())
                .help("after group write a number, or a name that /etc/iproute2/group has"),
        );
    }
    found
}

/// A MAC as it may be written.
enum Mac {
    Whole([u8; 6]),
    WithoutVrid([u8; 5]),
}

/// Six octets, or five that the VRID follows. Groups have no business here, nor have the RFC's own, which are another
/// virtual router's.
fn mac(word: Word<'_>, context: &mut Context<'_>) -> Option<Mac> {
    let octet = |text: &str| u8::from_str_radix(text, 16).ok().filter(|_| text.len() <= 2);
    let octets: Option<Vec<u8>> = word.text.split(':').map(octet).collect();
    let mac = octets.and_then(|octets| match *octets.as_slice() {
        [a, b, c, d, e] => Some(Mac::WithoutVrid([a, b, c, d, e])),
        [a, b, c, d, e, f] => Some(Mac::Whole([a, b, c, d, e, f])),
        _ => None,
    });
    let begin = match &mac {
        Some(Mac::Whole([begin @ .., _]) | Mac::WithoutVrid(begin)) => begin,
        None => {
            refuse(
                word,
                "is not a MAC",
                "write six octets, or five that virtual_router_id completes",
                context,
            );
            return None;
        }
    };
    if begin[0] & 1 != 0 {
        refuse(word, "is a group's MAC", "write one whose first octet is even", context);
        return None;
    }
    if begin[..4] == VIRTUAL_MAC && matches!(begin[4], 1 | 2) {
        let help = "leave it out: the virtual router's own is used then";
        refuse(word, "is a virtual router's MAC of RFC 9568", help, context);
        return None;
    }
    mac
}

fn refuse(word: Word<'_>, why: &str, help: &'static str, context: &mut Context<'_>) {
    let headline = format!("`{}` {why}: it is ignored", word.text);
    context.add(Diagnostic::new("invalid-mac", Severity::Error, headline, &word.span()).help(help));
}
