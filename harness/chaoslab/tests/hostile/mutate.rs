//! Texts changed by chance: what people mistype, and what nobody would type.

use contract::Rng;

/// Values that were limits of something, once.
const NASTY: [&str; 28] = [
    "0",
    "-1",
    "1",
    "18446744073709551615",
    "9223372036854775808",
    "\"0xFFFFFFFFFFFFFFFF\"",
    "1e308",
    "nan",
    "\"\"",
    "\"h/1\"",
    "\"h/9999\"",
    "\"0ns\"",
    "\"1ns\"",
    "\"584y\"",
    "\"18446744073709551615ns\"",
    "\"99999999999999999999s\"",
    "\"0%\"",
    "\"100%\"",
    "\"101%\"",
    "\"1000000000/s\"",
    "\"0/s\"",
    "\"64GiB\"",
    "[]",
    "{}",
    "[[[[[]]]]]",
    "true",
    "\"\\u0000\\u202e\"",
    "{ dist = \"normal\", mean = \"1s\", sd = \"1000s\" }",
];

/// A few changes of `text`, with pieces of `other` at times.
pub fn mutant(rng: &mut Rng, text: &str, other: &str) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let others: Vec<&str> = other.lines().collect();
    for _ in 0..rng.range(1, 4) {
        let at = rng.below(lines.len().max(1) as u64) as usize;
        match rng.below(9) {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            1 => lines.insert(at, lines.get(at).cloned().unwrap_or_default()),
            2 if !others.is_empty() => {
                let from = rng.below(others.len() as u64) as usize;
                let to = (from + rng.range(1, 6) as usize).min(others.len());
                lines.splice(at..at, others[from..to].iter().map(|line| (*line).to_owned()));
            }
            3..=5 => value(rng, &mut lines, at),
            6 => character(rng, &mut lines, at),
            7 => swap(rng, &mut lines, at),
            _ => lines.truncate(at.max(1)),
        }
    }
    let mut bytes = (lines.join("\n") + "\n").into_bytes();
    if rng.below(20) == 0 && !bytes.is_empty() {
        let at = rng.below(bytes.len() as u64) as usize;
        bytes[at] = rng.below(256) as u8;
    }
    bytes
}

/// Gives a key another value.
fn value(rng: &mut Rng, lines: &mut [String], at: usize) {
    let nasty = NASTY[rng.below(NASTY.len() as u64) as usize];
    let Some(line) = lines.get_mut(at) else { return };
    if let Some((key, _)) = line.split_once('=') {
        *line = format!("{key}= {nasty}");
    }
}

fn character(rng: &mut Rng, lines: &mut [String], at: usize) {
    let Some(line) = lines.get_mut(at) else { return };
    let mut chars: Vec<char> = line.chars().collect();
    let place = rng.below(chars.len() as u64 + 1) as usize;
    let new = ['"', '\'', '[', ']', '{', '}', '=', '.', '\\', '#', '9', '-', 'é', '\u{0}'];
    let new = new[rng.below(new.len() as u64) as usize];
    match rng.below(3) {
        0 if place < chars.len() => drop(chars.remove(place)),
        1 if place < chars.len() => chars[place] = new,
        _ => chars.insert(place, new),
    }
    *line = chars.into_iter().collect();
}

fn swap(rng: &mut Rng, lines: &mut [String], at: usize) {
    if lines.len() > 1 {
        let with = rng.below(lines.len() as u64) as usize;
        lines.swap(at, with);
    }
}
