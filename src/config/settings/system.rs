//! Words of several arguments in `global_defs` and at the top level.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use super::{FromLine, Literal, Parsed, report_invalid, report_option};
use crate::config::{
    Diagnostic, Place, Prose, Report, Severity, User,
    keywords::Keyword,
    text::{Line, Word},
    tree::Node,
    value,
};

const IGNORED: &str = "it is ignored";

/// A number in a range; reports one that is not.
fn number<T: TryFrom<i64>>(
    option: Word<'_>,
    word: Option<Word<'_>>,
    min: i64,
    max: i64,
    report: &mut Report,
) -> Option<T> {
    let number =
        word.and_then(|word| value::integer(word.text)).filter(|number| (min..=max).contains(number));
    if number.is_none() {
        let what = format!("a valid {}", option.text);
        let help = format!("after {} write a whole number from {min} to {max}", option.text);
        report_invalid(word.unwrap_or(option), &what, IGNORED, Prose::own(help), report);
    }
    number.and_then(|number| number.try_into().ok())
}

/// `lvs_sync_daemon IF [[inst] VRRP] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncDaemon {
    /// The interface that connections are told on.
    pub interface: Box<str>,
    /// The instance it follows; `None` runs both parts always.
    pub instance: Option<Box<str>>,
    /// `id`; `None` means the instance's VRID, or 0.
    pub id: Option<u8>,
    /// `maxlen`: of a datagram, in bytes; `None` leaves it to the kernel.
    pub max_length: Option<u16>,
    /// `port`; `None` leaves it to the kernel, which takes [`Self::PORT`].
    pub port: Option<u16>,
    /// `ttl`; `None` leaves it to the kernel.
    pub ttl: Option<u8>,
    /// `group`; `None` leaves it to the kernel, which takes [`Self::GROUP`].
    pub group: Option<IpAddr>,
    /// Where the line is.
    pub at: Place,
}

impl SyncDaemon {
    /// The usual port, of UDP.
    pub const PORT: u16 = 8848;
    /// The usual group.
    pub const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 81));
}

impl Parsed for Box<SyncDaemon> {
    const FIRST_COUNTS: bool = true;

    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut daemon = Box::new(SyncDaemon {
            interface: node.argument()?.text.into(),
            instance: None,
            id: None,
            max_length: None,
            port: None,
            ttl: None,
            group: None,
            at: node.span().into(),
        });
        let mut words = node.line.words(2);
        let mut first = true;
        while let Some(word) = words.next() {
            match word.text {
                "inst" => daemon.instance = words.next().map(|word| word.text.into()),
                "id" => daemon.id = number(word, words.next(), 0, 255, report).or(daemon.id),
                "maxlen" => {
                    daemon.max_length = number(word, words.next(), 1, 65_507, report).or(daemon.max_length);
                }
                "port" => daemon.port = number(word, words.next(), 1, 65_535, report).or(daemon.port),
                "ttl" => daemon.ttl = number(word, words.next(), 1, 255, report).or(daemon.ttl),
                "group" => daemon.group = group(word, words.next(), report).or(daemon.group),
                name if first => daemon.instance = Some(name.into()),
                _ => report_option(word, "the options are inst, id, maxlen, port, ttl and group", report),
            }
            first = false;
        }
        Some(daemon)
    }
}

fn group(option: Word<'_>, word: Option<Word<'_>>, report: &mut Report) -> Option<IpAddr> {
    let group: Option<IpAddr> = word.and_then(|word| word.text.parse().ok()).filter(IpAddr::is_multicast);
    if group.is_none() {
        let help = "after group write a multicast address";
        report_invalid(word.unwrap_or(option), "a multicast group", IGNORED, help, report);
    }
    group
}

/// `lvs_timeouts [tcp N] [tcpfin N] [udp N]`, in seconds; what is `None` stays as the kernel has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// `tcp`.
    pub tcp: Option<u32>,
    /// `tcpfin`.
    pub tcp_fin: Option<u32>,
    /// `udp`.
    pub udp: Option<u32>,
}

