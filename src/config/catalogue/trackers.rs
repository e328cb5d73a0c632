//! What moves priorities, and programs that are run.

use super::{Kind, kind};

pub(super) const TRACKERS: &[Kind] = &[
    kind(
        "unquoted-command",
        "Without double quotes a command is one word: what was meant as its arguments is ignored, \
         and the check tests something else.",
        "Put program and arguments in double quotes.",
    ),
    kind(
        "invalid-command",
        "The quotes of a command do not match, or it is empty; the line is ignored.",
        "Close every quote.",
    ),
    kind(
        "unusable-script",
        "A program does not exist or cannot be executed. A tracked script is disabled: who tracks \
         it behaves as if it did not.",
        "Create it with execute permission, or correct the path.",
    ),
    kind(
        "insecure-script",
        "With `enable_script_security` a program that others than root can change is not run as \
         root.",
        "Let root own the program and every folder above it, writable for root alone, or run it as \
         another user.",
    ),
    kind(
        "script-security",
        "Scripts run as root and nobody asked for their paths to be checked: whoever can replace \
         one becomes root. A configuration test ends with 6.",
        "Set `script_user` to an unprivileged account, or add `enable_script_security`.",
    ),
    kind(
        "no-script-user",
        "With `enable_script_security` a script needs an account, and `keepalived_script` does not \
         exist: the script is not run.",
        "Name an account with `script_user`, or create `keepalived_script`.",
    ),
    kind(
        "unknown-user",
        "There is no user or group of that name; the line is ignored.",
        "Name an account of this system.",
    ),
    kind(
        "untracked-script",
        "No instance tracks this script, so it is not run.",
        "Name it in `track_script`, below its definition, or remove it.",
    ),
    kind(
        "untracked-file",
        "Nothing tracks this file, so it is not read.",
        "Name it in `track_file` of an instance, below its definition, or remove it.",
    ),
    kind(
        "untracked-process",
        "Nothing tracks these processes, so they are not counted.",
        "Name them in `track_process`, below the definition, or remove it.",
    ),
    kind(
        "large-value",
        "`init_file` writes a number that is more than any priority can change.",
        "Write a whole number from -254 to 254.",
    ),
    kind(
        "limited",
        "A delay of `interface_up_down_delays` is so long that an instance on that interface would take over \
         from a master that it only cannot hear; a shorter one is used.",
        "Write delays below `(down_timer_adverts - 1) × advert_int`.",
    ),
    kind(
        "unknown-script",
        "Nothing above this line defines the script; it is not tracked, and its failure changes \
         nothing.",
        "Define it above, or correct the name.",
    ),
    kind(
        "unknown-track-file",
        "Nothing above this line defines the file; it is not tracked.",
        "Define it above, or correct the name.",
    ),
    kind(
        "unknown-track-process",
        "Nothing above this line defines the process; it is not tracked.",
        "Define it above, or correct the name.",
    ),
    kind(
        "unknown-bfd-instance",
        "Nothing above this line defines the BFD session; it is not tracked.",
        "Define it above, or correct the name.",
    ),
    kind(
        "own-interface",
        "The instance's own interface is tracked anyway, so this line is ignored and its weight \
         never counts.",
        "Remove it, or add `dont_track_primary`.",
    ),
    kind(
        "weight-on-owner",
        "Priority 255 never changes, so a tracker with a weight is left out.",
        "Give the instance a priority below 255, or the tracker weight 0.",
    ),
    kind(
        "weight-in-group",
        "Members of a sync group change state together, so the weight of one member's tracker is \
         dropped.",
        "Track it in the group, or write `sync_group_tracking_weight` there.",
    ),
    kind(
        "tracked-twice",
        "An instance and its group track the same; the group's line counts.",
        "Remove one of the two lines.",
    ),
    kind(
        "unknown-instance",
        "A group names an instance that the file does not have.",
        "Correct the name, or define the instance.",
    ),
    kind(
        "small-group",
        "A sync group of one member or none does nothing.",
        "Name the instances, or remove the block.",
    ),
    kind(
        "unusable-session",
        "A BFD session has no neighbour, or the neighbour and source of another one; it is ignored.",
        "Add `neighbor_ip`, or tell the two apart by `source_ip`.",
    ),
];
