//! All modules, and what an object is called.

use std::collections::{BTreeMap, HashMap};

use agentx::{Oid, Value, VarBind};

use super::{
    module::{Definition, Module, Written},
    syntax::{self, Base, Syntax},
};

/// The modules of `mibs/`, those that the others build on last.
const MODULES: [&str; 14] = [
    include_str!("../../mibs/KEEPALIVED-MIB.txt"),
    include_str!("../../mibs/STEADFAST-MIB.txt"),
    include_str!("../../mibs/VRRP-MIB.txt"),
    include_str!("../../mibs/VRRPV3-MIB.txt"),
    include_str!("../../mibs/base/IF-MIB.txt"),
    include_str!("../../mibs/base/INET-ADDRESS-MIB.txt"),
    include_str!("../../mibs/base/SNMP-FRAMEWORK-MIB.txt"),
    include_str!("../../mibs/base/SNMP-MPD-MIB.txt"),
    include_str!("../../mibs/base/SNMP-TARGET-MIB.txt"),
    include_str!("../../mibs/base/SNMP-USER-BASED-SM-MIB.txt"),
    include_str!("../../mibs/base/SNMPv2-CONF.txt"),
    include_str!("../../mibs/base/SNMPv2-MIB.txt"),
    include_str!("../../mibs/base/SNMPv2-SMI.txt"),
    include_str!("../../mibs/base/SNMPv2-TC.txt"),
];

/// The names that no module defines.
const ROOTS: [(&str, u32); 3] = [("ccitt", 0), ("iso", 1), ("joint-iso-ccitt", 2)];

/// How many textual conventions may be made of one another.
const DEPTH: usize = 8;

/// What is known of a name.
#[derive(Debug)]
struct Node {
    name: &'static str,
    /// None of a root.
    module: Option<&'static str>,
    syntax: Option<Syntax>,
    units: Option<&'static str>,
    /// What the rows below it are told apart by.
    index: Vec<Syntax>,
}

/// Names for numbers, and numbers for names.
#[derive(Debug)]
pub struct Names {
    nodes: BTreeMap<Vec<u32>, Node>,
    /// Where a name is.
    places: HashMap<&'static str, Vec<u32>>,
}

