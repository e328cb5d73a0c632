//! The words of `bfd_instance`.

use super::{
    Block,
    Value::{Address, Boolean, Flag, Integer, Milliseconds},
    keyword,
};

pub(super) static BLOCK: Block = Block {
    name: "bfd_instance",
    keywords: &[
        keyword("neighbor_ip", "ADDR", Address, "peer address").expected(),
        keyword("neighbour_ip", "ADDR", Address, "peer address").expected(),
        keyword("source_ip", "ADDR", Address, "local address").required(),
        keyword("min_rx", "MS", Milliseconds(1_000, 4_294_967_000), "required minimum receive interval")
            .required(),
        keyword("min_tx", "MS", Milliseconds(1_000, 4_294_967_000), "desired minimum transmit interval")
            .required(),
        keyword(
            "idle_tx",
            "MS",
            Milliseconds(1_000_000, 4_294_967_000),
            "transmit interval while the session is down",
        )
        .required(),
        keyword("multiplier", "N", Integer(1, 255), "missed packets before down").required(),
        keyword("passive", "", Flag, "wait for the peer to start"),
        keyword("ttl", "N", Integer(1, 255), "outgoing TTL").required(),
        keyword("hoplimit", "N", Integer(1, 255), "same setting as ttl").required(),
        keyword(
            "max_hops",
            "N",
            Integer(-1, 255),
            "allowed reduction of the received TTL; 255 disables the check",
        )
        .required(),
        keyword("multihop", "[BOOL]", Boolean, "use UDP port 4784 instead of 3784"),
        keyword("weight", "N [reverse]", Integer(-253, 253), "default weight for track_bfd").required(),
        keyword("vrrp", "", Flag, "send events to the VRRP process (only)"),
        keyword("checker", "", Flag, "send events to the checker process (only)"),
    ],
    shared: &[],
};
