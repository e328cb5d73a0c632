//! What is written outside instances: typed, and checked where one block names another.

use super::*;

#[test]
fn services_and_their_checks_are_typed() {
    let (config, report) = read(
        "virtual_server_group web {\n192.0.2.1 80\nfwmark 7\n}\n\
         virtual_server group web {\nlb_algo rr\nlb_kind DR\nprotocol tcp\npersistence_timeout\nalpha\n\
         real_server 192.0.2.11 80 {\nweight 3\nlvs_method TUN type gue port 6080\nalpha off\n\
         HTTP_GET {\nurl {\npath /\nstatus_code 200 301-302\n}\nconnect_timeout 0.5\nretry 2\n}\n\
         TCP_CHECK {\nconnect_port 8080\n}\nnotify_down \"/bin/check down\" nobody\n}\n\
         real_server 192.0.2.12 80 {\n}\nreal_server 192.0.2.12 80 {\n}\n}\n",
    );
    let found: Vec<_> = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect();
    assert_eq!(found, ["unusable-service"]);
    let service = &config.virtual_servers[0];
    assert_eq!(service.heading, settings::Destination::Group("web".into()));
    assert_eq!((*service.lb_algo, *service.protocol, service.alpha), ("rr", settings::Protocol::Tcp, true));
    assert_eq!(config.server_groups[0].members.len(), 2);
    let [server, _] = &service.real_server[..] else { panic!("the third is the second again") };
    assert_eq!(server.heading, settings::Endpoint { address: [192, 0, 2, 11].into(), port: 80 });
    assert_eq!((*server.weight, *server.alpha), (3, false));
    let tunnel =
        settings::Tunnel { kind: settings::TunnelKind::Gue(6080), checksum: settings::Checksum::None };
    assert_eq!(*server.lvs_method, settings::Forwarding::Tunnel(tunnel));
    assert_eq!(server.notify_down.as_ref().map(|line| &*line.account), Some(&["nobody".to_owned()][..]));
    let [settings::Check::Http(http), settings::Check::Tcp(tcp)] = &server.checks[..] else {
        panic!("two checks")
    };
    assert_eq!(*http.connection.connect_timeout, Duration::from_millis(500));
    assert!(http.url[0].status_code.contains(302) && !http.url[0].status_code.contains(201));
    assert_eq!(tcp.connection.connect_port.0, 8080);
}

#[test]
fn what_a_service_lacks_is_said() {
    let found = |lines: &str| {
        let (_, report) = read(&format!("virtual_server 192.0.2.1 80 {{\n{lines}\n}}\n"));
        ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect::<Vec<_>>()
    };
    let server = "real_server 192.0.2.2 80 {\n}";
    assert_eq!(found(&format!("lb_algo rr\nlb_kind NAT\n{server}")), ["no-protocol"]);
    assert_eq!(found(&format!("protocol TCP\n{server}")), ["no-scheduler", "no-method"]);
    assert_eq!(found("lb_algo rr\nlb_kind dr\nprotocol TCP"), ["unusable-service", "invalid-value"]);
}

#[test]
fn a_weight_of_a_group_s_member_is_dropped_unless_the_group_wants_it() {
    let found = |group: &str| {
        let instance = |name: &str, vrid: u8| {
            format!(
                "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\npriority 100\n\
                 virtual_ipaddress {{\n192.0.2.{vrid}\n}}\ntrack_script {{\nchk weight 5\n}}\n}}\n"
            )
        };
        let (one, two) = (instance("A", 1), instance("B", 2));
        let script = "vrrp_script chk {\nscript /bin/check\nuser nobody\n}\n";
        let text = format!("{script}vrrp_sync_group G {{\ngroup {{\nA\nB\n}}\n{group}\n}}\n{one}{two}");
        ids(&read(&text).1).into_iter().filter(|id| *id == "weight-in-group").count()
    };
    assert_eq!(found(""), 2);
    assert_eq!(found("sync_group_tracking_weight"), 0);
}

