//! The first line of a `reload_time_file`: when a reload is due. Pure.

use jiff::{Timestamp, civil, tz::TimeZone};

/// The moment that a line names, as seen from `now`; `None` when it is over. A time without a date is the next one of that
/// time, today or tomorrow; one without `Z` is of this time zone.
///
/// # Errors
/// When the line is none of `HH:MM:SS`, `YY-MM-DD HH:MM:SS` and `YYYY-MM-DD HH:MM:SS`, each also with a `Z` behind it.
pub(super) fn next(line: &str, now: Timestamp, local: &TimeZone) -> Result<Option<Timestamp>, InvalidTime> {
    let (text, zone) = match line.strip_suffix('Z') {
        Some(text) => (text, TimeZone::UTC),
        None => (line, local.clone()),
    };
    let at = |date: civil::Date, time: civil::Time| {
        let moment = zone.to_zoned(date.to_datetime(time)).map_err(|_| InvalidTime)?;
        Ok(moment.timestamp())
    };
    let later = |moment: Timestamp| Some(moment).filter(|moment| *moment > now);
    if let Some((date_text, time_text)) = text.split_once(' ') {
        return Ok(later(at(date(date_text)?, time(time_text)?)?));
    }
    let (today, time) = (now.to_zoned(zone.clone()).date(), time(text)?);
    if let Some(moment) = later(at(today, time)?) {
        return Ok(Some(moment));
    }
    Ok(later(at(today.tomorrow().map_err(|_| InvalidTime)?, time)?))
}

/// It is no time, or not written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has to be [[YY]YY-MM-DD ]HH:MM:SS[Z]")]
pub(super) struct InvalidTime;

fn date(text: &str) -> Result<civil::Date, InvalidTime> {
    let [year, month, day] = numbers(text, '-')?;
    let year = match text.find('-') {
        Some(2) => 2000 + year,
        Some(4) => year,
        _ => return Err(InvalidTime),
    };
    civil::Date::new(year, narrow(month)?, narrow(day)?).map_err(|_| InvalidTime)
}

fn time(text: &str) -> Result<civil::Time, InvalidTime> {
    if text.len() != "HH:MM:SS".len() {
        return Err(InvalidTime);
    }
    let [hour, minute, second] = numbers(text, ':')?;
    civil::Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, 0).map_err(|_| InvalidTime)
}

/// Three numbers of digits alone, the last two of two digits each.
fn numbers(text: &str, between: char) -> Result<[i16; 3], InvalidTime> {
    let parts: Vec<&str> = text.split(between).collect();
    let [first, second, third] = parts[..] else { return Err(InvalidTime) };
    let number = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| digits).ok_or(InvalidTime)
    };
    if second.len() != 2 || third.len() != 2 {
        return Err(InvalidTime);
    }
    Ok([number(first)?, number(second)?, number(third)?])
}

fn narrow(number: i16) -> Result<i8, InvalidTime> {
    i8::try_from(number).map_err(|_| InvalidTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T03:00:00Z";

    fn seen(line: &str, hours: i8) -> Result<Option<String>, InvalidTime> {
        let local = TimeZone::fixed(jiff::tz::offset(hours));
        let moment = next(line, NOW.parse().unwrap(), &local)?;
        Ok(moment.map(|moment| moment.to_string()))
    }

    #[test]
    fn a_time_without_a_date_is_today_or_tomorrow() {
        let at = |line| seen(line, 0).unwrap().unwrap();
        assert_eq!(at("03:00:01"), "2026-11-22T03:00:01Z");
        assert_eq!(at("03:00:00"), "2026-11-23T03:00:00Z");
        assert_eq!(at("02:59:59Z"), "2026-11-23T02:59:59Z");
    }

    #[test]
    fn a_time_without_a_z_is_local() {
        assert_eq!(seen("06:00:00", 2).unwrap().unwrap(), "2026-11-22T04:00:00Z");
        assert_eq!(seen("06:00:00Z", 2).unwrap().unwrap(), "2026-11-22T06:00:00Z");
        // There it is still the day before.
        assert_eq!(seen("20:00:00", -8).unwrap().unwrap(), "2026-11-22T04:00:00Z");
    }

    #[test]
    fn a_date_is_once_and_may_be_over() {
        assert_eq!(seen("26-12-01 00:00:00", 0).unwrap().unwrap(), "2026-12-01T00:00:00Z");
        assert_eq!(seen("2027-01-02 03:04:05Z", 5).unwrap().unwrap(), "2027-01-02T03:04:05Z");
        assert_eq!(seen("2026-11-22 03:00:00", 0), Ok(None));
    }

    #[test]
    fn only_the_formats_of_the_manual_are_times() {
        let bad = [
            "",
            "3:00:00",
            " 03:00:01",
            "03:00:01 ",
            "03:00",
            "24:00:00",
            "03:00:01z",
            "+3:00:01",
            "226-12-01 00:00:00",
            "2026-13-01 00:00:00",
            "2026-02-30 00:00:00",
            "2026-12-01  00:00:00",
            "2026-12-01T00:00:00",
            "-1-12-01 00:00:00",
        ];
        for line in bad {
            assert_eq!(seen(line, 0), Err(InvalidTime), "{line}");
        }
    }
}
