//! Whether advertisements leave on time, told apart from whether the machine ran anybody at all.

use std::time::Duration;

use lab::{Capture, Control, Host, Lan, Result, Router, Stalls, State, clock, pcap, wait};
use nix::sys::signal::Signal;

use crate::scene::{SOON, calm, instance, steadfast};

/// How much later than the interval an advertisement may leave.
const TOLERANCE: Duration = Duration::from_millis(20);

/// Watches the advertisements of one virtual router where they arrive, by the kernel's time stamps.
pub(crate) struct Cadence {
    capture: Capture,
    control: Control,
    vrid: u8,
    interval: Duration,
    started: Duration,
}

impl Cadence {
    /// From now on, on an interface of the receiving host.
    pub(crate) fn start(host: &Host, interface: &str, vrid: u8, interval: Duration) -> Result<Self> {
        let capture = Capture::start(host, interface, "ip proto 112")?;
        let started = clock::wall();
        Ok(Self { capture, control: Control::start(), vrid, interval, started })
    }

    /// Fails when at any moment since the start the last advertisement was older than interval and tolerance allow.
    pub(crate) fn assert_kept(self) -> Result<()> {
        self.assert_largest_gap().map(drop)
    }

    /// The same; the longest time from one advertisement to the next.
    pub(crate) fn assert_largest_gap(self) -> Result<Duration> {
        let vrid = self.vrid;
        let (late, largest) = self.seen()?;
        assert!(late.is_empty(), "late advertisements of VRID {vrid}:\n{}", late.join("\n"));
        Ok(largest)
    }

    /// Ends the watch; the times for which the last advertisement was too old, and the longest from one to the next.
    fn seen(self) -> Result<(Vec<String>, Duration)> {
        let ended = clock::wall();
        let packets = self.capture.stop()?;
        let stalls = self.control.stop();
        let adverts = pcap::vrrp(&packets).filter(|advert| advert.vrid() == self.vrid && advert.time < ended);
        // Silence at either end counts too.
        let mut times = vec![self.started];
        times.extend(adverts.map(|advert| advert.time));
        times.push(ended);
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let largest = gaps.max().unwrap_or_default();
        Ok((late(&times, self.interval, &stalls), largest))
    }
}

/// The gaps that are longer than `interval` by more than the tolerance. From when an advertisement was due, the time
/// in which the machine ran nobody on the processor that was worst off does not count.
fn late(times: &[Duration], interval: Duration, stalls: &Stalls) -> Vec<String> {
    let gaps = times.windows(2).map(|pair| (pair[0] + interval, pair[1]));
    gaps.filter_map(|(due, came)| {
        let stalled = stalls.within(due, came);
        let late = came.saturating_sub(due);
        (late > TOLERANCE + stalled).then(|| {
            format!("{late:?} late, due at {due:?}; in that time the machine stalled for {stalled:?}")
        })
    })
    .collect()
}

#[test]
fn a_router_that_is_stopped_for_a_moment_is_late() -> Result<()> {
    let _calm = calm();
    let lan = Lan::pair()?;
    let config = "global_defs {\n  vrrp_version 3\n  vrrp_rt_priority 50\n}\n".to_owned()
        + &instance("VI", "va0", 51, 200, "0.1");
    let router = Router::start(&steadfast(), &lan["alpha"], "alpha", &config)?;
    router.wait_entering("VI", State::Master, SOON)?;
    let cadence = Cadence::start(&lan["beta"], "vb0", 51, Duration::from_millis(100))?;
    router.signal_vrrp(Signal::SIGSTOP)?;
    // Longer than a busy machine stalls everybody, which would excuse it.
    wait::throughout("a stop", Duration::from_secs(2), || Ok(()))?;
    router.signal_vrrp(Signal::SIGCONT)?;
    let (late, largest) = cadence.seen()?;
    assert!(!late.is_empty(), "nobody noticed");
    assert!(largest >= Duration::from_secs(2), "{largest:?}");
    Ok(())
}

#[test]
fn a_gap_is_late_unless_the_machine_stalled_when_it_was_due() {
    let ms = Duration::from_millis;
    let interval = ms(100);
    let seen = |stalls: &[(usize, u64, u64)]| {
        let stalls: Vec<_> =
            stalls.iter().map(|&(processor, from, to)| (processor, ms(from), ms(to))).collect();
        Stalls::seen(&stalls)
    };
    assert_eq!(late(&[ms(1000), ms(1119), ms(1200)], interval, &seen(&[])).len(), 0);
    // 50 ms late.
    let times = [ms(1000), ms(1100), ms(1250), ms(1350)];
    assert_eq!(late(&times, interval, &seen(&[])).len(), 1);
    assert_eq!(late(&times, interval, &seen(&[(0, 1210, 1250)])).len(), 0);
    assert_eq!(late(&times, interval, &seen(&[(0, 1200, 1215), (0, 1220, 1240)])).len(), 0);
    // Two processors at once are no longer stall, and what came before it was due delayed nothing.
    assert_eq!(late(&times, interval, &seen(&[(0, 1200, 1220), (1, 1220, 1240)])).len(), 1);
    assert_eq!(late(&times, interval, &seen(&[(0, 1150, 1220)])).len(), 1);
    assert_eq!(late(&times, interval, &seen(&[(0, 1300, 1340)])).len(), 1);
}
