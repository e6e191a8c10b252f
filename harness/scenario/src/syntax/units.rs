//! Quantities with units: `"150ms"`, `"64KiB"`, `"5%"`, `"5_000/s"`, `"1Gbit"`.
//!
//! Start with [`Measure::parse`]. Everything is exact: a number is read as an integer and a power
//! of ten, and a quantity that is not a whole number of the smallest unit is refused rather than
//! rounded, because a plan must say exactly what its scenario said.

use contract::{Duration, Ratio};
use std::fmt;

/// What a quantity measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A pure count, written without a unit and without quotes.
    Count,
    /// A length of time, in nanoseconds.
    Duration,
    /// A size, in bytes.
    Bytes,
    /// A share, in parts per million.
    Ratio,
    /// Events per second.
    Rate,
    /// Bytes per second.
    Bandwidth,
}

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitError {
    /// It does not begin with a number.
    NoNumber,
    /// It is a number alone.
    NoUnit,
    /// What follows the number is no unit of the measure.
    UnknownUnit(String),
    /// It does not fit into the number of bits that it is kept in.
    TooLarge,
    /// It is not a whole number of the smallest unit.
    NotWhole(&'static str),
    /// It is below zero where that means nothing.
    Negative,
    /// A share of more than everything.
    AboveAll,
}

/// A unit and its size in the smallest unit of its measure.
type Unit = (&'static str, u128);

const DURATIONS: &[Unit] = &[
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const SIZES: &[Unit] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];
/// In parts per million.
const SHARES: &[Unit] = &[("%", 10_000), ("ppm", 1)];
/// In bits per second.
const BANDWIDTHS: &[Unit] = &[
    ("Gbit", 1_000_000_000),
    ("Mbit", 1_000_000),
    ("Kbit", 1_000),
    ("bit", 1),
    ("GiB/s", 8 << 30),
    ("MiB/s", 8 << 20),
    ("KiB/s", 8 << 10),
    ("GB/s", 8_000_000_000),
    ("MB/s", 8_000_000),
    ("KB/s", 8_000),
    ("B/s", 8),
];

impl Measure {
    /// The value of `text` in the smallest unit of this measure.
    ///
    /// # Errors
    /// When it is not a quantity of this measure, or not exact.
    pub fn parse(self, text: &str) -> Result<u64, UnitError> {
        match self {
            Self::Count => count(text),
            Self::Duration => scaled(text, DURATIONS, "nanoseconds"),
            Self::Bytes => scaled(text, SIZES, "bytes"),
            Self::Ratio => {
                let ppm = scaled(text, SHARES, "parts per million")?;
                if ppm > 1_000_000 {
                    return Err(UnitError::AboveAll);
                }
                Ok(ppm)
            }
            Self::Rate => {
                let (count, per) = rate(text)?;
                let scaled = u128::from(count) * 1_000_000_000;
                whole(scaled, u128::from(per.0), "events per second")
            }
            Self::Bandwidth => {
                let bits = scaled(text, BANDWIDTHS, "bits per second")?;
                whole(u128::from(bits), 8, "bytes per second")
            }
        }
    }

    /// `value` as [`Measure::parse`] reads it, in the largest unit that is exact.
    #[must_use]
    pub fn show(self, value: u64) -> String {
        let value = u128::from(value);
        let in_units = |units: &[Unit]| {
            let exact = units.iter().find(|(_, size)| value.is_multiple_of(*size));
            let (unit, size) = exact.expect("every integer is a multiple of the smallest unit");
            format!("{}{unit}", value / size)
        };
        match self {
            Self::Count => value.to_string(),
            Self::Duration if value == 0 => "0s".to_owned(),
            Self::Duration => in_units(DURATIONS),
            Self::Bytes if value == 0 => "0B".to_owned(),
            Self::Bytes => in_units(&[SIZES[0], SIZES[1], SIZES[2], SIZES[3], ("B", 1)]),
            Self::Ratio => in_units(SHARES),
            Self::Rate => format!("{value}/s"),
            Self::Bandwidth if value == 0 => "0B/s".to_owned(),
            Self::Bandwidth => in_units(&[("MB/s", 1_000_000), ("KB/s", 1_000), ("B/s", 1)]),
        }
    }

    /// The words of an error message: `a duration`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Count => "a count",
            Self::Duration => "a duration",
            Self::Bytes => "a size",
            Self::Ratio => "a ratio",
            Self::Rate => "a rate",
            Self::Bandwidth => "a bandwidth",
        }
    }

    /// The unit that somebody who left it out most likely meant.
    #[must_use]
    pub const fn likely_unit(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Duration => "ms",
            Self::Bytes => "B",
            Self::Ratio => "%",
            Self::Rate => "/s",
            Self::Bandwidth => "Mbit",
        }
    }

    /// The units of this measure, for an error message.
    #[must_use]
    pub fn units(self) -> Vec<&'static str> {
        let names = |units: &[Unit]| units.iter().map(|unit| unit.0).collect();
        match self {
            Self::Count => Vec::new(),
            Self::Duration => names(DURATIONS),
            Self::Bytes => names(SIZES),
            Self::Ratio => names(SHARES),
            Self::Rate => vec!["/h", "/min", "/s", "/ms", "/us", "/ns"],
            Self::Bandwidth => names(BANDWIDTHS),
        }
    }

    /// What `text` measures, and its value: for places that take any quantity.
    #[must_use]
    pub fn guess(text: &str) -> Option<(Self, u64)> {
        let measures = [Self::Duration, Self::Bytes, Self::Ratio, Self::Rate, Self::Bandwidth];
        let fits = |measure: Self| Some((measure, measure.parse(text).ok()?));
        measures.into_iter().find_map(fits)
    }
}

