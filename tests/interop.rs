//! Real routers on a real link: the daemon beside Debian's keepalived and FRR's vrrpd, each on a host of its
//! own in network namespaces.
//!
//! Every story runs with the daemon under test as "ours" and keepalived as the peer; `SUBJECT=keepalived` puts
//! keepalived in our place, which shows that a story tells what keepalived does. What of a story is not told of it,
//! because it does otherwise, names the row of `docs/differences.md` that says so; `tests/suites/stories.rs` sees to that.
//!
//! | room | what it tells |
//! |---|---|
//! | `clauses` | clauses of RFC 9568 that only a host can show |
//! | `election` | who is MASTER: priorities, addresses, preemption, stops, deaths, broken links, mismatches |
//! | `authentication` | who is believed: authentication headers, with another key, without one, said twice |
//! | `containers` | a router in a container with two capabilities |
//! | `control` | `steadfast ctl`: what is answered over the control socket, and who cannot hold up anything there |
//! | `dbus` | D-Bus: what is on the bus, what is told there, and a bus that hangs or dies |
//! | `dumps` | dump files: what tools take out of them |
//! | `fifos` | lines in FIFOs, and the scripts that read them |
//! | `frr` | the same with FRR as the other router |
//! | `genhash` | the digest of a page, beside keepalived's program |
//! | `groups` | sync groups on two links: all together, in which order, and what is told of it; contested mastership |
//! | `group_tracking` | what trackers of sync groups and of their members make of the priorities |
//! | `hostile` | health checks of servers that want the daemon no good |
//! | `lane` | what holds up no advertisement: locks of others, floods of changes, forgers, a busy machine |
//! | `late` | interfaces that come after the start |
//! | `logging` | log lines: where they go, and what is in them |
//! | `wire` | adverts and announcements byte for byte as in the captures of keepalived |
//! | `addresses` | what the kernel holds: before, during and after, and when others change it |
//! | `ipv6` | what is different over IPv6: addresses of both families, groups, duplicate address detection |
//! | `onwards` | clauses about what goes on to another link, and what does not |
//! | `order` | a thousand transitions to scripts, FIFOs, mail, D-Bus and SNMP at once |
//! | `recording` | what a daemon records, replayed |
//! | `privileges` | with how little the daemon runs, and the unit that gives it no more |
//! | `processes` | parent and engine: who starts, watches, restarts and stops whom, pid files, systemd |
//! | `service` | the unit under systemd itself |
//! | `reload` | SIGHUP under traffic: what differs is brought about, and nothing else is touched |
//! | `reload_edges` | reloads where there is little to reload |
//! | `reload_files` | files around a reload: with mistakes, that say when, that keep what was read |
//! | `reload_holdings` | addresses, static items and links of the routers' own over a reload |
//! | `reload_outputs` | who is told over a reload, and where |
//! | `reload_scene` | where these are told |
//! | `resilience` | what a router survives: lost links, names and addresses, a stop of its process, lost reports |
//! | `scripts` | notify scripts and tracked scripts |
//! | `tracking` | what moves a priority or is a FAULT: interfaces, files, processes |
//! | `mail` | mails, and a mail server that does not take them |
//! | `malformed` | garbage on the wire |
//! | `signatures` | `auth_hmac`: who signs and who is believed |
//! | `virtual_mac` | clauses about who shows the virtual MAC, and where |
//! | `vmac` | links of the routers' own: virtual MAC, settings, rules, and what is left of them |
//! | `routes` | routes and rules in the kernel: their order, and when others change them |
//! | `routing_faults` | routes and rules that are refused, lost with an interface or among lost reports, or left by a killed run |
//! | `attributes` | every attribute of routes and rules |
//! | `statics` | static addresses, routes and rules |
//! | `accept` | packets to the virtual addresses, and the rules that keep them out |
//! | `periods` | words that say how long a router waits, and how often it says again where its addresses are |
//! | `words` | words that each change one thing that a router says or believes |
//! | `seeds` | configurations from the field, unchanged |

#![expect(clippy::expect_used, reason = "a failed expectation is a failed test, in helpers too")]

#[path = "interop/accept.rs"]
mod accept;
#[path = "interop/addresses.rs"]
mod addresses;
#[path = "interop/attributes.rs"]
mod attributes;
#[path = "interop/authentication.rs"]
mod authentication;
#[path = "interop/clauses.rs"]
mod clauses;
#[path = "interop/containers.rs"]
mod containers;
#[path = "interop/control.rs"]
mod control;
#[path = "interop/dbus.rs"]
mod dbus;
#[path = "interop/dumps.rs"]
mod dumps;
#[path = "interop/election.rs"]
mod election;
#[path = "interop/fifos.rs"]
mod fifos;
#[path = "interop/frr.rs"]
mod frr;
#[path = "interop/genhash.rs"]
mod genhash;
#[path = "interop/group_tracking.rs"]
mod group_tracking;
#[path = "interop/groups.rs"]
mod groups;
#[path = "interop/hostile.rs"]
mod hostile;
#[path = "interop/ipv6.rs"]
mod ipv6;
#[path = "interop/lane.rs"]
mod lane;
#[path = "interop/late.rs"]
mod late;
#[path = "interop/linkbeat.rs"]
mod linkbeat;
#[path = "interop/logging.rs"]
mod logging;
#[path = "interop/mail.rs"]
mod mail;
#[path = "interop/malformed.rs"]
mod malformed;
#[path = "interop/onwards.rs"]
mod onwards;
#[path = "interop/order.rs"]
mod order;
#[path = "interop/paces.rs"]
mod paces;
#[path = "interop/periods.rs"]
mod periods;
#[path = "interop/privileges.rs"]
mod privileges;
#[path = "interop/processes.rs"]
mod processes;
#[path = "interop/recording.rs"]
mod recording;
#[path = "interop/reload.rs"]
mod reload;
#[path = "interop/reload_edges.rs"]
mod reload_edges;
#[path = "interop/reload_files.rs"]
mod reload_files;
#[path = "interop/reload_holdings.rs"]
mod reload_holdings;
#[path = "interop/reload_outputs.rs"]
mod reload_outputs;
#[path = "interop/reload_scene.rs"]
mod reload_scene;
#[path = "interop/resilience.rs"]
mod resilience;
#[path = "interop/routes.rs"]
mod routes;
#[path = "interop/routing_faults.rs"]
mod routing_faults;
#[path = "interop/scripts.rs"]
mod scripts;
#[path = "interop/seeds.rs"]
mod seeds;
#[path = "interop/service.rs"]
mod service;
#[path = "interop/signatures.rs"]
mod signatures;
#[path = "interop/stalls.rs"]
mod stalls;
#[path = "interop/statics.rs"]
mod statics;
#[path = "interop/tracking.rs"]
mod tracking;
#[path = "interop/virtual_mac.rs"]
mod virtual_mac;
#[path = "interop/vmac.rs"]
mod vmac;
#[path = "interop/wire.rs"]
mod wire;
#[path = "interop/words.rs"]
mod words;
#[path = "interop/world.rs"]
mod world;
