//! Values that other words of a block change: rounded, limited, or decided by the family.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use crate::config::{
    Config, InitialState, Instance, Report, Span,
    settings::{BfdInstance, Destination, Heading, VirtualServer},
    tree::Node,
};

/// What a configuration came to, block by block.
#[derive(Default)]
pub(super) struct Truth<'a> {
    blocks: HashMap<(&'a Span, Name<'a>), Known<'a>>,
}

/// What a block is called: a line that is read several times stands for several blocks.
#[derive(PartialEq, Eq, Hash)]
enum Name<'a> {
    Instance(&'a str),
    Service(Cow<'a, Destination>),
    Session(&'a str),
}

impl<'a> Name<'a> {
    /// The name of a block of which more may be known.
    fn of(node: &'a Node) -> Option<Self> {
        let name = || node.argument().map(|word| word.text);
        match node.keyword.name {
            "vrrp_instance" => name().map(Name::Instance),
            "bfd_instance" => name().map(Name::Session),
            // What is wrong with it has been said.
            "virtual_server" => {
                Destination::parse(node, &mut Report::default()).map(Cow::Owned).map(Name::Service)
            }
            _ => None,
        }
    }
}

/// A block of which more is known than its lines say.
#[derive(Clone, Copy)]
pub(super) enum Known<'a> {
    Nothing,
    Instance(&'a Instance),
    Service(&'a VirtualServer),
    Session(&'a BfdInstance),
}

impl<'a> Truth<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let instances = config.instances.iter();
        let instances = instances.map(|one| ((&*one.at, Name::Instance(&one.name)), Known::Instance(one)));
        let services = config.virtual_servers.iter();
        let services =
            services.map(|one| ((&*one.at, Name::Service(Cow::Borrowed(&one.heading))), Known::Service(one)));
        let sessions = config.bfd_instances.iter();
        let sessions =
            sessions.map(|one| ((&*one.at, Name::Session(one.heading.name())), Known::Session(one)));
        Self { blocks: instances.chain(services).chain(sessions).collect() }
    }

    /// What a block came to.
    pub(super) fn of(&self, node: &Node) -> Known<'a> {
        let Some(name) = Name::of(node) else { return Known::Nothing };
        self.blocks.get(&(&node.span(), name)).copied().unwrap_or(Known::Nothing)
    }
}

impl Known<'_> {
    /// What a word came to, as a file would have it; `None` where its line says it.
    pub(super) fn value(self, word: &str) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Instance(instance) => of_instance(instance, word),
            Self::Service(service) => of_service(service, word),
            Self::Session(session) => match word {
                "ttl" | "hoplimit" => Some(session.ttl.to_string()),
                "max_hops" => Some(session.max_hops.to_string()),
                _ => None,
            },
        }
    }
}

fn of_instance(instance: &Instance, word: &str) -> Option<String> {
    let settings = &instance.settings;
    let flag = |flag: bool| Some(if flag { "on" } else { "off" }.to_owned());
    match word {
        "version" => Some(instance.version.number().to_string()),
        "priority" => Some(instance.priority.to_string()),
        "state" => Some(
            match instance.initial_state {
                InitialState::Master => "MASTER",
                InitialState::Backup => "BACKUP",
            }
            .to_owned(),
        ),
        "advert_int" => Some(seconds(instance.advert_interval)),
        "mcast_dst_ip" if instance.peers.is_empty() => Some(instance.multicast_group.to_string()),
        "garp_lower_prio_delay" => Some(seconds(instance.garp.lower_prio_delay)),
        "garp_lower_prio_repeat" => Some(instance.garp.lower_prio_repeat.to_string()),
        "garp_master_repeat" => Some(instance.garp.repeat.to_string()),
        "garp_master_refresh_repeat" => Some(instance.garp.refresh_repeat.to_string()),
        "down_timer_adverts" => Some(settings.down_timer_adverts.to_string()),
        "lower_prio_no_advert" => flag(*settings.lower_prio_no_advert),
        "higher_prio_send_advert" => flag(*settings.higher_prio_send_advert),
        "owner_ignore_adverts" => flag(*settings.owner_ignore_adverts),
        "garp_master_delay" => Some(seconds(instance.garp.delay)),
        _ => None,
    }
}

fn of_service(service: &VirtualServer, word: &str) -> Option<String> {
    match word {
        "quorum" => Some(service.quorum.to_string()),
        "hysteresis" => Some(service.hysteresis.to_string()),
        "persistence_timeout" => service.persistence_timeout.map(|seconds| seconds.to_string()),
        _ => None,
    }
}

/// Decimal seconds, without needless digits.
fn seconds(time: Duration) -> String {
    let text = format!("{}.{:06}", time.as_secs(), time.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
