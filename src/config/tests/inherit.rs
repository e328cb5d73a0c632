//! What blocks inherit, and that the tables name the same sources as the typed values come from.

use super::{
    keywords::{Block, Keyword, Value},
    show::Item,
    *,
};

/// A file in which every block leaves much to those around it.
const FILE: &str = "global_defs {
    vrrp_garp_master_delay 7
    vrrp_garp_master_repeat 3
    vrrp_garp_lower_prio_repeat 2
    vrrp_down_timer_adverts 5
    vrrp_higher_prio_send_advert
    vrrp_skip_check_adv_addr on
    vrrp_version 3
    smtp_alert on
    smtp_alert_vrrp off
    checker_log_all_failures on
    snmp_vs_stats_update_interval 7
}
vrrp_instance plain {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {
        192.0.2.1
    }
}
vrrp_instance six {
    interface eth0
    virtual_router_id 2
    version 2
    garp_master_delay 1
    garp_lower_prio_delay 9
    down_timer_adverts 4
    smtp_alert on
    virtual_ipaddress {
        fe80::1
    }
}
vrrp_instance strict {
    interface eth0
    virtual_router_id 3
    strict_mode on
    virtual_ipaddress {
        192.0.2.3
    }
}
vrrp_sync_group both {
    group {
        plain
        six
    }
}
bfd_instance session {
    neighbor_ip 192.0.2.9
}
virtual_server 192.0.2.1 80 {
    delay_loop 7
    lvs_method DR
    lvs_sched rr
    protocol TCP
    retry 4
    weight 3
    quorum 99
    connect_timeout 8
    alpha
    virtualhost example.net
    real_server 192.0.2.2 80 {
        delay_loop 5
        DNS_CHECK {
        }
        HTTP_GET {
            nb_get_retry 6
            url {
                path /
            }
        }
        TCP_CHECK {
            connect_timeout 3
            delay_loop 2
        }
        PING_CHECK {
            delay_before_retry 2
        }
        SMTP_CHECK {
        }
        UDP_CHECK {
        }
        MISC_CHECK {
            misc_path /bin/check
            user nobody
        }
        BFD_CHECK {
            name session
        }
    }
    real_server 192.0.2.3 80 {
        weight 1
        warmup 1
        retry 2
        alpha off
        delay_before_retry 9
        virtualhost other.example.net
        SSL_GET {
            url {
                path /
                virtualhost third.example.net
            }
        }
        DNS_CHECK {
            delay_loop 11
        }
    }
}
";

/// Whether a value can be judged by the tables alone, so that prose is told from it.
fn is_plain(keyword: &Keyword, value: &str) -> bool {
    let judged = matches!(
        keyword.value,
        Value::Integer(..)
            | Value::Seconds(..)
            | Value::Milliseconds(..)
            | Value::Boolean
            | Value::OneOf(_)
            | Value::OneOfAnyCase(_)
            | Value::Address
    );
    judged && tree::fits(keyword.value, value)
}

/// The items as a file in which what is not written is. Words that stand there for the first time come first, for their
/// order may matter to what is below.
fn spelled_out(items: &[Item], block: &'static Block, out: &mut String) -> usize {
    let mut added = 0;
    for item in items.iter().filter(|item| item.at.is_none()) {
        let keyword = block.keyword(&item.keyword).expect("a default is of a word");
        if is_plain(keyword, &item.arguments()) {
            out.push_str(&format!("{}\n", item.line()));
            added += 1;
        }
    }
    for item in items.iter().filter(|item| item.at.is_some()) {
        let Some(inner) = &item.items else {
            out.push_str(&format!("{}\n", item.line()));
            continue;
        };
        out.push_str(&format!("{} {{\n", item.line()));
        added += match block.keyword(&item.keyword).map(|keyword| keyword.value) {
            Some(Value::Body(inner_block)) => spelled_out(inner, inner_block, out),
            _ => {
                inner.iter().for_each(|line| out.push_str(&format!("{}\n", line.line())));
                0
            }
        };
        out.push_str("}\n");
    }
    added
}

/// A configuration without the places of its lines.
fn shown(config: &Config) -> Vec<String> {
    let text = format!("{config:#?}");
    let place = |line: &&str| {
        let line = line.trim_start();
        !["file: ", "line: ", "column: ", "length: "].iter().any(|name| line.starts_with(name))
    };
    text.lines().filter(place).map(str::to_owned).collect()
}