/// What people write for a unit that is called otherwise here.
#[must_use]
pub fn alias(unit: &str) -> Option<&'static str> {
    const ALIASES: &[(&str, &str)] = &[
        ("m", "min"),
        ("minutes", "min"),
        ("sec", "s"),
        ("secs", "s"),
        ("second", "s"),
        ("seconds", "s"),
        ("msec", "ms"),
        ("msecs", "ms"),
        ("millis", "ms"),
        ("usec", "us"),
        ("micros", "us"),
        ("\u{b5}s", "us"),
        ("nanos", "ns"),
        ("percent", "%"),
        ("bytes", "B"),
        ("k", "KiB"),
        ("per second", "/s"),
        ("bps", "bit"),
    ];
    let found = ALIASES.iter().find(|(other, _)| *other == unit);
    found.map(|(_, unit)| *unit)
}

/// A length of time that may be negative: `"-5ms"`.
///
/// # Errors
/// When it is not a length of time, or does not fit.
pub fn signed_duration(text: &str) -> Result<i64, UnitError> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let nanos = i64::try_from(Measure::Duration.parse(rest)?).map_err(|_| UnitError::TooLarge)?;
    Ok(if negative { -nanos } else { nanos })
}

/// An exact share, in lowest terms: `"5%"` is 1/20.
///
/// # Errors
/// When it is not a share from nothing to everything.
pub fn ratio(text: &str) -> Result<Ratio, UnitError> {
    Measure::Ratio.parse(text).map(ratio_of_ppm)
}

/// The share of so many parts per million, in lowest terms.
#[must_use]
pub fn ratio_of_ppm(ppm: u64) -> Ratio {
    assert!(ppm <= 1_000_000, "a share is at most everything");
    let shared = gcd(ppm, 1_000_000);
    let (numerator, denominator) = (ppm / shared, 1_000_000 / shared);
    Ratio::new(numerator as u32, denominator as u32)
}

/// A rate as a count and the time that it takes, in lowest terms: `"0.5/s"` is 1 per 2 s.
///
/// # Errors
/// When it is not a rate, or does not fit.
pub fn rate(text: &str) -> Result<(u64, Duration), UnitError> {
    let (number, unit) = Decimal::split(text)?;
    let Some(per) = unit.strip_prefix('/') else {
        return Err(match unit {
            "" => UnitError::NoUnit,
            other => UnitError::UnknownUnit(other.to_owned()),
        });
    };
    let known = DURATIONS.iter().find(|(name, _)| *name == per);
    let Some((_, nanos)) = known else {
        return Err(UnitError::UnknownUnit(unit.to_owned()));
    };
    let scale = 10_u128.pow(number.digits_after_point);
    let count = u64::try_from(number.digits).map_err(|_| UnitError::TooLarge)?;
    let scaled = nanos.checked_mul(scale).ok_or(UnitError::TooLarge)?;
    let per_nanos = u64::try_from(scaled).map_err(|_| UnitError::TooLarge)?;
    // Not reduced below one second, so that `300/s` stays what was written.
    let shared = gcd(count, u64::try_from(scale).map_err(|_| UnitError::TooLarge)?).max(1);
    Ok((count / shared, Duration(per_nanos / shared)))
}

/// A pure factor with at most six decimals, in millionths: `1.1` is 1 100 000.
///
/// # Errors
/// When it is not such a number.
pub fn factor_ppm(text: &str) -> Result<u32, UnitError> {
    let (number, rest) = Decimal::split(text)?;
    if !rest.is_empty() {
        return Err(UnitError::UnknownUnit(rest.to_owned()));
    }
    let ppm = number.times(1_000_000, "millionths")?;
    u32::try_from(ppm).map_err(|_| UnitError::TooLarge)
}

