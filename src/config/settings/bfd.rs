//! `bfd_instance`.

use std::{net::IpAddr, time::Duration};

use super::{Weight, section};

section! {
    /// `bfd_instance`: a BFD session.
    BfdInstance of "bfd_instance" {
        neighbor_ip: Option<IpAddr> = "neighbor_ip" | "neighbour_ip",
        source_ip: Option<IpAddr> = "source_ip",
        min_rx: Option<Duration> = "min_rx",
        min_tx: Option<Duration> = "min_tx",
        idle_tx: Option<Duration> = "idle_tx",
        multiplier: Option<u8> = "multiplier",
        passive: bool = "passive",
        ttl: Option<u8> = "ttl",
        hoplimit: Option<u8> = "hoplimit",
        max_hops: Option<i32> = "max_hops",
        multihop: Option<bool> = "multihop",
        weight: Option<Weight> = "weight",
        vrrp: bool = "vrrp",
        checker: bool = "checker",
    }
}
