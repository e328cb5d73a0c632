//! Lines of `virtual_rules` and `static_rules`.

use super::{
    Context,
    options::{Chosen, Options, Unusable, device, invalid, small, unusable},
    place::{self, Place},
    route::realms,
};
use crate::{
    config::{
        Diagnostic, MAIN_TABLE, Mark, PROTOCOL, Rule, RuleAction, Severity, keywords, text::Line, value,
    },
    units::Family,
};

/// A rule that names no preference gets the next number downward from here, by family.
const FIRST_PREFERENCE: u32 = 16_384;

/// IP protocols that have names here (RFC 5237; /etc/protocols need not be there).
const IP_PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("vrrp", 112),
    ("sctp", 132),
    ("udplite", 136),
];

/// The preferences that have been given to rules without one.
#[derive(Default)]
pub(super) struct Assigned {
    v4: u32,
    v6: u32,
}

impl Assigned {
    fn next(&mut self, family: Family) -> u32 {
        let given = match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        *given += 1;
        (FIRST_PREFERENCE + 1).saturating_sub(*given)
    }
}

/// A line as far as it has been read.
struct Draft {
    rule: Rule,
    family: Option<Family>,
    action: Option<RuleAction>,
    preference: Option<u32>,
}

/// Adds the rules of a list.
pub(super) fn lines(lines: &[Line], place: Place<'_>, rules: &mut Vec<Rule>, context: &mut Context<'_>) {
    rules.extend(lines.iter().filter_map(|line| rule(line, place, context).ok()));
}

fn rule(line: &Line, place: Place<'_>, context: &mut Context<'_>) -> Result<Rule, Unusable> {
    let mut options = Options::new(line.words(0), keywords::RULE_LINE, "rule").strict();
    let mut draft = Draft::new(line);
    while let Some(step) = options.step(context)? {
        match step {
            super::options::Step::Option(chosen) => draft.option(&chosen, place, context)?,
            super::options::Step::Other(word) => {
                options.report_unknown(word, "the rule is ignored", context);
                return Err(Unusable);
            }
        }
    }
    draft.finish(line, place, context)
}

impl Draft {
    fn new(line: &Line) -> Self {
        let rule = Rule {
            family: Family::V4,
            action: RuleAction::Table(MAIN_TABLE),
            inverted: false,
            from: None,
            to: None,
            preference: 0,
            tos: 0,
            mark: None,
            realms: None,
            input: None,
            output: None,
            tunnel_id: None,
            uids: None,
            protocol: PROTOCOL,
            ip_protocol: None,
            source_ports: None,
            destination_ports: None,
            suppress_prefix_length: None,
            suppress_group: None,
            no_track: false,
            track_group: None,
            at: line.first().span().into(),
        };
        Self { rule, family: None, action: None, preference: None }
    }

