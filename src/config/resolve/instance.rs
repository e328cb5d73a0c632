//! `vrrp_instance` blocks: settings are gathered line by line, then combined, because defaults depend on one another.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};

use super::{
    Context,
    address::{self, List},
    auth::{self, Authentication},
    command, family, garp, hmac, host, inherit, link,
    place::Place,
    room, route, rule, strict,
    tracking::{self, Trackables},
    unicast,
};
use crate::{
    config::{
        AddressLine, Auth, Diagnostic, Global, InitialState, Instance, Notify, NotifyScript, Prose, Route,
        Rule, Severity, Span, UnicastPeer,
        settings::{InstanceSettings, Section as _},
        slips,
        text::Word,
        tracking::{Tracker, Tracks},
        tree::Node,
    },
    units::{Family, Priority, Version, Vrid},
};

/// Longest interval that version 3 can express (12 bits of centiseconds).
const MAX_V3_INTERVAL: Duration = Duration::from_millis(40_950);

/// What its lists have, for each kind: it may have thousands of one.
#[derive(Default)]
struct Known {
    addresses: HashMap<IpAddr, usize>,
    excluded: HashMap<IpAddr, usize>,
    peers: HashSet<IpAddr>,
    tracks: HashSet<Tracker>,
}

/// The lines of one block.
#[derive(Default)]
struct Draft<'a> {
    /// The last `state`, and where it is.
    state: Option<(InitialState, Span)>,
    /// `strict_mode`, or `vrrp_strict` without it.
    strict: bool,
    interface: Option<String>,
    /// An `interface` line was there, so its absence need not be reported again.
    interface_reported: bool,
    vrid: Option<Vrid>,
    vrid_reported: bool,
    priority: Option<Priority>,
    version: Option<Version>,
    advert_interval: Option<(Duration, Option<Span>)>,
    nopreempt: Option<Span>,
    preempt_delay: Option<(Duration, Span)>,
    auth: Option<Authentication<'a>>,
    /// Decided by the first address, or by native_ipv6.
    family: Option<Family>,
    link: link::Draft,
    addresses: Vec<AddressLine>,
    /// An address was refused, which has been reported.
    address_refused: bool,
    /// `no_virtual_ipaddress`: having none is meant.
    no_addresses: bool,
    excluded: Vec<AddressLine>,
    source: Option<IpAddr>,
    group: Option<IpAddr>,
    /// The last of `accept` and `no_accept`.
    accept: Option<bool>,
    peers: Vec<UnicastPeer>,
    routes: Vec<Route>,
    rules: Vec<Rule>,
    tracks: Tracks,
    known: Known,
    garp: garp::Draft,
    notify: Notify,
    /// The words that stand for themselves.
    settings: Box<InstanceSettings>,
}

impl Draft<'_> {
    fn written_state(&self) -> Option<InitialState> {
        self.state.as_ref().map(|(state, _)| *state)
    }
}

pub(super) fn resolve(
    node: &Node,
    name: Word<'_>,
    global: &Global,
    trackables: &mut Trackables,
    context: &mut Context<'_>,
) -> Option<Instance> {
    let settings = Box::new(InstanceSettings::read(node, context.report)?);
    let strict = strict::is_strict(&settings, global);
    let mut draft = Draft { strict, settings, ..Draft::default() };
    for line in node.nodes() {
        setting(line, &mut draft, global, trackables, context);
    }
    let instance = finish(draft, name, node, global, context)?;
    family::check(&instance, context);
    Some(instance)
}

