//! KEEPALIVED-MIB::realServerTable: below each virtual server its sorry server, then its real servers.

use std::{sync::Arc, time::Duration};

use agentx::{Access, Change, Column, Index, Syntax, Table, Value, wire::ErrorCode};

use crate::{
    config::settings::{Endpoint, Forwarding, RealServer},
    registry::{RealServerRow, Traffic, VirtualServerRow},
    snmp::{
        ENABLED, INET_ADDRESS_TYPE, Snapshot, address_octets, address_type,
        check::{
            ALIVE, CHECKSUM, FORWARDING, TUNNEL_KIND, WHEN_DOWN, forwarding,
            service::{self, path},
            statistics::statistic,
            tunnel_checksum, tunnel_kind, tunnel_port,
        },
        instance::command,
        integer, low, one_or_two, position, set, text, unsigned,
    },
};

const TYPE: Syntax = Syntax::Enum(&[("regular", 1), ("sorry", 2)]);

/// A real server of a virtual server, or its sorry server. The cells of the latter are those that a server without
/// checks has.
pub(super) struct Server {
    service: Arc<VirtualServerRow>,
    /// Its place among the real servers; `None` for the sorry server.
    place: Option<usize>,
}

impl Server {
    /// The row that an index leads to, which counts the sorry server first.
    fn at(service: &Arc<VirtualServerRow>, index: u32) -> Option<Self> {
        let place = (index as usize).checked_sub(1)?;
        let place = if service.sorry.is_some() { place.checked_sub(1) } else { Some(place) };
        Some(Self { service: Arc::clone(service), place })
    }

    /// Its block; the sorry server has none.
    fn written(&self) -> Option<&RealServer> {
        self.service.config.real_server.get(self.place?)
    }

    fn row(&self) -> Option<&RealServerRow> {
        match self.place {
            Some(place) => self.service.servers.get(place).map(|row| &**row),
            None => self.service.sorry.as_deref(),
        }
    }

    fn endpoint(&self) -> Option<Endpoint> {
        match self.place {
            Some(_) => self.written().map(|server| server.heading),
            None => self.service.config.sorry_server,
        }
    }

    fn method(&self) -> Forwarding {
        self.written().map_or(*self.service.config.sorry_server_lvs_method, |server| *server.lvs_method)
    }

    fn traffic(&self) -> Traffic {
        self.row().map(RealServerRow::traffic).unwrap_or_default()
    }

    /// A time of its block; zero where none is written.
    fn duration(&self, of: fn(&RealServer) -> Option<Duration>) -> Duration {
        self.written().and_then(of).unwrap_or_default()
    }
}

/// The table.
pub(super) static TABLE: Table<Snapshot, Server> = Table {
    entry: &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 3, 4, 1],
    name: "realServerEntry",
    index: &[service::INDEX, Index { name: "realServerIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |topology, after, include| {
        let services = &topology.virtual_servers;
        let count = |index: u32| {
            services
                .get(index as usize - 1)
                .map_or(0, |row| row.servers.len() + usize::from(row.sorry.is_some()))
        };
        let (index, server) = position::seek_nested(services.len(), count, after, include)?;
        Some((vec![index, server], Server::at(services.get(index as usize - 1)?, server)?))
    },
};

