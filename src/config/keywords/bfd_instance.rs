//! The words of `bfd_instance`.

use super::{
    Block, Table,
    Value::{Address, Boolean, Flag, Integer, Milliseconds},
    keyword,
};

pub(super) static BLOCK: Block = Block::new(Table {
    name: "bfd_instance",
    keywords: &[
        keyword("neighbor_ip", "ADDR", Address, "peer address").expected(),
        keyword("neighbour_ip", "ADDR", Address, "peer address").expected().same_as("neighbor_ip"),
        keyword("source_ip", "ADDR", Address, "local address").or("kernel choice").required(),
        keyword("min_rx", "MS", Milliseconds(1_000, 4_294_967_000), "required minimum receive interval")
            .required()
            .or("10"),
        keyword("min_tx", "MS", Milliseconds(1_000, 4_294_967_000), "desired minimum transmit interval")
            .or("10")
            .required(),
        keyword(
            "idle_tx",
            "MS",
            Milliseconds(1_000_000, 4_294_967_000),
            "transmit interval while the session is down",
        )
        .or("1000")
        .required(),
        keyword("multiplier", "N", Integer(1, 255), "missed packets before down").or("5").required(),
        keyword("passive", "", Flag, "wait for the peer to start").or("active"),
        keyword("ttl", "N", Integer(1, 255), "outgoing TTL").required().or("255"),
        keyword("hoplimit", "N", Integer(1, 255), "same setting as ttl").required().same_as("ttl"),
        keyword(
            "max_hops",
            "N",
            Integer(-1, 255),
            "allowed reduction of the received TTL; 255 disables the check",
        )
        .or("0")
        .required(),
        keyword("multihop", "[BOOL]", Boolean, "use UDP port 4784 instead of 3784")
            .or("off")
            .since("2.2.8 or later"),
        keyword("weight", "N [reverse]", Integer(-253, 253), "default weight for track_bfd")
            .or("0")
            .required(),
        keyword("vrrp", "", Flag, "send events to the VRRP process (only)").or("both processes"),
        keyword("checker", "", Flag, "send events to the checker process (only)").or("both processes"),
    ],
    shared: &[],
    defaults: &[],
});
