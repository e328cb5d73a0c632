//! What the kernel counts (IPVS_STATS_ATTR_*).

use crate::kernel::attributes::Values;

/// Counters since a service or destination was made or zeroed, and rates of the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets to the servers.
    pub packets_in: u64,
    /// Packets from the servers.
    pub packets_out: u64,
    /// Bytes to the servers.
    pub bytes_in: u64,
    /// Bytes from the servers.
    pub bytes_out: u64,
    /// Connections a second.
    pub connection_rate: u64,
    /// Packets a second to the servers.
    pub packet_rate_in: u64,
    /// Packets a second from the servers.
    pub packet_rate_out: u64,
    /// Bytes a second to the servers.
    pub byte_rate_in: u64,
    /// Bytes a second from the servers.
    pub byte_rate_out: u64,
}

/// The statistics of a service or destination: those of 64 bits (Linux 4.1) where the kernel has them.
pub(super) fn read(values: Values<'_>, of_64_bits: u16, of_32_bits: u16) -> Statistics {
    if let Some(inside) = values.inside(of_64_bits) {
        return each(|kind| inside.u64(kind));
    }
    let Some(inside) = values.inside(of_32_bits) else { return Statistics::default() };
    // Bytes have 64 bits in both.
    each(|kind| match kind {
        4 | 5 => inside.u64(kind),
        _ => inside.u32(kind).map(u64::from),
    })
}

fn each(value: impl Fn(u16) -> Option<u64>) -> Statistics {
    let value = |kind| value(kind).unwrap_or_default();
    Statistics {
        connections: value(1),
        packets_in: value(2),
        packets_out: value(3),
        bytes_in: value(4),
        bytes_out: value(5),
        connection_rate: value(6),
        packet_rate_in: value(7),
        packet_rate_out: value(8),
        byte_rate_in: value(9),
        byte_rate_out: value(10),
    }
}
