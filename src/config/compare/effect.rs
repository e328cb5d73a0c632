//! What a reload makes of a difference, for every block of the language (keepalived(8) "SIGHUP" and what it does there).

use crate::config::plan::FIXED;

/// A difference, as far as its effect goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    New,
    Changed,
    Gone,
}

/// What a reload does about a line or block of a top-level block; the words of one that is new, changed or gone.
struct Rule {
    /// The block at the top level that it is in; empty for the top level itself.
    block: &'static str,
    /// The words or lists it is about; all others of the block when empty.
    words: &'static [&'static str],
    new: &'static str,
    changed: &'static str,
    gone: &'static str,
}

/// A rule that says the same of all three.
const fn always(block: &'static str, words: &'static [&'static str], effect: &'static str) -> Rule {
    Rule { block, words, new: effect, changed: effect, gone: effect }
}

/// What nothing more is known about.
const USUAL: &str = "takes effect with the reload";
const RESTART: &str = "needs a restart: a reload keeps what was";
/// An instance that is the same virtual router under another name.
pub(super) const RENAMED: &str = "goes on under another name";
/// Targets of notifications.
const TOLD_ON: &str = "targets that stay are told on where they are, new ones of what happens from now on";
const RUNNING: &str = "changes while it runs, without a transition";

/// The effect of a difference. `word` is the line's keyword, or the list it stands in.
pub(super) fn of(block: &str, word: &str, kind: Kind) -> &'static str {
    let fits = |rule: &&Rule| rule.block == block && (rule.words.is_empty() || rule.words.contains(&word));
    RULES.iter().find(fits).map_or(USUAL, |rule| match kind {
        Kind::New => rule.new,
        Kind::Changed => rule.changed,
        Kind::Gone => rule.gone,
    })
}

