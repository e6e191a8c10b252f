//! `history`: judges a history that this or another tool recorded.
//!
//! The lab's own JSON lines are judged as registers while they are read ([`stream`]), in memory for
//! what is open; everything else is read as a whole. Start with [`main`].

mod stream;

use super::Lab;
use super::args::{HistoryArgs, HistoryFormat};
use crate::outcome::Exit;
use crate::shell::Shell;
use crate::stopwatch::Stopwatch;
use crate::whole_file;
use checker::history::{Format, Reading, Recorded, Subject, preloaded, read_as};
use checker::linearizable::session_guarantees::Breach;
use checker::linearizable::session_guarantees::session::check_sessions;
use checker::linearizable::session_guarantees::staleness::check_staleness;
use checker::linearizable::{
    Counterexample, DRAWN_MAX, Options, Report, Verdict, check_recorded_with, key_lanes_svg,
    lanes_svg, model_lanes_svg,
};
use checker::models::RegisterCas;
use contract::{NodeId, Op, Value};
use std::fs;
use std::path::Path;

/// What `--model` may say besides the models of the lab.
pub const OTHER_MODELS: [&str; 2] = ["kv", "sessions"];

/// Judges one file.
pub fn main(lab: &Lab, shell: Shell, args: &HistoryArgs) -> Exit {
    let known = known_model(lab, args.model.as_deref());
    let told = match known.and_then(|()| stream::is_wanted(args)) {
        Ok(true) => stream::main(lab, shell, args),
        Ok(false) => at_once(lab, shell, args),
        Err(message) => Err(message),
    };
    told.unwrap_or_else(|message| {
        shell.error(&message);
        Exit::Usage
    })
}

