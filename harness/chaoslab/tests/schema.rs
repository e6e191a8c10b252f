//! The JSON Schema of scenario files, held against the compiler with everything that the binary's
//! lab has: what the compiler accepts validates, and what breaks the shape of a file does neither.

use chaoslab::LAB;
use contract::{Domain, Rng};
use devkit::json_schema::{Schema, of_toml};
use devkit::tree::{files, root};
use harness::cli::names;
use scenario::Scenario;
use scenario::diagnostics::Severity;
use std::fs;
use std::path::PathBuf;

/// The texts of all committed scenarios, by path.
fn corpus() -> Vec<(String, String)> {
    let paths = files(&root().join("scenarios"), "toml");
    assert!(paths.len() >= 80, "the scenarios were not found");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        (path.display().to_string(), text)
    };
    paths.into_iter().map(read).collect()
}

/// The codes of what is wrong with a text; none when it compiles.
fn wrong(text: &str) -> Vec<&'static str> {
    let (scenario, said) = Scenario::compile("x.toml", text.as_bytes(), &names(&LAB));
    let errors = said.iter().filter(|one| one.severity == Severity::Error);
    let codes: Vec<&str> = errors.map(|one| one.code).collect();
    assert_eq!(scenario.is_none(), !codes.is_empty(), "an error is said");
    codes
}

#[test]
fn every_committed_scenario_validates() {
    let root = scenario::schema(&names(&LAB));
    let schema = Schema::new(&root);
    for (path, text) in corpus() {
        let value = of_toml(&text).expect("a committed scenario is TOML");
        assert_eq!(schema.check(&value), Ok(()), "{path}");
    }
}

/// Values that people mistake for others.
const VALUES: [&str; 24] = [
    "0",
    "1",
    "-1",
    "3",
    "1.5",
    "true",
    "\"\"",
    "\"5ms\"",
    "\"0s\"",
    "\"2_000ms\"",
    "\"50%\"",
    "\"64KiB\"",
    "\"100/s\"",
    "\"1Mbit\"",
    "\"h/1\"",
    "\"h/*\"",
    "\"pass\"",
    "[]",
    "[1, 2]",
    "[\"h/1\"]",
    "{}",
    "{ dist = \"uniform\", min = \"1ms\", max = \"2ms\" }",
    "{ dist = \"constant\", value = 2 }",
    "{ min = \"1ms\", max = \"2ms\" }",
];

/// Another value for a key, a line less, or two lines changed for each other.
fn mutant(rng: &mut Rng, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = rng.below(lines.len() as u64) as usize;
    match rng.below(4) {
        0 => drop(lines.remove(at)),
        1 => {
            let with = rng.below(lines.len() as u64) as usize;
            lines.swap(at, with);
        }
        _ => {
            if let Some((key, _)) = lines[at].split_once('=') {
                let value = VALUES[rng.below(VALUES.len() as u64) as usize];
                lines[at] = format!("{key}= {value}");
            }
        }
    }
    lines.join("\n") + "\n"
}

/// Whatever the compiler accepts validates, also where it is not what somebody meant.
#[test]
fn what_the_compiler_accepts_validates() {
    let root = scenario::schema(&names(&LAB));
    let schema = Schema::new(&root);
    let mut rng = Rng::new(14, Domain::Swarm, "schema");
    let (mut accepted, mut refused) = (0, 0);
    for (path, text) in corpus() {
        for _ in 0..12 {
            let text = mutant(&mut rng, &text);
            if !wrong(&text).is_empty() {
                refused += 1;
                continue;
            }
            accepted += 1;
            let value = of_toml(&text).expect("what compiles is TOML");
            assert_eq!(schema.check(&value), Ok(()), "{path}:\n{text}");
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}

/// Lines of tables whose keys or values are free: paths with values of any kind.
fn is_free(table: &str, key: &str) -> bool {
    let holds_paths = ["set", "vary", "redraw"];
    holds_paths.iter().any(|name| key == *name || table.ends_with(&format!(".{name}]")))
        || table == "[sweep]"
        || table == "[swarm]"
}

/// For each line of each file with a key: the table that it stands in, its number, and the key.
fn keys(text: &str) -> Vec<(String, usize, String)> {
    let mut table = String::new();
    let mut found = Vec::new();
    // A value over several lines: its inside is not touched.
    let mut depth = 0_i64;
    for (number, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default().trim_end();
        let opens = code.matches(['[', '{']).count() as i64;
        let closes = code.matches([']', '}']).count() as i64;
        if depth == 0 && code.starts_with('[') {
            code.clone_into(&mut table);
        } else if depth == 0
            && opens == closes
            && let Some((key, _)) = code.split_once('=')
        {
            found.push((table.clone(), number, key.trim().to_owned()));
        }
        depth += opens - closes;
    }
    found
}

fn with_line(text: &str, number: usize, line: &str) -> String {
    let edit = |(at, old)| if at == number { line } else { old };
    text.lines().enumerate().map(edit).collect::<Vec<&str>>().join("\n") + "\n"
}

/// Both must refuse it.
fn both_refuse(schema: &Schema<'_>, text: &str, shown: &str) {
    assert!(!wrong(text).is_empty(), "{shown}: the compiler takes it");
    let Some(value) = of_toml(text) else { panic!("{shown}: it is no TOML") };
    assert!(schema.check(&value).is_err(), "{shown}: the schema takes it");
}

/// A date and a text without a meaning where anything else stands, a unit that does not exist, and a
/// field that does not: at every place of every file.
#[test]
fn what_breaks_the_shape_is_refused_by_both() {
    let root = scenario::schema(&names(&LAB));
    let schema = Schema::new(&root);
    let mut places = 0;
    for (path, text) in corpus() {
        for (table, number, key) in keys(&text).into_iter().filter(|(t, _, k)| !is_free(t, k)) {
            let shown = |what: &str| format!("{path}:{}: {key} in {table}, {what}", number + 1);
            let date = with_line(&text, number, &format!("{key} = 1979-05-27"));
            both_refuse(&schema, &date, &shown("a date"));
            let line = text.lines().nth(number).expect("it is there");
            // A name may end in the same letters.
            let is_time = |(at, _): &(usize, &str)| {
                let figure = line[..*at].rsplit('"').next().unwrap_or_default();
                !figure.is_empty() && figure.chars().all(|c| c.is_ascii_digit() || c == '_')
            };
            if let Some((at, _)) = line.match_indices("ms\"").find(is_time) {
                let unit = format!("{}msec{}", &line[..at], &line[at + 2..]);
                both_refuse(&schema, &with_line(&text, number, &unit), &shown("a wrong unit"));
            }
            places += 1;
            // Some tables have names of the file's own for keys.
            if table != "[phases]" && number % 4 == 0 {
                let more = format!("{line}\nzzz = 1");
                both_refuse(&schema, &with_line(&text, number, &more), &shown("a field zzz"));
            }
        }
    }
    assert!(places > 2_000, "{places} places were tried");
}