fn setting<'a>(
    node: &'a Node,
    draft: &mut Draft<'a>,
    global: &Global,
    trackables: &mut Trackables,
    context: &mut Context<'_>,
) {
    match node.keyword.name {
        "state" => state(node, draft),
        "interface" => interface(node, draft, context),
        "virtual_router_id" => virtual_router_id(node, draft, context),
        // A number that is out of range counts as the default, even with `state MASTER`.
        "priority" => draft.priority = Some(byte(node).map_or(Priority::DEFAULT, Priority)),
        "version" => match node.integer() {
            Some(3) => draft.version = Some(Version::V3),
            Some(_) => draft.version = Some(Version::V2),
            None => {}
        },
        "advert_int" => {
            draft.advert_interval =
                node.duration().map(|interval| (interval, node.argument().map(|word| word.span())));
        }
        "nopreempt" => draft.nopreempt = Some(node.span()),
        "preempt" => draft.nopreempt = None,
        "preempt_delay" => draft.preempt_delay = node.duration().map(|delay| (delay, node.span())),
        "authentication" => draft.auth = Some(Authentication::read(node)),
        "native_ipv6" => native_ipv6(node, draft, context),
        "use_vmac" => draft.link.macvlan(node, context),
        "use_ipvlan" => draft.link.ipvlan(node, context),
        "vmac_xmit_base" => draft.link.transmit_on_parent(node),
        "promote_secondaries" => draft.link.promote_secondaries(node),
        "virtual_ipaddress" => {
            let before = context.report.diagnostics.len();
            let Draft { family, addresses, known, .. } = draft;
            address::lines(node.lines(), List::Advertised(family), addresses, &mut known.addresses, context);
            let refused = |found: &Diagnostic| found.severity == Severity::Refused;
            draft.address_refused |= context.report.diagnostics[before..].iter().any(refused);
        }
        "accept" => draft.accept = Some(true),
        "no_accept" => draft.accept = Some(false),
        "no_virtual_ipaddress" => draft.no_addresses = true,
        "virtual_ipaddress_excluded" => {
            let Draft { excluded, known, .. } = draft;
            address::lines(node.lines(), List::Excluded, excluded, &mut known.excluded, context);
        }
        "virtual_routes" => route::lines(node.lines(), Place::Virtual, &mut draft.routes, context),
        "virtual_rules" => rule::lines(node.lines(), Place::Virtual, &mut draft.rules, context),
        "mcast_src_ip" | "unicast_src_ip" => {
            let source = |word| host::of_instance(word, "source address", &mut draft.family, context);
            draft.source = node.argument().and_then(source).or(draft.source);
        }
        "mcast_dst_ip" => draft.group = host::group(node, &mut draft.family, context).or(draft.group),
        "unicast_peer" => {
            let Draft { family, peers, known, .. } = draft;
            host::peers(node.lines(), family, peers, &mut known.peers, context);
        }
        "track_interface" | "track_script" | "track_file" | "track_process" | "track_bfd" => {
            let Draft { tracks, known, .. } = draft;
            tracking::lines(node, trackables, (tracks, &mut known.tracks), context);
        }
        name if name.starts_with("garp_") => draft.garp.take_line(node, context),
        "notify_master" => notify(node, &mut draft.notify.master, global, context),
        "notify_backup" => notify(node, &mut draft.notify.backup, global, context),
        "notify_fault" => notify(node, &mut draft.notify.fault, global, context),
        "notify_stop" => notify(node, &mut draft.notify.stop, global, context),
        "notify" => notify(node, &mut draft.notify.all, global, context),
        _ => {}
    }
}

/// Anything but MASTER is BACKUP; once MASTER was written it stays.
fn state(node: &Node, draft: &mut Draft<'_>) {
    let master = node.argument().is_some_and(|word| word.text == "MASTER");
    if draft.written_state() != Some(InitialState::Master) {
        let state = if master { InitialState::Master } else { InitialState::Backup };
        draft.state = Some((state, node.span()));
    }
}

/// Decides for IPv6, unless an IPv4 address already decided.
fn native_ipv6(node: &Node, draft: &mut Draft<'_>, context: &mut Context<'_>) {
    if *draft.family.get_or_insert(Family::V6) == Family::V4 {
        context.add(
            Diagnostic::new(
                "other-family",
                Severity::Error,
                "native_ipv6 is ignored: the instance has an IPv4 address above",
                &node.span(),
            )
            .help("remove native_ipv6, or the IPv4 addresses"),
        );
    }
}

fn byte(node: &Node) -> Option<u8> {
    node.integer().and_then(|number| u8::try_from(number).ok())
}

fn interface(node: &Node, draft: &mut Draft<'_>, context: &mut Context<'_>) {
    // A line without a word has been reported, too.
    draft.interface_reported = true;
    let Some(word) = node.argument() else { return };
    if word.text == "lo" {
        context.add(
            Diagnostic::new(
                "loopback",
                Severity::Refused,
                "an instance cannot run on the loopback interface",
                &word.span(),
            )
            .help("name the interface that the other routers are reached through"),
        );
    } else if !context.may_name_interface(word.text) {
        report_no_interface(word, context);
    } else {
        draft.interface = Some(word.text.to_owned());
    }
}

pub(super) fn report_no_interface(word: Word<'_>, context: &mut Context<'_>) {
    context.add(no_interface(word.text, &word.span()));
}

