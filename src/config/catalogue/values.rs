//! Keywords and what follows them.

use super::{Kind, kind};

pub(super) const VALUES: &[Kind] = &[
    kind(
        "unknown-keyword",
        "The block does not have this word, so the line is not read. When it opens a block, \
         nothing in it is read, and its `}` ends the block around it, as in keepalived: the \
         finding says how many lines that costs.",
        "Correct the spelling (case matters), or move the line into the block it belongs to.",
    ),
    kind(
        "removed-keyword",
        "keepalived no longer has this word; the line is ignored.",
        "Do what the finding says, or remove the line.",
    ),
    kind(
        "deprecated",
        "The word still works as far as the finding says, but another one has taken its place.",
        "Use the other one.",
    ),
    kind(
        "not-supported-yet",
        "keepalived knows the word and Steadfast does not act on it yet. A note when nothing \
         depends on it, a warning when failover or the way of packets does, an error when the \
         instance cannot be run without it.",
        "Do without, or keep what depends on it on keepalived for now.",
    ),
    kind(
        "invalid-value",
        "What follows the word is not what it takes: not a number, out of range, or none of its \
         choices. Unless the finding says otherwise the line is ignored and the default holds.",
        "Write a value of the kind and range that the finding names.",
    ),
    kind(
        "masked-secret",
        "A password or key is the stars that Steadfast shows in place of one: this file was made from what `config \
         show` wrote.",
        "Write the secret itself, as the original file has it.",
    ),
    kind(
        "missing-argument",
        "A word stands without its value. Where the finding is fatal, keepalived ends with exit \
         status 2 at this point.",
        "Write the value behind it.",
    ),
    kind(
        "extra-words",
        "Words stand behind all that a keyword takes. They are ignored, as in keepalived, and with them any further \
         setting on the line: a line holds one. Behind the name of an instance or a group they cost the whole block.",
        "Put them on a line of their own, in quotes where they are one value, or remove them.",
    ),
    kind(
        "unknown-option",
        "A word on a line of a list is none of the line's options and is ignored.",
        "Correct the spelling, or put it on a line of its own.",
    ),
    kind(
        "invalid-socket",
        "`snmp_socket` is no address of a master agent: VRRP runs, but KEEPALIVED-MIB is not served.",
        "Write the value of `agentXSocket` in snmpd.conf.",
    ),
    kind("empty-list", "A list is empty.", "Fill it, or remove it."),
    kind(
        "duplicate-setting",
        "Of settings that count once, the first is used; this is a later one.",
        "Keep one of the lines.",
    ),
    kind(
        "repeated-setting",
        "A block has a setting twice with different values; the last line counts.",
        "Keep one of the lines.",
    ),
    kind(
        "duplicate-name",
        "Two blocks of one kind have the same name; the second is ignored.",
        "Give it another name.",
    ),
    kind(
        "duplicate-member",
        "Something is listed twice, or in two groups where it can be in one; the first counts.",
        "Remove one of the two.",
    ),
    kind(
        "duplicate-address",
        "An address is listed twice; the first line counts.",
        "Remove one of the two lines.",
    ),
    kind(
        "incomplete-block",
        "A block lacks what it cannot do without, and is ignored with everything that refers to it.",
        "Add what the finding names.",
    ),
    kind(
        "incomplete-line",
        "A line lacks what it cannot do without, such as a route's destination, and is left out.",
        "Add what the finding names.",
    ),
    kind(
        "contradiction",
        "Words of one line exclude one another, and it is left out: a rule with two actions, or one that leads back.",
        "Keep one of them.",
    ),
    kind(
        "unknown-view",
        "Who may use SNMP is to see a view that `snmp_agent` does not have; the line is ignored, so that nobody sees more \
         than is meant.",
        "Define the view, or correct the name.",
    ),
    kind(
        "open-community",
        "A community of SNMPv1 or v2c can be used from everywhere, and it travels in clear text.",
        "Add `source PREFIX`, or listen at loopback addresses alone.",
    ),
    kind(
        "open-user",
        "A user of SNMPv3 without a password can be used from everywhere.",
        "Add `auth PROTOCOL PASSWORD`, or `source PREFIX`.",
    ),
    kind(
        "silent-agent",
        "`snmp_agent` listens at an address of this host, and nobody from another one may ask it anything.",
        "Add a `usm_user`, or a `community` with a `source`, or listen at loopback addresses alone.",
    ),
    kind(
        "no-user",
        "A target of `snmp_notify` speaks SNMPv3 and names no `usm_user` that is there; it is ignored.",
        "Write `user NAME` in it, and the `usm_user` in `snmp_notify` or `snmp_agent`.",
    ),
    kind(
        "no-community",
        "A target of `snmp_notify` speaks SNMPv1 or v2c and has no community; it is ignored.",
        "Write `community NAME` in it, or `version 3` and a user.",
    ),
    kind(
        "too-many-targets",
        "`snmp_notify` has more than 16 targets; those behind them are ignored.",
        "Have one of them pass notifications on.",
    ),
    kind(
        "no-preference",
        "A rule without `preference` gets a number, so where it stands among the rules of this host is a matter of luck.",
        "Add `preference N`.",
    ),
    kind(
        "protocol-reset",
        "A route or rule that is tracked is recognised by its protocol, so another one is not used.",
        "Remove `protocol`, or add `no_track`.",
    ),
    kind(
        "unknown-group",
        "A static line names a track group that is not defined above it; nobody suffers with it.",
        "Define the group above, or correct the name.",
    ),
    kind(
        "track-group-ignored",
        "Only a static route or rule that names an interface can have a track group.",
        "Name the interface, or remove `track_group`.",
    ),
];
