//! Datagrams to the SNMP agent, in every version, from somebody who may read by a community, and as users with keys and without.

use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use agentx::{Scalar, Syntax, Value, View};
use steadfast::{
    snmp_wire::{Engine, MAX_MESSAGE, Passwords, User},
    udp_agent::{Access, Agent, Community, Grant, Settings, Subtrees},
    usm_protocols::{Authentication, Privacy},
};

static SCALARS: [Scalar<()>; 1] =
    [Scalar::new(&[1, 3, 6, 1, 4, 1, 9586, 7], "seven", Syntax::Integer32, |()| Some(Value::Integer(7)))];

/// Who may ask. The keys are work.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let engine = Engine { id: vec![0x80, 0, 0x25, 0x72, 5, 1], boots: 1 };
    let access = Access { subtrees: Arc::new(Subtrees::all()), write: true };
    let grant = Grant { sources: Vec::new(), access };
    let (auth, privacy) = ((Authentication::Sha1, "password"), Some((Privacy::Aes128, "password")));
    let private = User::new("private").with(&engine, &mut Passwords::default(), auth, privacy);
    Settings {
        communities: vec![Community::new("public", grant.clone())],
        users: vec![(User::new("open"), grant.clone()), (private, grant)],
        engine: Arc::new(engine),
        ..Settings::default()
    }
});

/// Hands the input to an agent as a datagram. What it answers has room in one, and no answer is answered: two agents never talk to
/// each other.
pub fn check(input: &[u8]) {
    let mib = View::new().scalars(&SCALARS).serve(|| Arc::new(()));
    let mut agent = Agent::new(mib, Duration::ZERO, 1);
    agent.set_up(SETTINGS.clone());
    let mut handle =
        |datagram: &[u8]| agent.handle(Duration::from_secs(60), Ipv4Addr::LOCALHOST.into(), datagram);
    if let Some(answer) = handle(input) {
        assert!(answer.len() <= MAX_MESSAGE, "{} bytes", answer.len());
        assert_eq!(handle(&answer), None, "{answer:02x?}");
    }
}