/// A name that no interface has.
pub(super) fn no_interface(name: &str, at: &Span) -> Diagnostic {
    let help = slips::ended(name).map_or(
        "`ip link` lists the interfaces; if it appears later, write dynamic_interfaces in global_defs",
        |(_, help)| help,
    );
    refusal("no-interface", format!("there is no interface {name}"), at).help(help)
}

fn virtual_router_id(node: &Node, draft: &mut Draft<'_>, context: &mut Context<'_>) {
    draft.vrid = byte(node).and_then(Vrid::new);
    if draft.vrid.is_none() && !draft.vrid_reported {
        draft.vrid_reported = true;
        context.add(
            refusal("no-vrid", "an instance without a valid virtual_router_id cannot run", &node.span())
                .help("write virtual_router_id with a number from 1 to 255"),
        );
    }
}

/// The first line of each kind counts.
pub(super) fn notify(
    node: &Node,
    slot: &mut Option<NotifyScript>,
    global: &Global,
    context: &mut Context<'_>,
) {
    if !node.valid {
        return;
    }
    if slot.is_some() {
        let headline = format!("{} is already set: this line is ignored", node.keyword.name);
        context.add(
            Diagnostic::new("duplicate-setting", Severity::Error, headline, &node.span())
                .help("let one script do both, or use notify for every change"),
        );
        return;
    }
    *slot = command::notify(node, global, context);
}

/// Combines the lines. `None` when the instance cannot run, which the report then says.
fn finish(
    mut draft: Draft<'_>,
    name: Word<'_>,
    node: &Node,
    global: &Global,
    context: &mut Context<'_>,
) -> Option<Instance> {
    let family = draft.family.unwrap_or_default();
    // Version 2 does not know IPv6 (RFC 3768).
    let usual_version = if family == Family::V6 { Version::V3 } else { global.vrrp_version };
    let version = draft.version.unwrap_or(usual_version);
    let priority = priority(&draft, name, context);
    let initial_state = initial_state(&draft, priority, name, context);
    if draft.strict {
        strict::check(node, version, priority, name, context);
    }
    let advert_interval = advert_interval(draft.advert_interval.take(), version, context);
    let auth = authentication(&mut draft, node, name, (version, family, advert_interval), context);
    let initial_state = auth::initial_state(auth.as_ref(), initial_state, priority, &draft.state, context);
    let preempt = preempt(&draft, initial_state, priority, name, context);
    let preempt_delay = preempt_delay(&draft, initial_state, preempt, context);
    let rest = unicast::Rest {
        name,
        interface: draft.interface.as_deref(),
        has_peers: !draft.peers.is_empty(),
        strict: draft.strict,
        preempt,
    };
    unicast::check(node, &mut draft.settings, &rest, context);
    host::note_own_peer(node, draft.source, context);
    let settings = &mut draft.settings;
    let deleted = settings.notify_deleted.as_mut().and_then(|notice| notice.0.as_mut());
    for line in deleted.into_iter().chain(&mut settings.notify_master_rx_lower_pri) {
        command::complete(line, global, context);
    }
    inherit::instance(settings, priority == Priority::OWNER, &global.settings);
    let garp = std::mem::take(&mut draft.garp).finish(*settings.strict_mode, &global.settings);
    let mtu = draft.interface.as_deref().and_then(|interface| context.env.mtu(interface));
    let room = room::for_addresses(mtu, family, version, auth.as_ref().unwrap_or(&Auth::None));
    limit_addresses(&mut draft, room, name, context);
    tracking::without_weights_for_owner(&mut draft.tracks, priority, name, context);
    let cut_by = node.cut_by.as_deref();
    let complete = addresses_suffice(&draft, version, name, cut_by, context);
    let interface = required_interface(&mut draft, (name, node), cut_by, context);
    if let Some(own) = interface.as_ref().filter(|_| !draft.settings.dont_track_primary) {
        // It is tracked anyway, which the rules report.
        draft.tracks.interfaces.retain(|line| line.name != *own);
    }
    let vrid = required_vrid(&draft, name, cut_by, context);
    let (true, Some(interface), Some(vrid), Some(auth)) = (complete, interface, vrid, auth) else {
        return None;
    };
    if draft.strict {
        draft.link.be_strict(name, context);
    }
    let link = draft.link.finish(family, vrid, !draft.peers.is_empty(), context);
    let accept = strict::accepts(draft.accept, draft.strict, version, priority);
    Some(Instance {
        name: name.text.to_owned(),
        at: node.span().into(),
        initial_state,
        interface,
        link,
        vrid,
        priority,
        version,
        advert_interval,
        preempt,
        preempt_delay,
        auth,
        family,
        virtual_addresses: draft.addresses,
        excluded_addresses: draft.excluded,
        source: draft.source,
        peers: draft.peers,
        multicast_group: draft.group.unwrap_or_else(|| host::usual_group(family, &global.settings)),
        virtual_routes: draft.routes,
        virtual_rules: draft.rules,
        tracks: draft.tracks,
        track_primary: !draft.settings.dont_track_primary,
        track_source: draft.settings.track_src_ip && draft.source.is_some(),
        garp,
        accept,
        notify: draft.notify,
        settings: draft.settings,
    })
}