/// A count in a text: `"60_000"`.
fn count(text: &str) -> Result<u64, UnitError> {
    let (number, rest) = Decimal::split(text)?;
    if !rest.is_empty() {
        return Err(UnitError::UnknownUnit(rest.to_owned()));
    }
    number.times(1, "units")
}

fn scaled(text: &str, units: &[Unit], smallest: &'static str) -> Result<u64, UnitError> {
    let (number, unit) = Decimal::split(text)?;
    if unit.is_empty() {
        return Err(UnitError::NoUnit);
    }
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, size)) => number.times(*size, smallest),
        None => Err(UnitError::UnknownUnit(unit.to_owned())),
    }
}

/// `value / by`, when that is a whole number.
fn whole(value: u128, by: u128, smallest: &'static str) -> Result<u64, UnitError> {
    assert!(by > 0, "nothing is divided by zero");
    if !value.is_multiple_of(by) {
        return Err(UnitError::NotWhole(smallest));
    }
    u64::try_from(value / by).map_err(|_| UnitError::TooLarge)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A decimal number as it stands in a text: `1.5` is 15 with one digit after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: u128,
    digits_after_point: u32,
}

impl Decimal {
    /// More digits than any quantity needs: 2^64 nanoseconds have twenty.
    const DIGITS_MAX: u32 = 24;

    /// The number that `text` begins with, and the unit that follows it, perhaps after one space.
    fn split(text: &str) -> Result<(Self, &str), UnitError> {
        if let Some(rest) = text.strip_prefix('-') {
            let negative = rest.starts_with(|c: char| c.is_ascii_digit());
            return Err(if negative { UnitError::Negative } else { UnitError::NoNumber });
        }
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'))
            .unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let unit = rest.strip_prefix(' ').unwrap_or(rest);
        Ok((Self::parse(number)?, unit))
    }

    /// Digits, with `_` between two digits, and perhaps a point between two digits.
    fn parse(number: &str) -> Result<Self, UnitError> {
        let (before, after) = number.split_once('.').unwrap_or((number, "0"));
        let well_formed = |part: &str| {
            !part.is_empty()
                && !part.starts_with('_')
                && !part.ends_with('_')
                && !part.contains("__")
                && !part.contains('.')
        };
        if !well_formed(before) || !well_formed(after) {
            return Err(UnitError::NoNumber);
        }
        let after = after.trim_end_matches(['0', '_']);
        let mut decimal = Self { digits: 0, digits_after_point: 0 };
        for digit in before.bytes().filter(u8::is_ascii_digit) {
            decimal.push(digit)?;
        }
        for digit in after.bytes().filter(u8::is_ascii_digit) {
            decimal.push(digit)?;
            decimal.digits_after_point += 1;
        }
        assert!(decimal.digits_after_point <= Self::DIGITS_MAX);
        Ok(decimal)
    }

    fn push(&mut self, digit: u8) -> Result<(), UnitError> {
        if self.digits >= 10_u128.pow(Self::DIGITS_MAX - 1)
            || self.digits_after_point >= Self::DIGITS_MAX
        {
            return Err(UnitError::TooLarge);
        }
        self.digits = self.digits * 10 + u128::from(digit - b'0');
        Ok(())
    }

    /// This many units of `size`, in the smallest unit.
    fn times(self, size: u128, smallest: &'static str) -> Result<u64, UnitError> {
        let scaled = self.digits.checked_mul(size).ok_or(UnitError::TooLarge)?;
        whole(scaled, 10_u128.pow(self.digits_after_point), smallest)
    }
}

