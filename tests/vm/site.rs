//! A director with real servers that can be killed: what stories of pools need.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lab::{Error, Host, Lan, Result, Router, wait};
use socket2::SockRef;

use crate::{SOON, ours};

/// The director, alone on its LAN; its real servers are addresses of its own.
pub(crate) struct Site {
    lan: Lan,
}

/// What a server says to whoever connects: everything at once, then it closes.
pub(crate) type Answer = fn(&mut TcpStream);

/// A server that runs until it is dropped.
pub(crate) struct Server {
    listener: Arc<TcpListener>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    /// A director with these addresses.
    pub(crate) fn new(addresses: &[&str]) -> Result<Self> {
        let lan = Lan::pair()?;
        let site = Self { lan };
        let whole = |address: &&str| format!("{address}/{}", if address.contains(':') { 128 } else { 32 });
        site.host().add_addresses(&addresses.iter().map(whole).collect::<Vec<_>>(), "lo")?;
        Ok(site)
    }

    pub(crate) fn host(&self) -> &Host {
        &self.lan["alpha"]
    }

    /// The other host on its LAN.
    pub(crate) fn neighbour(&self) -> &Host {
        &self.lan["beta"]
    }

    /// Runs a script beside all hosts of the lab.
    pub(crate) fn outside(&self, script: &str) -> Result<()> {
        let status = Command::new("sh").args(["-c", script]).status();
        match status.map_err(|error| Error::io(script, error))? {
            status if status.success() => Ok(()),
            status => Err(Error::Unexpected(format!("`{script}` ended with {status}"))),
        }
    }

    /// Starts the daemon under test with checks.
    pub(crate) fn start(&self, config: &str) -> Result<Router> {
        let config = self.host().write("director.conf", config)?;
        let pid_file = self.host().dir().join("check.pid");
        Router::start_parts(
            &ours(),
            self.host(),
            "director",
            &config,
            &["-C", "-c", &pid_file.to_string_lossy()],
        )
    }

    /// A server at an address and port that accepts connections and closes them.
    pub(crate) fn server(&self, address: &str) -> Result<Server> {
        self.server_that(address, |_| {})
    }

    /// A server that answers.
    pub(crate) fn server_that(&self, address: &str, answer: Answer) -> Result<Server> {
        Server::new(self.host(), address, answer)
    }

    /// `ipvsadm -Sn`, sorted.
    pub(crate) fn table(&self) -> Vec<String> {
        let shown = self.host().look(&["ipvsadm", "-Sn"]).unwrap_or_default();
        let mut lines: Vec<String> = shown.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.sort();
        lines
    }

    /// Waits until `ipvsadm -Sn` shows these lines, in any order.
    pub(crate) fn wait_table(&self, expected: &[&str]) -> Result<()> {
        wait::until("the table of IPVS", SOON, || self.is_table(expected))
    }

    /// Whether IPVS has exactly these entries; those that it has, when it has others.
    pub(crate) fn is_table(&self, expected: &[&str]) -> std::result::Result<(), String> {
        let mut expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
        expected.sort();
        let seen = self.table();
        if seen == expected { Ok(()) } else { Err(format!("{seen:#?}, awaited {expected:#?}")) }
    }
}

impl Server {
    pub(crate) fn new(host: &Host, address: &str, answer: Answer) -> Result<Self> {
        let bound = host.inside(|| TcpListener::bind(address))?;
        let listener = bound.map_err(|error| Error::io(format!("listen at {address}"), error))?;
        let listener = Arc::new(listener);
        let taken = Arc::clone(&listener);
        let thread = thread::spawn(move || {
            // Until it is told that nothing more comes.
            while let Ok((mut stream, _)) = taken.accept() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                answer(&mut stream);
            }
        });
        Ok(Self { listener, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