#[test]
fn the_tables_name_the_sources_that_the_values_come_from() {
    let system = FakeSystem::default().file("/etc/main.conf", FILE);
    let (items, _) = effective(Path::new("/etc/main.conf"), &Options::default(), true, &system);
    let mut text = String::new();
    let added = spelled_out(&items, keywords::ROOT, &mut text);
    assert!(added > 150, "only {added} values");
    let (before, _) = read(FILE);
    let (after, _) = read(&text);
    let (before, after) = (shown(&before), shown(&after));
    for (at, (left, right)) in before.iter().zip(&after).enumerate() {
        let context = || before[at.saturating_sub(30)..=at].join("\n");
        // Whether the file says a value that its blocks pass on is the file's.
        assert_eq!(left, right, "{}\n{text}", context());
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn checks_have_what_their_server_and_service_say() {
    let (config, _) = read(FILE);
    let [first, second] = &config.virtual_servers[0].real_server[..] else { panic!("two servers") };
    let schedule = |check: &settings::Check| {
        let mut check = check.clone();
        let schedule = check.schedule_mut().expect("it has one").clone();
        let seconds = |time: Duration| time.as_secs();
        (
            *schedule.retry,
            seconds(*schedule.delay_before_retry),
            seconds(*schedule.delay_loop),
            seconds(*schedule.warmup),
            *schedule.alpha,
        )
    };
    assert_eq!(schedule(&first.checks[0]), (4, 5, 5, 5, true), "DNS waits for its delay_loop");
    assert_eq!(schedule(&first.checks[1]), (6, 3, 5, 5, true), "HTTP waits 3 s; nb_get_retry is retry");
    assert_eq!(schedule(&first.checks[2]), (4, 1, 2, 2, true), "warmup is the check's own delay_loop");
    assert_eq!(schedule(&second.checks[1]), (2, 9, 11, 1, false));
    let settings::Check::Ssl(page) = &second.checks[0] else { panic!("SSL_GET") };
    assert_eq!(page.virtualhost.as_deref(), Some("other.example.net"));
    assert_eq!(page.url[0].virtualhost.as_deref(), Some("third.example.net"));
    let settings::Check::Tcp(tcp) = &first.checks[2] else { panic!("TCP_CHECK") };
    let target = (tcp.connection.connect_ip.0, tcp.connection.connect_port.0);
    assert_eq!(
        (target, *tcp.connection.connect_timeout),
        (([192, 0, 2, 2].into(), 80), Duration::from_secs(3))
    );
    assert_eq!((*first.weight, *second.weight, *first.lvs_method), (3, 1, settings::Forwarding::Direct));
    assert!(*first.smtp_alert && *config.virtual_servers[0].smtp_alert);
}

#[test]
fn instances_have_what_global_defs_says() {
    let (config, _) = read(FILE);
    let [plain, six, strict] = &config.instances[..] else { panic!("three instances") };
    let seconds = Duration::from_secs;
    assert_eq!((plain.garp.delay, plain.garp.repeat), (seconds(7), 3));
    assert_eq!((plain.garp.lower_prio_delay, plain.garp.lower_prio_repeat), (seconds(7), 2));
    assert_eq!((six.garp.delay, six.garp.lower_prio_delay), (seconds(1), seconds(9)));
    assert_eq!((plain.version, six.version), (Version::V3, Version::V2));
    assert_eq!((*plain.settings.down_timer_adverts, *six.settings.down_timer_adverts), (5, 4));
    assert_eq!((*plain.settings.smtp_alert, *six.settings.smtp_alert), (false, true));
    assert!(*plain.settings.higher_prio_send_advert && !*strict.settings.higher_prio_send_advert);
    assert_eq!((strict.garp.lower_prio_repeat, *strict.settings.down_timer_adverts), (0, 3));
}

#[test]
fn one_gratuitous_arp_is_enough_where_vrrp_min_garp_says_so_and_nobody_else_does() {
    let garp = |global: &str, own: &str| {
        let (config, _) = read(&format!(
            "global_defs {{\nvrrp_min_garp\n{global}\n}}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{own}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}\n"
        ));
        let garp = config.instances[0].garp;
        (garp.delay.as_secs(), garp.repeat, garp.lower_prio_repeat)
    };
    assert_eq!(garp("", ""), (0, 1, 1));
    assert_eq!(garp("vrrp_garp_master_repeat 4", ""), (0, 4, 4));
    assert_eq!(garp("", "garp_master_delay 2"), (2, 1, 1));
}

#[test]
fn each_round_of_a_sequence_shows_its_own_values() {
    let text = "$BLOCK= \\\nvrrp_instance V$N { \\\ninterface eth0 \\\nvirtual_router_id $N \\\npriority ${N}0 \\\n\
                virtual_ipaddress { 192.0.2.$N } \\\n}\n~SEQ(N, 3) $BLOCK\n~SEQ(N, 3) bfd_instance B$N { hoplimit 1$N }\n\
                ~SEQ(N, 3) virtual_server 192.0.2.$N 80 { real_server 198.51.100.$N 80 { weight $N } }\n";
    let system = FakeSystem::default().file("/etc/main.conf", text);
    let (items, _) = effective(Path::new("/etc/main.conf"), &Options::default(), true, &system);
    let shown = show::text(&items);
    let values = |word: &str| -> Vec<_> {
        let lines = shown.lines().filter_map(|line| line.trim_start_matches([' ', '#']).strip_prefix(word));
        lines.map(|line| line.split(" #").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(values("priority "), ["10", "20", "30"], "{shown}");
    assert_eq!(values("hoplimit "), ["11", "12", "13"], "{shown}");
    assert!(!shown.contains(", written"), "{shown}");
}

#[test]
fn the_device_of_a_vrf_stands_for_the_interface_of_a_unicast_instance() {
    let read_with = |lines: &str| {
        let (config, report) = read(&format!(
            "vrrp_instance V {{\nvirtual_router_id 7\n{lines}\nvirtual_ipaddress {{\n192.0.2.9\n}}\n}}\n"
        ));
        let interface = config.instances.first().map(|instance| instance.interface.clone());
        (interface, ids(&report).contains(&"no-interface"))
    };
    let unicast = |lines: &str| read_with(&format!("{lines}\nunicast_peer {{\n192.0.2.2\n}}"));
    assert_eq!(unicast("vrf eth0"), (Some("eth0".to_owned()), false));
    assert_eq!(unicast("vrf nosuch"), (None, true));
    assert_eq!(read_with("vrf eth0"), (None, true), "a group is joined on an interface");
}
