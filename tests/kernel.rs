//! The kernel room against a real kernel: every story runs in network namespaces of its own and so
//! needs root (or CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN) and iproute2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "helpers of tests")]

#[path = "kernel/changes.rs"]
mod changes;
#[path = "kernel/files.rs"]
mod files;
#[path = "kernel/ipv6.rs"]
mod ipv6;
#[path = "kernel/links.rs"]
mod links;
#[path = "kernel/processes.rs"]
mod processes;
#[path = "kernel/sockets.rs"]
mod sockets;

use std::{
    fs::{self, File},
    future::Future,
    net::{IpAddr, Ipv4Addr},
    os::fd::AsRawFd as _,
    process::Command,
    time::Duration,
};

use futures_util::future::join_all;
use nix::sched::{CloneFlags, setns, unshare};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use steadfast::{
    kernel::{
        Added, Address, AddressInfo, Deadline, Detection, Event, Events, ReceiveBuffer, Requests, Watch,
        clock,
        process::{ExitKind, Signal, spawn},
    },
    units::{IfIndex, Time},
};

/// Nothing here takes longer, not even on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a story on a thread of its own in a fresh network namespace, which ends with it.
fn in_namespace<S: Future<Output = ()>>(story: impl FnOnce() -> S + Send + 'static) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        ip("link set lo up");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let story = async {
            let tasks = LocalSet::new();
            let story = tasks.run_until(async { story().await });
            tokio::time::timeout(LIMIT, story).await.expect("the story ends in time");
        };
        runtime.block_on(story);
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// `ip` in the namespace the thread is in; its output.
fn ip(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("install iproute2");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn index(interface: &str) -> IfIndex {
    IfIndex(nix::net::if_::if_nametoindex(interface).unwrap())
}

fn is_up(interface: &str) -> bool {
    ip(&format!("-o link show dev {interface}")).contains(" state UP ")
}

/// The IPv4 addresses of an interface as `ip` shows them: from "inet" to the label.
fn shown(interface: &str) -> Vec<String> {
    let shown = ip(&format!("-o -4 addr show dev {interface}"));
    let address = |line: &str| {
        let line = line.split("inet ").nth(1).unwrap_or_default();
        line.split('\\').next().unwrap_or_default().trim().to_owned()
    };
    shown.lines().map(address).collect()
}

/// A second namespace: the other host. Interface `a` is here, its peer `b` is there.
struct Peer {
    here: File,
    there: File,
}

impl Peer {
    async fn new() -> Self {
        let namespace = || File::open("/proc/thread-self/ns/net").unwrap();
        let here = namespace();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let peer = Self { here, there: namespace() };
        setns(&peer.here, CloneFlags::CLONE_NEWNET).unwrap();
        ip("link add name a type veth peer name b");
        let there = format!("/proc/{}/fd/{}", std::process::id(), peer.there.as_raw_fd());
        ip(&format!("link set dev b netns {there}"));
        ip("addr add 10.9.0.1/24 dev a");
        ip("link set dev a up");
        peer.there(|| {
            ip("link set lo up");
            ip("addr add 10.9.0.2/24 dev b");
            ip("link set dev b up");
        });
        // Until the kernel has noticed the carrier it drops what is sent, without a word.
        until(|| is_up("a")).await;
        until(|| peer.there(|| is_up("b"))).await;
        peer
    }

    /// Does something on the other host. A socket stays where it was opened.
    fn there<T>(&self, act: impl FnOnce() -> T) -> T {
        setns(&self.there, CloneFlags::CLONE_NEWNET).unwrap();
        let result = act();
        setns(&self.here, CloneFlags::CLONE_NEWNET).unwrap();
        result
    }
}

/// A request socket whose connection runs in the story's task set.
fn requests() -> (Requests, JoinHandle<()>) {
    let (requests, connection) = Requests::open(ReceiveBuffer::default()).unwrap();
    (requests, spawn_local(connection))
}

fn address(index: IfIndex, address: impl Into<IpAddr>, prefix: u8) -> Address {
    Address::new(index, address.into(), prefix)
}

/// Waits until `ready` says so, looking every millisecond; the story's own limit bounds it.
async fn until(mut ready: impl FnMut() -> bool) {
    let mut deadline = Deadline::new().unwrap();
    while !ready() {
        deadline.set(Some(clock::now() + Duration::from_millis(1))).unwrap();
        deadline.expired().await.unwrap();
    }
}

/// The next event that `pick` makes something of; the kernel reports more than stories ask for.
async fn event<T>(events: &mut Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        if let Some(picked) = pick(events.next().await.unwrap()) {
            return picked;
        }
    }
}