/// Signatures, which take the place of the other kinds, or one of those. `None` when what is asked for cannot be done.
fn authentication(
    draft: &mut Draft<'_>,
    node: &Node,
    name: Word<'_>,
    (version, family, interval): (Version, Family, Duration),
    context: &mut Context<'_>,
) -> Option<Auth> {
    let block = node.nodes().iter().rfind(|line| line.keyword.name == "auth_hmac");
    let (Some(settings), Some(block)) = (&draft.settings.auth_hmac, block) else {
        return auth::resolve(draft.auth.take(), (version, family, draft.strict), context);
    };
    if let Some(replaced) = draft.auth.take() {
        replaced.replaced(context);
    }
    let signatures = hmac::resolve(settings, block, (name, interval, draft.strict), context)?;
    Some(Auth::Signed(Box::new(signatures)))
}

/// `state MASTER` without a priority means the owner's, which is said because few expect it.
fn priority(draft: &Draft<'_>, name: Word<'_>, context: &mut Context<'_>) -> Priority {
    if draft.priority.is_none() && draft.written_state() == Some(InitialState::Master) {
        let headline = format!("{} has no priority: with state MASTER that means 255", name.text);
        context.add(
            Diagnostic::new("owner-by-default", Severity::Notice, headline, &name.span())
                .info("255 says that the interface owns the addresses, and it is never lowered")
                .help("write a priority, such as 150"),
        );
        return Priority::OWNER;
    }
    draft.priority.unwrap_or(Priority::DEFAULT)
}

/// What the instance would like to be; in strict mode only an owner may be MASTER at once, and must.
fn initial_state(
    draft: &Draft<'_>,
    priority: Priority,
    name: Word<'_>,
    context: &mut Context<'_>,
) -> InitialState {
    let owner = if priority == Priority::OWNER { InitialState::Master } else { InitialState::Backup };
    match &draft.state {
        Some((state, at)) if draft.strict && *state != owner => {
            let help = "write state MASTER with priority 255 alone, or leave strict mode";
            context.add(strict::set_aside("state", name, at, help));
            owner
        }
        Some((state, _)) => *state,
        None => owner,
    }
}

fn refusal(id: &'static str, headline: impl Into<Prose>, span: &Span) -> Diagnostic {
    Diagnostic::new(id, Severity::Refused, headline, span)
}

