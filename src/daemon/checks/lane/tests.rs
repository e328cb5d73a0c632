//! Of a lane without its loop.

use std::net::TcpListener;

use super::*;
use crate::config::{self, Elsewhere, Options};

/// A virtual server with so many servers at one port, of which each is checked every second.
fn topology(port: u16, count: u8) -> Topology {
    let server = |number| {
        format!(
            " real_server 127.0.0.{number} {port} {{\n TCP_CHECK {{\n connect_timeout 5\n }}\n delay_loop 1\n }}\n"
        )
    };
    let servers: String = (1..=count).map(server).collect();
    let text = format!("virtual_server 192.0.2.1 80 {{\n protocol TCP\n{servers}}}\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
    let config = config.unwrap_or_else(|| panic!("{}", report.render()));
    Topology::new(config, String::new(), Vec::new())
}

#[tokio::test]
async fn who_ends_at_once_has_its_next_turn_counted_from_the_beginning_of_the_crowd() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let registry = Arc::new(Registry::new(topology(listener.local_addr().unwrap().port(), 9)));
    let topology = registry.topology();
    let mut lane = Lane::new(registry, &topology, Arc::new(Board::new(false)), false).unwrap();
    // All of them have long been due, of which a tenth of a second is made up for. The clock is far behind.
    let began = Time(Duration::from_secs(clock::now().0.as_secs() + 1000));
    lane.begin_due(began);
    assert!(lane.running.is_empty(), "all have ended at once");
    let next = began + Duration::from_millis(900);
    assert_eq!(lane.turns.poll_timeout(), Some(next), "the first");
    let due: Vec<_> = std::iter::from_fn(|| lane.turns.poll_due(next, |_| false)).collect();
    assert_eq!(due.len(), 9, "and with it the last");
}
