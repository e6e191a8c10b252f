//! The figures of memberlist's own tests, against the formulas here.
//!
//! The file holds numbers alone: suspicion timeouts, retransmit limits, the pace of push/pull, what is
//! left of a suspicion, the timer with its confirmations, and the score of local health.

use super::awareness::Awareness;
use super::member::Name;
use super::suspicion::Suspicion;
use super::timeouts::{push_pull_scale, retransmit_limit, suspicion_after, suspicion_min};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Malformed, Suite};
use contract::{Duration, Instant};
use serde::Deserialize;

/// The suite `memberlist`.
#[derive(Clone, Copy, Debug)]
pub struct Memberlist;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    source: String,
    #[serde(rename = "suspicion_timeout_div3_ms_mult3_interval1s")]
    suspicion_timeout: BTreeMap<String, i64>,
    #[serde(rename = "retransmit_limit_mult_n_expected")]
    retransmit_limit: Vec<[u32; 3]>,
    #[serde(rename = "push_pull_scale_n_multiplier")]
    push_pull_scale: Vec<[u64; 2]>,
    #[serde(rename = "remaining_suspicion_n_k_elapsed_s_min_s_max_s_expected_ms")]
    remaining: Vec<[i64; 6]>,
    suspicion_timer: Timer,
    #[serde(rename = "awareness_max8_delta_score_multiplier")]
    awareness: Vec<[i64; 3]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timer {
    k: u32,
    min_ms: u64,
    max_ms: u64,
    from: String,
    #[serde(rename = "note")]
    _note: String,
    cases: Vec<TimerCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimerCase {
    confirm: Vec<(String, bool)>,
    fires_at_ms: u64,
    n: u32,
}

impl Suite for Memberlist {
    fn name(&self) -> &'static str {
        "memberlist"
    }

    fn about(&self) -> &'static str {
        "memberlist: suspicion, retransmits, push/pull pace and local health, in figures"
    }

    fn judge(&self, text: &str) -> Result<Vec<Judged>, Malformed> {
        let vectors: Vectors = serde_json::from_str(text).map_err(|error| Malformed {
            line: error.line() as u64,
            expected: format!("figures of memberlist's tests were expected: {error}"),
        })?;
        if !vectors.source.contains("memberlist") {
            let expected = format!("memberlist as the source was expected: {}", vectors.source);
            return Err(Malformed { line: 1, expected });
        }
        let mut judged = formulas(&vectors);
        judged.extend(vectors.suspicion_timer.cases.iter().enumerate().map(|(number, case)| {
            let (expected, found) = timer(&vectors.suspicion_timer, case);
            let what = format!("suspicion timer with confirmations {:?}", case.confirm);
            compare(format!("suspicion_timer:{number}"), what, expected, found)
        }));
        judged.extend(awareness(&vectors.awareness));
        Ok(judged)
    }
}

fn compare(place: String, what: String, expected: String, found: String) -> Judged {
    let agreement = match expected == found {
        true => Agreement::Agrees,
        false => Agreement::Disagrees { expected, found },
    };
    Judged { place, what, agreement }
}

fn formulas(vectors: &Vectors) -> Vec<Judged> {
    let mut judged = Vec::new();
    for (members, expected) in &vectors.suspicion_timeout {
        let found = members.parse().map_or_else(
            |_| format!("no number of members: {members}"),
            |n| (suspicion_min(3, n, Duration::from_secs(1)).as_millis() / 3).to_string(),
        );
        let what = format!("a third of the suspicion timeout of {members} members, in ms");
        judged.push(compare(format!("suspicion:{members}"), what, expected.to_string(), found));
    }
    for [mult, members, expected] in &vectors.retransmit_limit {
        let found = retransmit_limit(*mult, u64::from(*members)).to_string();
        let what = format!("the retransmit limit of {members} members, times {mult}");
        judged.push(compare(format!("retransmit:{members}"), what, expected.to_string(), found));
    }
    for [members, expected] in &vectors.push_pull_scale {
        let found = push_pull_scale(*members).to_string();
        let what = format!("the pace of push/pull with {members} members");
        judged.push(compare(format!("push_pull:{members}"), what, expected.to_string(), found));
    }
    for [n, k, elapsed, min, max, expected] in &vectors.remaining {
        let found = remaining_ms([*n, *k, *elapsed, *min, *max]);
        let found = found.map_or_else(|| "figures out of range".to_string(), |ms| ms.to_string());
        let what = format!("what is left after {elapsed} s with {n} of {k} confirmations, in ms");
        judged.push(compare(format!("remaining:{n}"), what, expected.to_string(), found));
    }
    judged
}

