//! Words without effect yet that matter most: with them a router takes over, or sends packets, otherwise than its file
//! asks for. A start warns of them; of the other words without effect it only takes note.

/// What is different without the word; `None` when neither failover nor the way of packets depends on it.
pub(super) fn without(word: &str) -> Option<&'static str> {
    WEIGHTY.iter().find(|(words, _)| words.contains(&word)).map(|(_, consequence)| *consequence)
}

const WEIGHTY: &[(&[&str], &str)] = &[
    (
        &["vrrp_mcast_group4", "vrrp_mcast_group6", "mcast_dst_ip"],
        "advertisements go to the usual group: a router that uses the other group does not hear them, and both become \
         master",
    ),
    (
        &["net_namespace", "net_namespace_ipvs"],
        "addresses and packets stay in the network namespace that the program is started in",
    ),
    (
        &["use_vmac", "use_vmac_addr", "use_ipvlan", "vmac_xmit_base"],
        "addresses are announced with the interface's own MAC address, and nobody answers to the virtual router's",
    ),
    (
        &["vrrp_sync_group"],
        "its instances change state each for itself, so they may be masters on different routers",
    ),
    (
        &["track_interface", "track_file", "track_process", "track_bfd", "interface_up_down_delays"],
        "what happens there neither moves the priority nor the addresses",
    ),
    (&["dont_track_primary"], "an instance whose interface fails goes to FAULT all the same"),
    (
        &["down_timer_adverts", "vrrp_down_timer_adverts"],
        "a backup takes over after three lost advertisements",
    ),
    (
        &["virtual_routes", "virtual_rules", "static_ipaddress", "static_routes", "static_rules"],
        "they are not installed: packets take the way they would take without them",
    ),
    (
        &["vrrp_strict", "strict_mode"],
        "settings that it forbids are set aside, but the rest of its rules is not enforced",
    ),
    (&["auth_hmac"], "advertisements are neither signed nor checked"),
    (&["virtual_server"], "connections to it are not balanced"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keywords;

    #[test]
    fn every_word_is_one_of_the_language() {
        for word in WEIGHTY.iter().flat_map(|(words, _)| *words) {
            assert!(!keywords::homes(word).is_empty(), "{word}");
        }
    }
}
