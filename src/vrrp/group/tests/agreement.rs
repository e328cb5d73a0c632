//! Whatever happens, the members of a group agree; and when the trouble is over, one host has them all.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Something that goes wrong, or right again.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// A link of a host changes its state.
    Link { host: usize, link: usize, up: bool },
    /// A script of one member of a host fails, or not.
    Script { host: usize, link: usize, healthy: bool },
    /// A link of all hosts goes silent, or not.
    Cut { link: usize, cut: bool },
    /// The first host hears a forged router.
    Forged { link: usize, priority: u8 },
    /// Time passes, in milliseconds.
    Wait(u32),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let (host, link) = (0..3_usize, 0..3_usize);
    prop_oneof![
        (host.clone(), link.clone(), any::<bool>()).prop_map(|(host, link, up)| Trouble::Link {
            host,
            link,
            up
        }),
        (host, link.clone(), any::<bool>()).prop_map(|(host, link, healthy)| Trouble::Script {
            host,
            link,
            healthy
        }),
        (link.clone(), any::<bool>()).prop_map(|(link, cut)| Trouble::Cut { link, cut }),
        (link, any::<u8>()).prop_map(|(link, priority)| Trouble::Forged { link, priority }),
        (1..5000_u32).prop_map(Trouble::Wait),
    ]
}

fn strike(world: &mut World, trouble: Trouble) {
    match trouble {
        Trouble::Link { host, link, up } => world.set_link((host, link), up),
        Trouble::Script { host, link, healthy } => {
            let failed =
                Reason::Tracked { tracker: Tracker::Script(0), name: "chk".into(), detail: "failed".into() };
            let reason = (!healthy).then_some(failed);
            world.input((host, link), |instance, now| {
                instance.handle_fault(now, Fault::Tracked(Tracker::Script(0)), reason)
            });
        }
        Trouble::Cut { link, cut } => {
            world.cut.retain(|known| *known != link);
            if cut {
                world.cut.push(link);
            }
        }
        Trouble::Forged { link, priority } => world.hear(link, priority),
        Trouble::Wait(milliseconds) => {
            let now = world.now.0.as_secs_f64();
            world.run_until(now + f64::from(milliseconds) / 1000.0);
        }
    }
}

/// Members of one group have one state, which is the group's.
fn assert_agreement(world: &World) {
    for (number, host) in world.hosts.iter().enumerate() {
        let state = host.group.status().state;
        let agree = host.members.iter().all(|member| member.status().state == state);
        assert!(agree, "host {number}: {}", world.states(number));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn members_agree_after_every_input_and_one_host_is_left_as_master(troubles in vec(trouble(), 1..60)) {
        let mut world = World::new([host(&[150; 3]), host(&[120; 3]), host(&[100; 3])]);
        for host in 0..3 {
            world.start(host);
        }
        for trouble in troubles {
            strike(&mut world, trouble);
            assert_agreement(&world);
        }
        world.cut.clear();
        for host in 0..3 {
            for link in 0..3 {
                strike(&mut world, Trouble::Link { host, link, up: true });
                strike(&mut world, Trouble::Script { host, link, healthy: true });
            }
        }
        // The longest master down interval that was learnt from anybody, and that of the best host after it.
        let now = world.now.0.as_secs_f64();
        world.run_until(now + 10.0);
        assert_agreement(&world);
        let states: Vec<_> = world.hosts.iter().map(|host| host.group.status().state).collect();
        prop_assert_eq!(states, [State::Master, State::Backup, State::Backup]);
    }
}