/// A name that no module has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no object of KEEPALIVED-MIB, VRRP-MIB, VRRPV3-MIB or STEADFAST-MIB{1}: write a name as in KEEPALIVED-MIB::vrrp or \
     vrrpInstanceState.1, or numbers as in .1.3.6.1.2.1.1"
)]
pub struct Unknown(String, String);

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    /// Reads the modules: some milliseconds of work.
    #[must_use]
    pub fn new() -> Self {
        let modules: Vec<Module> = MODULES.into_iter().map(Module::read).collect();
        let types: HashMap<_, _> =
            modules.iter().flat_map(|module| &module.types).map(|(name, of)| (*name, of)).collect();
        let all =
            || modules.iter().flat_map(|module| module.definitions.iter().map(|one| (module.name, one)));
        let defined: HashMap<_, _> = all().map(|(_, one)| (one.name, one)).collect();
        let root = |(name, number): (&'static str, u32)| {
            (vec![number], Node { name, module: None, syntax: None, units: None, index: Vec::new() })
        };
        let mut nodes: BTreeMap<_, _> = ROOTS.into_iter().map(root).collect();
        for (module, one) in all() {
            let Some(place) = place(one.name, &defined) else { continue };
            let index_of = one.augments.and_then(|other| defined.get(other)).map_or(one, |other| *other);
            let of =
                |name: &&str| defined.get(name)?.syntax.as_ref().and_then(|written| resolve(written, &types));
            let node = Node {
                name: one.name,
                module: Some(module),
                syntax: one.syntax.as_ref().and_then(|written| resolve(written, &types)),
                units: one.units,
                index: index_of.index.iter().map_while(of).collect(),
            };
            nodes.insert(place, node);
        }
        let places = nodes.iter().map(|(place, node)| (node.name, place.clone())).collect();
        Self { nodes, places }
    }

    /// What an object is called: its module, its name, and of which row it is.
    #[must_use]
    pub fn name(&self, oid: &Oid) -> String {
        let Some((place, node)) = self.deepest(oid.subids()) else { return format!(".{oid}") };
        let mut text = node.module.map_or(String::new(), |module| format!("{module}::")) + node.name;
        let mut rest = oid.subids().get(place.len()..).unwrap_or_default();
        let entry = place.split_last().and_then(|(_, entry)| self.nodes.get(entry));
        for index in entry.map_or(&[][..], |entry| &entry.index) {
            let Some((part, after)) = part(index, rest) else { break };
            text = text + "." + &part;
            rest = after;
        }
        rest.iter().for_each(|subid| text += &format!(".{subid}"));
        text
    }

    /// The value of an object, with its type.
    #[must_use]
    pub fn value(&self, name: &Oid, value: &Value) -> String {
        let node = self.deepest(name.subids()).map(|(_, node)| node);
        let (syntax, units) = node.map_or((None, None), |node| (node.syntax.as_ref(), node.units));
        syntax::show(syntax, units, value, |oid| self.name(oid))
    }

    /// Both, as a line; octets that are no text may take more than one.
    #[must_use]
    pub fn line(&self, VarBind { name, value }: &VarBind) -> String {
        format!("{} = {}", self.name(name), self.value(name, value))
    }

    /// The object that somebody means: numbers, or a name with numbers behind it.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn find(&self, text: &str) -> Result<Oid, Unknown> {
        if text.starts_with(|char: char| char.is_ascii_digit() || char == '.')
            && let Ok(oid) = text.parse()
        {
            return Ok(oid);
        }
        let unknown = |near: Option<&str>| {
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            Unknown(text.to_owned(), near)
        };
        let (module, rest) =
            text.split_once("::").map_or((None, text), |(module, rest)| (Some(module), rest));
        let (name, numbers) = rest.split_once('.').map_or((rest, None), |(name, rest)| (name, Some(rest)));
        let in_module = |place: &&Vec<u32>| {
            module.is_none() || self.nodes.get(*place).is_some_and(|node| node.module == module)
        };
        let Some(place) = self.places.get(name).filter(in_module) else {
            let near = self.places.keys().find(|known| known.eq_ignore_ascii_case(name) && **known != name);
            return Err(unknown(near.copied()));
        };
        let numbers = numbers.map_or(Ok(Oid::null()), str::parse).map_err(|_| unknown(None))?;
        let place = Oid::try_from(&place[..]).map_err(|_| unknown(None))?;
        place.try_join(numbers.subids()).map_err(|_| unknown(None))
    }

    /// The deepest name that holds an object.
    fn deepest<'a>(&self, subids: &'a [u32]) -> Option<(&'a [u32], &Node)> {
        let places = (1..=subids.len()).rev().filter_map(|length| subids.get(..length));
        let mut known = places.filter_map(|place| Some((place, self.nodes.get(place)?)));
        known.next()
    }
}

/// A time as people read it, of hundredths of a second.
#[must_use]
pub fn span(ticks: u32) -> String {
    syntax::span(ticks)
}

/// Where a name is, through its parents.
fn place(name: &str, defined: &HashMap<&str, &Definition>) -> Option<Vec<u32>> {
    if let Some((_, number)) = ROOTS.iter().find(|(root, _)| *root == name) {
        return Some(vec![*number]);
    }
    let one = defined.get(name)?;
    let mut place = place(one.parent, defined)?;
    place.push(one.number);
    Some(place)
}

/// What a type comes to, through textual conventions.
fn resolve(written: &Written, types: &HashMap<&str, &Written>) -> Option<Syntax> {
    let (mut names, mut hint, mut name) = (written.names.clone(), written.hint, written.name);
    for _ in 0..DEPTH {
        if let Some(base) = Base::named(name) {
            return Some(Syntax { base, names, hint });
        }
        let of = types.get(name)?;
        (name, hint) = (of.name, hint.or(of.hint));
        if names.is_empty() {
            names.clone_from(&of.names);
        }
    }
    None
}