const RULES: &[Rule] = &[
    Rule {
        block: "",
        words: &["vrrp_instance"],
        new: "starts as a new router",
        changed: RUNNING,
        gone: "stops: it sends priority 0 and its addresses are removed",
    },
    Rule {
        block: "",
        words: &["vrrp_script"],
        new: "is run from now on; who tracks it waits in FAULT for its first result unless it has a weight",
        changed: "is run with these settings from its next turn; its last result counts until then",
        gone: "is no longer run; who tracked it goes on as if it had succeeded",
    },
    Rule {
        block: "",
        words: &["track_file", "vrrp_track_file", "vrrp_track_process"],
        new: "is followed from now on",
        changed: "is followed anew",
        gone: "is no longer followed; its part in the priorities ends",
    },
    Rule {
        block: "",
        words: &["vrrp_sync_group"],
        new: "its instances change state together from now on",
        changed: USUAL,
        gone: "its instances change state each for itself from now on",
    },
    Rule {
        block: "",
        words: &["bfd_instance"],
        new: "starts a session, which is down until the neighbour answers",
        changed: "the session goes on with these settings",
        gone: "ends the session; who tracked it goes on without",
    },
    Rule {
        block: "",
        words: &["virtual_server", "virtual_server_group"],
        new: "is added and checked from the start",
        changed: "is changed in place: connections stay",
        gone: "is removed, its connections with it",
    },
    Rule {
        block: "",
        words: &["static_ipaddress", "static_routes", "static_rules"],
        new: "is put in place at once",
        changed: "is replaced at once",
        gone: "is taken away at once",
    },
    always(
        "",
        &["track_group"],
        "decides from now on which instances suffer with static addresses and routes",
    ),
    always("", &["garp_group"], "paces gratuitous ARP from the next burst on"),
    Rule {
        block: "",
        words: &["snmp_agent"],
        new: "is answered from now on",
        changed: "holds for the next request",
        gone: "is no longer answered",
    },
    Rule {
        block: "",
        words: &["snmp_notify"],
        new: "its targets are told of what happens from now on",
        changed: TOLD_ON,
        gone: "nobody is told in SNMP but the AgentX master, if there is one",
    },
    always("", &["SSL"], "is used by the next check that opens a TLS connection"),
    always(
        "",
        &[
            "net_namespace",
            "net_namespace_ipvs",
            "namespace_with_ipsets",
            "instance",
            "use_pid_dir",
            "linkbeat_use_polling",
            "linkbeat_interfaces",
            "child_wait_time",
        ],
        RESTART,
    ),
    // global_defs
    always("global_defs", FIXED, RESTART),
    always(
        "global_defs",
        &[
            "enable_snmp_vrrp",
            "enable_snmp_keepalived",
            "enable_snmp_checker",
            "enable_snmp_rfc",
            "enable_snmp_rfcv2",
            "enable_snmp_rfcv3",
            "snmp_socket",
            "snmp_context",
        ],
        "ends the AgentX session and opens the one that is asked for now, if any; virtual routers do not notice",
    ),
    always(
        "global_defs",
        &["enable_traps"],
        "opens another AgentX session; managers are told of transitions from then on, or no longer",
    ),
    always("global_defs", &["snmp_set"], "holds for the next SET"),
    always(
        "global_defs",
        &[
            "nftables_ipvs",
            "vrrp_iptables",
            "vrrp_ipsets",
            "tmp_config_directory",
            "checker_process_name",
            "lvs_process_name",
            "bfd_process_name",
        ],
        RESTART,
    ),
    always(
        "global_defs",
        &["vrrp_mcast_group4", "vrrp_mcast_group6"],
        "makes other virtual routers of all multicast instances without mcast_dst_ip: they stop and start anew",
    ),
    always(
        "global_defs",
        &["vrrp_version"],
        "changes every instance without a version of its own while it runs",
    ),
    always(
        "global_defs",
        &["script_user", "enable_script_security", "set_supplementary_groups"],
        "holds for scripts that are started from then on",
    ),
    // vrrp_instance
    Rule {
        block: "vrrp_instance",
        words: &["virtual_ipaddress", "virtual_ipaddress_excluded"],
        new: "is added where the router is master, and announced by gratuitous ARP",
        changed: "is replaced where the router is master",
        gone: "is removed where the router is master",
    },
    Rule {
        block: "vrrp_instance",
        words: &["virtual_routes", "virtual_rules"],
        new: "is put in place where the router is master",
        changed: "is replaced where the router is master",
        gone: "is removed where the router is master",
    },
    Rule {
        block: "vrrp_instance",
        words: &["unicast_peer"],
        new: "is sent advertisements from the next one on",
        changed: USUAL,
        gone: "is sent no more advertisements",
    },
    Rule {
        block: "vrrp_instance",
        words: &["track_script", "track_interface", "track_file", "track_process", "track_bfd"],
        new: "counts from now on: the priority may change, or the instance go to FAULT",
        changed: "counts with its new weight at once",
        gone: "no longer counts: the priority may change, or the instance leave FAULT",
    },
    always(
        "vrrp_instance",
        &["notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted"],
        "is run at the next change of state, not for the present one",
    ),
    always("vrrp_instance", &["state"], "has no effect while it runs: the election has taken place"),
    always("vrrp_instance", &[], RUNNING),
    Rule {
        block: "vrrp_sync_group",
        words: &["group"],
        new: "changes state with the group from now on",
        changed: USUAL,
        gone: "changes state for itself from now on",
    },
    // Services
    Rule {
        block: "virtual_server",
        words: &["real_server"],
        new: "is added and checked from the start",
        changed: "keeps its state",
        gone: "is removed, its connections with it",
    },
    Rule {
        block: "virtual_server",
        words: &["sorry_server"],
        new: "is used when the quorum is lost",
        changed: "takes the place of the old one, at once if that is in use",
        gone: "is no longer used; without quorum nobody answers",
    },
    always(
        "virtual_server",
        &["protocol"],
        "makes another service of it: the old one is removed, the new one is checked from the start",
    ),
    always(
        "virtual_server",
        &["quorum", "hysteresis"],
        "is compared with the servers that are alive at once",
    ),
    always("virtual_server", &["weight"], "is told the kernel at once"),
    always(
        "virtual_server",
        &[
            "TCP_CHECK",
            "HTTP_GET",
            "SSL_GET",
            "SMTP_CHECK",
            "DNS_CHECK",
            "MISC_CHECK",
            "UDP_CHECK",
            "PING_CHECK",
            "BFD_CHECK",
            "FILE_CHECK",
        ],
        "begins this check anew",
    ),
    always("virtual_server", &[], "is changed in place: connections stay"),
    Rule {
        block: "virtual_server_group",
        words: &[],
        new: "is added as a service with the group's servers",
        changed: "is changed in place: connections stay",
        gone: "is removed, its connections with it",
    },
    always(
        "vrrp_script",
        &[],
        "is run with these settings from its next turn; its last result counts until then",
    ),
    always("track_file", &[], "is followed anew"),
    always("vrrp_track_file", &[], "is followed anew"),
    always("vrrp_track_process", &[], "is followed anew"),
    always(
        "bfd_instance",
        &["neighbor_ip", "neighbour_ip", "source_ip", "multihop"],
        "ends the session and starts another",
    ),
    always("bfd_instance", &[], "the session goes on with these settings"),
    Rule {
        block: "static_ipaddress",
        words: &[],
        new: "is put in place at once",
        changed: "is replaced at once",
        gone: "is taken away at once",
    },
    Rule {
        block: "static_routes",
        words: &[],
        new: "is put in place at once",
        changed: "is replaced at once",
        gone: "is taken away at once",
    },
    Rule {
        block: "static_rules",
        words: &[],
        new: "is put in place at once",
        changed: "is replaced at once",
        gone: "is taken away at once",
    },
    always("track_group", &[], "decides from now on which instances suffer with static addresses and routes"),
    always("garp_group", &[], "paces gratuitous ARP from the next burst on"),
    always("snmp_agent", &[], "holds for the next request"),
    always("snmp_notify", &[], TOLD_ON),
    always("SSL", &[], "is used by the next check that opens a TLS connection"),
    always("linkbeat_interfaces", &[], RESTART),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keywords::{self, Value};

    #[test]
    fn every_rule_is_about_words_of_its_block() {
        for rule in RULES {
            let mut known = Vec::new();
            keywords::visit(keywords::ROOT, &mut |block| known.extend(block.all().map(|word| word.name)));
            assert!(rule.block.is_empty() || keywords::ROOT.keyword(rule.block).is_some(), "{}", rule.block);
            for word in rule.words {
                assert!(known.contains(word), "{} in {}", word, rule.block);
            }
        }
    }

    #[test]
    fn every_block_of_the_top_level_has_an_effect_of_its_own() {
        let blocks =
            keywords::ROOT.all().filter(|word| matches!(word.value, Value::Body(_) | Value::Lines(_)));
        for block in blocks.filter(|block| !matches!(block.name, "global_defs" | "interface_up_down_delays"))
        {
            assert_ne!(of("", block.name, Kind::New), USUAL, "{}", block.name);
        }
    }
}