#[test]
fn sessions_and_quorums_that_cannot_be_are_named() {
    let (config, report) = read(
        "bfd_instance a {\nneighbor_ip 192.0.2.1\n}\nbfd_instance b {\nneighbor_ip 192.0.2.1\n}\nbfd_instance c {\n}\n\
         virtual_server 192.0.2.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nquorum 9\nweight 2\n\
         real_server 192.0.2.2 80 {\n}\nreal_server 192.0.2.3 80 {\nweight 3\n}\n}\n",
    );
    let found: Vec<_> = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect();
    assert_eq!(found, ["unusable-session", "unusable-session", "quorum-reduced"]);
    assert_eq!((config.bfd_instances.len(), *config.virtual_servers[0].quorum), (1, 5));
}

#[test]
fn groups_and_trackers_are_typed_and_checked() {
    let instance = |name: &str, vrid: u8| {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\nuse_vmac v.{vrid}\nvirtual_ipaddress {{\n192.0.2.{vrid}\n}}\n}}\n"
        )
    };
    let (config, report) = read(&format!(
        "track_file load {{\nfile /tmp/load\nweight -2 reverse\n}}\n\
         vrrp_track_process web {{\nprocess nginx -g\nquorum 2\ndelay 1.5\n}}\n\
         bfd_instance b {{\nneighbour_ip 192.0.2.200\nmin_rx 50\n}}\n\
         vrrp_sync_group G {{\ngroup {{\nA B\nC\nA\n}}\ntrack_file {{\nload weight 5\n}}\n}}\n\
         vrrp_sync_group H {{\ngroup {{\nB\n}}\n}}\n{}{}",
        instance("A", 1),
        instance("B", 2)
    ));
    let found: Vec<_> = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect();
    assert_eq!(
        found,
        ["untracked-process", "unknown-instance", "duplicate-member", "small-group", "duplicate-member"]
    );
    let [group] = &config.sync_groups[..] else { panic!("one group with members") };
    assert_eq!((&*group.name, &*group.members), ("G", &[0, 1][..]));
    assert_eq!((&*group.tracks.files[0].name, group.tracks.files[0].weight), ("load", 5));
    assert_eq!((config.files[0].weight, config.files[0].reverse), (-2, true));
    assert_eq!(*config.bfd_instances[0].min_rx, Duration::from_millis(50));
    assert_eq!(
        config.instances[1].settings.use_vmac.as_ref().map(settings::Words::joined).as_deref(),
        Some("v.2")
    );
}

#[test]
fn a_check_follows_what_is_defined() {
    let found = |defined: &str| {
        let (config, report) = read(&format!(
            "{defined}virtual_server 192.0.2.1 80 {{\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 192.0.2.2 80 {{\n\
             FILE_CHECK {{\ntrack_file load\n}}\nBFD_CHECK {{\nname b\n}}\n}}\n}}\n"
        ));
        let ignored = ids(&report).into_iter().filter(|id| *id == "unusable-service").count();
        (ignored, config.virtual_servers[0].real_server[0].checks.len())
    };
    assert_eq!(found(""), (2, 0));
    assert_eq!(
        found("track_file load {\nfile /tmp/x\n}\nbfd_instance b {\nneighbor_ip 192.0.2.9\n}\n"),
        (0, 2)
    );
}

#[test]
fn the_scripts_of_start_and_stop_count_as_run_by_root() {
    let exit = |lines: &str| read(&format!("global_defs {{\n{lines}\n}}\n")).1.test_exit();
    assert_eq!(exit("startup_script /bin/check"), 6);
    assert_eq!(exit("shutdown_script \"/bin/check a\" nobody"), 0);
    assert_eq!(exit("startup_script /bin/check\nscript_user nobody"), 0);
}

#[test]
fn a_session_has_the_hops_of_its_family() {
    let session = |lines: &str| {
        let (mut config, report) = read(&format!("bfd_instance b {{\n{lines}\n}}\n"));
        let found: Vec<_> = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect();
        (config.bfd_instances.pop().map(|session| (*session.ttl, *session.max_hops)), found)
    };
    assert_eq!(session("neighbor_ip 192.0.2.1"), (Some((255, 0)), vec![]));
    assert_eq!(session("neighbor_ip fe80::1"), (Some((64, 0)), vec![]));
    assert_eq!(session("neighbor_ip fe80::1\nhoplimit 9\nmax_hops 10"), (Some((9, 9)), vec!["hops-reduced"]));
    assert_eq!(session("neighbor_ip fe80::1\nsource_ip 192.0.2.1"), (None, vec!["unusable-session"]));
}

