//! Every attribute that a route or a rule can have: what the kernel then holds is the same as under keepalived.

use std::collections::BTreeSet;

use lab::{Host, Result, Router, Subject, wait};

use crate::routes::lan;
use crate::world::{SOON, ours};

/// A line each for what a route can say. Tunnels that this kernel does not have are refused under both.
const ROUTES: &[&str] = &[
    // Types.
    "10.20.0.0/16 via 10.9.0.9 dev va0",
    "local 10.20.1.0/24 dev va0 scope host table 300",
    "broadcast 10.20.2.255/32 dev va0 scope link table 300",
    "multicast 239.1.0.0/16 dev va0",
    "unreachable 10.20.4.0/24",
    "prohibit 10.20.5.0/24",
    "blackhole 10.20.6.0/24",
    "throw 10.20.7.0/24 table 300",
    "unreachable 2001:db8:20:4::/64",
    "blackhole 2001:db8:20:6::/64",
    // Where it stands.
    "default via 10.9.0.9 dev va0 table 301",
    "default via fe80::9 dev va0 table 301",
    "10.21.1.0/24 via 10.9.0.9 dev va0 table 70000",
    "10.21.2.0/24 via 10.9.0.9 dev va0 metric 7",
    "10.21.3.0/24 via 10.9.0.9 dev va0 tos 16",
    "10.21.4.0/24 via 10.9.0.9 dev va0 protocol 99 no_track",
    "10.21.5.0/24 dev va0 scope link",
    "10.21.6.0/24 dev va0 scope 150",
    "10.21.7.0/24 dev va0",
    "2001:db8:21:1::/64 via fe80::9 dev va0 table 70000",
    "2001:db8:21:2::/64 via fe80::9 dev va0 metric 7",
    "2001:db8:21:3::/64 from 2001:db8:9::/48 via fe80::9 dev va0",
    // Ways.
    "10.22.1.0/24 via 10.9.0.9 dev va0 src 10.9.0.1",
    "10.22.2.0/24 via 10.200.0.1 dev va0 onlink",
    "10.22.3.0/24 via 10.9.0.9",
    "10.22.4.0/24 via 10.9.0.9 dev va0 realms 3/4",
    "10.22.5.0/24 via 10.9.0.9 dev va0 realms 5",
    "10.22.6.0/24 nexthop via 10.9.0.7 dev va0 weight 20 realms 6 nexthop via 10.200.0.8 dev va0 onlink",
    "10.22.7.0/24 nexthop via 10.9.0.7 weight 256 nexthop dev va1",
    "2001:db8:22:1::/64 nexthop via fe80::7 dev va0 weight 2 nexthop via fe80::8 dev va1",
    "2001:db8:22:2::/64 via fe80::9 dev va0 pref high",
    "2001:db8:22:3::/64 via fe80::9 dev va0 pref low",
    "2001:db8:22:4::/64 dev va0 mtu 1400 hoplimit 9",
    // Metrics.
    "10.23.1.0/24 via 10.9.0.9 dev va0 mtu 1400 hoplimit 9 advmss 1000 reordering 5 window 10000",
    "10.23.2.0/24 via 10.9.0.9 dev va0 mtu lock 1400 advmss lock 1000 reordering lock 5",
    "10.23.3.0/24 via 10.9.0.9 dev va0 rtt 300ms rttvar 200ms rto_min 300ms",
    "10.23.4.0/24 via 10.9.0.9 dev va0 rtt lock 1s rttvar lock 0.5s rto_min lock 2s",
    "10.23.5.0/24 via 10.9.0.9 dev va0 rtt 8000 rttvar 4000 rto_min 300",
    "10.23.6.0/24 via 10.9.0.9 dev va0 cwnd 20 ssthresh 30 initcwnd 11 initrwnd 12",
    "10.23.7.0/24 via 10.9.0.9 dev va0 cwnd lock 20 ssthresh lock 30",
    "10.23.8.0/24 via 10.9.0.9 dev va0 features ecn quickack 1 congctl reno fastopen_no_cookie 1",
    "10.23.9.0/24 via 10.9.0.9 dev va0 quickack 0 congctl lock reno fastopen_no_cookie 0",
    // Tunnels.
    "10.24.1.0/24 encap ip id 5 dst 10.9.0.7 src 10.9.0.1 tos 4 ttl 9 dev va0",
    "10.24.2.0/24 encap ip6 id 6 dst 2001:db8:9::7 src 2001:db8:9::1 tc 8 hoplimit 9 dev va0",
    "10.24.3.0/24 encap mpls 100/200 via 10.9.0.9 dev va0",
    "10.24.4.0/24 via 10.9.0.9 dev va0 ttl-propagate disabled encap mpls 100",
    "2001:db8:24:1::/64 encap ila 1:2:3:4 via fe80::9 dev va0",
    // Insertion.
    "10.26.1.0/24 via 10.9.0.7 dev va0 append",
    "10.26.1.0/24 via 10.9.0.8 dev va0 append",
    "10.26.1.0/24 via 10.9.0.6 dev va0 prepend",
    "10.26.2.0/24 via 10.9.0.7 dev va0 add",
];

