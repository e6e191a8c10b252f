//! The explanation in words.

use super::whatif::Factor;
use super::{Explained, Mattered};
use crate::stats::percent;
use reports::units::instant;
use std::collections::BTreeSet;

/// What was found, in one or two sentences.
#[must_use]
pub fn sentence(found: &Explained) -> String {
    let mut text = why(found);
    if let Some(flaws) = flaws(found) {
        text.push(' ');
        text.push_str(&flaws);
    }
    if let Some(messages) = messages(found) {
        text.push(' ');
        text.push_str(&messages);
    }
    if let Some(when) = when(found) {
        text.push(' ');
        text.push_str(&when);
    }
    text
}

fn faults(found: &Explained) -> impl Iterator<Item = &Factor> {
    found.factors.iter().filter(|factor| factor.kind != "defect")
}

fn why(found: &Explained) -> String {
    let check = &found.cause.check;
    let necessary: Vec<String> = faults(found)
        .filter(|factor| factor.necessary)
        .map(|factor| named(found, &factor.id))
        .collect();
    let Some(first) = found.sufficient.first() else {
        return format!("{check} fired; its faults could not be told apart.");
    };
    if first.is_empty() {
        return format!("{check} fires without any fault.");
    }
    let all_needed = first.len() == necessary.len() && found.sufficient.len() == 1;
    let others = faults(found).count() > first.len();
    match (all_needed, necessary.as_slice()) {
        (true, [one]) if others => {
            format!(
                "{check} fires because of {one}: without it nothing of the kind happens, and no other fault is needed."
            )
        }
        (true, [one]) => {
            format!("{check} fires because of {one}: without it nothing of the kind happens.")
        }
        (true, several) => {
            format!(
                "{check} fires because of {}: all of them are needed, and they are enough.",
                and(several)
            )
        }
        (false, []) => {
            let sets: Vec<String> =
                found.sufficient.iter().map(|set| self::set(found, set)).collect();
            format!("{check} fires with {} alone; no single fault is necessary.", or(&sets))
        }
        (false, some) => {
            let needed: BTreeSet<&str> = faults(found)
                .filter(|factor| factor.necessary)
                .map(|factor| factor.id.as_str())
                .collect();
            let rest = |set: &Vec<String>| {
                let rest: Vec<String> = set
                    .iter()
                    .filter(|id| !needed.contains(id.as_str()))
                    .map(|id| named(found, id))
                    .collect();
                and(&rest)
            };
            let rests: Vec<String> = found.sufficient.iter().map(rest).collect();
            format!("{check} needs {}, which is enough together with {}.", and(some), or(&rests))
        }
    }
}

fn flaws(found: &Explained) -> Option<String> {
    let planted: Vec<&Factor> = found.factors.iter().filter(|f| f.kind == "defect").collect();
    let needed: Vec<String> =
        planted.iter().filter(|factor| factor.necessary).map(|factor| factor.id.clone()).collect();
    if planted.is_empty() {
        return None;
    }
    Some(match needed.as_slice() {
        [] => "None of the planted flaws is needed.".to_owned(),
        [one] => format!("It needs the flaw {one}."),
        several => format!("It needs the flaws {}.", and(several)),
    })
}

fn messages(found: &Explained) -> Option<String> {
    let told = |one: &Mattered| {
        format!("the one from {} to {} at {} ({})", one.from, one.to, instant(one.at_ns), one.what)
    };
    match found.messages.mattered.as_slice() {
        [] => None,
        [one] => Some(format!("A single message mattered by itself: {}.", told(one))),
        [.., last] => Some(format!(
            "{} single messages mattered by themselves, the last of them {}.",
            found.messages.mattered.len(),
            told(last)
        )),
    }
}

fn when(found: &Explained) -> Option<String> {
    let first = found.curve.first()?;
    let start = percent((first.failed * 1_000_000 / first.futures.max(1)) as u32);
    let chance = format!(
        "at the start its chance was {start} ({} of {} futures)",
        first.failed, first.futures
    );
    let Some(at) = found.inevitable_ns else {
        return Some(format!(
            "It was never inevitable before it happened at {}; {chance}.",
            instant(found.violation_ns)
        ));
    };
    if at == first.at_ns {
        return Some(format!(
            "It was inevitable from the start: all {} futures fail.",
            first.futures
        ));
    }
    let matters = |factor: &&Factor| {
        factor.necessary || found.sufficient.iter().any(|set| set.contains(&factor.id))
    };
    let near = faults(found)
        .filter(matters)
        .flat_map(|factor| {
            let edge = |at: Option<u64>, what: &'static str| at.map(|at| (at, &factor.id, what));
            [edge(factor.start_ns, "began"), edge(factor.end_ns, "ended")]
        })
        .flatten()
        .filter(|(edge, ..)| *edge <= at)
        .max_by_key(|(edge, ..)| *edge);
    let after = near.map_or_else(String::new, |(edge, id, what)| match at - edge {
        0 => format!(", when {id} {what}"),
        later => format!(", {} after {id} {what}", reports::units::duration(later)),
    });
    Some(format!("From {} on{after}, it was inevitable; {chance}.", instant(at)))
}

