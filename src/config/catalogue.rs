//! Every kind of finding: what it means, and what to do about it. `config explain ID` and `docs/diagnostics.md` show it.

/// A kind of finding.
#[derive(Debug)]
pub struct Kind {
    /// The stable name that findings carry.
    pub id: &'static str,
    /// What has been found, and what comes of it.
    pub means: &'static str,
    /// What to write or do.
    pub remedy: &'static str,
}

const fn kind(id: &'static str, means: &'static str, remedy: &'static str) -> Kind {
    Kind { id, means, remedy }
}

/// The kind of a name.
pub fn named(id: &str) -> Option<&'static Kind> {
    CHAPTERS.iter().flat_map(|(_, kinds)| *kinds).find(|kind| kind.id == id)
}

/// The reference page of all kinds, in Markdown.
pub fn page() -> String {
    let mut out = "# What is found in configurations\n\n\
        Made from `src/config/catalogue.rs`. Each finding carries one of these names in brackets; `steadfast config \
        explain NAME` shows its row.\n"
        .to_owned();
    for (chapter, kinds) in CHAPTERS {
        out.push_str(&format!("\n## {chapter}\n\n| name | what it means | what to do |\n|---|---|---|\n"));
        for kind in *kinds {
            out.push_str(&format!("| `{}` | {} | {} |\n", kind.id, kind.means, kind.remedy));
        }
    }
    out
}

