//! `snmp_agent`: where SNMP is answered, and who may ask for what.

use std::net::{IpAddr, SocketAddr};

use agentx::Oid;
use clap::ValueEnum;

use super::{Effective, Parsed, Secret, Setting, section};
use crate::{
    config::{Diagnostic, Place, Report, Severity, text::Word, tree::Node, value},
    usm_protocols::{self, Authentication, Privacy},
};

/// The port that SNMP has (RFC 3417 §3.2).
const PORT: u16 = 161;

section! {
    /// `snmp_agent`.
    SnmpAgent of "snmp_agent" {
        listen: Vec<Listen> = "listen",
        community: Vec<Community> = "community",
        usm_user: Vec<SnmpUser> = "usm_user",
        context: Option<Box<str>> = "context",
        engine_file: Effective<Box<str>> = "engine_file",
        view: Vec<SnmpView> = "view",
        sys_contact: Option<Box<str>> = "sys_contact",
        sys_location: Option<Box<str>> = "sys_location",
        sys_name: Option<Box<str>> = "sys_name",
    }
}

section! {
    /// `view` of `snmp_agent`.
    SnmpView of "view" {
        included: Vec<Subtree> = "included",
        excluded: Vec<Subtree> = "excluded",
    }
}

/// `listen ADDRESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

/// An OID as it is written, with or without a leading dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtree(pub Oid);

/// `community NAME [source PREFIX…] [view VIEW] [rw]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Community {
    /// What a manager says.
    pub name: Secret,
    /// What it gives.
    pub rights: Rights,
    /// Where the line is.
    pub at: Place,
}

/// `usm_user NAME [auth PROTOCOL PASSWORD [priv PROTOCOL PASSWORD]] [source PREFIX…] [view VIEW] [rw]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnmpUser {
    /// msgUserName.
    pub name: Box<str>,
    /// How it signs, and its password.
    pub auth: Option<(Authentication, Secret)>,
    /// How it encrypts, and its password; only with `auth`.
    pub privacy: Option<(Privacy, Secret)>,
    /// What it gives.
    pub rights: Rights,
    /// Where the line is.
    pub at: Place,
}

/// What somebody may do, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Prefixes, each an address and its length; from everywhere when empty.
    pub sources: Vec<(IpAddr, u8)>,
    /// The view; everything without one.
    pub view: Option<Box<str>>,
    /// Whether SET is allowed.
    pub write: bool,
}

impl SnmpAgent {
    /// Where it listens: on this host alone unless the file says otherwise.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        use std::net::{Ipv4Addr, Ipv6Addr};
        if self.listen.is_empty() {
            return vec![(Ipv4Addr::LOCALHOST, PORT).into(), (Ipv6Addr::LOCALHOST, PORT).into()];
        }
        self.listen.iter().map(|listen| listen.0).collect()
    }

    /// Whether somebody on another host can reach it.
    pub fn is_exposed(&self) -> bool {
        self.listen.iter().any(|listen| !listen.0.ip().is_loopback())
    }
}

impl Parsed for Listen {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let word = node.argument()?;
        let alone = || word.text.parse::<IpAddr>().ok().map(|address| (address, PORT).into());
        let found = word.text.parse().ok().or_else(alone);
        if found.is_none() {
            refuse(
                node,
                "this is no address to listen at",
                "write an address, perhaps as ADDRESS:PORT or [ADDRESS]:PORT",
                report,
            );
        }
        found.map(Self)
    }
}

impl Parsed for Subtree {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let found = node.argument()?.text.parse().ok().filter(|oid: &Oid| !oid.is_null());
        if found.is_none() {
            refuse(
                node,
                "this is no object identifier",
                "write numbers with dots between them, as .1.3.6.1.4.1.9586.100.5",
                report,
            );
        }
        found.map(Self)
    }
}

impl Parsed for Community {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let name = Secret::parse(node, report)?;
        let rights = Rights::read(node, 2, report)?;
        Some(Self { name, rights, at: node.span().into() })
    }
}

/// The fewest characters of a password (RFC 3414 §11.2).
const SHORTEST: usize = 8;

impl Parsed for SnmpUser {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let name = node.argument()?.text;
        let mut from = 2;
        let mut secret = |word: &str| -> Option<(Box<str>, Secret)> {
            node.line.word(from).filter(|found| found.text == word)?;
            let (protocol, password) = (node.line.word(from + 1)?, node.line.word(from + 2)?);
            from += 3;
            Some((protocol.text.into(), Secret::new(password.text)))
        };
        let auth = secret("auth");
        let privacy = auth.is_some().then(|| secret("priv")).flatten();
        let passwords = auth.iter().chain(&privacy).map(|(_, password)| password.reveal().chars().count());
        if passwords.min().is_some_and(|shortest| shortest < SHORTEST) {
            refuse(node, "a password of SNMPv3 has 8 characters or more", "write a longer one", report);
            return None;
        }
        let (Ok(auth), Ok(privacy)) = (known(auth), known(privacy)) else {
            let help = "write MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512 behind auth, and DES, AES, AES-192 or AES-256 behind priv";
            refuse(node, "this protocol is not known", help, report);
            return None;
        };
        let rights = Rights::read(node, from, report)?;
        Some(Self { name: name.into(), auth, privacy, rights, at: node.span().into() })
    }
}

/// A protocol by its name, where there is one.
fn known<P: ValueEnum>(of: Option<(Box<str>, Secret)>) -> Result<Option<(P, Secret)>, ()> {
    of.map(|(protocol, password)| Ok((usm_protocols::named(&protocol).ok_or(())?, password))).transpose()
}

impl Rights {
    /// Whether it does not matter from where: also where a prefix says so that holds every address of its family.
    pub fn is_everywhere(&self) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|(_, length)| *length == 0)
    }

    /// Reads what follows a name, from that word on. Whoever is not understood is granted nothing.
    fn read(node: &Node, from: usize, report: &mut Report) -> Option<Self> {
        let mut rights = Self::default();
        let mut words = node.line.words(from).peekable();
        while let Some(word) = words.next() {
            let understood = match word.text {
                "rw" => {
                    rights.write = true;
                    true
                }
                "view" => {
                    rights.view = words.next().map(|word| word.text.into());
                    rights.view.is_some()
                }
                "source" => {
                    let before = rights.sources.len();
                    while let Some(source) = words.peek().copied().and_then(prefix) {
                        rights.sources.push(source);
                        words.next();
                    }
                    rights.sources.len() > before
                }
                _ => false,
            };
            if !understood {
                // Not the word itself: it may belong to the secret.
                refuse(
                    node,
                    "what follows the name is not understood",
                    "write source PREFIX..., view VIEW or rw, and passwords before them",
                    report,
                );
                return None;
            }
        }
        Some(rights)
    }
}

/// An address, perhaps with the length of a prefix.
fn prefix(word: Word<'_>) -> Option<(IpAddr, u8)> {
    let (address, length) = value::prefixed_address(word.text)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Ok(longest), str::parse).ok()?;
    (length <= longest).then_some((address, length))
}

fn refuse(node: &Node, why: &str, help: &'static str, report: &mut Report) {
    let headline = format!("{why}: the line is ignored");
    report.add(Diagnostic::new("invalid-value", Severity::Error, headline, &node.span()).help(help));
}

/// Each line is one more.
macro_rules! lines {
    ($($type:ty)*) => {$(
        impl Setting for Vec<$type> {
            fn take(&mut self, node: &Node, report: &mut Report) {
                self.extend(<$type>::parse(node, report));
            }
        }
    )*};
}
lines!(Listen Subtree Community SnmpUser);
