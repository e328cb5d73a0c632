//! The lane as something that can go on after a mistake of the program. Machines in an unknown state are not gone on with:
//! another lane takes up what the rows tell of servers, and IPVS serves on meanwhile.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::error;

use super::{Command, board::Board, lane::Lane, removed};
use crate::{
    notify::{Keeper, Part},
    registry::{Registry, Topology},
};

/// The lane.
pub(super) struct Checking {
    registry: Arc<Registry>,
    board: Arc<Board>,
    commands: mpsc::Receiver<Command>,
    keeper: Keeper,
    /// What the last one told of, if there was one.
    followed: Option<Arc<Topology>>,
}

impl Checking {
    /// That of a registry; it ends when it is told to.
    pub(super) fn new(registry: Arc<Registry>, board: Arc<Board>, commands: mpsc::Receiver<Command>) -> Self {
        Self { registry, board, commands, keeper: Keeper::default(), followed: None }
    }
}

impl Part for Checking {
    fn name(&self) -> String {
        "checking servers".to_owned()
    }

    async fn run(&mut self) {
        let is_anew = self.followed.is_some();
        let followed = self.followed.get_or_insert_with(|| self.registry.topology());
        match Lane::new(Arc::clone(&self.registry), followed, Arc::clone(&self.board), is_anew) {
            Ok(lane) => lane.run(&mut self.commands, followed).await,
            Err(error) => error!("no health checks: {error}"),
        }
    }

    fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    /// The reload that it may have panicked at.
    fn position(&self) -> u64 {
        Arc::as_ptr(&self.registry.topology()).addr() as u64
    }

    /// Begins with what that reload has put in place. What it has removed is told of here, as no lane gets that far.
    fn pass_over(&mut self) {
        let now = self.registry.topology();
        if let Some(before) = self.followed.replace(Arc::clone(&now)) {
            removed::tell(&self.registry, &before, &now);
        }
    }

    /// At the end of the daemon. A manager's order is not carried out meanwhile, and who gave it is told so; what a reload has
    /// put in place is in the registry.
    async fn called_off(&mut self) {
        while !matches!(self.commands.recv().await, Some(Command::Stop) | None) {}
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, time::Duration};

    use super::*;
    use crate::{
        config::{self, Config, Elsewhere, Options, plan::Plan},
        daemon::checks::testing::{SOON, until},
        notify::kept,
        registry::{Cursor, FileStatus, Reason, State, Subject, Topology},
        units::Time,
    };

    /// A virtual server with one real server that answers, and one that does not.
    fn topology(open: u16, closed: u16) -> Topology {
        Topology::new(config(open, closed, ""), String::new(), Vec::new())
    }

    /// The same, with more of the file behind it.
    fn config(open: u16, closed: u16, more: &str) -> Config {
        let server = |port| {
            format!(
                "real_server 127.0.0.1 {port} {{\n TCP_CHECK {{\n connect_timeout 1\n }}\n delay_loop 0.2\n}}\n"
            )
        };
        let servers = server(open) + &server(closed);
        let text =
            format!("virtual_server 192.0.2.1 80 {{\n protocol TCP\n delay_loop 0.2\n{servers}}}\n{more}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        config.unwrap_or_else(|| panic!("{}", report.render()))
    }

    /// What was told, in short.
    fn told(registry: &Registry) -> Vec<String> {
        let (mut cursor, mut told) = (Cursor::default(), Vec::new());
        while let Some(transition) = cursor.peek(&registry.transitions) {
            cursor.advance_past(transition.seq);
            told.push(match (&transition.subject, &transition.change.reason) {
                (Subject::Daemon, Reason::Restarted { part, .. }) => format!("{part} begins anew"),
                (Subject::Server { place, .. }, _) => format!("server {place} {:?}", transition.change.to),
                (Subject::Service { name, .. }, Reason::Deleted) => format!("{name} is gone"),
                (subject, _) => format!("{subject:?} {:?}", transition.change.to),
            });
        }
        told
    }

    #[tokio::test]
    async fn after_a_mistake_another_lane_goes_on_with_what_is_known_and_nobody_is_told_twice() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = unused.local_addr().unwrap().port();
        drop(unused);
        let registry = Arc::new(Registry::new(topology(open, closed)));
        let row = Arc::clone(&registry.topology().virtual_servers[0]);
        let is_up = |place: usize| row.servers[place].status().alive;
        let tried = |place: usize| row.servers[place].checks().next().and_then(|check| check.at);
        let board = Arc::new(Board::default());
        let (commands, receiver) = mpsc::channel(8);
        let mut checking = Checking::new(Arc::clone(&registry), Arc::clone(&board), receiver);
        let story = async {
            until(|| tried(0).is_some() && is_up(0) && !is_up(1)).await;
            let wanted = board.take(Duration::ZERO).wanted.len();
            assert_eq!(wanted, 1);
            let (before, began) = (told(&registry), crate::kernel::clock::now());
            commands.send(Command::Panic).await.unwrap();
            until(|| registry.panics.restarts() == 1).await;
            // The kernel is told again, and checks go on.
            until(|| tried(0) > Some(began + Duration::from_millis(100)) && tried(1) > Some(began)).await;
            let entries = board.take(Duration::ZERO).wanted;
            let entry = entries.into_values().next().flatten().expect("the service");
            assert_eq!(entry.destinations.len(), 1, "the one that is up: {entry:?}");
            assert!(is_up(0) && !is_up(1));
            assert_eq!(told(&registry)[before.len()..], ["checking servers begins anew"]);
            // Whoever drives IPVS may have forgotten it.
            board.ask();
            until(|| !board.take(Duration::ZERO).wanted.is_empty()).await;
            // What happens from then on is told as ever.
            drop(listener);
            until(|| !is_up(0)).await;
            let lost = told(&registry);
            assert!(lost[before.len() + 1..].contains(&format!("server 0 {:?}", State::Down)), "{lost:?}");
            // The end is not waited for: it rests longer each time.
            commands.send(Command::Panic).await.unwrap();
            until(|| registry.panics.restarts() == 2).await;
            commands.send(Command::Stop).await.unwrap();
        };
        tokio::time::timeout(SOON, async { tokio::join!(kept(&mut checking, &registry), story) })
            .await
            .unwrap();
    }

