//! What a number of runs says about the next one: bounds with 95 % confidence.
//!
//! The rule for clean runs is exact (Hanley and Lippman-Hand, "If nothing goes wrong, is everything
//! all right?", JAMA 1983, without its approximation by 3/n); the interval is Wilson's (1927).
//! `libm` computes the same on every machine, and everything is rounded to parts per million.

/// How much doubt is left, in parts per million: 5 %.
const DOUBT_PPM: f64 = 50_000.0;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

const MILLION: f64 = 1e6;

/// After `n` runs without a failure: the share of failing runs that is refuted, in parts per
/// million, rounded up. It is the least `p` with `1 - (1 - p)^n >= 95 %`; all, when `n` is 0.
#[must_use]
pub fn clean_bound_ppm(n: u64) -> u32 {
    if n == 0 {
        return 1_000_000;
    }
    let per_run = libm::log(DOUBT_PPM / MILLION) / n as f64;
    let bound = -libm::expm1(per_run);
    assert!(bound > 0.0 && bound < 1.0, "a bound is a share");
    libm::ceil(bound * MILLION) as u32
}

/// Wilson's interval for `hits` of `n`, in parts per million, rounded outwards; everything, when
/// `n` is 0.
#[must_use]
pub fn wilson_ppm(hits: u64, n: u64) -> (u32, u32) {
    assert!(hits <= n, "no more hits than tries");
    if n == 0 {
        return (0, 1_000_000);
    }
    let (hits_f, n_f) = (hits as f64, n as f64);
    let share = hits_f / n_f;
    let centre = share + Z * Z / (2.0 * n_f);
    let spread = Z * libm::sqrt(share * (1.0 - share) / n_f + Z * Z / (4.0 * n_f * n_f));
    let scale = 1.0 + Z * Z / n_f;
    let low = if hits == 0 { 0.0 } else { (centre - spread) / scale };
    let high = if hits == n { 1.0 } else { (centre + spread) / scale };
    (libm::floor(low * MILLION) as u32, libm::ceil(high * MILLION) as u32)
}

/// A share for people, with three digits that count: `0.956 %`, `12.3 %`, `100 %`.
#[must_use]
pub fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    match ppm {
        1_000_000.. => "100 %".to_owned(),
        100_000.. => format!("{whole}.{} %", rest / 1_000),
        10_000.. => format!("{whole}.{:02} %", rest / 100),
        0 => "0 %".to_owned(),
        _ => format!("{whole}.{rest:04} %"),
    }
}

/// As [`percent`], never below the share itself.
#[must_use]
pub fn percent_up(ppm: u32) -> String {
    let step = match ppm {
        1_000_000.. | 0..10_000 => 1,
        100_000.. => 1_000,
        _ => 100,
    };
    percent(ppm.div_ceil(step) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_runs_refute_what_the_exact_rule_says() {
        // 1 - (1 - p)^n >= 0.95, by the definition, at the bound and one millionth below it.
        for n in [1_u64, 2, 10, 59, 299, 312, 5_000] {
            let sure = |ppm: u32| {
                let clean = libm::pow(1.0 - f64::from(ppm) / MILLION, n as f64);
                1.0 - clean >= 0.95
            };
            let bound = clean_bound_ppm(n);
            assert!(sure(bound) && !sure(bound - 1), "{n}: {bound}");
        }
        // The known figures: 299 runs for 1 %, and 3/n for many.
        assert_eq!(clean_bound_ppm(0), 1_000_000);
        assert!(clean_bound_ppm(298) > 10_000 && clean_bound_ppm(299) <= 10_000);
        assert_eq!(clean_bound_ppm(1_000_000), 3);
    }

    #[test]
    fn wilson_holds_its_known_figures() {
        // 10 of 100: 0.0552 to 0.1744 (Newcombe, Statistics in Medicine 1998, method 3).
        let (low, high) = wilson_ppm(10, 100);
        assert!((55_200..55_300).contains(&low) && (174_300..174_400).contains(&high));
        assert_eq!(wilson_ppm(0, 0), (0, 1_000_000));
        assert_eq!(wilson_ppm(0, 20).0, 0);
        assert_eq!(wilson_ppm(20, 20).1, 1_000_000);
    }

    #[test]
    fn shares_are_printed_with_what_counts() {
        let shown = [0, 3, 9_560, 12_345, 123_456, 1_000_000].map(percent);
        assert_eq!(shown, ["0 %", "0.0003 %", "0.9560 %", "1.23 %", "12.3 %", "100 %"]);
        assert_eq!(percent_up(123_401), "12.4 %");
        assert_eq!(percent_up(999_999), "100 %");
    }
}
