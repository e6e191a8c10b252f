//! `history`: judges a history that this or another tool recorded.

use super::args::{HistoryArgs, HistoryFormat};
use crate::checks::linearizable::{Options, Report, Verdict, check_model, check_register_with};
use crate::history::{Format, Recorded, Subject, read};
use crate::models::RegisterCas;
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use contract::{NodeId, Value};
use std::fs;

/// Judges one file.
pub fn main(shell: Shell, args: &HistoryArgs) -> Exit {
    let shown = args.file.display();
    let bytes = match fs::read(&args.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            shell.error(&format!("could not read {shown}: {error}"));
            return Exit::Usage;
        }
    };
    let format = args.format.map(|format| match format {
        HistoryFormat::Edn => Format::Edn,
        HistoryFormat::Jepsen => Format::JepsenLog,
        HistoryFormat::Jsonl => Format::Jsonl,
    });
    let mut recorded = match read(&bytes, format) {
        Ok(recorded) => recorded,
        Err(error) => {
            shell.error(&format!("could not read {shown}: {error}"));
            return Exit::Usage;
        }
    };
    if let Some(initial) = &args.initial {
        recorded.begin_at(initial);
    }
    if recorded.ops.is_empty() {
        shell.error(&format!("{shown} holds no operation: there is nothing to judge"));
        return Exit::Inconclusive;
    }
    let watch = Stopwatch::start();
    let report = judge(&recorded, args.search_steps);
    shell.talk(&format!("judged in {:.1} ms", watch.seconds() * 1e3));
    print(shell, &report)
}

fn judge(recorded: &Recorded, search_steps: u64) -> Report {
    let client = |client: NodeId| format!("process {}", client.0);
    let value = |value: Value| recorded.name(value);
    let options = Options { client: &client, value: &value, ..Options::steps(search_steps) };
    let ops = &recorded.ops;
    match &recorded.subject {
        Subject::Lab => check_register_with(ops, &RegisterCas::default(), &options),
        Subject::Register(model) => check_register_with(ops, model, &options),
        Subject::Strings(model) => check_model(model, ops, &options),
        Subject::Lock(model) => check_model(model, ops, &options),
    }
}

/// The verdict first, then how it was reached, then each counterexample.
fn print(shell: Shell, report: &Report) -> Exit {
    let (verdict, exit) = match report.verdict {
        Verdict::Linearizable => ("linearizable".to_owned(), Exit::Fine),
        Verdict::NotLinearizable => ("not linearizable".to_owned(), Exit::Violation),
        Verdict::Undecided { why } => (format!("undecided: {why}"), Exit::Inconclusive),
    };
    shell.data(&format!(
        "{verdict}\n{} operations on {} keys; {} keys decided at once, {} by {} steps of search\n",
        report.ops, report.keys, report.tier_one_keys, report.tier_two_keys, report.search_steps,
    ));
    for found in &report.counterexamples {
        let ops: Vec<String> = found.ops.iter().map(|op| op.0.to_string()).collect();
        shell.data(&format!(
            "\nkey {}, {}: {}\n  operations {}; the {} before them are linearizable\n",
            found.key,
            found.rule,
            found.sentence,
            ops.join(", "),
            found.prefix_len,
        ));
    }
    exit
}
