//! Virtual and real servers.

use super::{Kind, kind};

pub(super) const SERVICES: &[Kind] = &[
    kind(
        "unusable-service",
        "A virtual server, a server or a check cannot be used and is left out, for the reason that \
         the finding names.",
        "Do what the finding says.",
    ),
    kind(
        "unusable-regex",
        "The `regex` of a page is searched for by an automaton, in which every byte is looked at once. What no automaton \
         can do is left out, and the page is not searched: look-around, back references, atomic groups, `\\K`; so is an \
         expression that would need too much memory.",
        "Write the expression without these.",
    ),
    kind(
        "no-protocol",
        "Without `protocol` a service is UDP. Most are meant to be TCP, and their connections do \
         not reach it.",
        "Write `protocol TCP`, or UDP if that is meant.",
    ),
    kind("no-scheduler", "Without `lb_algo` the scheduler is wlc.", "Write the one that is meant."),
    kind(
        "no-method",
        "Without a valid `lb_kind` the forwarding method is NAT. The words are upper case: `dr` is \
         none.",
        "Write NAT, DR or TUN.",
    ),
    kind(
        "no-port",
        "A service without port works only with persistence, which is switched on for it.",
        "Write the port, or `persistence_timeout SECONDS`.",
    ),
    kind(
        "too-many-services",
        "A line of a group is a service for each of its addresses. Those behind the first 65536 are left out.",
        "Have the firewall mark what comes for them, and write `fwmark NUMBER`.",
    ),
    kind(
        "port-mismatch",
        "With DR and TUN packets keep their port, so a server's other port is not used.",
        "Write the service's port or none, or use NAT.",
    ),
    kind(
        "family-mismatch",
        "A server is of another address family than its service, which only TUN can serve; it is \
         left out.",
        "Write an address of the service's family, or use TUN.",
    ),
    kind(
        "protocol-with-mark",
        "A firewall mark decides what reaches the service; its `protocol` is ignored.",
        "Remove the line.",
    ),
    kind(
        "scheduler-option",
        "The option belongs to another scheduler, or stands above the line that names the \
         scheduler, and is ignored.",
        "Write it below its `lb_algo`, or remove it.",
    ),
    kind(
        "quorum-reduced",
        "All servers together do not reach the quorum, so it is lowered.",
        "Lower it, or raise the weights.",
    ),
    kind(
        "impossible-check",
        "No answer can satisfy this check: the server would always be down.",
        "Correct the limits.",
    ),
    kind(
        "unknown-host",
        "A mail server's name has no address. Looked up by a configuration test only.",
        "Correct the name, or write an address.",
    ),
    kind(
        "hysteresis-reduced",
        "The margin around a quorum must be below it, or the quorum is lost only with the last server.",
        "Lower `hysteresis`, or raise `quorum`.",
    ),
    kind(
        "no-sorry-server",
        "An option of the sorry server stands above the line that names it, and is ignored.",
        "Write it below `sorry_server`.",
    ),
    kind("ops-ignored", "One-packet scheduling is for UDP only.", "Remove `ops`, or write `protocol UDP`."),
    kind(
        "hops-reduced",
        "A BFD session allows more hops than its packets survive; as many as that are allowed.",
        "Lower `max_hops`, or raise `ttl`.",
    ),
];
