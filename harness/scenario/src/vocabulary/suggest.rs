//! The nearest name to a misspelt one.

/// The candidate nearest to `word`, if it is near enough to be what was meant.
///
/// Near enough is an edit distance of at most a third of the word (one edit for the short ones), where
/// swapping two neighbours is one edit; `-`, `_` and letter case are not told apart. The earliest
/// candidate wins a tie.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let limit = (folded.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = distance(&folded, &fold(candidate));
        if distance <= limit
            && distance < folded.len()
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The first characters, so that a hostile key of a megabyte costs nothing.
const CHARS_MAX: usize = 64;

fn fold(word: &str) -> Vec<char> {
    let same = |c: char| {
        if c == '-' { '_' } else { c.to_ascii_lowercase() }
    };
    word.chars().take(CHARS_MAX).map(same).collect()
}

/// Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let check = |word: &str, candidates: &[&'static str], expect: Option<&str>| {
            assert_eq!(nearest(word, candidates.iter().copied()), expect, "{word}");
        };
        let settings = ["heartbeat", "election", "lease", "reads"];
        check("heart_beat", &settings, Some("heartbeat"));
        check("electoin", &settings, Some("election"));
        check("laese", &settings, Some("lease"));
        check("Lease", &settings, Some("lease"));
        check("zoo", &settings, None);
        check("at", &["id", "kind", "at"], Some("at"));
        check("swizzle_clog", &["swizzle-clog", "clog"], Some("swizzle-clog"));
        check("k", &["h"], None);
        check("x", &[], None);
        check("", &["lease"], None);
    }

    #[test]
    fn distances() {
        let check = |a: &str, b: &str, expect: usize| {
            assert_eq!(distance(&fold(a), &fold(b)), expect, "{a} {b}");
        };
        check("", "", 0);
        check("abc", "", 3);
        check("abc", "acb", 1);
        check("kitten", "sitting", 3);
    }
}
