//! Figures as people read them. Integers in, text out; no floating point.

/// An instant as seconds: `14.512 s`, `14.512345 s`; cut, not rounded, to microseconds, so that a
/// walk through the run that stops there has not passed the event.
#[must_use]
pub fn instant(ns: u64) -> String {
    let (seconds, micros) = (ns / 1_000_000_000, ns % 1_000_000_000 / 1_000);
    if micros.is_multiple_of(1_000) {
        format!("{seconds}.{:03} s", micros / 1_000)
    } else {
        format!("{seconds}.{micros:06} s")
    }
}

/// A length of time to three figures: `850 ns`, `12.3 µs`, `1.50 s`, `6 h 0 min`.
#[must_use]
pub fn duration(ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    match ns {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => three_figures(ns, 1_000, "µs"),
        1_000_000..SECOND => three_figures(ns, 1_000_000, "ms"),
        _ if ns < 120 * SECOND => three_figures(ns, SECOND, "s"),
        _ if ns < 7_200 * SECOND => format!("{} min {} s", ns / SECOND / 60, ns / SECOND % 60),
        _ => format!("{} h {} min", ns / SECOND / 3_600, ns / SECOND / 60 % 60),
    }
}

/// A number with its thousands apart: `12,345`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 event`, `2 events`, `12,345 events`.
#[must_use]
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A value of a gauge in its unit.
#[must_use]
pub fn gauge(value: i64, unit: &str) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    match unit {
        "ns" => format!("{sign}{}", duration(size)),
        "bytes" => format!("{sign}{}", bytes(size)),
        "" | "1" => format!("{sign}{}", count(size)),
        _ => format!("{sign}{} {unit}", count(size)),
    }
}

/// A size to three figures: `512 B`, `1.50 KiB`.
#[must_use]
pub fn bytes(size: u64) -> String {
    match size {
        0..0x400 => format!("{size} B"),
        0x400..0x10_0000 => three_figures(size, 0x400, "KiB"),
        0x10_0000..0x4000_0000 => three_figures(size, 0x10_0000, "MiB"),
        _ => three_figures(size, 0x4000_0000, "GiB"),
    }
}

/// `value / unit` to three figures, rounded half up; whole numbers stay whole.
fn three_figures(value: u64, unit: u64, name: &str) -> String {
    assert!(unit > 0, "a unit is a positive number");
    let decimals = match value / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let scale = 10u64.pow(decimals);
    let scaled = u128::from(value) * u128::from(scale) + u128::from(unit / 2);
    let scaled = scaled / u128::from(unit);
    let (whole, rest) = (scaled / u128::from(scale), scaled % u128::from(scale));
    if rest == 0 && value.is_multiple_of(unit) || decimals == 0 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{rest:0width$} {name}", width = decimals as usize)
    }
}

/// A round step so that `range` holds at most `ticks_max` of it: 1, 2 or 5 times a power of ten.
#[must_use]
pub fn tick_step(range: u64, ticks_max: u64) -> u64 {
    assert!(ticks_max > 0, "an axis has at least one tick");
    let least = range.div_ceil(ticks_max).max(1);
    let mut power = 1u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= least {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// As [`tick_step`], but a power of two, for sizes in bytes.
#[must_use]
pub fn tick_step_bytes(range: u64, ticks_max: u64) -> u64 {
    assert!(ticks_max > 0, "an axis has at least one tick");
    let least = range.div_ceil(ticks_max).max(1);
    least.checked_next_power_of_two().unwrap_or(1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_cut_to_microseconds() {
        assert_eq!(instant(0), "0.000 s");
        assert_eq!(instant(14_512_000_000), "14.512 s");
        assert_eq!(instant(14_512_345_999), "14.512345 s");
        assert_eq!(instant(1_000_999), "0.001 s");
    }

    #[test]
    fn durations_have_three_figures() {
        let expect = [
            (0, "0 s"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (12_345, "12.3 µs"),
            (1_500_000, "1.50 ms"),
            (999_600_000, "1000 ms"),
            (1_500_000_000, "1.50 s"),
            (60_000_000_000, "60 s"),
            (121_000_000_000, "2 min 1 s"),
            (21_600_000_000_000, "6 h 0 min"),
        ];
        for (ns, text) in expect {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn counts_and_gauges() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "event", "events"), "1 event");
        assert_eq!(gauge(-1_500, ""), "-1,500");
        assert_eq!(gauge(1_536, "bytes"), "1.50 KiB");
        assert_eq!(gauge(i64::MIN, "ops/s"), "-9,223,372,036,854,775,808 ops/s");
        assert_eq!(bytes(u64::MAX), "17179869184 GiB");
    }

    #[test]
    fn ticks_are_round_and_few() {
        for range in [0, 1, 7, 99, 1_000, 123_456, 60_000_000_000, u64::MAX] {
            let step = tick_step(range, 8);
            assert!(step >= 1);
            assert!(range / step <= 8, "{range} / {step}");
            assert!(range / tick_step_bytes(range, 8) <= 8);
        }
        assert_eq!(tick_step(60_000_000_000, 8), 10_000_000_000);
    }
}