#[test]
fn an_address_is_added_as_configured_and_only_ours_is_removed() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let a = index("a");
        let (requests, _connection) = requests();
        let plain = address(a, [10, 9, 0, 100], 24);
        assert_eq!(requests.add_address(&plain).await, Ok(Added::New));
        assert_eq!(requests.add_address(&plain).await, Ok(Added::AlreadyThere));
        let broadcast = Some(Ipv4Addr::new(10, 9, 0, 255));
        let label = Some("a:1".to_owned());
        let full = Address { broadcast, label, ..address(a, [10, 9, 0, 102], 24) };
        assert_eq!(requests.add_address(&full).await, Ok(Added::New));
        let link = Address { scope: 253, ..address(a, [10, 9, 1, 103], 32) };
        assert_eq!(requests.add_address(&link).await, Ok(Added::New));
        let mut after = shown("a");
        after.sort();
        // What keepalived leaves behind for the same four lines.
        let expected = [
            "10.9.0.100/24 scope global a",
            "10.9.0.102/24 brd 10.9.0.255 scope global secondary a:1",
            "10.9.1.103/32 scope link a",
        ];
        assert_eq!(after, expected);

        ip("addr add 10.9.0.100/32 dev a");
        for address in [&full, &link, &plain, &plain] {
            assert_eq!(requests.remove_address(address).await, Ok(()));
        }
        assert_eq!(shown("a"), ["10.9.0.100/32 scope global a"]);
        assert_eq!(requests.add_address(&plain).await, Ok(Added::New));
    });
}

#[test]
fn a_refusal_names_the_address_the_interface_and_the_reason() {
    in_namespace(|| async {
        let (requests, _connection) = requests();
        let error = requests.add_address(&address(IfIndex(999), [10, 9, 0, 100], 24)).await.unwrap_err();
        let text = "adding 10.9.0.100/24 to interface 999: No such device (does the interface exist?)";
        assert_eq!(error.to_string(), text);
        let error = requests.add_address(&address(index("lo"), [10, 9, 0, 100], 33)).await.unwrap_err();
        assert_eq!(error.to_string(), "adding 10.9.0.100/33 to lo: Invalid argument");
        assert_eq!(requests.remove_address(&address(IfIndex(999), [10, 9, 0, 100], 24)).await, Ok(()));
    });
}

#[test]
fn links_and_addresses_are_listed() {
    in_namespace(|| async {
        ip("link add name a address 02:00:00:00:0a:01 mtu 1400 type veth peer name b");
        ip("addr add 10.9.0.1/24 dev a");
        ip("addr add 10.9.0.2/24 dev a label a:2");
        ip("-6 addr add fe80::1/64 dev a");
        ip("link set dev b up");
        let (requests, _connection) = requests();
        let links = requests.links().await.unwrap();
        let a = links.iter().find(|link| link.name == "a").unwrap();
        assert_eq!((a.index, a.mac, a.mtu), (index("a"), Some([2, 0, 0, 0, 0x0a, 1]), 1400));
        assert_eq!((a.up, a.noarp, a.multicast, a.loopback), (false, false, true, false));
        let addresses = requests.addresses().await.unwrap();
        let of_a: Vec<_> = addresses.into_iter().filter(|info| info.index == index("a")).collect();
        let first = AddressInfo {
            index: index("a"),
            address: [10, 9, 0, 1].into(),
            prefix: 24,
            label: Some("a".to_owned()),
            secondary: false,
            scope: 0,
            detection: Detection::Passed,
        };
        let address = [10, 9, 0, 2].into();
        let second = AddressInfo { address, label: Some("a:2".to_owned()), secondary: true, ..first.clone() };
        let link_local = AddressInfo {
            address: "fe80::1".parse().unwrap(),
            prefix: 64,
            label: None,
            scope: 253,
            // Its link is down, so nobody could be asked yet.
            detection: Detection::Tentative,
            ..first.clone()
        };
        assert_eq!(of_a, [first, second, link_local]);
    });
}

