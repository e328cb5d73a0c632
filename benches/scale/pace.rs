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
    /// The largest distance of an advertisement from the earliest one of its router, each counted from that line, in ms.
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
        let lines = routers.values().map(|times| Line::through(times)).collect::<Vec<_>>();
        let late = routers.values().zip(&lines).map(|(times, line)| line.spread(times) * 1e3);
        let gaps = routers.values().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0]));
        Self {
            drift: Summary::of(lines.iter().map(|line| (line.slope - PERIOD) * 1e6)),
            late: late.fold(0.0, f64::max),
            gap: gaps.fold(0.0, f64::max),
        }
    }
}

fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}

/// A line through the times of a router, over the numbers of their periods, so that one that was not heard moves nothing: its
/// slope is the median of the slopes between all of them, which a few late ones do not move either (Theil and Sen).
struct Line {
    start: f64,
    slope: f64,
}

impl Line {
    fn through(times: &[f64]) -> Self {
        let points: Vec<_> = times.iter().map(|time| (number(times, *time), *time)).collect();
        let pairs = points.iter().enumerate().flat_map(|(place, from)| {
            points[place + 1..]
                .iter()
                .filter(|to| to.0 > from.0)
                .map(move |to| (to.1 - from.1) / (to.0 - from.0))
        });
        let slope = Summary::of(pairs).median;
        let slope = if slope.is_nan() { PERIOD } else { slope };
        let start = Summary::of(points.iter().map(|(number, time)| time - slope * number)).median;
        Self { start, slope }
    }

    /// From the time that is most ahead of the line to the one most behind it.
    fn spread(&self, times: &[f64]) -> f64 {
        let off = times.iter().map(|time| time - self.start - self.slope * number(times, *time));
        let (least, most) =
            off.fold((f64::MAX, f64::MIN), |(least, most), off| (least.min(off), most.max(off)));
        most - least
    }
}

/// Which period after the first of `times` one of them is.
fn number(times: &[f64], time: f64) -> f64 {
    ((time - times[0]) / PERIOD).round()
}
