//! Virtual routers.

use super::{Kind, kind};

pub(super) const INSTANCES: &[Kind] = &[
    kind(
        "no-interface",
        "An interface that the file names does not exist, or an instance names none. A start is \
         refused.",
        "Correct the name (`ip link` lists the interfaces), create the interface before the \
         program starts, or write `dynamic_interfaces` in `global_defs`.",
    ),
    kind(
        "loopback",
        "An instance cannot run on the loopback interface: no other router is there.",
        "Name the interface that the other routers are reached through.",
    ),
    kind(
        "no-vrid",
        "An instance has no valid `virtual_router_id`. A start is refused.",
        "Write a number from 1 to 255, the same on every router of the virtual router.",
    ),
    kind(
        "duplicate-vrid",
        "Two instances use the same `virtual_router_id` on one interface and could hear one \
         another. A start is refused.",
        "Give one of them another number, here and on its peers.",
    ),
    kind(
        "no-address",
        "An instance has no virtual address: it protects nothing, and cannot run in version 3.",
        "Add `virtual_ipaddress { ADDRESS/PREFIX }`, or `no_virtual_ipaddress` if none is meant.",
    ),
    kind(
        "too-many-addresses",
        "An advertisement cannot count so many addresses; the last ones are owned but not \
         advertised.",
        "Move them to `virtual_ipaddress_excluded`.",
    ),
    kind(
        "invalid-address",
        "Something that should be an IP address is none; the line is ignored.",
        "Write ADDRESS or ADDRESS/PREFIX as the finding says.",
    ),
    kind(
        "other-family",
        "An address is not of the family of its instance, which the first address decides, or an \
         option is not for this family; the line or option is ignored.",
        "Put it into `virtual_ipaddress_excluded` or into an instance of its own.",
    ),
    kind(
        "no-vmac",
        "A word about the instance's own link stands in an instance that has none.",
        "Add `use_vmac`, or remove the word.",
    ),
    kind(
        "promoted-anyway",
        "An instance with a link of its own needs no `promote_secondaries`: the link has it set.",
        "Remove the line.",
    ),
    kind(
        "invalid-mac",
        "A MAC address of `use_vmac` cannot be used, and the virtual router's own is.",
        "Write five octets (the VRID is the sixth), or leave it out.",
    ),
    kind(
        "no-ipvlan-address",
        "An ipvlan has the MAC address of its interface, so it needs an address of its own to send from.",
        "Write `use_ipvlan ADDRESS` with a free address of the interface's subnet.",
    ),
    kind(
        "unicast-vmac",
        "Unicast advertisements leave by the interface itself, whatever `vmac_xmit_base` says.",
        "Add `vmac_xmit_base`.",
    ),
    kind(
        "beside-peer",
        "`brd` and a prefix length mean nothing on an address line with `peer`: they are ignored.",
        "Remove them, or `peer`.",
    ),
    kind(
        "not-link-local",
        "The first address of an IPv6 instance is not link-local, as RFC 9568 asks for.",
        "Write a link-local address (fe80::/10) first.",
    ),
    kind(
        "owner-by-default",
        "`state MASTER` without `priority` means priority 255, the owner of the addresses: it is \
         never lowered, not even by a failed script.",
        "Write a priority, such as 150.",
    ),
    kind(
        "nopreempt-ignored",
        "`nopreempt` does nothing with `state MASTER` or priority 255.",
        "Write `state BACKUP` and a priority below 255 on both routers.",
    ),
    kind(
        "preempt-delay-ignored",
        "`preempt_delay` does nothing with `state MASTER`, with `nopreempt` or in strict mode.",
        "Remove it, or what excludes it.",
    ),
    kind(
        "no-namespace",
        "The `net_namespace` does not exist, or may not be entered.",
        "Create it with `ip netns add` before the daemon starts, or start the daemon as root.",
    ),
    kind(
        "no-nopreempt",
        "`timer_expired_backup` does nothing where a router takes its mastership back anyway.",
        "Add `nopreempt` with `state BACKUP` and a priority below 255, or remove it.",
    ),
    kind(
        "rounded",
        "The version cannot express this `advert_int`, so another one is used.",
        "Write a value that it can express, the same on every router.",
    ),
    kind(
        "no-peers",
        "Words for unicast stand in an instance without unicast peers: it uses multicast.",
        "List the other routers in `unicast_peer`, or use `mcast_src_ip` to choose a source address.",
    ),
    kind(
        "own-peer",
        "`unicast_peer` lists the address that the instance sends from: the router itself.",
        "Remove the line; on each router the list is of the others.",
    ),
    kind(
        "no-authentication",
        "The authentication of an instance is not used: the version or strict mode has none, or \
         type or password is missing.",
        "Do what the finding says, the same on every router: one with and one without \
         authentication both become master.",
    ),
    kind(
        "backup-with-ah",
        "`state MASTER` does nothing in an instance with `auth_type AH`: it has to hear a sequence number first.",
        "Write `state BACKUP`.",
    ),
    kind(
        "unusable-key",
        "A key of `auth_hmac` is not used: it is too short, too long or not what its prefix says, or its file or credential cannot be read.",
        "Write 32 to 64 bytes as text, `hex:DIGITS`, `file:PATH` or `credential:NAME`.",
    ),
    kind(
        "no-active-key",
        "`auth_hmac` has no key to sign with, so the instance cannot run.",
        "Write `active_key` with the number of a usable key.",
    ),
    kind(
        "exposed-key",
        "The file of a key can be read or changed by others than its owner, or belongs to neither root nor the user.",
        "`chown root` and `chmod 600` the file, and give all routers a new key.",
    ),
    kind(
        "password-too-long",
        "Only the first 8 characters of a password count.",
        "Shorten it here and on the other routers.",
    ),
    kind("strict-mode", "Strict mode sets this setting aside.", "Remove the setting, or strict mode."),
    kind(
        "vrf-and-interface",
        "`vrf` is ignored in an instance that names an interface.",
        "Keep one of the two.",
    ),
];
