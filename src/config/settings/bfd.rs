//! `bfd_instance`.

use std::{net::IpAddr, time::Duration};

use super::{Effective, Weight, section};

section! {
    /// `bfd_instance`: a BFD session.
    BfdInstance of "bfd_instance" {
        neighbor_ip: Option<IpAddr> = "neighbor_ip" | "neighbour_ip",
        source_ip: Option<IpAddr> = "source_ip",
        min_rx: Effective<Duration> = "min_rx",
        min_tx: Effective<Duration> = "min_tx",
        idle_tx: Effective<Duration> = "idle_tx",
        multiplier: Effective<u8> = "multiplier",
        passive: bool = "passive",
        ttl: Effective<u8> = "ttl" | "hoplimit",
        max_hops: Effective<i16> = "max_hops",
        multihop: Effective<bool> = "multihop",
        weight: Effective<Weight> = "weight",
        vrrp: bool = "vrrp",
        checker: bool = "checker",
    }
}
