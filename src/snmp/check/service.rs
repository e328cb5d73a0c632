//! KEEPALIVED-MIB::virtualServerTable: a row per `virtual_server`, in the order of the configuration.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use agentx::{Access, Column, Index, Syntax, Table, Value};

use crate::{
    config::settings::{CommandLine, Destination, Endpoint, Granularity, Protocol, VirtualServer},
    registry::VirtualServerRow,
    snmp::{
        ENABLED, INET_ADDRESS_TYPE, Snapshot, TRUTH, address_octets,
        check::{
            ALIVE, CHECKSUM, FORWARDING, TUNNEL_KIND, WHEN_DOWN, forwarding, statistics::statistic,
            tunnel_checksum, tunnel_kind, tunnel_port,
        },
        instance::command,
        integer, low, one_or_two, position, text, unsigned,
    },
    units::Family,
};

const TYPE: Syntax = Syntax::Enum(&[("fwmark", 1), ("ip", 2), ("group", 3)]);
const PROTOCOL: Syntax = Syntax::Enum(&[("tcp", 1), ("udp", 2), ("sctp", 3), ("none", 4)]);
const QUORUM: Syntax = Syntax::Enum(&[("met", 1), ("notMet", 2), ("shutdown", 3)]);
const SCHEDULER: Syntax = Syntax::Enum(&SCHEDULERS);
/// The last is for every scheduler without a number of its own.
const SCHEDULERS: [(&str, i32); 15] = [
    ("rr", 1),
    ("wrr", 2),
    ("lc", 3),
    ("wlc", 4),
    ("lblc", 5),
    ("lblcr", 6),
    ("dh", 7),
    ("sh", 8),
    ("sed", 9),
    ("nq", 10),
    ("fo", 11),
    ("ovf", 12),
    ("mh", 13),
    ("twos", 14),
    ("unknown", 99),
];

/// virtualServerIndex, by which real servers are indexed first.
pub(super) const INDEX: Index =
    Index { name: "virtualServerIndex", syntax: Syntax::Integer32, implied: false };

/// The table.
pub(super) static TABLE: Table<Snapshot, Arc<VirtualServerRow>> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 3, 3, 1],
    name: "virtualServerEntry",
    index: &[INDEX],
    columns: &COLUMNS,
    seek: |topology, after, include| position::row(&topology.virtual_servers, after, include),
};

