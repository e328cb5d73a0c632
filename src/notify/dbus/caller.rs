//! Who asks, by the bus's word.

use std::{collections::HashMap, time::Duration};

use tokio::{task::spawn_blocking, time::timeout};
use zbus::{Connection, OwnedVariant, message::Header};

use crate::{kernel::Caller, registry::Operator};

/// The bus itself, its object and its interface.
const BUS: (&str, &str) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");

/// How long the bus, and then the name service, may take for what is only noted.
const WITHIN: Duration = Duration::from_millis(300);

/// Who has sent that message; `None` where the bus does not know.
pub(super) async fn of(header: &Header<'_>, connection: &Connection) -> Option<Operator> {
    let (bus, object) = BUS;
    let sender = header.sender()?;
    let asked = connection.call_method(Some(bus), object, Some(bus), "GetConnectionCredentials", &sender);
    let answer = timeout(WITHIN, asked).await.ok()?.ok()?;
    let known: HashMap<String, OwnedVariant> = answer.body().deserialize().ok()?;
    let number = |name: &str| known.get(name).and_then(|value| u32::try_from(value).ok());
    let pid = number("ProcessID").and_then(|pid| i32::try_from(pid).ok());
    let caller = Caller { uid: number("UnixUserID")?, pid };
    let name = timeout(WITHIN, spawn_blocking(move || caller.user_name())).await;
    let name = name.ok().and_then(Result::ok).flatten().unwrap_or_default();
    Some(Operator { uid: caller.uid, pid: caller.pid, name })
}