fn remaining_ms([n, k, elapsed, min, max]: [i64; 5]) -> Option<i64> {
    let seconds =
        |s: i64| Some(Duration::from_secs(u64::try_from(s).ok().filter(|s| *s < 1 << 30)?));
    let (n, k) = (u32::try_from(n).ok()?, u32::try_from(k).ok()?);
    let after = suspicion_after(n, k, seconds(min)?, seconds(max)?);
    Some(i64::try_from(after.as_millis()).ok()? - 1_000 * elapsed)
}

/// When a timer fires, and which confirmations it took for news: what is expected, what is found.
fn timer(timer: &Timer, case: &TimerCase) -> (String, String) {
    let (min, max) = (Duration::from_millis(timer.min_ms), Duration::from_millis(timer.max_ms));
    // Names become numbers in the order in which they are said.
    let mut names: Vec<&str> = Vec::from([timer.from.as_str()]);
    let mut suspicion = Suspicion::new(Name(0), timer.k, min, max, Instant::ZERO);
    let (mut expected, mut found, mut news) = (String::new(), String::new(), 0);
    for (name, is_news) in &case.confirm {
        let known = names.iter().position(|said| said == name);
        let number = known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        let taken = suspicion.confirm(Name(number as u32));
        news += u32::from(taken);
        expected.push_str(if *is_news { "+" } else { "-" });
        found.push_str(if taken { "+" } else { "-" });
    }
    expected.push_str(&format!(" {} at {} ms", case.n, case.fires_at_ms));
    found.push_str(&format!(" {news} at {} ms", suspicion.timeout().as_millis()));
    (expected, found)
}

fn awareness(steps: &[[i64; 3]]) -> Vec<Judged> {
    let mut awareness = Awareness::new(8);
    let second = Duration::from_secs(1);
    let judge = |(number, [delta, score, multiplier]): (usize, &[i64; 3])| {
        awareness.apply(*delta);
        let scaled = awareness.scale(second).as_millis() / 1_000;
        let found = format!("score {}, times {scaled}", awareness.score());
        let what = format!("local health after a change of {delta}");
        let expected = format!("score {score}, times {multiplier}");
        compare(format!("awareness:{number}"), what, expected, found)
    };
    steps.iter().enumerate().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    /// Figures of our own, by the formulas of the documentation.
    const OWN: &str = r#"{
        "source": "memberlist's formulas, by hand",
        "suspicion_timeout_div3_ms_mult3_interval1s": {"1": 1000, "32": 1505},
        "retransmit_limit_mult_n_expected": [[4, 9, 4], [4, 10, 8]],
        "push_pull_scale_n_multiplier": [[32, 1], [1000, 6]],
        "remaining_suspicion_n_k_elapsed_s_min_s_max_s_expected_ms": [[0, 0, 1, 2, 9, 1000]],
        "suspicion_timer": {"k": 1, "min_ms": 100, "max_ms": 900, "from": "a", "note": "",
            "cases": [{"confirm": [["a", false], ["b", true]], "fires_at_ms": 100, "n": 1}]},
        "awareness_max8_delta_score_multiplier": [[3, 3, 4]]
    }"#;

    fn disagreeing(text: &str) -> Vec<Judged> {
        let judged = Memberlist.judge(text).expect("the figures are read");
        let wrong = |case: &Judged| case.agreement != Agreement::Agrees;
        judged.into_iter().filter(wrong).collect()
    }

    #[test]
    fn our_own_figures_agree_and_wrong_ones_do_not() {
        assert_eq!(disagreeing(OWN), []);
        for (right, wrong) in [
            ("1505", "1506"),
            ("[4, 10, 8]", "[4, 10, 4]"),
            ("[1000, 6]", "[1000, 5]"),
            ("9, 1000]", "9, 999]"),
            ("[\"b\", true]", "[\"b\", false]"),
            ("\"fires_at_ms\": 100", "\"fires_at_ms\": 101"),
            ("[3, 3, 4]", "[3, 3, 5]"),
        ] {
            assert!(OWN.contains(right), "{right} stands in the figures");
            assert_eq!(disagreeing(&OWN.replace(right, wrong)).len(), 1, "{right} as {wrong}");
        }
        assert_eq!(Memberlist.judge("{}").expect_err("keys are missing").line, 1);
        let other = OWN.replace("memberlist's", "somebody's");
        assert!(Memberlist.judge(&other).is_err());
    }

    #[test]
    fn the_peers_figures_agree() {
        let Some(folder) = std::env::var_os("CHAOSLAB_PEER_DATA") else {
            std::eprintln!("CHAOSLAB_PEER_DATA is not set: only figures of our own were judged");
            return;
        };
        let path = std::path::PathBuf::from(folder).join("memberlist-vectors/vectors.json");
        let text = std::fs::read_to_string(path).expect("the folder holds the suite");
        assert_eq!(disagreeing(&text), []);
        assert!(Memberlist.judge(&text).expect("it was read").len() > 30);
    }
}