fn set(found: &Explained, ids: &[String]) -> String {
    and(&ids.iter().map(|id| named(found, id)).collect::<Vec<_>>())
}

/// A fault by its id and what it is: `split (partition)`.
fn named(found: &Explained, id: &str) -> String {
    let factor = found.factors.iter().find(|factor| factor.id == id);
    factor.map_or_else(|| id.to_owned(), |factor| format!("{id} ({})", factor.kind))
}

fn and(words: &[String]) -> String {
    joined(words, "and")
}

fn or(words: &[String]) -> String {
    joined(words, "or")
}

fn joined(words: &[String], last_word: &str) -> String {
    match words {
        [] => "nothing else".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {last_word} {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Messages, Point};
    use super::*;
    use reports::seeds::Cause;

    fn factor(id: &str, kind: &str, necessary: bool) -> Factor {
        let start_ns = (kind != "defect").then_some(4_000_000_000);
        let (on, without) = (String::new(), String::new());
        Factor { id: id.into(), kind: kind.into(), on, start_ns, end_ns: None, necessary, without }
    }

    fn found(factors: Vec<Factor>, sufficient: &[&[&str]]) -> Explained {
        let point = |at_ns, failed| Point { at_ns, failed, futures: 20, low_ppm: 0, high_ppm: 0 };
        let owned = |set: &&[&str]| set.iter().map(|id| (*id).to_owned()).collect();
        Explained {
            run: "a@1".into(),
            cause: Cause { check: "lin".into(), rule: "r".into(), nodes: String::new() },
            sentence: String::new(),
            violation_ns: 5_000_000_000,
            factors,
            sufficient: sufficient.iter().map(owned).collect(),
            exhaustive: true,
            messages: Messages::default(),
            curve: vec![point(0, 2), point(4_500_000_000, 20)],
            inevitable_ns: Some(4_500_000_000),
            horizon_ns: 0,
            trials: 0,
        }
    }

    #[test]
    fn one_necessary_fault_and_a_flaw() {
        let factors = vec![
            factor("split", "partition", true),
            factor("noise", "link", false),
            factor("bad-read", "defect", true),
        ];
        assert_eq!(
            sentence(&found(factors, &[&["split"]])),
            "lin fires because of split (partition): without it nothing of the kind happens, and no \
             other fault is needed. It needs the flaw bad-read. From 4.500 s on, 500 ms after split \
             began, it was inevitable; at the start its chance was 10.0 % (2 of 20 futures)."
        );
    }

    #[test]
    fn a_single_message_is_named() {
        let mut found = found(vec![factor("split", "partition", true)], &[&["split"]]);
        found.messages.mattered.push(Mattered {
            from: "h/1".into(),
            to: "h/2".into(),
            n: 7,
            at_ns: 4_200_000_000,
            what: "lost: the link was cut".into(),
            without: "nothing fires".into(),
        });
        let text = sentence(&found);
        let part = "A single message mattered by itself: the one from h/1 to h/2 at 4.200 s (lost: \
                    the link was cut).";
        assert!(text.contains(part), "{text}");
    }

    #[test]
    fn alternatives_and_nothing_at_all() {
        let two = || vec![factor("a", "crash", false), factor("b", "crash", false)];
        let text = sentence(&found(two(), &[&["a"], &["b"]]));
        assert!(
            text.starts_with("lin fires with a (crash) or b (crash) alone; no single"),
            "{text}"
        );
        let text = sentence(&found(two(), &[&[]]));
        assert!(text.starts_with("lin fires without any fault."), "{text}");
        let mut three = two();
        three.push(factor("c", "crash", true));
        let text = sentence(&found(three, &[&["a", "c"], &["b", "c"]]));
        assert!(
            text.starts_with(
                "lin needs c (crash), which is enough together with a (crash) or b (crash)."
            ),
            "{text}"
        );
    }
}