static COLUMNS: [Column<Snapshot, Server>; 63] = [
    Column::hidden(1, "realServerIndex", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "realServerType", TYPE, |_, row| one_or_two(row.written().is_some())),
    Column::new(3, "realServerAddrType", INET_ADDRESS_TYPE, |_, row| address_type(row.endpoint()?.address)),
    Column::new(4, "realServerAddress", Syntax::OctetString, |_, row| {
        address_octets(row.endpoint()?.address)
    }),
    Column::new(5, "realServerPort", Syntax::Unsigned32, |_, row| unsigned(row.endpoint()?.port)),
    Column::fixed(6, "realServerStatus", ALIVE, |_, row| {
        row.written().and_then(|_| one_or_two(row.row()?.status().alive))
    }),
    Column {
        is_fixed: true,
        ..Column::writable(7, "realServerWeight", Syntax::Integer32, |_, row| weight(row), set_weight)
    },
    Column::fixed(8, "realServerUpperConnectionLimit", Syntax::Unsigned32, |_, row| {
        limit(*row.written()?.uthreshold)
    }),
    Column::fixed(9, "realServerLowerConnectionLimit", Syntax::Unsigned32, |_, row| {
        limit(*row.written()?.lthreshold)
    }),
    Column::fixed(10, "realServerActionWhenDown", WHEN_DOWN, |_, row| {
        one_or_two(!*row.written()?.inhibit_on_failure)
    }),
    Column::fixed(11, "realServerNotifyUp", Syntax::DisplayString, |_, row| {
        command(row.written()?.notify_up.as_deref()?.script.as_deref())
    }),
    Column::fixed(12, "realServerNotifyDown", Syntax::DisplayString, |_, row| {
        command(row.written()?.notify_down.as_deref()?.script.as_deref())
    }),
    Column::fixed(13, "realServerFailedChecks", Syntax::Unsigned32, |_, row| {
        row.written().and_then(|_| unsigned(row.row()?.status().failed_checks))
    }),
    statistic!(GAUGE 14 "realServerStatsConns" connections),
    statistic!(GAUGE 15 "realServerStatsActiveConns" active),
    statistic!(GAUGE 16 "realServerStatsInactiveConns" inactive),
    statistic!(GAUGE 17 "realServerStatsPersistentConns" persistent),
    statistic!(COUNTER 18 "realServerStatsInPkts" packets_in),
    statistic!(COUNTER 19 "realServerStatsOutPkts" packets_out),
    statistic!(COUNTER64 20 "realServerStatsInBytes" bytes_in),
    statistic!(COUNTER64 21 "realServerStatsOutBytes" bytes_out),
    statistic!(GAUGE 22 "realServerRateCps" rate.connections),
    statistic!(GAUGE 23 "realServerRateInPPS" rate.packets_in),
    statistic!(GAUGE 24 "realServerRateOutPPS" rate.packets_out),
    statistic!(GAUGE 25 "realServerRateInBPS" rate.bytes_in),
    statistic!(GAUGE 26 "realServerRateOutBPS" rate.bytes_out),
    statistic!(COUNTER64 27 "realServerStatsConns64" connections),
    statistic!(COUNTER64 28 "realServerStatsInPkts64" packets_in),
    statistic!(COUNTER64 29 "realServerStatsOutPkts64" packets_out),
    statistic!(LOW 30 "realServerRateCpsLow" rate.connections),
    statistic!(HIGH 31 "realServerRateCpsHigh" rate.connections),
    statistic!(LOW 32 "realServerRateInPPSLow" rate.packets_in),
    statistic!(HIGH 33 "realServerRateInPPSHigh" rate.packets_in),
    statistic!(LOW 34 "realServerRateOutPPSLow" rate.packets_out),
    statistic!(HIGH 35 "realServerRateOutPPSHigh" rate.packets_out),
    statistic!(LOW 36 "realServerRateInBPSLow" rate.bytes_in),
    statistic!(HIGH 37 "realServerRateInBPSHigh" rate.bytes_in),
    statistic!(LOW 38 "realServerRateOutBPSLow" rate.bytes_out),
    statistic!(HIGH 39 "realServerRateOutBPSHigh" rate.bytes_out),
    Column::new(40, "realServerForwardingMethod", FORWARDING, |_, row| forwarding(row.method())),
    Column::fixed(41, "realServerVirtualHost", Syntax::DisplayString, |_, row| text(virtual_host(row)?)),
    Column::new(42, "realServerAlpha", ENABLED, |_, row| {
        one_or_two(row.written().is_some_and(|server| *server.alpha))
    }),
    Column::new(43, "realServerRetry", Syntax::Unsigned32, |_, row| {
        unsigned(row.written().and_then(|server| server.retry).unwrap_or(0))
    }),
    Column::new(44, "realServerDelayBeforeRetry", Syntax::Unsigned32, |_, row| {
        unsigned(row.duration(|server| server.delay_before_retry).as_secs())
    }),
    Column::new(45, "realServerWarmup", Syntax::Unsigned32, |_, row| unsigned(warmup(row).as_secs())),
    Column::new(46, "realServerDelayLoop", Syntax::Unsigned32, |_, row| {
        unsigned(row.duration(|server| Some(*server.delay_loop)).as_secs())
    }),
    Column::new(47, "realServerSmtpAlert", ENABLED, |_, row| {
        one_or_two(row.written().is_some_and(|server| *server.smtp_alert))
    }),
    Column::new(48, "realServerDelayBeforeRetryUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.duration(|server| server.delay_before_retry).as_micros())
    }),
    Column::new(49, "realServerWarmupUsec", Syntax::Unsigned32, |_, row| unsigned(warmup(row).as_micros())),
    Column::new(50, "realServerDelayLoopUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.duration(|server| Some(*server.delay_loop)).as_micros())
    }),
    Column::new(51, "realServerConnTimeoutUsec", Syntax::Unsigned32, |_, row| {
        unsigned(row.duration(|server| Some(*server.connect_timeout)).as_micros())
    }),
    Column::fixed(52, "realServerTunnelType", TUNNEL_KIND, |_, row| tunnel_kind(row.method())),
    Column::fixed(53, "realServerTunnelPort", Syntax::Unsigned32, |_, row| tunnel_port(row.method())),
    Column::fixed(54, "realServerTunnelCsum", CHECKSUM, |_, row| tunnel_checksum(row.method())),
    Column::fixed(55, "realServerName", Syntax::DisplayString, |_, row| {
        text(row.written()?.snmp_name.as_deref()?)
    }),
    Column::fixed(56, "realServerNotifyUpPath", Syntax::DisplayString, |_, row| {
        path(row.written()?.notify_up.as_deref()?)
    }),
    Column::fixed(57, "realServerNotifyDownPath", Syntax::DisplayString, |_, row| {
        path(row.written()?.notify_down.as_deref()?)
    }),
    statistic!(COUNTER64 58 "realServerRateCps64" rate.connections),
    statistic!(COUNTER64 59 "realServerRateInPPS64" rate.packets_in),
    statistic!(COUNTER64 60 "realServerRateOutPPS64" rate.packets_out),
    statistic!(COUNTER64 61 "realServerRateInBPS64" rate.bytes_in),
    statistic!(COUNTER64 62 "realServerRateOutBPS64" rate.bytes_out),
    Column::fixed(63, "realServerNotRunCheckers", Syntax::Unsigned32, |_, row| {
        row.written().and_then(|_| unsigned(row.row()?.status().pending_checks))
    }),
];

/// What is configured, or what something tracked or a manager makes of it; never negative.
fn weight(row: &Server) -> Option<Value> {
    integer(row.service.weight(row.place?)?.max(0))
}

/// The sorry server has no weight.
fn set_weight(snapshot: &Snapshot, row: &Server, value: &Value) -> Result<Box<dyn Change>, ErrorCode> {
    set::weight(snapshot, &row.service, row.place.ok_or(ErrorCode::NotWritable)?, value)
}

/// 0 is no limit.
fn limit(connections: u32) -> Option<Value> {
    unsigned(connections).filter(|_| connections != 0)
}

/// The one of its own: what it has from the service is the same text.
fn virtual_host(row: &Server) -> Option<&str> {
    let own = row.written()?.virtualhost.as_ref()?;
    let inherited = row.service.config.virtualhost.as_ref().is_some_and(|of_all| Arc::ptr_eq(own, of_all));
    (!inherited).then_some(&**own)
}

/// What is written in its block or for the whole service, else 0.
fn warmup(row: &Server) -> Duration {
    let written =
        row.written().filter(|server| server.warmup.is_written() || row.service.config.warmup.is_written());
    written.map_or(Duration::ZERO, |server| *server.warmup)
}