impl fmt::Display for UnitError {
    /// A fragment that completes "`150 msec` is not a duration: …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("it does not begin with a number"),
            Self::NoUnit => f.write_str("it has no unit"),
            Self::UnknownUnit(unit) => write!(f, "`{unit}` is not one of its units"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::NotWhole(unit) => write!(f, "it is not a whole number of {unit}"),
            Self::Negative => f.write_str("it is negative"),
            Self::AboveAll => f.write_str("it is more than 100%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        let check = |text: &str, expect: Result<u64, UnitError>| {
            assert_eq!(Measure::Duration.parse(text), expect, "{text}");
        };
        check("150ms", Ok(150_000_000));
        check("1.5s", Ok(1_500_000_000));
        check("1_000ms", Ok(1_000_000_000));
        check("0.5ns", Err(UnitError::NotWhole("nanoseconds")));
        check("1.000s", Ok(1_000_000_000));
        check("2 min", Ok(120_000_000_000));
        check("6h", Ok(21_600_000_000_000));
        check("0s", Ok(0));
        check("150", Err(UnitError::NoUnit));
        check("", Err(UnitError::NoNumber));
        check("ms", Err(UnitError::NoNumber));
        check("1__0ms", Err(UnitError::NoNumber));
        check("_1ms", Err(UnitError::NoNumber));
        check("1.ms", Err(UnitError::NoNumber));
        check("1.2.3s", Err(UnitError::NoNumber));
        check("-5ms", Err(UnitError::Negative));
        check("5 msec", Err(UnitError::UnknownUnit("msec".to_owned())));
        check("600_000h", Ok(2_160_000_000_000_000_000));
        check("6_000_000h", Err(UnitError::TooLarge));
        check("99999999999999999999999999s", Err(UnitError::TooLarge));
    }

    #[test]
    fn sizes_shares_rates_and_bandwidths() {
        assert_eq!(Measure::Bytes.parse("64KiB"), Ok(65_536));
        assert_eq!(Measure::Bytes.parse("1.5KiB"), Ok(1_536));
        assert_eq!(Measure::Bytes.parse("3MB"), Ok(3_000_000));
        assert_eq!(Measure::Ratio.parse("0.1%"), Ok(1_000));
        assert_eq!(Measure::Ratio.parse("101%"), Err(UnitError::AboveAll));
        assert_eq!(ratio("5%"), Ok(Ratio::new(1, 20)));
        assert_eq!(ratio("0%"), Ok(Ratio::ZERO));
        assert_eq!(ratio("100%"), Ok(Ratio::ONE));
        assert_eq!(rate("5_000/s"), Ok((5_000, Duration::from_secs(1))));
        assert_eq!(rate("0.5/s"), Ok((1, Duration::from_secs(2))));
        assert_eq!(rate("10/min"), Ok((10, Duration::from_secs(60))));
        assert_eq!(rate("10/day"), Err(UnitError::UnknownUnit("/day".into())));
        assert_eq!(rate("10"), Err(UnitError::NoUnit));
        assert_eq!(Measure::Rate.parse("2_000/s"), Ok(2_000));
        assert_eq!(Measure::Rate.parse("1/min"), Err(UnitError::NotWhole("events per second")));
        assert_eq!(Measure::Bandwidth.parse("1Gbit"), Ok(125_000_000));
        assert_eq!(Measure::Bandwidth.parse("10MB/s"), Ok(10_000_000));
        assert_eq!(signed_duration("-5ms"), Ok(-5_000_000));
        assert_eq!(signed_duration("--5ms"), Err(UnitError::Negative));
        assert_eq!(factor_ppm("1.1"), Ok(1_100_000));
        assert_eq!(factor_ppm("2"), Ok(2_000_000));
        assert_eq!(factor_ppm("1e3"), Err(UnitError::UnknownUnit("e3".into())));
    }

    #[test]
    fn guesses_the_measure() {
        assert_eq!(Measure::guess("98%"), Some((Measure::Ratio, 980_000)));
        assert_eq!(Measure::guess("4KiB"), Some((Measure::Bytes, 4_096)));
        assert_eq!(Measure::guess("12"), None);
    }

    const MEASURES: [Measure; 5] =
        [Measure::Count, Measure::Duration, Measure::Bytes, Measure::Ratio, Measure::Rate];

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(value: u64, pick in 0_usize..5) {
            let measure = MEASURES[pick];
            let value = if measure == Measure::Ratio { value % 1_000_001 } else { value };
            prop_assert_eq!(measure.parse(&measure.show(value)), Ok(value));
        }

        #[test]
        fn bandwidth_is_read_back(value in 0_u64..u64::MAX / 8) {
            let shown = Measure::Bandwidth.show(value);
            prop_assert_eq!(Measure::Bandwidth.parse(&shown), Ok(value));
        }

        #[test]
        fn random_text_never_panics(text in "\\PC{0,24}|[-0-9_./a-zA-Z% ]{0,40}") {
            for measure in MEASURES {
                let _ = measure.parse(&text);
            }
            let _ = (rate(&text), ratio(&text), signed_duration(&text), factor_ppm(&text));
        }

        #[test]
        fn fractions_are_exact(whole in 0_u64..1_000_000, millis in 0_u64..1_000) {
            let text = format!("{whole}.{millis:03}s");
            let nanos = (whole * 1_000 + millis) * 1_000_000;
            prop_assert_eq!(Measure::Duration.parse(&text), Ok(nanos));
        }
    }
}
