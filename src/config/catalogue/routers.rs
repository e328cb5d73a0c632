//! Two files that do not agree.

use super::{Kind, kind};

pub(super) const ROUTERS: &[Kind] = &[
    kind(
        "peer-missing",
        "Only one router has the instance: nobody takes its addresses over.",
        "Add it to the other file.",
    ),
    kind(
        "peer-vrid",
        "The routers have another `virtual_router_id`, do not hear one another and both become \
         master.",
        "Write the same on both.",
    ),
    kind(
        "peer-family",
        "One router advertises over IPv4, the other over IPv6: both become master.",
        "Write the same first address on both.",
    ),
    kind("peer-version", "The routers speak another version: both become master.", "Write the same on both."),
    kind(
        "peer-interval",
        "The routers have another `advert_int`: in version 2 both become master.",
        "Write the same on both.",
    ),
    kind(
        "peer-multicast",
        "The routers use another multicast group: both become master.",
        "Write the same on both.",
    ),
    kind(
        "peer-checksum",
        "The routers compute the checksum of version 3 in another way; keepalived drops the other \
         one's advertisements.",
        "Write the same on both.",
    ),
    kind(
        "peer-auth",
        "Authentication, password or keys are not the same: both become master.",
        "Write the same on both.",
    ),
    kind("peer-addresses", "The routers do not have the same addresses.", "Write the same on both."),
    kind(
        "peer-priority",
        "The routers have the same priority, so the address of their interfaces decides who is \
         master.",
        "Give them different priorities.",
    ),
    kind(
        "peer-state",
        "Both routers have `state MASTER`.",
        "Write `state BACKUP` on the one of lower priority, or on both.",
    ),
    kind(
        "peer-preempt",
        "Only one router has `nopreempt`: the other takes over when it returns.",
        "Write the same on both.",
    ),
    kind(
        "peer-unicast",
        "One router's advertisements do not reach the other: both become master.",
        "List each router's `unicast_src_ip` in the other's `unicast_peer`.",
    ),
    kind(
        "peer-group",
        "The routers do not group the same instances, or the members of a group prefer different routers.",
        "Group the same instances on both, with the higher priorities of a group on the same router.",
    ),
    kind(
        "peer-weight",
        "Even with every script failed the master's priority stays above the other router's: the \
         addresses never move.",
        "Give the script a weight larger than the distance of the priorities, or weight 0.",
    ),
];