/// A line each for what a rule can say.
const RULES: &[&str] = &[
    "from 10.1.0.0/16 table 300 preference 1001",
    "not from 10.1.0.0/16 to 10.2.0.0/16 table 70000 preference 1002",
    "from all tos 16 table 300 preference 1003",
    "fwmark 7 table 300 preference 1004",
    "fwmark 0x10/0xf0 table 300 preference 1005",
    "from 10.3.0.0/16 realms 3/4 table 300 preference 1006",
    "iif va0 table 300 preference 1007",
    "oif va1 table 300 preference 1008",
    "tunnel-id 77 table 300 preference 1010",
    "uidrange 1000-1999 table 300 preference 1011",
    "ipproto tcp sport 1024-2047 dport 80-80 table 300 preference 1012",
    "ipproto 17 dport 53-54 table 300 preference 1013",
    "from 10.4.0.0/16 table 300 suppress_prefixlength 16 preference 1014",
    "from 10.4.0.0/16 table 300 suppress_ifgroup 3 preference 1015",
    "from 10.5.0.0/16 goto 2000 preference 1016",
    "from 10.5.0.0/16 nop preference 2000",
    "from 10.6.0.0/16 blackhole preference 1018",
    "from 10.6.0.0/16 unreachable preference 1019",
    "from 10.6.0.0/16 prohibit preference 1020",
    "from 10.7.0.0/16 l3mdev preference 1021",
    "from 2001:db8:1::/48 to 2001:db8:2::/48 table 300 preference 1022",
    "from 2001:db8:3::/48 table 300 preference 1023",
    "from 2001:db8:4::/48 ipproto udp dport 53-54 unreachable preference 1024",
];

/// What `ip -j` says of routes and rules, an object a line: without those of the kernel.
fn shown(host: &Host) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for family in ["-4", "-6"] {
        for what in [&["route", "show", "table", "all"][..], &["rule"]] {
            let argv: Vec<&str> = ["ip", family, "-d", "-j"].iter().chain(what).copied().collect();
            let text = host.run(&argv)?;
            let objects = text.trim_matches(['[', ']', '\n', ' ']).replace("},{\"type", "}\n{\"type");
            let objects = objects.replace("},{\"priority", "}\n{\"priority");
            let foreign = |line: &&str| !line.contains("\"protocol\":\"kernel\"");
            all.extend(objects.lines().filter(foreign).map(|line| format!("{family} {line}")));
        }
    }
    Ok(all)
}

/// Everything that the kernel holds with all lines as static ones.
fn held(subject: &Subject) -> Result<BTreeSet<String>> {
    let lan = lan()?;
    let alpha = &lan["alpha"];
    let lines = |lines: &[&str]| lines.join("\n  ");
    let text = format!(
        "global_defs {{\n  router_id lab\n}}\nstatic_routes {{\n  {}\n}}\nstatic_rules {{\n  {}\n}}\n\
         vrrp_instance VI {{\n  interface va0\n  virtual_router_id 51\n  virtual_ipaddress {{\n    10.9.0.100\n  }}\n}}\n",
        lines(ROUTES),
        lines(RULES)
    );
    let before = shown(alpha)?;
    let router = Router::start(subject, alpha, "alpha", &text)?;
    wait::until_true("the last rule", SOON, || {
        shown(alpha).is_ok_and(|held| held.iter().any(|line| line.contains("\"priority\":1024")))
    })?;
    let held = shown(alpha)?;
    router.stop()?;
    let left: Vec<_> = shown(alpha)?.difference(&before).cloned().collect();
    assert_eq!(left, [""; 0], "left by {subject}");
    Ok(held.difference(&before).cloned().collect())
}

#[test]
fn every_attribute_is_in_the_kernel_as_under_keepalived() -> Result<()> {
    let (ours, theirs) = (held(&ours())?, held(&Subject::Keepalived)?);
    let differ = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!((differ(&ours, &theirs), differ(&theirs, &ours)), (vec![], vec![]));
    // Three of MPLS and ILA are refused where the kernel does not have them.
    assert!(ours.len() >= ROUTES.len() + RULES.len() - 3, "{ours:#?}");
    Ok(())
}