impl Parsed for Timeouts {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        const LONGEST: i64 = 31 * 86_400;
        let mut timeouts = Self::default();
        let mut words = node.line.words(1);
        let mut any = false;
        while let Some(word) = words.next() {
            let timeout = match word.text {
                "tcp" => &mut timeouts.tcp,
                "tcpfin" => &mut timeouts.tcp_fin,
                "udp" => &mut timeouts.udp,
                _ => {
                    report_option(word, "the options are tcp, tcpfin and udp", report);
                    continue;
                }
            };
            any = true;
            *timeout = number(word, words.next(), 0, LONGEST, report).or(*timeout);
        }
        if !any {
            let headline = "lvs_timeouts needs one option at least: the line is ignored";
            report.add(
                Diagnostic::new("missing-argument", Severity::Error, headline, &node.span())
                    .help("write lvs_timeouts tcp SECONDS, tcpfin SECONDS or udp SECONDS"),
            );
        }
        any.then_some(timeouts)
    }
}

/// `garp_extra_if [all] SECS`: a refresh on the other interfaces of an instance's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraGarp {
    /// On every such interface, and not only on VMACs.
    pub all: bool,
    /// Its period; zero means none.
    pub interval: Duration,
}

impl Parsed for ExtraGarp {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let mut words = node.line.words(1).peekable();
        let all = words.next_if(|word| word.text == "all").is_some();
        let first = node.line.first();
        let mut interval = None;
        for word in words {
            interval = Some(number(first, Some(word), 0, 86_400, report)?);
        }
        if interval.is_none() {
            let headline = format!("{} needs a time: the line is ignored", first.text);
            report.add(
                Diagnostic::new("missing-argument", Severity::Error, headline, &node.span())
                    .help(format!("write {} SECONDS or {} all SECONDS", first.text, first.text)),
            );
        }
        interval.map(|seconds: u32| Self { all, interval: Duration::from_secs(seconds.into()) })
    }
}

impl Literal for ExtraGarp {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (default == "0").then(Self::default)
    }
}

/// A user and perhaps a group, by name or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: Box<str>,
    /// The group, with a leading `:` where it is written.
    pub group: Option<Box<str>>,
}

impl Account {
    fn of<'a>(mut words: impl Iterator<Item = Word<'a>>) -> Option<Self> {
        let user = words.next()?.text.into();
        Some(Self { user, group: words.next().map(|word| word.text.into()) })
    }
}

impl Parsed for Account {
    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        Self::of(node.line.words(1))
    }
}

/// `notify_fifo PATH [USER [[:]GROUP]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is; `None` means the user of scripts.
    pub account: Option<Account>,
    /// Whose that comes to; `None` for the daemon's own identity.
    pub owner: Option<User>,
    /// It is not used: there is no such account, or another FIFO has its path.
    pub ignored: bool,
    /// Where the line is.
    pub at: Place,
}

impl Parsed for Box<Fifo> {
    const FIRST_COUNTS: bool = true;

    fn parse(node: &Node, _: &mut Report) -> Option<Self> {
        let path = node.argument()?.text.into();
        let account = Account::of(node.line.words(2));
        Some(Box::new(Fifo { path, account, owner: None, ignored: false, at: node.span().into() }))
    }
}

/// `smtp_server HOST [PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its address or name.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// Where the line is.
    pub at: Place,
}

impl Parsed for Box<MailServer> {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        const SMTP: u16 = 25;
        let port = match node.line.word(2) {
            Some(word) => {
                let port = value::integer(word.text).and_then(|port| u16::try_from(port).ok());
                let Some(port) = port.filter(|port| *port > 0) else {
                    let help = "write a number from 1 to 65535 behind the server, or nothing for 25";
                    report_invalid(word, "a port", "the line is ignored", help, report);
                    return None;
                };
                port
            }
            None => SMTP,
        };
        Some(Box::new(MailServer { host: node.argument()?.text.into(), port, at: node.span().into() }))
    }
}

/// `umask`: the bits that files are created without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Umask(pub u32);

impl Default for Umask {
    fn default() -> Self {
        Self(0o177)
    }
}

/// The bits by their names (open(2)), without the leading S_.
const MODE_BITS: &[(&str, u32)] = &[
    ("IRWXU", 0o700),
    ("IRUSR", 0o400),
    ("IWUSR", 0o200),
    ("IXUSR", 0o100),
    ("IRWXG", 0o070),
    ("IRGRP", 0o040),
    ("IWGRP", 0o020),
    ("IXGRP", 0o010),
    ("IRWXO", 0o007),
    ("IROTH", 0o004),
    ("IWOTH", 0o002),
    ("IXOTH", 0o001),
];