/// Whether `--model` names one of the lab's models, or of [`OTHER_MODELS`].
fn known_model(lab: &Lab, name: Option<&str>) -> Result<(), String> {
    let models = lab.kinds().models().iter().map(|kind| kind.name);
    let known: Vec<&str> = models.chain(OTHER_MODELS).collect();
    match name {
        Some(name) if !known.contains(&name) => {
            Err(format!("there is no model `{name}`; there are {}", known.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Judges a file that is read as a whole.
fn at_once(lab: &Lab, shell: Shell, args: &HistoryArgs) -> Result<Exit, String> {
    let Some(recorded) = load(args)? else {
        shell.error(&nothing(&args.file));
        return Ok(Exit::Inconclusive);
    };
    let client = |client: NodeId| match recorded.subject {
        Subject::Lab => format!("n{}", client.0),
        _ => format!("process {}", client.0),
    };
    let value = |value: Value| recorded.name(value);
    let event = |at: contract::SimTime| format!("event {}", at.0);
    let mut options =
        Options { client: &client, value: &value, ..Options::steps(args.search_steps) };
    if recorded.subject != Subject::Lab {
        options.time = &event;
    }
    let watch = Stopwatch::start();
    let judged = judge(lab, &recorded, args, options)?;
    shell.talk(&format!("judged in {:.1} ms", watch.seconds() * 1e3));
    Ok(match judged {
        Judged::Order(report) => {
            // What is about the model and was not answered is linearizable, by whatever name.
            if let (0, false, Some(name)) = (report.keys, recorded.ops.is_empty(), &args.model) {
                shell.error(&format!("{name} knows none of these operations"));
                return Ok(Exit::Inconclusive);
            }
            let key = |key| recorded.key_name(key);
            let exit = print(shell, &report, &how(&report), &key);
            print_untold(shell, report.refuted_keys, report.counterexamples.len());
            if let Some(out) = &args.svg {
                let svg = draw(lab, &recorded, args, &report, &options);
                write_svg(shell, out, svg)?;
            }
            exit
        }
        Judged::Promise { kept, reads, lines, examples } => {
            if args.svg.is_some() {
                shell.talk("no picture was drawn: there is no order of operations to show");
            }
            shell.data(&lines);
            let told = |breach: &Breach| told(breach, &recorded.key_name(breach.key));
            examples.iter().for_each(|breach| shell.data(&told(breach)));
            match (kept, reads) {
                (false, _) => Exit::Violation,
                (true, 0) => {
                    shell.talk("no read saw anything: any system could have left this history");
                    Exit::Inconclusive
                }
                (true, _) => Exit::Fine,
            }
        }
    })
}

fn nothing(file: &Path) -> String {
    format!("{} holds no operation: there is nothing to judge", file.display())
}

/// The file; `None` when nothing stands in it.
fn load(args: &HistoryArgs) -> Result<Option<Recorded>, String> {
    let shown = args.file.display();
    let bytes = fs::read(&args.file).map_err(|error| format!("could not read {shown}: {error}"))?;
    let reading = Reading { format: format(args), nil_is_absent: args.nil_is_absent };
    let mut recorded =
        read_as(&bytes, reading).map_err(|error| format!("could not read {shown}: {error}"))?;
    if args.nil_is_absent && !matches!(recorded.format, Format::Edn | Format::Text) {
        return Err("`--nil-is-absent` is for EDN and Jepsen's history.txt".to_owned());
    }
    if let Some(initial) = &args.initial {
        if !matches!(recorded.subject, Subject::Register(_)) {
            return Err("`--initial` is for registers in EDN and in Jepsen's logs".to_owned());
        }
        recorded.begin_at(initial);
    }
    let is_blank = !bytes.iter().any(u8::is_ascii_alphanumeric);
    Ok((!is_blank).then_some(recorded))
}

fn format(args: &HistoryArgs) -> Option<Format> {
    args.format.map(|format| match format {
        HistoryFormat::Edn => Format::Edn,
        HistoryFormat::Text => Format::Text,
        HistoryFormat::Jepsen => Format::JepsenLog,
        HistoryFormat::Jsonl => Format::Jsonl,
    })
}

/// What was found.
enum Judged {
    /// Whether there is an order.
    Order(Report),
    /// Whether a promise short of that was kept.
    Promise { kept: bool, reads: u64, lines: String, examples: Vec<Breach> },
}

fn judge(
    lab: &Lab,
    recorded: &Recorded,
    args: &HistoryArgs,
    options: Options<'_>,
) -> Result<Judged, String> {
    let ops = &recorded.ops;
    if let Some(bound) = args.staleness {
        let found = check_staleness(ops, &register(recorded, "--staleness")?, bound, &options);
        let kept = found.breaches == 0;
        let verdict = if kept { "fresh enough" } else { "too stale" };
        return Ok(Judged::Promise {
            kept,
            reads: found.reads,
            lines: format!(
                "{verdict}: {} of {} reads were behind by more than {bound}; {} were behind at \
                 all, the worst by {}\n",
                found.breaches,
                found.reads,
                found.stale_reads,
                found.worst.human(),
            ),
            examples: found.examples,
        });
    }
    let name = args.model.as_deref();
    if name == Some("sessions") {
        let found = check_sessions(ops, &register(recorded, "--model sessions")?, &options);
        let kept = found.breaches == 0;
        let verdict = if kept { "sessions kept" } else { "sessions broken" };
        return Ok(Judged::Promise {
            kept,
            reads: found.reads,
            lines: format!("{verdict}: by {} of {} reads\n", found.breaches, found.reads),
            examples: found.examples,
        });
    }
    let fits = match (&recorded.subject, name) {
        (_, None) => true,
        (Subject::Lab, Some(name)) => name != "kv",
        (Subject::Register(_), Some(name)) => name == "register-cas",
        (Subject::Strings(_), Some(name)) => name == "kv",
        (Subject::Lock(_), Some(name)) => name == "lock",
    };
    match (name, &recorded.subject) {
        (Some(name), subject) if !fits => Err(format!(
            "the operations are about {}: `--model {name}` does not fit",
            what(subject)
        )),
        (Some(name), Subject::Lab) if name != "register-cas" => {
            let kind = lab.kinds().model(name).expect("other names were refused");
            Ok(Judged::Order((kind.check)(ops, &options)))
        }
        _ => Ok(Judged::Order(check_recorded_with(recorded, options))),
    }
}

fn what(subject: &Subject) -> &'static str {
    match subject {
        Subject::Lab => "the lab's operations",
        Subject::Register(_) => "registers",
        Subject::Strings(_) => "strings that can be appended to (kv)",
        Subject::Lock(_) => "locks",
    }
}

/// The registers that a promise about reads is judged on.
fn register(recorded: &Recorded, asked: &str) -> Result<RegisterCas, String> {
    match &recorded.subject {
        Subject::Lab => Ok(preloaded(recorded.ops.iter())),
        Subject::Register(model) => Ok(model.clone()),
        other => Err(format!("`{asked}` is about registers, the operations about {}", what(other))),
    }
}

/// How a verdict was reached.
fn how(report: &Report) -> String {
    format!(
        "{} keys decided at once, {} by {} steps of search",
        report.zone_keys, report.searched_keys, report.search_steps
    )
}

/// The verdict first, then how it was reached, then each counterexample.
fn print(shell: Shell, report: &Report, how: &str, key: &dyn Fn(u64) -> String) -> Exit {
    let (verdict, exit) = match report.verdict {
        Verdict::Linearizable => ("linearizable".to_owned(), Exit::Fine),
        Verdict::NotLinearizable => ("not linearizable".to_owned(), Exit::Violation),
        Verdict::Undecided { why } => (format!("undecided: {why}"), Exit::Inconclusive),
    };
    shell.data(&format!("{verdict}\n{} operations on {} keys; {how}\n", report.ops, report.keys));
    if !report.undecided_keys.is_empty() && report.keys > 1 {
        shell.data(&format!("undecided: {}\n", shortened(&report.undecided_keys, key)));
    }
    if report.ops == 0 {
        shell.talk("nothing was answered: any system could have left this history");
    }
    report.counterexamples.iter().for_each(|found| shell.data(&explained(found, key)));
    exit
}

/// How many keys a line names.
const NAMED_MAX: usize = 8;

fn shortened(keys: &[u64], name: &dyn Fn(u64) -> String) -> String {
    let named: Vec<String> = keys.iter().take(NAMED_MAX).map(|&key| name(key)).collect();
    let rest = keys.len() - named.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("key {}{more}", named.join(", "))
}

/// Says how many refuted keys were not explained.
fn print_untold(shell: Shell, refuted: u64, told: usize) {
    let untold = refuted - told as u64;
    if untold > 0 {
        shell.data(&format!("\n{untold} more keys are not linearizable\n"));
    }
}

fn explained(found: &Counterexample, key: &dyn Fn(u64) -> String) -> String {
    let ops: Vec<String> = found.ops.iter().map(|op| op.0.to_string()).collect();
    format!(
        "\nkey {}, {}: {}\n  operations {}; the {} that ended before them are linearizable{}\n",
        key(found.key),
        found.rule,
        found.sentence,
        ops.join(", "),
        found.prefix_len,
        if found.irreducible { "" } else { "; fewer may do: the budget for that was spent" },
    )
}

fn told(breach: &Breach, key: &str) -> String {
    let ops: Vec<String> = breach.ops.iter().map(|op| op.0.to_string()).collect();
    let Breach { guarantee, sentence, .. } = breach;
    format!("\nkey {key}, {guarantee}: {sentence}\n  operations {}\n", ops.join(", "))
}

/// The picture of the first counterexample, or of a linearizable history that is short enough.
fn draw(
    lab: &Lab,
    recorded: &Recorded,
    args: &HistoryArgs,
    report: &Report,
    options: &Options<'_>,
) -> Option<String> {
    let ops = &recorded.ops;
    let model = match &recorded.subject {
        Subject::Strings(model) => {
            let example = report.counterexamples.first()?;
            return Some(model_lanes_svg(model, ops, example, options));
        }
        Subject::Lock(model) => {
            let example = report.counterexamples.first()?;
            return Some(model_lanes_svg(model, ops, example, options));
        }
        Subject::Lab => &preloaded(ops.iter()),
        Subject::Register(model) => model,
    };
    let Some(example) = report.counterexamples.first() else {
        return match (report.verdict, &args.model) {
            (Verdict::Linearizable, None) => whole(ops, model, options),
            _ => None,
        };
    };
    // Registers are drawn with what they hold before the history.
    let asked = args.model.as_deref().filter(|name| *name != "register-cas");
    Some(match asked.and_then(|name| lab.kinds().model(name)) {
        Some(kind) => (kind.draw)(ops, example, options),
        None => lanes_svg(ops, model, example, options),
    })
}

/// The picture of the first key of a linearizable history.
fn whole(ops: &[Op], model: &RegisterCas, options: &Options<'_>) -> Option<String> {
    let key = ops.iter().find_map(|op| op.call.key())?;
    key_lanes_svg(ops, model, key, options)
}

fn write_svg(shell: Shell, out: &Path, svg: Option<String>) -> Result<(), String> {
    let Some(svg) = svg else {
        shell.talk(&format!(
            "no picture was drawn: no contradiction, and no key of at most {DRAWN_MAX} operations"
        ));
        return Ok(());
    };
    let shown = out.display();
    whole_file::write(out, svg).map_err(|error| format!("could not write {shown}: {error}"))?;
    shell.talk(&format!("drawn in {shown}"));
    Ok(())
}
