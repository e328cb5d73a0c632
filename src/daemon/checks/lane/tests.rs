//! Of a lane without its loop.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use socket2::{Domain, Socket, Type};

use super::*;
use crate::{
    config::{self, Config, Elsewhere, Options, plan::Plan},
    daemon::checks::testing::{SOON, until},
    kernel::{
        dial::{Origin, tcp::Begun},
        ipvs::Protocol,
    },
    registry::FileStatus,
};

/// A virtual server with so many servers at one port, of which each is checked every second; and what else is in the file.
fn config(port: u16, count: u8, more: &str) -> Config {
    let server = |number| {
        format!(
            " real_server 127.0.0.{number} {port} {{\n TCP_CHECK {{\n connect_timeout 0.2\n }}\n delay_loop 1\n }}\n"
        )
    };
    let servers: String = (1..=count).map(server).collect();
    load(&format!("virtual_server 192.0.2.1 80 {{\n protocol TCP\n{servers}}}\n{more}"))
}

fn load(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    config.unwrap_or_else(|| panic!("{}", report.render()))
}

fn topology(port: u16, count: u8) -> Topology {
    Topology::new(config(port, count, ""), String::new(), Vec::new())
}

/// The lane of what a registry has.
fn lane(registry: &Arc<Registry>) -> Lane {
    let topology = registry.topology();
    Lane::new(Arc::clone(registry), &topology, Arc::new(Board::new(false)), false).unwrap()
}

/// When every check is due.
fn later() -> Time {
    Time(Duration::from_secs(clock::now().0.as_secs() + 1000))
}

/// A port at which nobody answers: there is no room for another connection.
struct Silent {
    port: u16,
    _full: (Socket, Begun),
}

impl Silent {
    fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        let first = Begun::new((Ipv4Addr::LOCALHOST, port).into(), &Origin::default()).unwrap();
        Self { port, _full: (socket, first) }
    }
}

#[tokio::test]
async fn who_ends_at_once_has_its_next_turn_counted_from_the_beginning_of_the_crowd() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let registry = Arc::new(Registry::new(topology(listener.local_addr().unwrap().port(), 9)));
    let mut lane = lane(&registry);
    // All of them have long been due, of which a tenth of a second is made up for. The clock is far behind.
    let began = later();
    lane.begin_due(began);
    assert!(lane.running.is_empty(), "all have ended at once");
    let next = began + Duration::from_millis(900);
    assert_eq!(lane.turns.poll_timeout(), Some(next), "the first");
    let due: Vec<_> = std::iter::from_fn(|| lane.turns.poll_due(next, |_| false)).collect();
    assert_eq!(due.len(), 9, "and with it the last");
}

#[tokio::test]
async fn tries_for_which_there_is_no_room_wait_for_others_to_end() {
    let silent = Silent::new();
    let registry = Arc::new(Registry::new(topology(silent.port, 40)));
    let mut lane = lane(&registry);
    assert!(lane.room >= 40, "a descriptor for each");
    lane.room = 9;
    let row = &registry.topology().virtual_servers[0];
    let is_down = |place: usize| row.servers[place].checks().all(|check| check.passed == Some(false));
    let at = later();
    lane.begin_due(at);
    let story = async {
        // Each has its turn, and some another one meanwhile.
        while !(0..40).all(is_down) {
            let ended = lane.running.next().await.unwrap();
            lane.handle_ended(ended);
            assert!(lane.running.len() < 9, "who has ended makes room");
            lane.begin_due(at);
            assert!(lane.running.len() <= 9);
        }
    };
    tokio::time::timeout(SOON, story).await.unwrap();
}

#[tokio::test]
async fn a_crowd_begins_in_portions() {
    let silent = Silent::new();
    let registry = Arc::new(Registry::new(topology(silent.port, 40)));
    let mut lane = lane(&registry);
    let at = later();
    let begun = [(); 3].map(|()| {
        lane.begin_due(at);
        lane.running.len()
    });
    assert_eq!(begun, [AT_A_TIME, 40, 40]);
}

