//! A subagent that serves one scalar: how many seconds it has been running.

use std::sync::Arc;

use agentx::driver::monotonic;
use agentx::{Config, MasterAddress, Oid, Region, Scalar, Subagent, Syntax, Value, View};

/// Below the arc that net-snmp keeps for experiments (NET-SNMP-MIB::netSnmpPlaypen).
const UPTIME: [u32; 10] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1];

/// What the values are read from: here, the seconds since the start.
type Snapshot = u32;

static SCALAR: Scalar<Snapshot> =
    Scalar::new(&UPTIME, "exampleUptime", Syntax::Gauge32, |seconds| Some(Value::Gauge32(*seconds)));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let master: MasterAddress = std::env::args().nth(1).unwrap_or("/var/agentx/master".into()).parse()?;

    let started = monotonic();
    let seconds = move || u32::try_from((monotonic() - started).as_secs()).unwrap_or(u32::MAX);
    let mib = View::new().scalar(&SCALAR).serve(move || Arc::new(seconds()));

    let config = Config::new("uptime example").region(Region::new(Oid::from(UPTIME)));
    Subagent::new(master, config, mib, monotonic)?.run().await;
    Ok(())
}
