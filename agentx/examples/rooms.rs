//! A subagent with a table of rooms: each has a temperature, a limit that a manager may SET, and a notification when the
//! temperature passes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentx::driver::monotonic;
use agentx::notification::{Sender, queue};
use agentx::wire::ErrorCode;
use agentx::{
    Access, Change, Column, CommitFailed, Config, Index, MasterAddress, Oid, Region, Subagent, Syntax, Table,
    UndoFailed, Value, VarBind, View, seek_sorted,
};

/// Below the arc that net-snmp keeps for experiments (NET-SNMP-MIB::netSnmpPlaypen).
const ROOMS: [u32; 10] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2];
const ENTRY: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2, 1];
const TOO_WARM: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 0, 1];

struct Room {
    number: u32,
    name: &'static str,
    /// Degrees Celsius, and the limit for them.
    state: Mutex<(i32, i32)>,
}

impl Room {
    fn state(&self) -> MutexGuard<'_, (i32, i32)> {
        // Every change to it is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the values are read from: the rooms, sorted by their numbers.
type House = Vec<Arc<Room>>;

static TABLE: Table<House, Arc<Room>> = Table {
    entry: &ENTRY,
    name: "roomEntry",
    index: &[Index { name: "roomNumber", syntax: Syntax::Integer32, implied: false }],
    columns: &COLUMNS,
    seek: |house, after, include| {
        let at = seek_sorted(house, after, include, |room| [room.number])?;
        Some((vec![house[at].number], Arc::clone(&house[at])))
    },
};

static COLUMNS: [Column<House, Arc<Room>>; 4] = [
    Column::hidden(1, "roomNumber", Syntax::Integer32, Access::NotAccessible),
    Column::new(2, "roomName", Syntax::DisplayString, |_, room| Some(Value::text(room.name))),
    Column::new(3, "roomTemperature", Syntax::Integer32, |_, room| Some(Value::Integer(room.state().0))),
    Column::writable(
        4,
        "roomLimit",
        Syntax::Integer32,
        |_, room| Some(Value::Integer(room.state().1)),
        |_, room, value| match *value {
            Value::Integer(new @ 5..=40) => Ok(Box::new(NewLimit { room: Arc::clone(room), new, old: None })),
            _ => Err(ErrorCode::WrongValue),
        },
    ),
];

/// A SET that was tested. It is committed, perhaps undone because another agent fails, and dropped.
struct NewLimit {
    room: Arc<Room>,
    new: i32,
    old: Option<i32>,
}

impl Change for NewLimit {
    fn commit(&mut self) -> Result<(), CommitFailed> {
        self.old = Some(std::mem::replace(&mut self.room.state().1, self.new));
        Ok(())
    }

    fn undo(&mut self) -> Result<(), UndoFailed> {
        if let Some(old) = self.old.take() {
            self.room.state().1 = old;
        }
        Ok(())
    }
}

/// A degree more in every room each second, until the limit is passed, and then ten less.
async fn weather(house: House, managers: Sender) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        for room in &house {
            let (now, limit) = {
                let mut state = room.state();
                state.0 += 1;
                *state
            };
            if now > limit {
                let name = Oid::from(ENTRY).child(3).child(room.number);
                managers.send(
                    monotonic(),
                    Oid::from(TOO_WARM),
                    vec![VarBind::new(name, Value::Integer(now))],
                );
                room.state().0 -= 10;
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let master: MasterAddress = std::env::args().nth(1).unwrap_or("/var/agentx/master".into()).parse()?;

    let room = |(number, name)| Arc::new(Room { number, name, state: Mutex::new((15, 25)) });
    let house: House = [(1, "kitchen"), (2, "library"), (7, "attic")].map(room).into();
    let (managers, notifications) = queue(1000);
    let rooms = Arc::new(house.clone());
    let mib = View::new().table(&TABLE).serve(move || Arc::clone(&rooms));

    let config = Config::new("rooms example").region(Region::new(Oid::from(ROOMS)));
    let subagent = Subagent::new(master, config, mib, monotonic)?.with_notifications(notifications);
    tokio::join!(subagent.run(), weather(house, managers));
    Ok(())
}
