//! SET of realServerWeight through real snmpd, over a registry that is fed: whoever drives the servers takes the order.

use std::sync::{Arc, Mutex, PoisonError};

use agentx::{Config, Oid, Region};
use lab::{Lan, Result, SnmpClient, Snmpd, wait};
use steadfast::{
    config::{self, System},
    kernel::clock,
    registry::{NotDone, RealServerRow, RealServerStatus, Registry, Topology, VirtualServerRow, Weights},
    snmp::{self, KEEPALIVED as ARC, Snapshots},
};

use crate::{
    neighbour::Neighbour,
    scene::{SOON, calm},
    set::set,
};

/// realServerWeight below virtual server 1.
fn weight(server: u8) -> String {
    format!(".1.3.6.1.4.1.9586.100.5.3.4.1.7.1.{server}")
}

/// Carries orders out in the rows and keeps them.
#[derive(Debug)]
struct Pool {
    service: std::sync::Weak<VirtualServerRow>,
    orders: Mutex<Vec<(usize, i64)>>,
    /// A weight that is not taken.
    refused: i64,
}

impl Weights for Pool {
    fn weigh(&self, row: &Arc<RealServerRow>, weight: i64) -> std::result::Result<(), NotDone> {
        let service = self.service.upgrade().ok_or(NotDone)?;
        let place = service.servers.iter().position(|server| Arc::ptr_eq(server, row)).ok_or(NotDone)?;
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).push((place, weight));
        if weight == self.refused {
            return Err(NotDone);
        }
        row.set_status(RealServerStatus { weight: Some(weight), ..row.status() });
        Ok(())
    }
}

/// A registry with one service of two servers and a sorry server, served beside a real snmpd.
struct Scene {
    manager: SnmpClient,
    service: Arc<VirtualServerRow>,
    _agent: Neighbour,
    _snmpd: Snmpd,
    _lan: Lan,
}

impl Scene {
    fn start(words: &str) -> Result<Self> {
        let lan = Lan::pair()?;
        let snmpd = Snmpd::builder(&lan["alpha"]).start()?;
        let text = format!(
            "global_defs {{\n{words}\n}}\nvirtual_server 10.9.0.100 80 {{\n protocol TCP\n sorry_server 10.9.0.9 80\n \
             real_server 10.9.0.3 80 {{\n  weight 5\n }}\n real_server 10.9.0.4 80 {{\n  weight 6\n }}\n}}\n"
        );
        let file = lan["alpha"].write("servers.conf", &text)?;
        let (config, report) = config::load(&file, None, &System);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let registry = Arc::new(Registry::new(Topology::new(config, String::new(), Vec::new())));
        let service = Arc::clone(&registry.topology().virtual_servers[0]);
        let agent = serve(registry, snmpd.agentx());
        let manager = snmpd.client().community("private");
        wait::until("the MIB", SOON, || manager.get(&weight(2)).map_err(|error| error.to_string()))?;
        Ok(Self { manager, service, _agent: agent, _snmpd: snmpd, _lan: lan })
    }

    fn set(&self, server: u8, kind: &str, value: &str) -> Result<String> {
        set(&self.manager, &[[&weight(server), kind, value]])
    }

    fn weights(&self) -> Result<[String; 2]> {
        Ok([self.manager.get(&weight(2))?, self.manager.get(&weight(3))?])
    }
}

/// Serves the registry behind snmpd.
fn serve(registry: Arc<Registry>, master: &str) -> Neighbour {
    let snapshots = Snapshots::new(registry, clock::now, Arc::default());
    let config = Config::new("fed").region(Region::new(Oid::from(ARC)));
    Neighbour::start(master, config, snmp::view().serve(move || snapshots.now()))
}

#[test]
fn whoever_drives_the_servers_takes_weights_and_takes_them_back() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("snmp_set")?;
    // There is nobody yet.
    assert_eq!(scene.set(2, "i", "7")?, "inconsistentValue");
    let pool =
        Arc::new(Pool { service: Arc::downgrade(&scene.service), orders: Mutex::default(), refused: 99 });
    scene.service.take_weights(Arc::clone(&pool) as Arc<dyn Weights>);
    for (value, refusal) in
        [("-1", "wrongValue"), ("-5", "wrongValue"), ("0", ""), ("2147483647", ""), ("70000", "")]
    {
        assert_eq!(scene.set(2, "i", value)?, refusal, "{value}");
    }
    assert_eq!(scene.set(2, "u", "7")?, "wrongType");
    assert_eq!(scene.set(1, "i", "7")?, "notWritable", "the sorry server");
    assert_eq!(scene.set(4, "i", "7")?, "noCreation");
    assert_eq!(scene.weights()?, ["INTEGER: 70000", "INTEGER: 6"]);
    // The second cannot be done, and the first is undone.
    let both = [[&*weight(2), "i", "8"], [&weight(3), "i", "99"]];
    assert_eq!(set(&scene.manager, &both)?, "commitFailed");
    assert_eq!(scene.weights()?, ["INTEGER: 70000", "INTEGER: 6"]);
    let orders = pool.orders.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(orders, [(0, 0), (0, 2_147_483_647), (0, 70_000), (0, 8), (1, 99), (1, 6), (0, 70_000)]);
    Ok(())
}

#[test]
fn without_snmp_set_no_weight_can_be_set() -> Result<()> {
    let _calm = calm();
    let scene = Scene::start("")?;
    assert_eq!(scene.set(2, "i", "7")?, "notWritable");
    Ok(())
}
