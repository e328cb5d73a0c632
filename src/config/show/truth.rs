//! Values that other words of a block change: rounded, limited, or decided by the family.

use std::time::Duration;

use crate::config::{
    Config, InitialState, Instance, Span,
    settings::{BfdInstance, VirtualServer},
};

/// What a configuration came to.
#[derive(Clone, Copy, Default)]
pub(super) struct Truth<'a> {
    config: Option<&'a Config>,
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
    pub(super) fn new(config: Option<&'a Config>) -> Self {
        Self { config }
    }

    /// The block that begins at a place.
    pub(super) fn of(self, keyword: &str, at: &Span) -> Known<'a> {
        let Some(config) = self.config else { return Known::Nothing };
        let found = match keyword {
            "vrrp_instance" => config.instances.iter().find(|one| one.at == *at).map(Known::Instance),
            "virtual_server" => config.virtual_servers.iter().find(|one| one.at == *at).map(Known::Service),
            "bfd_instance" => config.bfd_instances.iter().find(|one| one.at == *at).map(Known::Session),
            _ => None,
        };
        found.unwrap_or(Known::Nothing)
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
