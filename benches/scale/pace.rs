//! How regular advertisements are: drift of the period, lateness, gaps.

use std::{collections::BTreeMap, time::Duration};

use crate::support::{sniffer::Heard, table::Summary};

/// advert_int of all routers, in seconds.
const PERIOD: f64 = 1.0;

/// The advertisements of many routers over a while.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Over the routers: how much longer than the interval the period is, in microseconds.
    pub(crate) drift: Summary,
    /// The largest distance of an advertisement from the earliest one of its router, both counted from when they are due at that period, in ms.
    pub(crate) late: f64,
    /// The longest silence of a router, in seconds.
    pub(crate) gap: f64,
}

impl Pace {
    /// Of everything that was heard.
    pub(crate) fn of(heard: &[Heard]) -> Self {
        let Some(first) = heard.first() else {
            return Self { drift: Summary::of([]), late: f64::NAN, gap: f64::NAN };
        };
        let mut routers: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for advert in heard {
            routers.entry(advert.router()).or_default().push(seconds(first.at, advert.at));
        }
        let late = routers.values().map(|times| spread(times) * 1e3);
        let gaps = routers.values().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0]));
        Self {
            drift: Summary::of(routers.values().filter_map(|times| drift(times)).map(|drift| drift * 1e6)),
            late: late.fold(0.0, f64::max),
            gap: gaps.fold(0.0, f64::max),
        }
    }
}

fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}

/// How much longer than the interval the period of a router is, in seconds: how much further from its due time the most
/// punctual advertisement of the second half is than that of the first, per period. Lateness, which only ever adds to the
/// time that one is due, and which a busy second has more of than a quiet one, moves neither.
fn drift(times: &[f64]) -> Option<f64> {
    let (first, second) = times.split_at(times.len() / 2);
    let earliest = |half: &[f64]| half.iter().map(|time| off(times, *time)).reduce(f64::min);
    let periods = number(times, *second.first()?);
    (periods > 0.0).then_some((earliest(second)? - earliest(first)?) / periods)
}

/// From the most punctual advertisement of a router to the latest one, at the period that it has, in seconds.
fn spread(times: &[f64]) -> f64 {
    let drift = drift(times).unwrap_or_default();
    let off = times.iter().map(|time| off(times, *time) - drift * number(times, *time));
    let (least, most) = off.fold((f64::MAX, f64::MIN), |(least, most), off| (least.min(off), most.max(off)));
    most - least
}

/// How long after its due time one of `times` is, if the first one was due when it was sent.
fn off(times: &[f64], time: f64) -> f64 {
    time - times[0] - PERIOD * number(times, time)
}

/// Which period after the first of `times` one of them is.
fn number(times: &[f64], time: f64) -> f64 {
    ((time - times[0]) / PERIOD).round()
}