impl Parsed for Umask {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        let text = node.line.words(1).map(|word| word.text).collect::<Vec<_>>().join(" ");
        let mask = umask(&text);
        if mask.is_none() {
            let help = "write an octal number such as 0177, or names as IXUSR|IRWXG|IRWXO";
            report_invalid(node.argument()?, "a umask", "the line is ignored", help, report);
        }
        mask.map(Self)
    }
}

impl Literal for Umask {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        umask(default).map(Self)
    }
}

/// A number as C has them, or names with `|` between.
pub fn umask(text: &str) -> Option<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return value::numeral(text).and_then(|mask| u32::try_from(mask).ok()).filter(|mask| *mask <= 0o777);
    }
    text.split('|').try_fold(0, |mask, name| {
        let bit = MODE_BITS.iter().find(|(known, _)| *known == name.trim())?;
        Some(mask | bit.1)
    })
}

/// `…_cpu_affinity`: the processors a process may run on, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuSet(pub Vec<u16>);

impl Parsed for CpuSet {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        /// CONFIG_NR_CPUS is at most this.
        const MOST: i64 = 8191;
        let mut cpus: Vec<u16> = Vec::new();
        for word in node.line.words(1) {
            cpus.extend(number::<u16>(node.line.first(), Some(word), 0, MOST, report));
        }
        cpus.sort_unstable();
        cpus.dedup();
        (!cpus.is_empty()).then_some(Self(cpus))
    }
}

/// `vrrp_rx_bufs_policy`: how large receive buffers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveBuffers {
    /// `MTU`: so many times the interface's.
    Mtu,
    /// `ADVERT`: so many times the advertisement.
    Advertisement,
    /// So many bytes.
    Bytes(u32),
}

impl Parsed for ReceiveBuffers {
    fn parse(node: &Node, report: &mut Report) -> Option<Self> {
        const HELP: &str = "write MTU, ADVERT or a number of bytes";
        let mut policy = None;
        for word in node.line.words(1) {
            let next = if word.text.eq_ignore_ascii_case("MTU") {
                Self::Mtu
            } else if word.text.eq_ignore_ascii_case("ADVERT") {
                Self::Advertisement
            } else {
                match value::integer(word.text).and_then(|bytes| u32::try_from(bytes).ok()) {
                    Some(bytes) => Self::Bytes(bytes),
                    None => {
                        report_invalid(word, "a policy", IGNORED, HELP, report);
                        continue;
                    }
                }
            };
            if policy.is_none() {
                policy = Some(next);
            } else {
                report_option(word, "one policy is enough: MTU, ADVERT or a number of bytes", report);
            }
        }
        policy
    }
}

/// One line of `linkbeat_interfaces`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linkbeat {
    /// The interface.
    pub interface: Box<str>,
    /// How it is asked.
    pub kind: LinkbeatKind,
    /// Where the line is.
    pub at: Place,
}

/// How an interface is asked for its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkbeatKind {
    /// `MII`, else `ETHTOOL`, else `IOCTL`: what it understands.
    #[default]
    Best,
    /// `MII`.
    Mii,
    /// `ETHTOOL`.
    Ethtool,
    /// `IOCTL`.
    Ioctl,
}

impl FromLine for Linkbeat {
    fn parse(line: &Line, report: &mut Report) -> Option<Self> {
        let first = line.first();
        let kind = match line.word(1) {
            None => LinkbeatKind::Best,
            Some(word) => match word.text {
                "MII" => LinkbeatKind::Mii,
                "ETHTOOL" => LinkbeatKind::Ethtool,
                "IOCTL" => LinkbeatKind::Ioctl,
                _ => {
                    report_option(word, "write MII, ETHTOOL or IOCTL behind the interface", report);
                    LinkbeatKind::Best
                }
            },
        };
        Some(Self { interface: first.text.into(), kind, at: first.span().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_umask_is_a_number_or_names() {
        assert_eq!(umask("0177"), Some(0o177));
        assert_eq!(umask("0x1ff"), Some(0o777));
        assert_eq!(umask("IXUSR|IRWXG|IRWXO"), Some(0o177));
        assert_eq!(umask("IWGRP | IWOTH"), Some(0o022));
        for bad in ["", "1777", "999", "FOO", "IWGRP |", "IWGRP IWOTH"] {
            assert_eq!(umask(bad), None, "{bad}");
        }
    }
}
