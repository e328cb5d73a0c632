//! `lb_kind` and `lvs_method`: how packets reach a real server.

use super::{Literal, Parsed, report_invalid, report_option};
use crate::config::{Diagnostic, Report, Severity, keywords::Keyword, text::Word, tree::Node, value};

/// How packets reach a real server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// `NAT`: with its address in place of the service's.
    #[default]
    Nat,
    /// `DR`: as they are, to its MAC.
    Direct,
    /// `TUN`: in a tunnel.
    Tunnel(Tunnel),
}

impl Forwarding {
    /// The port that packets for `service` arrive at, where a server's block says `written`: what is forwarded as it is
    /// keeps its port. 0 stands for every port.
    pub fn port(self, written: u16, service: u16) -> u16 {
        if self == Self::Nat && written != 0 { written } else { service }
    }
}

/// `TUN [type …] [nocsum|csum|remcsum]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// `type`.
    pub kind: TunnelKind,
    /// What the outer header's checksum covers.
    pub checksum: Checksum,
}

/// `type` of a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TunnelKind {
    /// `ipip`.
    #[default]
    Ipip,
    /// `gue port N`: in UDP to this port.
    Gue(u16),
    /// `gre`.
    Gre,
}

/// Checksums of a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// `nocsum`.
    #[default]
    None,
    /// `csum`; not of `ipip`.
    Usual,
    /// `remcsum`: the receiver works it out; only of `gue`.
    Remote,
}

impl Parsed for Forwarding {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut words = node.line.words(2);
        match node.argument()?.text {
            "TUN" => tunnel(node, words, report).map(Self::Tunnel),
            method => {
                if let Some(extra) = words.next() {
                    report_needless(extra, method, report);
                }
                Some(if method == "DR" { Self::Direct } else { Self::Nat })
            }
        }
    }
}

/// Options of a tunnel where there is none are ignored without a word by keepalived; other words are not.
fn report_needless(word: Word<'_>, method: &str, report: &mut Report) {
    const HELP: &str = "only TUN has options";
    if !matches!(word.text, "type" | "nocsum" | "csum" | "remcsum") {
        return report_option(word, HELP, report);
    }
    let headline = format!("`{}` has no effect with {method}", word.text);
    report.add(Diagnostic::new("unknown-option", Severity::Notice, headline, &word.span()).help(HELP));
}

impl Literal for Forwarding {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "NAT").then_some(Self::Nat)
    }
}

fn refused(headline: &'static str, at: Word<'_>) -> Diagnostic {
    Diagnostic::new("invalid-value", Severity::Error, headline, &at.span())
}

fn tunnel<'a>(node: &Node, mut words: impl Iterator<Item = Word<'a>>, report: &mut Report) -> Option<Tunnel> {
    const IGNORED: &str = "the line is ignored";
    let first = node.line.first();
    let (mut kind, mut port, mut checksum) = ("ipip", None, Checksum::None);
    while let Some(word) = words.next() {
        match word.text {
            "type" => match words.next() {
                Some(word) if matches!(word.text, "ipip" | "gue" | "gre") => kind = word.text,
                other => {
                    let word = other.unwrap_or(word);
                    report_invalid(word, "a kind of tunnel", IGNORED, "write type ipip, gue or gre", report);
                    return None;
                }
            },
            "port" => {
                let number = words.next();
                let parsed = number.and_then(|word| value::integer(word.text));
                port = parsed.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
                if port.is_none() {
                    let help = "write port with a number from 1 to 65535";
                    report_invalid(number.unwrap_or(word), "a port", IGNORED, help, report);
                    return None;
                }
            }
            "nocsum" => checksum = Checksum::None,
            "csum" => checksum = Checksum::Usual,
            "remcsum" => checksum = Checksum::Remote,
            _ => {
                let help = "write TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]";
                report_invalid(word, "an option of a tunnel", IGNORED, help, report);
                return None;
            }
        }
    }
    let kind = match (kind, port) {
        ("gue", Some(port)) => TunnelKind::Gue(port),
        ("ipip", None) => TunnelKind::Ipip,
        ("gre", None) => TunnelKind::Gre,
        _ => {
            let headline = "a gue tunnel needs a port, and others have none: the line is ignored";
            report.add(
                refused(headline, first).help("write type gue port N, or type ipip or gre without port"),
            );
            return None;
        }
    };
    let fits = match checksum {
        Checksum::None => true,
        Checksum::Usual => kind != TunnelKind::Ipip,
        Checksum::Remote => matches!(kind, TunnelKind::Gue(_)),
    };
    if !fits {
        let headline = "this kind of tunnel does not have this checksum: the line is ignored";
        report.add(refused(headline, first).help("ipip has none, gre nocsum and csum, gue remcsum too"));
    }
    fits.then_some(Tunnel { kind, checksum })
}
