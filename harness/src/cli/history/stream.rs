//! `history` on the lab's own JSON lines: judged while they are read. Only what is refuted is read
//! once more, to explain it.

use super::{explained, nothing, print, print_untold, write_svg};
use crate::cli::Lab;
use crate::cli::args::HistoryArgs;
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use checker::history::jsonl::Lines;
use checker::history::{Format, preloaded};
use checker::linearizable::stream::{Stream, Streamed, is_judged};
use checker::linearizable::{Options, check_register_with, key_lanes_svg, lanes_svg};
use checker::models::RegisterCas;
use contract::{Call, Op, SimTime};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// How much of a file tells its format.
const START_BYTES: u64 = 4_096;

/// Whether the file is to be judged as registers while it is read.
pub fn is_wanted(args: &HistoryArgs) -> Result<bool, String> {
    let registers = args.model.as_deref().is_none_or(|name| name == "register-cas");
    if !registers || args.nil_is_absent || args.staleness.is_some() || args.initial.is_some() {
        return Ok(false);
    }
    if let Some(format) = super::format(args) {
        return Ok(format == Format::Jsonl);
    }
    let shown = args.file.display();
    let mut start = Vec::new();
    let read = open(&args.file)?.take(START_BYTES).read_to_end(&mut start);
    read.map_err(|error| format!("could not read {shown}: {error}"))?;
    Ok(Format::guess(&String::from_utf8_lossy(&start)) == Format::Jsonl)
}

fn open(file: &Path) -> Result<BufReader<File>, String> {
    let opened = File::open(file).map(BufReader::new);
    opened.map_err(|error| format!("could not read {}: {error}", file.display()))
}

/// Judges the file.
pub fn main(lab: &Lab, shell: Shell, args: &HistoryArgs) -> Result<Exit, String> {
    let model = RegisterCas::default();
    let options = Options::steps(args.search_steps);
    let watch = Stopwatch::start();
    let mut stream = Stream::new(&model, options);
    let (mut any, mut known) = (false, false);
    for op in operations(&args.file, open(&args.file)?) {
        let op = op?;
        any = true;
        known |= is_judged(&op);
        if stream.push(&op).is_err() {
            shell.talk("the operations are not in the order of their calls: reading all of them");
            return super::at_once(lab, shell, args);
        }
    }
    let found = stream.finish();
    shell.talk(&format!("read and judged in {:.1} ms", watch.seconds() * 1e3));
    if !any {
        shell.error(&nothing(&args.file));
        return Ok(Exit::Inconclusive);
    }
    if found.report.ops == 0 && !known {
        shell.error("no operation is about a register; is it about another `--model`?");
        return Ok(Exit::Inconclusive);
    }
    let how = format!(
        "{} keys decided at once, {} by {} steps of search; at most {} operations held at once",
        found.report.zone_keys,
        found.report.searched_keys,
        found.report.search_steps,
        found.live_max,
    );
    let exit = print(shell, &found.report, &how, &number);
    explain(shell, args, &found, &options)?;
    Ok(exit)
}

/// The lab's keys are numbers.
fn number(key: u64) -> String {
    key.to_string()
}

fn operations(file: &Path, input: impl BufRead) -> impl Iterator<Item = Result<Op, String>> {
    let shown = file.display().to_string();
    Lines::new(input).map(move |op| op.map_err(|error| format!("could not read {shown}: {error}")))
}

/// Reads the refuted keys again and tells what is wrong with them; draws the first.
fn explain(
    shell: Shell,
    args: &HistoryArgs,
    found: &Streamed,
    options: &Options<'_>,
) -> Result<(), String> {
    let told = &found.refuted[..found.refuted.len().min(options.counterexamples_max)];
    let mut svg = None;
    for (key, until) in told {
        let ops = share(args, *key, *until)?;
        let model = preloaded(ops.iter());
        let report = check_register_with(&ops, &model, options);
        let example = report.counterexamples.iter().find(|example| example.key == *key);
        let example = example.ok_or("the file changed while it was read")?;
        shell.data(&explained(example, &number));
        if args.svg.is_some() && svg.is_none() {
            svg = Some(lanes_svg(&ops, &model, example, options));
        }
    }
    print_untold(shell, found.report.refuted_keys, told.len());
    let Some(out) = &args.svg else { return Ok(()) };
    if svg.is_none() && found.refuted.is_empty() {
        let first = operations(&args.file, open(&args.file)?).next();
        if let Some(key) = first.transpose()?.and_then(|op| op.call.key()) {
            let ops = share(args, key, SimTime::MAX)?;
            let model = preloaded(ops.iter());
            svg = key_lanes_svg(&ops, &model, key, options);
        }
    }
    write_svg(shell, out, svg)
}

/// The operations of one key that were called no later than `until`.
fn share(args: &HistoryArgs, key: u64, until: SimTime) -> Result<Vec<Op>, String> {
    let about = |op: &Op| match &op.call {
        Call::BatchGet { keys, .. } => keys.contains(&key),
        call => call.key() == Some(key),
    };
    let all = operations(&args.file, open(&args.file)?);
    all.take_while(|op| op.as_ref().map_or(true, |op| op.call_at <= until))
        .filter(|op| op.as_ref().map_or(true, about))
        .collect()
}
