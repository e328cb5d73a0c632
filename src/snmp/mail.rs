//! KEEPALIVED-MIB::mail: where mail about changes goes, as the configuration says.

use std::net::IpAddr;

use agentx::{Access, Column, Index, Scalar, Syntax, Table, Value};

use crate::{
    config::settings::MailServer,
    snmp::{
        ENABLED, INET_ADDRESS_TYPE, Snapshot, address_octets, address_type, integer, one_or_two, position,
        text, unsigned,
    },
};

const ON_OFF_UNSET: Syntax = Syntax::Enum(&[("on", 1), ("off", 2), ("unset", 3)]);

/// The port of `smtp_server` when the configuration does not say.
const SMTP_PORT: u16 = 25;

macro_rules! oid {
    ($($sub:literal),+) => { &[1, 3, 6, 1, 4, 1, 9586, 100, 5, 1, 3, $($sub),+] };
}

/// The scalars, in the order of their OIDs.
pub(super) static SCALARS: [Scalar<Snapshot>; 9] = [
    Scalar::new(oid![1], "smtpServerAddressType", INET_ADDRESS_TYPE, |topology| match server(topology) {
        // unknown(0) goes with a zero-length address.
        None => integer(0),
        Some(Server::Address(address)) => address_type(address),
        Some(Server::Name(_)) => integer(16),
    }),
    Scalar::new(oid![2], "smtpServerAddress", Syntax::OctetString, |topology| match server(topology) {
        None => text(""),
        Some(Server::Address(address)) => address_octets(address),
        Some(Server::Name(name)) => text(name),
    }),
    Scalar::new(oid![3], "smtpServerTimeout", Syntax::Unsigned32, |topology| {
        unsigned(*topology.global.settings.smtp_connect_timeout)
    }),
    Scalar::new(oid![4], "emailFrom", Syntax::DisplayString, |topology| {
        // Without a server, or recipients, nobody sends.
        let sender = topology.sinks.iter().find_map(|row| row.config.mail());
        text(
            sender.map(|mail| mail.from.as_str()).or(topology
                .global
                .settings
                .notification_email_from
                .as_deref())?,
        )
    }),
    Scalar::new(oid![6], "smtpServerPort", Syntax::Unsigned32, |topology| {
        unsigned(configured(topology).map_or(SMTP_PORT, |server| server.port))
    }),
    Scalar::new(oid![7], "smtpEmailFaults", ENABLED, |topology| {
        one_or_two(!topology.global.settings.no_email_faults)
    }),
    Scalar::new(oid![8], "smtpEmailSmtpAlert", ON_OFF_UNSET, |topology| {
        on_off_unset(topology.global.settings.smtp_alert)
    }),
    Scalar::new(oid![9], "smtpEmailSmtpAlertVrrp", ON_OFF_UNSET, |topology| {
        on_off_unset(topology.global.settings.smtp_alert_vrrp)
    }),
    Scalar::new(oid![10], "smtpEmailSmtpAlertChecker", ON_OFF_UNSET, |topology| {
        on_off_unset(topology.global.settings.smtp_alert_checker)
    }),
];

/// emailTable: a row per `notification_email` address, in the order of the configuration.
pub(super) static EMAILS: Table<Snapshot, String> = Table {
    entry: oid![5, 1],
    name: "emailEntry",
    index: &[Index { name: "emailIndex", syntax: Syntax::Integer32, implied: false }],
    columns: &[
        Column::hidden(1, "emailIndex", Syntax::Integer32, Access::NotAccessible),
        Column::new(2, "emailAddress", Syntax::DisplayString, |_, address| text(address)),
    ],
    seek: |topology, after, include| {
        let addresses = &topology.global.settings.notification_email;
        let index = position::seek(addresses.len(), after, include)?;
        Some((vec![index], addresses.get(index as usize - 1)?.0.clone()))
    },
};

/// A mail server as the configuration names it.
enum Server<'a> {
    Address(IpAddr),
    /// It is looked up when there is mail to send, and may have another address then.
    Name(&'a str),
}

fn configured(topology: &Snapshot) -> Option<&MailServer> {
    topology.global.settings.smtp_server.as_deref()
}

fn server(topology: &Snapshot) -> Option<Server<'_>> {
    let host = &*configured(topology)?.host;
    Some(host.parse().map_or(Server::Name(host), Server::Address))
}

/// What the configuration says, if it says anything.
fn on_off_unset(written: Option<bool>) -> Option<Value> {
    written.map_or_else(|| integer(3), one_or_two)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use agentx::Oid;

    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        registry::Topology,
        units::Time,
    };

    /// Numbers of the scalars below global.
    fn shown(text: &str, scalars: [&[u32]; 4]) -> [i32; 4] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{}", report.render()));
        let topology = Arc::new(Topology::new(config, String::new(), Vec::new()));
        let snapshot = crate::snmp::Snapshot::new(topology, None, (Time::default(), Time::default));
        scalars.map(|scalar| {
            let oid =
                scalar.iter().fold(Oid::from(crate::snmp::KEEPALIVED).child(1), |oid, sub| oid.child(*sub));
            match crate::snmp::view().value(&snapshot, &oid.child(0)) {
                Value::Integer(number) => number,
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn what_is_not_written_is_unset_whatever_holds_and_polling_is_shown() {
        const SCALARS: [&[u32]; 4] = [&[3, 8], &[3, 9], &[3, 10], &[5]];
        let cases = [
            ("", [3, 3, 3, 1]),
            ("global_defs {\n smtp_alert on\n}", [1, 3, 3, 1]),
            ("global_defs {\n smtp_alert on\n smtp_alert_vrrp off\n}", [1, 2, 3, 1]),
            ("linkbeat_use_polling\nglobal_defs {\n smtp_alert_checker on\n}", [3, 3, 1, 2]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, SCALARS), expected, "{text}");
        }
    }
}