static COLUMNS: [Column<Snapshot, Arc<VirtualServerRow>>; 78] = [
    Column::hidden(1, "virtualServerIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "virtualServerType", TYPE, |_, row| {
        integer(match row.config.heading {
            Destination::Mark(_) => 1,
            Destination::Address(_) => 2,
            Destination::Group(_) => 3,
        })
    }),
    Column::fixed(3, "virtualServerNameOfGroup", Syntax::DisplayString, |_, row| match &row.config.heading {
        Destination::Group(name) => text(name),
        _ => None,
    }),
    Column::fixed(4, "virtualServerFwMark", Syntax::Unsigned32, |_, row| match row.config.heading {
        Destination::Mark(mark) => unsigned(mark),
        _ => None,
    }),
    Column::new(5, "virtualServerAddrType", INET_ADDRESS_TYPE, |_, row| family(row.family)),
    Column::fixed(6, "virtualServerAddress", Syntax::OctetString, |_, row| {
        address_octets(endpoint(row)?.address)
    }),
    Column::fixed(7, "virtualServerPort", Syntax::Unsigned32, |_, row| unsigned(endpoint(row)?.port)),
    Column::new(8, "virtualServerProtocol", PROTOCOL, |_, row| protocol(row)),
    Column::new(9, "virtualServerLoadBalancingAlgo", SCHEDULER, |_, row| scheduler(&row.config)),
    Column::new(10, "virtualServerLoadBalancingKind", FORWARDING, |_, row| forwarding(*row.config.lb_kind)),
    Column::new(11, "virtualServerStatus", ALIVE, |_, row| one_or_two(row.status().installed)),
    Column::fixed(12, "virtualServerVirtualHost", Syntax::DisplayString, |_, row| {
        text(row.config.virtualhost.as_deref()?)
    }),
    Column::new(13, "virtualServerPersist", ENABLED, |_, row| {
        one_or_two(row.config.persistence_timeout.is_some())
    }),
    Column::fixed(14, "virtualServerPersistTimeout", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.persistence_timeout?)
    }),
    Column::fixed(15, "virtualServerPersistGranularity", Syntax::OctetString, |_, row| mask(row)),
    Column::new(16, "virtualServerDelayLoop", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.delay_loop.as_secs())
    }),
    Column::new(17, "virtualServerHaSuspend", TRUTH, |_, row| one_or_two(row.config.ha_suspend)),
    Column::new(18, "virtualServerAlpha", ENABLED, |_, row| one_or_two(row.config.alpha)),
    Column::new(19, "virtualServerOmega", ENABLED, |_, row| one_or_two(row.config.omega)),
    Column::new(20, "virtualServerRealServersTotal", Syntax::Unsigned32, |_, row| {
        unsigned(row.servers.len())
    }),
    Column::new(21, "virtualServerRealServersUp", Syntax::Unsigned32, |_, row| {
        unsigned(row.status().servers_up)
    }),
    Column::new(22, "virtualServerQuorum", Syntax::Unsigned32, |_, row| unsigned(*row.config.quorum)),
    Column::new(23, "virtualServerQuorumStatus", QUORUM, |_, row| one_or_two(row.status().has_quorum)),
    Column::fixed(24, "virtualServerQuorumUp", Syntax::DisplayString, |_, row| {
        command(row.config.quorum_up.as_deref()?.script.as_deref())
    }),
    Column::fixed(25, "virtualServerQuorumDown", Syntax::DisplayString, |_, row| {
        command(row.config.quorum_down.as_deref()?.script.as_deref())
    }),
    Column::new(26, "virtualServerHysteresis", Syntax::Unsigned32, |_, row| unsigned(*row.config.hysteresis)),
    statistic!(GAUGE 27 "virtualServerStatsConns" connections),
    statistic!(COUNTER 28 "virtualServerStatsInPkts" packets_in),
    statistic!(COUNTER 29 "virtualServerStatsOutPkts" packets_out),
    statistic!(COUNTER64 30 "virtualServerStatsInBytes" bytes_in),
    statistic!(COUNTER64 31 "virtualServerStatsOutBytes" bytes_out),
    statistic!(GAUGE 32 "virtualServerRateCps" rate.connections),
    statistic!(GAUGE 33 "virtualServerRateInPPS" rate.packets_in),
    statistic!(GAUGE 34 "virtualServerRateOutPPS" rate.packets_out),
    statistic!(GAUGE 35 "virtualServerRateInBPS" rate.bytes_in),
    statistic!(GAUGE 36 "virtualServerRateOutBPS" rate.bytes_out),
    Column::new(37, "virtualServerOPS", TRUTH, |_, row| one_or_two(row.config.ops)),
    statistic!(COUNTER64 38 "virtualServerStatsConns64" connections),
    statistic!(COUNTER64 39 "virtualServerStatsInPkts64" packets_in),
    statistic!(COUNTER64 40 "virtualServerStatsOutPkts64" packets_out),
    statistic!(LOW 41 "virtualServerRateCpsLow" rate.connections),
    statistic!(HIGH 42 "virtualServerRateCpsHigh" rate.connections),
    statistic!(LOW 43 "virtualServerRateInPPSLow" rate.packets_in),
    statistic!(HIGH 44 "virtualServerRateInPPSHigh" rate.packets_in),
    statistic!(LOW 45 "virtualServerRateOutPPSLow" rate.packets_out),
    statistic!(HIGH 46 "virtualServerRateOutPPSHigh" rate.packets_out),
    statistic!(LOW 47 "virtualServerRateInBPSLow" rate.bytes_in),
    statistic!(HIGH 48 "virtualServerRateInBPSHigh" rate.bytes_in),
    statistic!(LOW 49 "virtualServerRateOutBPSLow" rate.bytes_out),
    statistic!(HIGH 50 "virtualServerRateOutBPSHigh" rate.bytes_out),
    Column::fixed(51, "virtualServerPersistGranularity6", Syntax::Unsigned32, |_, row| prefix(row)),
    Column::new(52, "virtualServerHashed", TRUTH, |_, row| one_or_two(row.config.hashed)),
    Column::new(53, "virtualServerSHFallback", TRUTH, |_, row| {
        one_or_two(row.config.sh_fallback || flag(row, "sh", row.config.flag_1))
    }),
    Column::new(54, "virtualServerSHPort", TRUTH, |_, row| {
        one_or_two(row.config.sh_port || flag(row, "sh", row.config.flag_2))
    }),
    Column::new(55, "virtualServerSched3", TRUTH, |_, row| one_or_two(row.config.flag_3)),
    Column::new(56, "virtualServerActionWhenDown", WHEN_DOWN, |_, row| {
        one_or_two(!row.config.inhibit_on_failure)
    }),
    Column::new(57, "virtualServerRetry", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.retry.unwrap_or(0))
    }),
    Column::new(58, "virtualServerDelayBeforeRetry", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.delay_before_retry.unwrap_or_default().as_secs())
    }),
    Column::new(59, "virtualServerWarmup", Syntax::Unsigned32, |_, row| unsigned(warmup(row).as_secs())),
    Column::new(60, "virtualServerWeight", Syntax::Integer32, |_, row| integer(*row.config.weight)),
    Column::new(61, "virtualServerSmtpAlert", ENABLED, |_, row| one_or_two(*row.config.smtp_alert)),
    Column::new(62, "virtualServerMHFallback", TRUTH, |_, row| {
        one_or_two(row.config.mh_fallback || flag(row, "mh", row.config.flag_1))
    }),
    Column::new(63, "virtualServerMHPort", TRUTH, |_, row| {
        one_or_two(row.config.mh_port || flag(row, "mh", row.config.flag_2))
    }),
    Column::new(64, "virtualServerDelayLoopUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.delay_loop.as_micros())
    }),
    Column::new(65, "virtualServerDelayBeforeRetrUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.delay_before_retry.unwrap_or_default().as_micros())
    }),
    Column::new(66, "virtualServerWarmupUsec", Syntax::Unsigned32, |_, row| {
        unsigned(warmup(row).as_micros())
    }),
    Column::new(67, "virtualServerConnTimeoutUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.config.connect_timeout.as_micros())
    }),
    Column::fixed(68, "virtualServerTunnelType", TUNNEL_KIND, |_, row| tunnel_kind(*row.config.lb_kind)),
    Column::fixed(69, "virtualServerTunnelPort", Syntax::Unsigned32, |_, row| {
        tunnel_port(*row.config.lb_kind)
    }),
    Column::fixed(70, "virtualServerTunnelCsum", CHECKSUM, |_, row| tunnel_checksum(*row.config.lb_kind)),
    Column::fixed(71, "virtualServerName", Syntax::DisplayString, |_, row| {
        text(row.config.snmp_name.as_deref()?)
    }),
    Column::fixed(72, "virtualServerQuorumUpPath", Syntax::DisplayString, |_, row| {
        path(row.config.quorum_up.as_deref()?)
    }),
    Column::fixed(73, "virtualServerQuorumDownPath", Syntax::DisplayString, |_, row| {
        path(row.config.quorum_down.as_deref()?)
    }),
    statistic!(COUNTER64 74 "virtualServerRateCps64" rate.connections),
    statistic!(COUNTER64 75 "virtualServerRateInPPS64" rate.packets_in),
    statistic!(COUNTER64 76 "virtualServerRateOutPPS64" rate.packets_out),
    statistic!(COUNTER64 77 "virtualServerRateInBPS64" rate.bytes_in),
    statistic!(COUNTER64 78 "virtualServerRateOutBPS64" rate.bytes_out),
];

