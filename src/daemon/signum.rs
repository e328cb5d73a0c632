//! The numbers of the signals that the daemon does something for, as keepalived has them on Linux.

/// SIGTERM.
pub(super) const STOP: i32 = 15;
/// SIGINT, which stops, too.
pub(super) const INTERRUPT: i32 = 2;
/// SIGHUP.
pub(super) const RELOAD: i32 = 1;
/// SIGUSR1.
pub(super) const DATA: i32 = 10;
/// SIGUSR2.
pub(super) const STATS: i32 = 12;
/// SIGRTMAX - 1, as the C library counts.
pub(super) const STATS_CLEAR: i32 = 63;
/// SIGRTMIN + 2, as the C library counts.
pub(super) const JSON: i32 = 36;

/// Those that the parent passes on.
pub(super) const OF_ENGINES: [i32; 5] = [RELOAD, DATA, STATS, STATS_CLEAR, JSON];

/// The number for a function's name (`--signum`).
pub(super) fn of(function: &str) -> Option<i32> {
    match function {
        "STOP" => Some(STOP),
        "RELOAD" => Some(RELOAD),
        "DATA" => Some(DATA),
        "STATS" => Some(STATS),
        "STATS_CLEAR" => Some(STATS_CLEAR),
        "JSON" => Some(JSON),
        _ => None,
    }
}