    fn option(
        &mut self,
        chosen: &Chosen<'_>,
        place: Place<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Unusable> {
        let rule = &mut self.rule;
        match chosen.keyword.name {
            "not" => rule.inverted = true,
            "inet" => place::family(&mut self.family, Family::V4, chosen.word, context)?,
            "inet6" => place::family(&mut self.family, Family::V6, chosen.word, context)?,
            "from" => rule.from = Some(place::prefix(&mut self.family, chosen, context)?),
            "to" => rule.to = Some(place::prefix(&mut self.family, chosen, context)?),
            "table" | "lookup" | "goto" | "l3mdev" | "blackhole" | "prohibit" | "unreachable" | "nop"
            | "type" => self.action(chosen, context)?,
            "preference" | "priority" | "order" => self.preference = Some(small(chosen, "rule", context)?),
            "tos" | "dsfield" => rule.tos = small(chosen, "rule", context)?,
            "fwmark" => rule.mark = Some(mark(chosen, context)?),
            "realms" => rule.realms = Some(realms(&mut self.family, chosen, "rule", context)?),
            "iif" | "dev" => rule.input = Some(device(chosen, context)?),
            "oif" => rule.output = Some(device(chosen, context)?),
            "tunnel-id" => rule.tunnel_id = Some(small(chosen, "rule", context)?),
            "uidrange" => {
                rule.uids = Some(place::range(chosen, "write two user ids, as 1000-1999", context)?)
            }
            "protocol" => rule.protocol = small(chosen, "rule", context)?,
            "ipproto" => rule.ip_protocol = ip_protocol(chosen, context).or(rule.ip_protocol),
            "sport" => rule.source_ports = Some(ports(chosen, context)?),
            "dport" => rule.destination_ports = Some(ports(chosen, context)?),
            "suppress_prefixlength" | "sup_pl" => {
                rule.suppress_prefix_length = Some(small(chosen, "rule", context)?);
            }
            "suppress_ifgroup" | "sup_group" => rule.suppress_group = Some(small(chosen, "rule", context)?),
            "track_group" => {
                rule.track_group = place.track_group(chosen, context)?.or(rule.track_group.take())
            }
            _ => rule.no_track = true,
        }
        Ok(())
    }

    /// What to do; only one of these words may stand in a line.
    fn action(&mut self, chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<(), Unusable> {
        let action = match (chosen.keyword.name, chosen.value.text) {
            ("table" | "lookup", _) => RuleAction::Table(small(chosen, "rule", context)?),
            ("goto", _) => RuleAction::Goto(small(chosen, "rule", context)?),
            ("l3mdev", _) => RuleAction::L3mdev,
            ("blackhole", _) | ("type", "blackhole") => RuleAction::Blackhole,
            ("prohibit", _) | ("type", "prohibit") => RuleAction::Prohibit,
            ("unreachable", _) | ("type", "unreachable") => RuleAction::Unreachable,
            _ => RuleAction::Nop,
        };
        if self.action.replace(action).is_none() {
            return Ok(());
        }
        let headline = "a rule does one thing only: it is ignored";
        context.add(
            Diagnostic::new("contradiction", Severity::Error, headline, &chosen.word.span())
                .help("keep one of table, goto, nop, blackhole, unreachable, prohibit and l3mdev"),
        );
        Err(Unusable)
    }

    fn finish(mut self, line: &Line, place: Place<'_>, context: &mut Context<'_>) -> Result<Rule, Unusable> {
        let at = line.first().span();
        let refuse = |headline: &'static str, help: &'static str, context: &mut Context<'_>| {
            context.add(Diagnostic::new("contradiction", Severity::Error, headline, &at).help(help));
            Unusable
        };
        let Some(action) = self.action else {
            let headline = "this rule does nothing: it is ignored";
            return Err(refuse(headline, "add table NAME, or another action", context));
        };
        let rule = &mut self.rule;
        rule.action = action;
        rule.family = self.family.unwrap_or_default();
        let suppresses =
            rule.suppress_prefix_length.is_some() || rule.suppress_group.is_some() || rule.realms.is_some();
        if suppresses && !matches!(action, RuleAction::Table(_) | RuleAction::L3mdev) {
            let headline = "suppress_… and realms need a table: the rule is ignored";
            return Err(refuse(headline, "remove them, or look up a table", context));
        }
        if let RuleAction::Goto(target) = action
            && self.preference.is_none_or(|preference| preference >= target)
        {
            let headline = "goto leads to a later rule, so preference must be less: the rule is ignored";
            return Err(refuse(headline, "write preference with a number below the one after goto", context));
        }
        // `from all` was read before the family was known.
        for network in [&mut rule.from, &mut rule.to].into_iter().flatten() {
            if network.prefix == 0 {
                *network = crate::config::Network::every(rule.family);
            }
        }
        rule.preference = self.preference.unwrap_or_else(|| {
            let assigned = context.assigned.next(rule.family);
            context.add(
                Diagnostic::new(
                    "no-preference",
                    Severity::Error,
                    format!("this rule has no preference: {assigned} is used"),
                    &at,
                )
                .info("where it stands among the other rules of this host is then a matter of luck")
                .help("add preference with a number"),
            );
            assigned
        });
        place.only_with(rule.input.as_ref(), &mut rule.track_group, "a rule without iif", line, context);
        place::keep_protocol(&mut rule.protocol, rule.no_track, "rule", line, context);
        Ok(self.rule)
    }
}

/// `fwmark VALUE[/MASK]`.
fn mark(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<Mark, Unusable> {
    let number = |text: &str| value::numeral(text).and_then(|number| u32::try_from(number).ok());
    let (mark, mask) = match chosen.value.text.split_once('/') {
        Some((mark, mask)) => (number(mark), number(mask)),
        None => (number(chosen.value.text), Some(u32::MAX)),
    };
    match (mark, mask) {
        (Some(value), Some(mask)) => Ok(Mark { value, mask }),
        _ => Err(unusable(chosen, "rule", context)),
    }
}

fn ports(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Result<crate::config::Range<u16>, Unusable> {
    if !chosen.value.text.contains('-')
        && let Some(port) = value::numeral(chosen.value.text).and_then(|port| u16::try_from(port).ok())
    {
        return Ok(crate::config::Range { first: port, last: port });
    }
    place::range(chosen, "write a port or two, as 1024-65535", context)
}

/// An IP protocol by name or number; one that is neither is left out.
fn ip_protocol(chosen: &Chosen<'_>, context: &mut Context<'_>) -> Option<u8> {
    let text = chosen.value.text;
    let named = IP_PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    let number = named.or_else(|| value::numeral(text).and_then(|number| u8::try_from(number).ok()));
    if number.is_none() {
        invalid(chosen, "the rule is for every protocol", "write tcp, udp, or a number up to 255", context);
    }
    number
}