fn required_interface(
    draft: &mut Draft<'_>,
    (name, node): (Word<'_>, &Node),
    cut_by: Option<&Span>,
    context: &mut Context<'_>,
) -> Option<String> {
    if draft.interface.is_none() && !draft.interface_reported {
        match vrf(draft, node) {
            Some(word) if context.may_name_interface(word.text) => {
                draft.interface = Some(word.text.to_owned())
            }
            Some(word) => report_no_interface(word, context),
            None => context.add_lack(
                cut_by,
                refusal(
                    "no-interface",
                    format!("vrrp_instance {} has no interface", name.text),
                    &name.span(),
                )
                .help("add interface NAME"),
            ),
        }
    }
    draft.interface.take()
}

/// The VRF that a unicast instance without an interface works in: its device stands for the interface, for a socket bound to
/// it has the packets of all interfaces in the VRF.
fn vrf<'a>(draft: &Draft<'_>, node: &'a Node) -> Option<Word<'a>> {
    let mut lines = node.nodes().iter().filter(|line| line.keyword.name == "vrf");
    lines.next_back().filter(|_| !draft.peers.is_empty())?.argument()
}

fn required_vrid(
    draft: &Draft<'_>,
    name: Word<'_>,
    cut_by: Option<&Span>,
    context: &mut Context<'_>,
) -> Option<Vrid> {
    if draft.vrid.is_none() && !draft.vrid_reported {
        context.add_lack(
            cut_by,
            refusal(
                "no-vrid",
                format!("vrrp_instance {} has no virtual_router_id", name.text),
                &name.span(),
            )
            .help("add virtual_router_id with a number from 1 to 255, the same on every router of the group"),
        );
    }
    draft.vrid
}

/// What the version can express (RFC 3768 §5.3.7, RFC 9568 §5.2.7); reports a change.
fn advert_interval(
    written: Option<(Duration, Option<Span>)>,
    version: Version,
    context: &mut Context<'_>,
) -> Duration {
    let Some((interval, span)) = written else {
        return Duration::from_secs(1);
    };
    let (rounded, why) = match version {
        Version::V2 => {
            let seconds = (interval + Duration::from_millis(500)).as_secs().clamp(1, 255);
            (Duration::from_secs(seconds), "version 2 counts whole seconds from 1 to 255")
        }
        Version::V3 => {
            let hundredths = (interval.as_micros() + 5_000) / 10_000;
            let rounded =
                Duration::from_millis(u64::try_from(hundredths).unwrap_or(u64::MAX).saturating_mul(10));
            (rounded.min(MAX_V3_INTERVAL), "version 3 counts hundredths of a second up to 40.95")
        }
    };
    if let Some(span) = span.filter(|_| rounded != interval) {
        context.add(
            Diagnostic::new(
                "rounded",
                Severity::Error,
                format!("advert_int is changed to {} s", rounded.as_secs_f64()),
                &span,
            )
            .info(why)
            .help("write a value that the version can express, the same on every router"),
        );
    }
    rounded
}

fn preempt(
    draft: &Draft<'_>,
    state: InitialState,
    priority: Priority,
    name: Word<'_>,
    context: &mut Context<'_>,
) -> bool {
    let Some(span) = &draft.nopreempt else { return true };
    let why = if priority == Priority::OWNER {
        "its priority is 255, the owner of the addresses"
    } else if state == InitialState::Master {
        "its state is MASTER"
    } else {
        return false;
    };
    let headline = format!("nopreempt is ignored in {}: {why}", name.text);
    context.add(
        Diagnostic::new("nopreempt-ignored", Severity::Error, headline, span)
            .help("write state BACKUP and a priority below 255 on both routers to use nopreempt"),
    );
    true
}

fn preempt_delay(
    draft: &Draft<'_>,
    state: InitialState,
    preempt: bool,
    context: &mut Context<'_>,
) -> Duration {
    let Some((delay, span)) = &draft.preempt_delay else {
        return Duration::ZERO;
    };
    let why = if draft.strict {
        "in strict mode"
    } else if state == InitialState::Master {
        "with state MASTER"
    } else if !preempt {
        "with nopreempt"
    } else {
        return *delay;
    };
    context.add(
        Diagnostic::new(
            "preempt-delay-ignored",
            Severity::Error,
            format!("preempt_delay has no effect {why}"),
            span,
        )
        .help("remove preempt_delay, or what excludes it"),
    );
    Duration::ZERO
}

/// More addresses than an advertisement has room for are owned, but not advertised.
fn limit_addresses(draft: &mut Draft<'_>, room: usize, name: Word<'_>, context: &mut Context<'_>) {
    if draft.addresses.len() <= room {
        return;
    }
    let excess = draft.addresses.split_off(room);
    let headline =
        format!("{} has more than {room} addresses: {} are not advertised", name.text, excess.len());
    context.add(
        Diagnostic::new("too-many-addresses", Severity::Error, headline, &excess[0].at)
            .help("move them to virtual_ipaddress_excluded"),
    );
    draft.excluded.extend(excess);
}

/// Version 3 needs a virtual address; version 2 only should have one.
fn addresses_suffice(
    draft: &Draft<'_>,
    version: Version,
    name: Word<'_>,
    cut_by: Option<&Span>,
    context: &mut Context<'_>,
) -> bool {
    if draft.address_refused {
        return false;
    }
    if !draft.addresses.is_empty() || draft.no_addresses {
        return true;
    }
    let (severity, verdict) = match version {
        Version::V2 if draft.strict => (Severity::Refused, "cannot run in strict mode"),
        Version::V2 => (Severity::Error, "protects nothing"),
        Version::V3 => (Severity::Refused, "cannot run in version 3"),
    };
    context.add_lack(
        cut_by,
        Diagnostic::new(
            "no-address",
            severity,
            format!("{} has no virtual address and {verdict}", name.text),
            &name.span(),
        )
        .help("add virtual_ipaddress { ADDRESS/PREFIX }, or no_virtual_ipaddress if none is meant"),
    );
    severity == Severity::Error
}
