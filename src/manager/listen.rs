//! Notifications, as they arrive.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, UdpSocket},
};

use super::{
    Credentials, Failure, Shown,
    link::is_patience,
    random,
    receiver::{Notification, Receiver},
};
use crate::{kernel::clock, mib, snmp_wire::MAX_MESSAGE};

/// Prints them, for ever or until there were `count`.
pub(super) fn listen(
    address: &str,
    community: Option<&str>,
    credentials: Option<Credentials>,
    shown: Shown,
    count: Option<u64>,
) -> Result<(), Failure> {
    let at: SocketAddr = address.parse().map_err(|_| Failure::NoAddress(address.to_owned()))?;
    let socket = UdpSocket::bind(at).map_err(|why| {
        let help = match why.kind() {
            io::ErrorKind::PermissionDenied => "listen at a port of 1024 or more, or as root",
            io::ErrorKind::AddrInUse => "stop who listens there (often snmptrapd), or name another port",
            _ => "name an address of this host",
        };
        Failure::Listen { address: address.to_owned(), why, help }
    })?;
    let mut receiver = Receiver::new(clock::now().0, random(), community, credentials);
    // Notifications go to stdout alone.
    let _ = writeln!(io::stderr(), "listening at {at}");
    let (mut buffer, mut heard) = (vec![0; MAX_MESSAGE + 1], 0);
    while count.is_none_or(|count| heard < count) {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if is_patience(&error) || error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(why) => {
                let (address, help) = (address.to_owned(), "try again");
                return Err(Failure::Listen { address, why, help });
            }
        };
        let outcome = receiver.handle(clock::now().0, buffer.get(..length).unwrap_or_default());
        if let Some(notification) = outcome.notification {
            heard += 1;
            print(&shown, from, &notification)?;
        }
        if let Some(answer) = outcome.answer {
            // Who has not heard it sends again.
            let _ = socket.send_to(&answer, from);
        }
    }
    Ok(())
}

/// One line of who and what, and one for each object.
fn print(shown: &Shown, from: SocketAddr, notification: &Notification) -> Result<(), Failure> {
    let Notification { version, is_inform, agent, id, uptime, varbinds } = notification;
    let kind = if *is_inform { "inform" } else { "trap" };
    let agent = agent.map_or(String::new(), |agent| format!(" of {agent}"));
    let (time, up) = (clock::utc(), mib::span(*uptime));
    let (from, name) = (from.ip().to_canonical(), shown.name(id));
    let mut text = format!("{time} {from} {version} {kind}{agent} {name} up {up}\n");
    varbinds.iter().for_each(|varbind| text += &format!("    {}\n", shown.line(varbind)));
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Output)
}