/// By what they are about.
pub const CHAPTERS: &[(&str, &[Kind])] = &[
    (
        "The text",
        &[
            kind(
                "comment-inside-word",
                "A `#` or `!` in the middle of a word begins a comment, so the rest of the word is not \
                 part of the value. Passwords such as `k@l!ve` are cut this way.",
                "Put the word in double quotes, or write `\\!` and `\\#`; put a blank before a real comment.",
            ),
            kind(
                "unclosed-quote",
                "A double quote is not closed on its line; what follows it is ignored.",
                "Close it on the same line.",
            ),
            kind(
                "more-findings",
                "There are thousands of findings of one kind: a thousand are listed, the rest is counted.",
                "Mend those first, or give the file that was meant.",
            ),
            kind(
                "line-too-long",
                "A line has more than 1023 bytes and is not read.",
                "Split it into several settings, or shorten it with a parameter.",
            ),
            kind(
                "nul-byte",
                "A line holds NUL bytes, which are dropped. The file may be damaged, or saved as UTF-16.",
                "Save it as plain text in UTF-8.",
            ),
            kind(
                "byte-order-mark",
                "The file begins with a byte order mark, which keepalived takes for a part of the first word.",
                "Save it as UTF-8 without a byte order mark.",
            ),
            kind(
                "missing-brace",
                "No `{` follows a keyword that opens a block. The lines after it are read as the block all \
                 the same.",
                "Open the block with `{` on the same line or the next.",
            ),
            kind(
                "stray-brace",
                "A `{` belongs to no keyword. It is ignored, and the `}` meant for it ends the block \
                 around it.",
                "Remove the pair of braces.",
            ),
            kind(
                "surplus-brace",
                "A `}` closes nothing: every block has been closed before it.",
                "Look above it for a `}` too many.",
            ),
            kind(
                "unclosed-block",
                "A block is not closed by the end of the file, so everything up to there was read as part \
                 of it.",
                "Add the missing `}`.",
            ),
            kind(
                "undefined-parameter",
                "`${NAME}` names a parameter without a value above it, so its braces are read as those of \
                 a block.",
                "Define it above with `$NAME=VALUE`, or write the value itself.",
            ),
            kind(
                "unfinished-definition",
                "A definition of several lines has no last line: everything after it was read as its value.",
                "Leave out the `\\` at the end of its last line.",
            ),
            kind(
                "endless-expansion",
                "The parameters of a line expand without end, or to more than is allowed.",
                "A definition must not contain itself.",
            ),
            kind(
                "expansion-too-large",
                "Definitions and sequences come to more lines than are read; the rest is not expanded.",
                "Let the sequences count to less, or write fewer of them.",
            ),
            kind(
                "invalid-iteration",
                "`~SEQ` or `~LST` cannot be carried out as written.",
                "Write `~SEQ(NAME, [START, [STEP,]] END)` or `~LST({NAME,…},{VALUE,…},…)` before the text \
                 to repeat.",
            ),
            kind(
                "include-nothing",
                "Nothing matches the name on an `include` line.",
                "A relative name starts at the directory of the file that includes it.",
            ),
            kind(
                "include-too-deep",
                "Files include one another in circles, or too many of them: this one is not read.",
                "A file must not include itself.",
            ),
            kind(
                "unusable-file",
                "A configuration file cannot be read, is a directory or has an execute bit.",
                "Correct the name or the permissions; configuration is read from plain files that are not \
                 executable.",
            ),
            kind(
                "file-too-large",
                "A file, or all files together, hold more than is read.",
                "Name a configuration file; shorten it with parameters and `~SEQ`.",
            ),
            kind(
                "no-configuration",
                "There is no configuration file of that name.",
                "Create it, or name another one with `-f`.",
            ),
        ],
    ),
    (
        "Keywords and values",
        &[
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
                "missing-argument",
                "A word stands without its value. Where the finding is fatal, keepalived ends with exit \
                 status 2 at this point.",
                "Write the value behind it.",
            ),
            kind(
                "extra-words",
                "Words that belong to nothing are ignored.",
                "Put them on a line of their own, or remove them.",
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
        ],
    ),
    (
        "Instances",
        &[
            kind(
                "no-interface",
                "An interface that the file names does not exist, or an instance names none. A start is \
                 refused.",
                "Correct the name (`ip link` lists the interfaces), or create the interface before the \
                 program starts.",
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
                "peer-ignored",
                "The `peer` of an address line cannot be used and is ignored.",
                "Do what the finding says.",
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
                "no-authentication",
                "The authentication of an instance is not used: the version or strict mode has none, or \
                 type or password is missing.",
                "Do what the finding says, the same on every router: one with and one without \
                 authentication both become master.",
            ),
            kind(
                "password-too-long",
                "Only the first 8 characters of a password count.",
                "Shorten it here and on the other routers.",
            ),
            kind(
                "strict-mode",
                "Strict mode sets this setting aside.",
                "Remove the setting, or strict mode.",
            ),
            kind(
                "vrf-and-interface",
                "`vrf` is ignored in an instance that names an interface.",
                "Keep one of the two.",
            ),
        ],
    ),
    (
        "Scripts and trackers",
        &[
            kind(
                "unquoted-command",
                "Without double quotes a command is one word: what was meant as its arguments is ignored, \
                 and the check tests something else.",
                "Put program and arguments in double quotes.",
            ),
            kind(
                "invalid-command",
                "The quotes of a command do not match, or it is empty; the line is ignored.",
                "Close every quote.",
            ),
            kind(
                "unusable-script",
                "A program does not exist or cannot be executed. A tracked script is disabled: who tracks \
                 it behaves as if it did not.",
                "Create it with execute permission, or correct the path.",
            ),
            kind(
                "insecure-script",
                "With `enable_script_security` a program that others than root can change is not run as \
                 root.",
                "Let root own the program and every folder above it, writable for root alone, or run it as \
                 another user.",
            ),
            kind(
                "script-security",
                "Scripts run as root and nobody asked for their paths to be checked: whoever can replace \
                 one becomes root. A configuration test ends with 6.",
                "Set `script_user` to an unprivileged account, or add `enable_script_security`.",
            ),
            kind(
                "no-script-user",
                "With `enable_script_security` a script needs an account, and `keepalived_script` does not \
                 exist: the script is not run.",
                "Name an account with `script_user`, or create `keepalived_script`.",
            ),
            kind(
                "unknown-user",
                "There is no user or group of that name; the line is ignored.",
                "Name an account of this system.",
            ),
            kind(
                "untracked-script",
                "No instance tracks this script, so it is not run.",
                "Name it in `track_script`, below its definition, or remove it.",
            ),
            kind(
                "unknown-script",
                "Nothing above this line defines the script; it is not tracked, and its failure changes \
                 nothing.",
                "Define it above, or correct the name.",
            ),
            kind(
                "unknown-track-file",
                "Nothing above this line defines the file; it is not tracked.",
                "Define it above, or correct the name.",
            ),
            kind(
                "unknown-track-process",
                "Nothing above this line defines the process; it is not tracked.",
                "Define it above, or correct the name.",
            ),
            kind(
                "unknown-bfd-instance",
                "Nothing above this line defines the BFD session; it is not tracked.",
                "Define it above, or correct the name.",
            ),
            kind(
                "own-interface",
                "The instance's own interface is tracked anyway, so this line is ignored and its weight \
                 never counts.",
                "Remove it, or add `dont_track_primary`.",
            ),
            kind(
                "weight-on-owner",
                "Priority 255 never changes, so a tracker with a weight is left out.",
                "Give the instance a priority below 255, or the tracker weight 0.",
            ),
            kind(
                "tracked-twice",
                "An instance and its group track the same script; the group's line counts.",
                "Remove one of the two lines.",
            ),
            kind(
                "weight-in-group",
                "Members of a sync group change state together, so the weight of one member's tracker is \
                 dropped.",
                "Track it in the group, or write `sync_group_tracking_weight` there.",
            ),
            kind(
                "unknown-instance",
                "A group names an instance that the file does not have.",
                "Correct the name, or define the instance.",
            ),
            kind(
                "small-group",
                "A sync group of one member or none does nothing.",
                "Name the instances, or remove the block.",
            ),
            kind(
                "unusable-session",
                "A BFD session has no neighbour, or the neighbour and source of another one; it is ignored.",
                "Add `neighbor_ip`, or tell the two apart by `source_ip`.",
            ),
        ],
    ),
    (
        "Services",
        &[
            kind(
                "unusable-service",
                "A virtual server, a server or a check cannot be used and is left out, for the reason that \
                 the finding names.",
                "Do what the finding says.",
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
        ],
    ),
    (
        "Two routers",
        &[
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
                "peer-group",
                "The routers group their instances in another way, or the members of a group prefer different routers.",
                "Group the same instances on both, with the higher priorities on one of them.",
            ),
            kind(
                "peer-family",
                "One router advertises over IPv4, the other over IPv6: both become master.",
                "Write the same first address on both.",
            ),
            kind(
                "peer-version",
                "The routers speak another version: both become master.",
                "Write the same on both.",
            ),
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
                "peer-weight",
                "Even with every script failed the master's priority stays above the other router's: the \
                 addresses never move.",
                "Give the script a weight larger than the distance of the priorities, or weight 0.",
            ),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<_> = CHAPTERS.iter().flat_map(|(_, kinds)| *kinds).map(|kind| kind.id).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
