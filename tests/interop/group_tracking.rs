//! What trackers of a sync group and of its members make of the priorities that the members advertise.

use std::fmt::Write as _;

use lab::{Capture, Result, State, wait};

use crate::groups::{self, Group};
use crate::world::{SOON, V3, is_keepalived, ours, side_by_side};

/// Lines of the group and of its members, and what these two advertise while the number in the file is 3 and 10.
#[derive(Debug)]
struct Case {
    group: &'static str,
    members: [&'static str; 2],
    priorities: [u8; 2],
    at_3: [u8; 2],
    at_10: [u8; 2],
}

const NOTHING: [&str; 2] = ["# nothing"; 2];
/// The file with this weight.
const DOUBLE: &str = "track_file {\n    number weight 2\n  }";
const PLAIN: &str = "track_file {\n    number weight 1\n  }";

const CASES: [Case; 7] = [
    // Each member from its own priority.
    Case { group: DOUBLE, members: NOTHING, priorities: [150, 120], at_3: [156, 126], at_10: [170, 140] },
    Case {
        group: "track_file {\n    number weight 1 reverse\n  }",
        members: NOTHING,
        priorities: [150, 120],
        at_3: [147, 117],
        at_10: [140, 110],
    },
    Case {
        group: "track_interface {\n    lo weight 7\n  }",
        members: NOTHING,
        priorities: [150, 120],
        at_3: [157, 127],
        at_10: [157, 127],
    },
    // What would part the members is set aside,
    Case {
        group: "# nothing",
        members: [DOUBLE, "# nothing"],
        priorities: [150, 120],
        at_3: [150, 120],
        at_10: [150, 120],
    },
    // unless it is wanted.
    Case {
        group: "sync_group_tracking_weight",
        members: [DOUBLE, "# nothing"],
        priorities: [150, 120],
        at_3: [156, 120],
        at_10: [170, 120],
    },
    // Of the group and of a member the group's counts.
    Case {
        group: "sync_group_tracking_weight\n  track_file {\n    number weight 1\n  }",
        members: [DOUBLE, PLAIN],
        priorities: [150, 120],
        at_3: [153, 123],
        at_10: [160, 130],
    },
    // No priority is higher than 254 but an owner's.
    Case { group: DOUBLE, members: NOTHING, priorities: [250, 120], at_3: [254, 126], at_10: [254, 140] },
];

/// The last priority that each member has advertised.
fn advertised(captures: &[Capture; 2]) -> [Option<u8>; 2] {
    [0, 1].map(|member: usize| {
        let seen = captures[member].vrrp().unwrap_or_default();
        Some(seen.last()?.priority())
    })
}

/// Two more advertisements of each member have these priorities.
fn wait_advertised(captures: &[Capture; 2], priorities: [u8; 2]) -> Result<()> {
    wait::until_eq("the priorities", SOON, &priorities.map(Some), || advertised(captures))?;
    let counts = || [0, 1].map(|member: usize| captures[member].vrrp().map_or(0, |seen| seen.len()));
    let before = counts();
    wait::until_true("two more advertisements", SOON, || {
        counts().iter().zip(before).all(|(now, then)| *now >= then + 2)
    })?;
    wait::until_eq("the same priorities", SOON, &priorities.map(Some), || advertised(captures))
}

#[test]
fn weights_of_a_group_count_for_every_member() {
    side_by_side(&CASES, |case| {
        let lan = groups::lan()?;
        let alpha = &lan["alpha"];
        let captures = [
            Capture::start(&lan["beta"], "vb0", "ip proto 112")?,
            Capture::start(&lan["beta"], "vb1", "ip proto 112")?,
        ];
        let file = alpha.write("number", "3\n")?;
        let mut group = Group::of(&V3.alpha(100)).line(case.group);
        // Writing to a String cannot fail.
        let _ = write!(group.before, "track_file number {{\n  file {}\n}}\n", file.display());
        for (member, (line, priority)) in case.members.iter().zip(case.priorities).enumerate() {
            group.members[member].priority = priority;
            group.members[member].lines.push((*line).to_owned());
        }
        let router = group.start_until(&ours(), alpha, State::Master)?;
        wait_advertised(&captures, case.at_3)?;
        alpha.write("number", "10\n")?;
        wait_advertised(&captures, case.at_10)?;
        router.stop().map(drop)
    });
}

/// An interface of a member with a weight, without `sync_group_tracking_weight`.
#[test]
fn a_weighted_interface_of_a_member_is_set_aside() -> Result<()> {
    if is_keepalived("weighted `track_interface` of a sync group's member") {
        return Ok(());
    }
    let lan = groups::lan()?;
    let captures = [
        Capture::start(&lan["beta"], "vb0", "ip proto 112")?,
        Capture::start(&lan["beta"], "vb1", "ip proto 112")?,
    ];
    let mut group = Group::of(&V3.alpha(100));
    group.members[0].lines.push("track_interface {\n    lo weight 7\n  }".to_owned());
    let router = group.start_until(&ours(), &lan["alpha"], State::Master)?;
    wait_advertised(&captures, [100, 100])?;
    router.stop().map(drop)
}

/// Without a weight what fails takes the whole group to FAULT, whoever tracks it; beside an owner nobody has weights.
#[test]
fn what_has_no_weight_takes_all_members_to_fault_and_back() {
    let file = "track_file {\n    number weight 0\n  }";
    let cases = [
        (file, NOTHING, 100),
        ("# nothing", [file, "# nothing"], 100),
        ("# nothing", ["# nothing", file], 100),
        (DOUBLE, NOTHING, 255),
    ];
    side_by_side(&cases, |(of_group, of_members, priority)| {
        let lan = groups::lan()?;
        let alpha = &lan["alpha"];
        let file = alpha.write("number", "0\n")?;
        let mut group = Group::of(&V3.alpha(100)).line(of_group);
        let _ = write!(group.before, "track_file number {{\n  file {}\n}}\n", file.display());
        for (member, line) in of_members.iter().enumerate() {
            group.members[member].lines.push((*line).to_owned());
        }
        group.members[0].priority = *priority;
        let router = group.start_until(&ours(), alpha, State::Master)?;
        for (number, state) in [("1", State::Fault), ("0", State::Master)] {
            let mark = router.mark();
            alpha.write("number", number)?;
            for member in ["ONE", "TWO"] {
                router.wait_entering_since(mark, member, state, SOON)?;
            }
        }
        router.stop().map(drop)
    });
}