#[test]
fn what_other_programs_change_is_heard_in_order() {
    in_namespace(|| async {
        let mut events = Events::open(Watch::default(), ReceiveBuffer::default()).unwrap();
        ip("link add name a type veth peer name b");
        let a = index("a");
        let state = |event| match event {
            Event::Link(link) if link.index == a => Some(link.up),
            _ => None,
        };
        assert!(!event(&mut events, state).await);
        ip("link set dev a up");
        ip("link set dev b up");
        while !event(&mut events, state).await {}
        // The peer's end going down takes the carrier.
        ip("link set dev b down");
        while event(&mut events, state).await {}
        ip("link set dev b up");
        while !event(&mut events, state).await {}
        ip("link set dev a down");
        while event(&mut events, state).await {}

        ip("addr add 10.9.0.1/24 dev a");
        let wanted = address(a, [10, 9, 0, 1], 24);
        let added = event(&mut events, |event| match event {
            Event::AddressAdded(info) => Some(info),
            _ => None,
        });
        assert!(added.await.is(&wanted));
        ip("addr del 10.9.0.1/24 dev a");
        let removed = event(&mut events, |event| match event {
            Event::AddressRemoved(info) => Some(info),
            _ => None,
        });
        assert!(removed.await.is(&wanted));
        ip("link del dev a");
        let gone = |event| match event {
            Event::LinkGone { index, name } => Some((index, name)),
            _ => None,
        };
        let gone = [event(&mut events, gone).await, event(&mut events, gone).await];
        assert!(gone.contains(&(a, "a".to_owned())), "{gone:?}");
    });
}

#[test]
fn a_change_between_subscription_and_listing_is_not_lost() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let mut events = Events::open(Watch::default(), ReceiveBuffer::default()).unwrap();
        ip("addr add 10.9.0.1/24 dev a");
        let (requests, _connection) = requests();
        let wanted = address(index("a"), [10, 9, 0, 1], 24);
        assert!(requests.addresses().await.unwrap().iter().any(|info| info.is(&wanted)));
        ip("addr del 10.9.0.1/24 dev a");
        let order = [
            event(&mut events, |event| about(event, &wanted)).await,
            event(&mut events, |event| about(event, &wanted)).await,
        ];
        assert_eq!(order, ["added", "removed"]);
    });
}

fn about(event: Event, wanted: &Address) -> Option<&'static str> {
    match event {
        Event::AddressAdded(info) if info.is(wanted) => Some("added"),
        Event::AddressRemoved(info) if info.is(wanted) => Some("removed"),
        _ => None,
    }
}

/// 10.64.0.0/16, one address each, without a subnet between them.
fn many(index: IfIndex, count: u16) -> Vec<Address> {
    let one = |number: u16| {
        let [high, low] = number.to_be_bytes();
        address(index, [10, 64, high, low], 32)
    };
    (0..count).map(one).collect()
}

#[test]
fn two_thousand_addresses_at_once_are_all_answered() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let (requests, _connection) = requests();
        let wanted = many(index("a"), 2000);
        let lateness = spawn_local(longest_lateness());
        let start = clock::now();
        let added = join_all(wanted.iter().map(|address| requests.add_address(address))).await;
        let adding = clock::now().since(start);
        assert!(added.iter().all(|added| *added == Ok(Added::New)));
        let listed = requests.addresses().await.unwrap();
        assert_eq!(listed.iter().filter(|info| info.index == index("a")).count(), 2000);
        let start = clock::now();
        let removed = join_all(wanted.iter().map(|address| requests.remove_address(address))).await;
        let removing = clock::now().since(start);
        lateness.abort();
        assert!(removed.iter().all(Result::is_ok));
        assert_eq!(shown("a"), Vec::<String>::new());
        println!("2000 addresses: added in {adding:?}, removed in {removing:?}");
    });
}