#[test]
fn half_of_few_descriptors_is_left_to_others_and_of_many_all_they_need() {
    assert_eq!([1, 256, 8192, 9000, 41_301].map(room), [1, 128, 4096, 4904, 37_205]);
}

/// A service whose only server may serve as long as a file holds 0.
const BY_FILE: &str = "track_file f {\n file /nonexistent/f\n weight 0\n}\nvirtual_server 192.0.2.2 80 {\n protocol TCP\n \
    real_server 192.0.2.9 80 {\n FILE_CHECK {\n track_file f\n }\n }\n}\n";

/// Replaces what a registry has by the same and a service by file; that service.
fn add_by_file(registry: &Registry) -> ServiceKey {
    let next = config(1, 1, BY_FILE);
    let now = registry.topology();
    let plan = Plan::new(&now.outline(), &(&next).into());
    registry.replace(Arc::new(now.succeed(next, &plan, Vec::new())));
    (Protocol::Tcp, Ipv4Addr::new(192, 0, 2, 2).into(), 80).into()
}

/// The servers that a board has of a service.
fn servers(board: &Board, key: &ServiceKey) -> Option<usize> {
    let wanted = board.take(Duration::ZERO).wanted.remove(key)?;
    wanted.map(|entry| entry.destinations.len())
}

#[tokio::test]
async fn a_reload_waits_for_the_files_of_its_checks() {
    for (number, serve) in [(0, 1), (7, 0)] {
        let registry = Arc::new(Registry::new(topology(1, 1)));
        let mut lane = lane(&registry);
        let mut followed = registry.topology();
        lane.begin(&followed).await;
        let key = add_by_file(&registry);
        lane.follow_newest(&mut followed);
        assert_eq!((servers(&lane.board, &key), lane.patience.is_some()), (None, true));
        let at = Some(Time::default());
        registry.topology().files[0].set_status(FileStatus { number, problem: None, at });
        lane.follow_newest(&mut followed);
        assert_eq!((servers(&lane.board, &key), lane.patience), (Some(serve), None));
    }
}

#[tokio::test]
async fn a_reload_does_not_wait_for_ever() {
    let registry = Arc::new(Registry::new(topology(1, 1)));
    let lane = lane(&registry);
    let (mut followed, board) = (registry.topology(), Arc::clone(&lane.board));
    let (commands, mut receiver) = mpsc::channel(8);
    let story = async {
        until(|| !board.take(Duration::ZERO).wanted.is_empty()).await;
        let key = add_by_file(&registry);
        commands.send(Command::Reload).await.unwrap();
        until(|| servers(&board, &key) == Some(1)).await;
        commands.send(Command::Stop).await.unwrap();
    };
    tokio::join!(lane.run(&mut receiver, &mut followed), story);
}

#[tokio::test]
async fn how_long_each_part_of_a_try_took_and_why_it_failed_is_in_the_row() {
    const PAUSE: Duration = Duration::from_millis(40);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        for part in ["HTTP/1.0 404 no\r\n", "\r\nnothing"] {
            std::thread::park_timeout(PAUSE);
            stream.write_all(part.as_bytes()).unwrap();
        }
    });
    let config = load(&format!(
        "virtual_server 192.0.2.1 80 {{\n protocol TCP\n real_server 127.0.0.1 {port} {{\n HTTP_GET {{\n url {{\n path /p\n }}\n }}\n }}\n}}\n"
    ));
    let registry = Arc::new(Registry::new(Topology::new(config, String::new(), Vec::new())));
    let mut lane = lane(&registry);
    lane.begin_due(later());
    let ended = tokio::time::timeout(SOON, lane.running.next()).await.unwrap().unwrap();
    lane.handle_ended(ended);
    let row = &registry.topology().virtual_servers[0];
    let check = row.servers[0].checks().next().unwrap();
    assert_eq!((check.passed, check.note.as_deref()), (Some(false), Some("/p: status 404")));
    let [Some(_), None, Some(first), Some(rest)] = check.phases else { panic!("{:?}", check.phases) };
    assert!(first >= PAUSE && rest >= PAUSE, "{:?}", check.phases);
}