#[test]
fn members_of_a_server_group_are_addresses_ranges_networks_and_marks() {
    use settings::GroupMember::{Addresses, Mark, Network as Prefix};
    let group = |lines: &str| {
        let (mut config, report) = read(&format!("virtual_server_group g {{\n{lines}\n}}\n"));
        let found: Vec<_> = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").collect();
        (config.server_groups.pop().map(|group| group.members), found)
    };
    let range = |first: [u8; 4], last: [u8; 4]| Range { first: first.into(), last: last.into() };
    let (members, found) = group(
        "192.0.2.1 80\n192.0.2.1-9 81\n192.0.2.1-192.0.3.9\n192.0.2.0/28 82\n2001:db8::1-ff 83\nfwmark 7 inet",
    );
    assert_eq!(found, [] as [&str; 0]);
    let v6 = |text: &str| text.parse::<IpAddr>().expect("an address");
    assert_eq!(
        members.expect("a group"),
        [
            Addresses(range([192, 0, 2, 1], [192, 0, 2, 1]), 80),
            Addresses(range([192, 0, 2, 1], [192, 0, 2, 9]), 81),
            Addresses(range([192, 0, 2, 1], [192, 0, 3, 9]), 0),
            Prefix(Network { address: [192, 0, 2, 0].into(), prefix: 28 }, 82),
            Addresses(Range { first: v6("2001:db8::1"), last: v6("2001:db8::ff") }, 83),
            Mark(7, Some(crate::units::Family::V4)),
        ]
    );
    for bad in
        ["192.0.2.5-1 80", "192.0.2.1-300", "192.0.2.1/28", "192.0.2.1 70000", "fwmark x", "fwmark 1 ip"]
    {
        assert_eq!(group(bad), (None, vec!["unusable-service", "invalid-value"]), "{bad}");
    }
    assert_eq!(group("192.0.2.1\n2001:db8::1\nfwmark 1").0, None);
    for most in ["10.0.0.0/16", "10.0.0.9-10.1.0.8", "2001:db8::/112", "2001:db8::1-ffff"] {
        assert_eq!(group(most).1, [""; 0], "{most}");
    }
    for more in ["10.0.0.0/15", "10.0.0.9-10.1.0.9", "2001:db8::/111", "::/0 80", "0.0.0.0/0"] {
        let (members, found) = group(more);
        assert_eq!(
            (members.map(|members| members.len()), found),
            (Some(1), vec!["too-many-services"]),
            "{more}"
        );
    }
}

#[test]
fn a_tunnel_has_what_its_kind_needs() {
    let method = |words: &str| {
        let (config, report) = read(&format!(
            "virtual_server 192.0.2.1 80 {{\nlb_algo rr\nlb_kind {words}\nprotocol TCP\nreal_server 192.0.2.2 80 {{\n}}\n}}\n"
        ));
        let found = ids(&report).into_iter().filter(|id| *id != "not-supported-yet").count();
        (*config.virtual_servers[0].lb_kind, found)
    };
    use settings::{Checksum, Forwarding, Tunnel, TunnelKind};
    let tunnel = |kind, checksum| Forwarding::Tunnel(Tunnel { kind, checksum });
    assert_eq!(method("DR"), (Forwarding::Direct, 0));
    assert_eq!(method("TUN"), (tunnel(TunnelKind::Ipip, Checksum::None), 0));
    assert_eq!(method("TUN type gre csum"), (tunnel(TunnelKind::Gre, Checksum::Usual), 0));
    assert_eq!(
        method("TUN type gue port 6080 remcsum"),
        (tunnel(TunnelKind::Gue(6080), Checksum::Remote), 0)
    );
    for bad in ["TUN type gue", "TUN type ipip csum", "TUN type gre remcsum", "TUN type x", "TUN fast"] {
        assert_eq!(method(bad), (Forwarding::Nat, 2), "{bad}: the line and the missing method are said");
    }
}
