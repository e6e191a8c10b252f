//! `docs/benchmarks-checkers.md`: what was measured beside what is asked for.

use devkit::measure::Figures;
use devkit::page::{self, Held, held, machine, short};
use std::fmt::Write as _;
use std::path::Path;

/// Writes the page, and prints it. `memory` is what a verdict over a million operations needs
/// beside the history, in bytes.
pub fn write(figures: &Figures, memory: Option<u64>, counterexample_ops: usize) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the crate lies two folders below the root");
    page::write(root, "benchmarks-checkers.md", &page(figures, memory, counterexample_ops));
}

fn page(figures: &Figures, memory: Option<u64>, counterexample_ops: usize) -> String {
    let mut page = String::new();
    page += "# Benchmarks of the checkers\n\n";
    page += "Written by `cargo bench -p chaoslab-checker --bench linearizable`, medians of one run \
             in processor time.\n\n";
    let _ = writeln!(page, "Machine: {}.\n", machine());
    page += "The load is that of closed-loop clients: 45 % gets, 30 % puts, 10 % deletes, 15 % \
             compare-and-sets, every operation at a random instant of its interval, 1 % unknown \
             outcomes of which half take effect, some much later.\n\n";
    held(&mut page, &rows(figures, memory, counterexample_ops));
    tiers(&mut page, figures);
    page
}

fn rows(figures: &Figures, memory: Option<u64>, counterexample_ops: usize) -> Vec<Held> {
    let of = |group, name| Some(figures.get(&(group, name, 0))? / 1e6);
    let least =
        |what, unit, measured, bar, beyond| Held { what, unit, measured, bar, beyond, more: false };
    let search = || Some(of("check", "explained")? - of("check", "bad")?);
    let hot = "1 000 000 operations, one key, 200 clients: verdict";
    let ops = Some(counterexample_ops as f64);
    vec![
        least("the Jepsen set: all verdicts", " ms", of("peers", "jepsen"), 20.0, None),
        least(hot, " ms", of("check", "verdict"), 200.0, Some(50.0)),
        least("the same, not linearizable", " ms", of("check", "bad"), 200.0, Some(50.0)),
        least("with the order replayed", " ms", of("check", "certified"), 500.0, None),
        least("memory beside the history", " MB", memory.map(|b| b as f64 / 1e6), 200.0, None),
        least("counterexample beside the verdict", " ms", search(), 500.0, None),
        least("operations in it", "", ops, 5.0, None),
        least("10 000 000 operations, 1 000 keys by Zipf", " ms", of("check", "zipf"), 3e3, None),
    ]
}

fn tiers(page: &mut String, figures: &Figures) {
    page.push_str(
        "## The tiers on one register, and growth with the history\n\nNanoseconds per operation; \
         the search is one as other checkers do it.\n\n| operations | zones | with order | \
         search | |\n|---|--:|--:|--:|--:|\n",
    );
    for ops in [1_000, 100_000, 1_000_000] {
        let ns = |tier| figures.get(&("tiers", tier, ops)).copied().unwrap_or(f64::NAN);
        let (one, order, two) = (ns("zones"), ns("with order"), ns("search"));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {}× |",
            short(f64::from(ops)),
            short(one),
            short(order),
            short(two),
            short(two / one)
        );
    }
}
