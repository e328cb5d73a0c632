//! A virtual server.

use std::time::Duration;

use serde::Serialize;

use crate::registry::{CheckStatus, RealServerRow, VirtualServerRow};

/// A virtual server with its real servers.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Service {
    name: String,
    installed: bool,
    has_quorum: bool,
    servers_up: u32,
    connections: u64,
    servers: Vec<Server>,
}

/// A real server, or the sorry server.
#[derive(Debug, Serialize)]
struct Server {
    server: String,
    alive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<i64>,
    failed_checks: u32,
    pending_checks: u32,
    active: u32,
    inactive: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

/// A check of a real server, after its last try.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_ms: Option<f64>,
}

pub(super) fn view(row: &VirtualServerRow) -> Service {
    let status = row.status();
    let servers = row.config.real_server.iter().zip(&row.servers).enumerate();
    let real =
        servers.map(|(place, (config, server))| of(config.heading.to_string(), row.weight(place), server));
    let sorry = row.sorry.as_ref().map(|server| of("sorry server".into(), None, server));
    Service {
        name: row.config.heading.to_string(),
        installed: status.installed,
        has_quorum: status.has_quorum,
        servers_up: status.servers_up,
        connections: row.traffic().connections,
        servers: real.chain(sorry).collect(),
    }
}

fn of(server: String, weight: Option<i64>, row: &RealServerRow) -> Server {
    let (status, traffic) = (row.status(), row.traffic());
    Server {
        server,
        alive: status.alive,
        weight,
        failed_checks: status.failed_checks,
        pending_checks: status.pending_checks,
        active: traffic.active,
        inactive: traffic.inactive,
        checks: row.checks().map(|check| check_of(&check)).collect(),
    }
}

fn check_of(status: &CheckStatus) -> Check {
    // Whole microseconds: what is less says nothing of a server.
    let ms = |lasted: Option<Duration>| lasted.map(|lasted| (lasted.as_secs_f64() * 1e6).round() / 1e3);
    let [connect_ms, tls_ms, first_byte_ms, body_ms] = status.phases.map(ms);
    let CheckStatus { check, passed, note, .. } = status.clone();
    Check { check, passed, note, connect_ms, tls_ms, first_byte_ms, body_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_milliseconds_and_those_that_were_not_reached_are_left_out() {
        let status = CheckStatus {
            check: "TCP_CHECK",
            passed: Some(true),
            phases: [Some(Duration::from_nanos(1_234_567)), None, None, None],
            ..CheckStatus::default()
        };
        let shown = serde_json::to_string(&check_of(&status)).unwrap();
        assert_eq!(shown, r#"{"check":"TCP_CHECK","passed":true,"connect_ms":1.235}"#);
    }
}
