//! snmpd as AgentX master of one host.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{COMMUNITY, SnmpClient, environment};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::Process;
use crate::vm::limit;
use crate::wait;

/// snmpd answers about 0.1 s after its start; a busy machine takes longer.
const START: Duration = Duration::from_secs(60);

/// What an snmpd is started with.
#[derive(Debug)]
pub struct SnmpdBuilder {
    host: Host,
    agentx: Option<String>,
    lines: Vec<String>,
}

impl SnmpdBuilder {
    /// The AgentX address, as in `tcp:127.0.0.1:705`. Default: a unix socket in the host's directory.
    #[must_use]
    pub fn agentx(mut self, address: &str) -> Self {
        self.agentx = Some(address.into());
        self
    }

    /// Sends SNMPv2 traps to `receiver`, as in `10.9.0.2:162`.
    #[must_use]
    pub fn trap_sink(self, receiver: &str) -> Self {
        self.line(&format!("trap2sink {receiver} {COMMUNITY}"))
    }

    /// One more line of snmpd.conf.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Writes the configuration, starts snmpd and waits until it answers.
    pub fn start(self) -> Result<Snmpd> {
        let agent = self.prepare()?;
        let process = agent.spawn()?;
        let agent = Snmpd { process: Some(process), ..agent };
        agent.wait_answering()?;
        Ok(agent)
    }

    /// Writes the configuration only: an agent that is absent until [`Snmpd::restart`].
    pub fn prepare(self) -> Result<Snmpd> {
        let dir = self.host.dir().join("snmpd");
        fs::create_dir_all(&dir).map_err(|e| Error::io(format!("create {}", dir.display()), e))?;
        let agentx = self.agentx.unwrap_or_else(|| format!("unix:{}", dir.join("agentx.sock").display()));
        let mut text = format!(
            "rocommunity {COMMUNITY}\nrwcommunity private\nmaster agentx\nagentXSocket {agentx}\n\
             agentXPerms 0777 0777\n"
        );
        self.lines.iter().for_each(|line| {
            text.push_str(line);
            text.push('\n');
        });
        self.host.write("snmpd/lab-snmpd.conf", &text)?;
        Ok(Snmpd { host: self.host, dir, agentx, process: None })
    }
}

/// An snmpd on UDP port 161 of its host, community `public` (read) and `private` (write).
#[derive(Debug)]
pub struct Snmpd {
    host: Host,
    dir: PathBuf,
    agentx: String,
    process: Option<Process>,
}

impl Snmpd {
    /// Starts the description of an agent.
    pub fn builder(host: &Host) -> SnmpdBuilder {
        SnmpdBuilder { host: host.clone(), agentx: None, lines: Vec::new() }
    }

    /// The AgentX address, in the form that `snmp_socket` and `-A` take.
    pub fn agentx(&self) -> &str {
        &self.agentx
    }

    /// The tools, asking this agent from its own host.
    pub fn client(&self) -> SnmpClient {
        SnmpClient::new(&self.host, "127.0.0.1")
    }

    /// The process, while it runs.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> Result<()> {
        let Some(process) = self.process.take() else {
            return Ok(());
        };
        process.terminate(limit(Duration::from_secs(10))).map(drop)
    }

    /// SIGKILL: sockets are left behind.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGSTOP: accepts connections, answers nothing.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// SIGCONT.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Ends what runs, starts a new snmpd on the same paths, and waits until it answers.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = Some(self.spawn()?);
        self.wait_answering()
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        match &self.process {
            Some(process) => process.signal(signal),
            None => Err(Error::Unexpected(format!("no snmpd runs on {}", self.host.name()))),
        }
    }

    fn spawn(&self) -> Result<Process> {
        let config = self.dir.join("lab-snmpd.conf");
        let config = config.to_string_lossy();
        let argv = ["snmpd", "-f", "-Lo", "-C", "-c", &config, "-I", "-smux", "udp:161"];
        self.host.spawn_with("snmpd", &argv, &environment(&self.dir))
    }

    fn wait_answering(&self) -> Result<()> {
        if let Some(process) = &self.process {
            // Only then is its port open; a question asked before is lost and costs a timeout.
            process.wait_log("NET-SNMP version", limit(START))?;
        }
        let client = self.client();
        let tail = || self.process.as_ref().map(Process::log_tail).unwrap_or_default();
        wait::until("snmpd to answer", limit(START), || {
            client
                .get(".1.3.6.1.2.1.1.3.0")
                .map(drop)
                .map_err(|e| format!("{e}; its log ends with\n{}", tail()))
        })
    }
}
