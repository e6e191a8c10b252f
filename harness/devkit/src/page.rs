//! What the pages of figures have in common: a figure beside what is asked for, and the machine.

use std::fmt::Write as _;
use std::path::Path;

/// Writes a page of the folder `docs` below `root`, and prints it.
pub fn write(root: &Path, name: &str, page: &str) {
    print!("{page}");
    match std::fs::write(root.join("docs").join(name), page) {
        Ok(()) => eprintln!("written: docs/{name}"),
        Err(error) => eprintln!("cannot write docs/{name}: {error}"),
    }
}

/// A figure with the bar that it is held to and the one beyond.
#[derive(Clone)]
pub struct Held {
    /// What is measured.
    pub what: &'static str,
    /// Its unit, with the space before it.
    pub unit: &'static str,
    /// What was measured; `None` where that was not possible here.
    pub measured: Option<f64>,
    /// What it has to be.
    pub bar: f64,
    /// What would be better still.
    pub beyond: Option<f64>,
    /// Whether more is better.
    pub more: bool,
}

impl Held {
    fn verdict(&self) -> &'static str {
        let Some(measured) = self.measured else { return "not measured" };
        let meets = |bar: f64| if self.more { measured >= bar } else { measured <= bar };
        match self.beyond {
            Some(beyond) if meets(beyond) => "beyond",
            _ if meets(self.bar) => "met",
            _ => "missed",
        }
    }
}

/// The table of what is asked for.
pub fn held(page: &mut String, rows: &[Held]) {
    page.push_str("## What is asked for\n\n");
    page.push_str("| figure | measured | bar | beyond | |\n|---|--:|--:|--:|---|\n");
    for held in rows {
        let amount = |value: f64| format!("{}{}", short(value), held.unit);
        let sign = if held.more { "≥" } else { "≤" };
        let _ = writeln!(
            page,
            "| {} | {} | {sign} {} | {} | {} |",
            held.what,
            held.measured.map_or_else(|| "–".to_owned(), amount),
            amount(held.bar),
            held.beyond.map_or_else(String::new, |beyond| format!("{sign} {}", amount(beyond))),
            held.verdict()
        );
    }
    page.push('\n');
}

/// Three digits that count.
#[must_use]
pub fn short(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => {
            let whole = format!("{}", v.round() as u64);
            let parts: Vec<&str> = whole
                .as_bytes()
                .rchunks(3)
                .rev()
                .map(|d| str::from_utf8(d).expect("digits"))
                .collect();
            parts.join(" ")
        }
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The shape of the machine: no name of it.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{cores} cores, {model}, {arch}, {os}")
}