/// How late a 1 ms rhythm on the same thread ever gets; prints each new record.
async fn longest_lateness() {
    let mut deadline = Deadline::new().unwrap();
    let mut longest = Duration::ZERO;
    let mut at: Time = clock::now();
    loop {
        at = at + Duration::from_millis(1);
        deadline.set(Some(at)).unwrap();
        deadline.expired().await.unwrap();
        let late = clock::now().since(at);
        if late > longest {
            longest = late;
            println!("longest lateness of a 1 ms rhythm beside it so far: {longest:?}");
        }
    }
}

#[test]
fn events_nobody_reads_end_in_an_overrun_and_a_listing_makes_it_good() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let mut events = Events::open(Watch::default(), ReceiveBuffer::default()).unwrap();
        let (requests, _connection) = requests();
        let wanted = many(index("a"), 1000);
        let mut changes = 0;
        for _round in 0..10 {
            join_all(wanted.iter().map(|address| requests.add_address(address))).await;
            join_all(wanted.iter().map(|address| requests.remove_address(address))).await;
            changes += 2000;
        }
        join_all(wanted[..10].iter().map(|address| requests.add_address(address))).await;
        event(&mut events, |event| (event == Event::Overrun).then_some(())).await;
        let listed = requests.addresses().await.unwrap();
        assert_eq!(listed.iter().filter(|info| info.index == index("a")).count(), 10);
        println!("an overrun within {changes} unread changes");

        // The subscription lives on.
        ip("addr add 10.9.0.1/24 dev a");
        let fresh = address(index("a"), [10, 9, 0, 1], 24);
        assert_eq!(event(&mut events, |event| about(event, &fresh)).await, "added");
    });
}

#[test]
fn reports_that_wait_are_read_in_portions_as_large_as_the_reader_likes() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let mut events = Events::open(Watch::default(), ReceiveBuffer::default()).unwrap();
        let (requests, _connection) = requests();
        let wanted = many(index("a"), 100);
        join_all(wanted.iter().map(|address| requests.add_address(address))).await;
        let mut portion = |size: usize| {
            let mut left = size;
            let read = std::iter::from_fn(|| events.try_next(&mut left)).collect::<Vec<_>>();
            (read, left)
        };
        let (first, left) = portion(30);
        assert_eq!((first.len(), left), (30, 0));
        let (rest, left) = portion(1000);
        assert!(left > 0, "there is no more");
        let added = |event: &Event| matches!(event, Event::AddressAdded(_));
        assert_eq!(first.iter().chain(&rest).filter(|event| added(event)).count(), 100);
    });
}

/// Interface, address and prefix are equal, which is what the kernel tells two addresses apart by.
trait Is {
    fn is(&self, wanted: &Address) -> bool;
}

impl Is for AddressInfo {
    fn is(&self, wanted: &Address) -> bool {
        (self.index, self.address, self.prefix) == (wanted.index, wanted.address, wanted.prefix)
    }
}

/// Whether a process runs; one that is dead and only not yet reaped does not.
fn runs(id: &str) -> bool {
    let state = |stat: String| stat.rsplit(") ").next().map(|rest| !rest.starts_with(['Z', 'X']));
    fs::read_to_string(format!("/proc/{id}/stat")).ok().and_then(state).unwrap_or(false)
}

#[test]
fn a_script_past_its_time_ends_with_all_its_children() {
    in_namespace(|| async {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("grandchild");
        let path = file.to_str().unwrap();
        // The grandchild ignores what the script itself dies of.
        let script =
            r#"sh -c 'trap "" TERM; echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 600' "$0" & wait"#;
        let mut child = spawn(&["sh", "-c", script, path], None, None, &[]).unwrap();
        until(|| file.exists()).await;
        let grandchild = fs::read_to_string(&file).unwrap().trim().to_owned();
        assert!(runs(&grandchild));
        child.signal_group(Signal::Terminate).unwrap();
        assert_eq!(child.wait().await, Ok(ExitKind::Signalled(15)));
        until(|| !runs(&grandchild)).await;
    });
}