/// The part of a row's name that is of this type, and what follows.
fn part<'a>(syntax: &Syntax, subids: &'a [u32]) -> Option<(String, &'a [u32])> {
    match syntax.base {
        Base::Octets => {
            let (length, rest) = subids.split_first()?;
            let (octets, rest) = rest.split_at_checked(usize::try_from(*length).ok()?)?;
            let readable = |octet: &u32| u8::try_from(*octet).ok().filter(|byte| matches!(byte, b' '..=b'~'));
            let text = octets.iter().map(|octet| readable(octet).map_or('.', char::from)).collect::<String>();
            Some((format!("\"{text}\""), rest))
        }
        Base::IpAddress => {
            let (octets, rest) = subids.split_at_checked(4)?;
            let octets: Vec<_> = octets.iter().map(u32::to_string).collect();
            Some((octets.join("."), rest))
        }
        Base::ObjectIdentifier => None,
        _ => {
            let (number, rest) = subids.split_first()?;
            let named = syntax.names.iter().find(|(known, _)| i64::from(*known) == i64::from(*number));
            Some((named.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned()), rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn objects_are_called_as_net_snmp_calls_them() {
        let names = Names::new();
        for (number, name) in [
            ("1.3.6.1.4.1.9586.100.5.2.3.1.4.1", "KEEPALIVED-MIB::vrrpInstanceState.1"),
            ("1.3.6.1.4.1.9586.100.5.2.3.1.4.1.7", "KEEPALIVED-MIB::vrrpInstanceState.1.7"),
            ("1.3.6.1.4.1.9586.100.5.2.3", "KEEPALIVED-MIB::vrrpInstanceTable"),
            ("1.3.6.1.4.1.9586.100.5.1.1.0", "KEEPALIVED-MIB::version.0"),
            ("1.3.6.1.2.1.68.1.4.1.2.3.41.10.0.0.1", "VRRP-MIB::vrrpAssoIpAddrRowStatus.3.41.10.0.0.1"),
            (
                "1.3.6.1.2.1.207.1.1.2.1.2.3.41.1.4.10.0.0.1",
                "VRRPV3-MIB::vrrpv3AssociatedIpAddrRowStatus.3.41.ipv4.\"....\"",
            ),
            (
                "1.3.6.1.2.1.207.1.1.2.1.2.3.41.2.3.254.128.65",
                "VRRPV3-MIB::vrrpv3AssociatedIpAddrRowStatus.3.41.ipv6.\"..A\"",
            ),
            ("1.3.6.1.2.1.207.1.1.1.1.6.3.41.9", "VRRPV3-MIB::vrrpv3OperationsStatus.3.41.9"),
            ("1.3.6.1.2.1.1.9.1.3.2", "SNMPv2-MIB::sysORDescr.2"),
            ("1.3.6.1.2.1.11.31.0", "SNMPv2-MIB::snmpSilentDrops.0"),
            ("1.3.6.1.6.3.10.2.1.1.0", "SNMP-FRAMEWORK-MIB::snmpEngineID.0"),
            ("1.3.6.1.6.3.15.1.1.5.0", "SNMP-USER-BASED-SM-MIB::usmStatsWrongDigests.0"),
            ("1.3.6.1.4.1.8072.3.2.10", "SNMPv2-SMI::enterprises.8072.3.2.10"),
            ("1.2.3", "iso.2.3"),
            ("0.0", "ccitt.0"),
            ("2.5", "joint-iso-ccitt.5"),
            ("7.5", ".7.5"),
        ] {
            assert_eq!(names.name(&oid(number)), name);
        }
        let state = oid("1.3.6.1.4.1.9586.100.5.2.3.1.4.1");
        assert_eq!(
            names.line(&VarBind::new(state, Value::Integer(2))),
            "KEEPALIVED-MIB::vrrpInstanceState.1 = INTEGER: master(2)"
        );
    }

    #[test]
    fn names_are_found_with_what_follows_them() {
        let names = Names::new();
        for (text, number) in [
            ("KEEPALIVED-MIB::vrrpInstanceState.1", "1.3.6.1.4.1.9586.100.5.2.3.1.4.1"),
            ("vrrp", "1.3.6.1.4.1.9586.100.5.2"),
            (".1.3.6", "1.3.6"),
            ("1.3.6", "1.3.6"),
            ("sysUpTime.0", "1.3.6.1.2.1.1.3.0"),
            ("iso.3", "1.3"),
        ] {
            assert_eq!(names.find(text), Ok(oid(number)), "{text}");
        }
        for wrong in ["vrrpInstanceStat", "IF-MIB::vrrp", "vrrp.x", "1.x", "", "1.3.6.1.4.1.9586.100.5..1"] {
            assert!(names.find(wrong).is_err(), "{wrong}");
        }
        let near = names.find("vrrpinstancestate").unwrap_err();
        assert!(near.to_string().contains("did you mean vrrpInstanceState?"), "{near}");
    }

    #[test]
    fn no_two_objects_have_one_name_and_every_parent_is_known() {
        let modules: Vec<Module> = MODULES.into_iter().map(Module::read).collect();
        let names = Names::new();
        let count: usize = modules.iter().map(|module| module.definitions.len()).sum();
        assert!(count > 600, "{count}");
        assert_eq!((names.nodes.len(), names.places.len()), (count + ROOTS.len(), count + ROOTS.len()));
    }
}