/// Where it is reached, if that is one address.
fn endpoint(row: &VirtualServerRow) -> Option<Endpoint> {
    match row.config.heading {
        Destination::Address(endpoint) => Some(endpoint),
        _ => None,
    }
}

/// InetAddressType of a family.
fn family(family: Family) -> Option<Value> {
    integer(match family {
        Family::V4 => 1,
        Family::V6 => 2,
    })
}

/// What arrives with a firewall mark has any protocol.
pub(in crate::snmp) fn protocol(row: &VirtualServerRow) -> Option<Value> {
    if let Destination::Mark(_) = row.config.heading {
        return None;
    }
    integer(match *row.config.protocol {
        Protocol::Tcp => 1,
        Protocol::Udp => 2,
        Protocol::Sctp => 3,
    })
}

fn scheduler(config: &VirtualServer) -> Option<Value> {
    let known = SCHEDULERS.iter().find(|(name, _)| *name == *config.lb_algo);
    integer(known.map_or(99, |(_, number)| *number))
}

/// `flag-1` and `flag-2` mean something for the scheduler alone.
fn flag(row: &VirtualServerRow, scheduler: &str, flag: bool) -> bool {
    flag && *row.config.lb_algo == scheduler
}

/// The netmask of persistence over IPv4, whether there is persistence or not.
fn mask(row: &VirtualServerRow) -> Option<Value> {
    let mask = match (row.family, row.config.persistence_granularity) {
        (Family::V6, _) => return None,
        (Family::V4, Some(Granularity::Mask(mask))) => mask,
        (Family::V4, Some(Granularity::Prefix(length))) => {
            Ipv4Addr::from(!u32::MAX.checked_shr(length.into()).unwrap_or(0))
        }
        (Family::V4, None) => Ipv4Addr::BROADCAST,
    };
    address_octets(IpAddr::V4(mask))
}

/// The prefix length of persistence over IPv6, whether there is persistence or not.
fn prefix(row: &VirtualServerRow) -> Option<Value> {
    match (row.family, row.config.persistence_granularity) {
        (Family::V4, _) => None,
        (Family::V6, Some(Granularity::Prefix(length))) => unsigned(length),
        (Family::V6, _) => unsigned(128),
    }
}

/// What is written, else 0.
fn warmup(row: &VirtualServerRow) -> Duration {
    if row.config.warmup.is_written() { *row.config.warmup } else { Duration::ZERO }
}

/// The program of a command line.
pub(super) fn path(line: &CommandLine) -> Option<Value> {
    text(&line.script.as_ref()?.path.to_string_lossy())
}