    /// Whoever serves without a check, and one whose weight a file moves.
    const MORE: &str = "track_file load {\n file /nonexistent/load\n}\nvirtual_server 192.0.2.2 80 {\n protocol TCP\n \
        real_server 192.0.2.9 80 {\n weight 10\n FILE_CHECK {\n track_file load\n weight 1\n }\n }\n}\n\
        virtual_server 192.0.2.3 80 {\n protocol TCP\n real_server 192.0.2.9 80 {\n }\n}\n";

    /// Replaces what the registry has by a configuration with ports 1 and 2 that lacks the last service of [`MORE`].
    fn without_the_last_service(registry: &Registry) {
        let next = config(1, 2, MORE.split_once("virtual_server 192.0.2.3").unwrap().0);
        let now = registry.topology();
        let plan = Plan::new(&now.outline(), &(&next).into());
        registry.replace(Arc::new(now.succeed(next, &plan, Vec::new())));
    }

    #[tokio::test]
    async fn what_a_reload_removes_while_the_lane_rests_is_told_of_and_weights_are_as_before() {
        let before = Topology::new(config(1, 2, MORE), String::new(), Vec::new());
        let registry = Arc::new(Registry::new(before));
        let file = Arc::clone(&registry.topology().files[0]);
        let read = |number| FileStatus { number, problem: None, at: Some(Time::default()) };
        file.set_status(read(5));
        let board = Arc::new(Board::default());
        let (commands, receiver) = mpsc::channel(8);
        let mut checking = Checking::new(Arc::clone(&registry), Arc::clone(&board), receiver);
        let weight = || registry.topology().virtual_servers[1].weight(0);
        let story = async {
            until(|| weight() == Some(15)).await;
            commands.send(Command::Panic).await.unwrap();
            until(|| registry.panics.restarts() == 1).await;
            // It rests. The file says nothing any more, and a reload takes the last service away.
            file.set_status(read(1 << 40));
            without_the_last_service(&registry);
            commands.send(Command::Reload).await.unwrap();
            let gone = "[192.0.2.3]:tcp:80 is gone".to_owned();
            until(|| told(&registry).contains(&gone)).await;
            assert_eq!(told(&registry).iter().filter(|told| **told == gone).count(), 1);
            assert_eq!(weight(), Some(15), "nobody has said anything else");
            commands.send(Command::Stop).await.unwrap();
        };
        tokio::time::timeout(SOON, async { tokio::join!(kept(&mut checking, &registry), story) })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn what_a_reload_removes_that_the_lane_fails_at_twice_is_told_of_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let registry =
            Arc::new(Registry::new(Topology::new(config(open, 1, MORE), String::new(), Vec::new())));
        let row = Arc::clone(&registry.topology().virtual_servers[0]);
        let board = Arc::new(Board::default());
        let (commands, receiver) = mpsc::channel(8);
        let mut checking = Checking::new(Arc::clone(&registry), Arc::clone(&board), receiver);
        let story = async {
            until(|| row.servers[0].status().alive && !row.servers[1].status().alive).await;
            let before = told(&registry).len();
            board.spoil_reloads();
            // The last service goes, and the server of the first one that answers; the other one has another port.
            without_the_last_service(&registry);
            commands.send(Command::Reload).await.unwrap();
            until(|| registry.panics.restarts() == 2).await;
            let told = told(&registry).split_off(before);
            let down = format!("server 0 {:?}", State::Down);
            let expected = ["checking servers begins anew", &down, &down, "[192.0.2.3]:tcp:80 is gone"];
            let shown: Vec<_> = told.iter().filter(|told| expected.contains(&told.as_str())).collect();
            assert_eq!(shown[..4], expected, "{told:?}");
            // It goes on with what is there.
            until(|| !board.take(Duration::ZERO).wanted.is_empty()).await;
            commands.send(Command::Stop).await.unwrap();
        };
        tokio::time::timeout(SOON, async { tokio::join!(kept(&mut checking, &registry), story) })
            .await
            .unwrap();
    }
}
