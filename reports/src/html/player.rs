//! The slider of the page: a drag to any event shows every node's state, the faults that are on,
//! the operations and messages under way, and what changed. The page holds the data as JSON; its
//! script draws.

use crate::record::{FaultRow, FlightRow, RunRecord, StripSpan};
use crate::svg::state_class;
use crate::units::instant;
use serde::Serialize;

/// More steps than this are no help on a slider: then those next to the first violation are kept,
/// or the first ones of a run without.
pub const STEPS_MAX: usize = 4_000;

/// A state: node, from, to, class, label.
type StripData = (usize, u64, u64, &'static str, String);

/// A fault: id and kind, what they hit, from, to.
type FaultData = (String, String, u64, u64);

/// An operation: number, client, text, answer, from, to (the end of the run when unknown), core.
type OpData = (u64, usize, String, String, u64, u64, bool);

/// A message: from, to, label, fate, sent, arrived or −1.
type FlightData = (usize, usize, String, String, u64, i64);

/// What the script needs. All times are microseconds: nanoseconds of a long run are beyond what
/// JavaScript holds exactly.
#[derive(Debug, Serialize)]
pub struct Data {
    /// The instants that something happened at: microseconds, and as text.
    times: Vec<(u64, String)>,
    /// Nodes: name and role.
    nodes: Vec<(String, String)>,
    strips: Vec<StripData>,
    faults: Vec<FaultData>,
    ops: Vec<OpData>,
    flights: Vec<FlightData>,
    /// Lines to show at an instant: microseconds, tone, text.
    lines: Vec<(u64, &'static str, String)>,
    /// The step to begin at: that of the first violation, or 0.
    start: usize,
}

/// The data of a run; `None` when there is nothing to step through.
#[must_use]
pub fn data(run: &RunRecord) -> Option<Data> {
    let mut lines = lines(run);
    lines.sort_by_key(|line| line.0);
    let first_violation = run.first_violation().map(|(_, seen)| seen.at_ns);
    let times = times(&lines, first_violation);
    if times.len() < 2 {
        return None;
    }
    let start = first_violation.map_or(0, |at| times.partition_point(|&time| time < at));
    let window = (times[0], times[times.len() - 1]);
    lines.retain(|line| (window.0..=window.1).contains(&line.0));
    Some(Data {
        times: times.iter().map(|&at| (micros(at), instant(at))).collect(),
        nodes: run.nodes.iter().map(|node| (node.name.clone(), node.role.clone())).collect(),
        strips: run.strips.iter().filter_map(|row| strip(run, row, window)).collect(),
        faults: run.faults.iter().filter_map(|row| fault(run, row)).collect(),
        ops: ops(run, window),
        flights: run.flights.iter().filter_map(|row| flight(run, row, window)).collect(),
        lines: lines.into_iter().map(|(at, tone, text)| (micros(at), tone, text)).collect(),
        start: start.min(times.len() - 1),
    })
}

/// The place of a node in the list of nodes.
fn place(run: &RunRecord, id: u32) -> Option<usize> {
    run.nodes.iter().position(|node| node.id == id)
}

/// Whether a span reaches into a window.
fn within(from: u64, to: u64, window: (u64, u64)) -> bool {
    from <= window.1 && to >= window.0
}

fn strip(run: &RunRecord, row: &StripSpan, window: (u64, u64)) -> Option<StripData> {
    let node = place(run, row.node).filter(|_| within(row.from_ns, row.to_ns, window))?;
    let (from, to) = (micros(row.from_ns), micros(row.to_ns));
    Some((node, from, to, state_class(&row.state), row.label.clone()))
}

fn fault(run: &RunRecord, row: &FaultRow) -> Option<FaultData> {
    let name = format!("{} ({})", row.id, row.kind);
    let end = row.end_ns.unwrap_or(run.end_ns);
    Some((name, row.targets.clone(), micros(row.start_ns?), micros(end)))
}

fn ops(run: &RunRecord, window: (u64, u64)) -> Vec<OpData> {
    let core = run.core_ops();
    let mut ops = Vec::new();
    for op in &run.ops {
        let end = op.ret_ns.unwrap_or(run.end_ns);
        let shown = within(op.call_ns, end, window);
        if let Some(client) = place(run, op.client).filter(|_| shown) {
            let (from, to, core) = (micros(op.call_ns), micros(end), core.contains(&op.id));
            ops.push((op.id, client, op.call.clone(), op.ret.clone(), from, to, core));
        }
    }
    ops
}

fn flight(run: &RunRecord, row: &FlightRow, window: (u64, u64)) -> Option<FlightData> {
    let end = row.arrived_ns.unwrap_or(row.sent_ns);
    let (from, to) = place(run, row.from).zip(place(run, row.to))?;
    let arrived = row.arrived_ns.and_then(|at| i64::try_from(micros(at)).ok());
    let (label, fate, sent) = (row.label.clone(), row.fate.clone(), micros(row.sent_ns));
    let shown = within(row.sent_ns, end, window);
    shown.then_some((from, to, label, fate, sent, arrived.unwrap_or(-1)))
}

/// Microseconds: the end of a run of 285 years still is a whole number for JavaScript.
const fn micros(ns: u64) -> u64 {
    ns / 1_000
}

/// The distinct instants of the lines, at most [`STEPS_MAX`], to the microsecond.
fn times(lines: &[(u64, &'static str, String)], around: Option<u64>) -> Vec<u64> {
    let mut times: Vec<u64> = lines.iter().map(|line| line.0).collect();
    times.dedup_by_key(|at| micros(*at));
    if times.len() <= STEPS_MAX {
        return times;
    }
    let middle = around.map_or(0, |at| times.partition_point(|&time| time < at));
    let from = middle.saturating_sub(STEPS_MAX / 2).min(times.len() - STEPS_MAX);
    times[from..from + STEPS_MAX].to_vec()
}

/// Whatever happened, in words: instant, tone, sentence.
fn lines(run: &RunRecord) -> Vec<(u64, &'static str, String)> {
    let mut lines = Vec::new();
    for (check, seen) in run.violated().flat_map(|check| {
        let all = check.evidence.iter();
        all.map(move |seen| (check, seen))
    }) {
        let text = format!("Violation of {}: {}. {}", check.id, seen.rule, seen.detail);
        lines.push((seen.at_ns, "bad", text));
    }
    for fault in &run.faults {
        if let Some(start) = fault.start_ns {
            let text = format!("Fault {} starts: {} {}", fault.id, fault.kind, fault.targets);
            lines.push((start, "warn", text));
        }
        if let Some(end) = fault.end_ns {
            lines.push((end, "warn", format!("Fault {} ends", fault.id)));
        }
    }
    for span in &run.strips {
        let text = format!("{} is {}", run.node_name(span.node), span.label);
        lines.push((span.from_ns, "plain", text));
    }
    for op in &run.ops {
        let client = run.node_name(op.client);
        lines.push((
            op.call_ns,
            "plain",
            format!("{client} calls {} (operation {})", op.call, op.id),
        ));
        if let Some(at) = op.ret_ns {
            let what = if op.ret.is_empty() { op.outcome.name() } else { &op.ret };
            lines.push((
                at,
                "plain",
                format!("{client} has the answer {what} (operation {})", op.id),
            ));
        }
    }
    network_lines(run, &mut lines);
    lines
}

/// The messages and the printed events.
fn network_lines(run: &RunRecord, lines: &mut Vec<(u64, &'static str, String)>) {
    for row in &run.flights {
        let (from, to) = (run.node_name(row.from), run.node_name(row.to));
        let fate = if row.fate.is_empty() { String::new() } else { format!(": {}", row.fate) };
        lines.push((row.sent_ns, "faint", format!("{from} sends {} to {to}{fate}", row.label)));
        if let Some(at) = row.arrived_ns {
            lines.push((at, "faint", format!("{to} receives {} of {from}", row.label)));
        }
    }
    for row in &run.tail {
        let node = row.node.map_or_else(String::new, |id| run.node_name(id) + " ");
        lines.push((row.at_ns, "plain", format!("{node}{}", row.line)));
    }
}

/// The markup of the slider with its data; empty places for the script to fill.
#[must_use]
pub fn markup(data: &Data) -> String {
    let last = data.times.len() - 1;
    let json = crate::json::canonical(data);
    // Inside a script element nothing but `</script` and `<!--` has a meaning.
    let json = json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('>', "\\u003e");
    format!(
        "<div class=\"player\" hidden>\n<div class=\"buttons\">\
         <button type=\"button\" data-do=\"back\">◂ Back</button>\
         <button type=\"button\" data-do=\"play\">Play</button>\
         <button type=\"button\" data-do=\"next\">Next ▸</button>\
         <button type=\"button\" data-do=\"violation\">First violation</button>\
         <output class=\"now\"></output></div>\n\
         <input type=\"range\" min=\"0\" max=\"{last}\" value=\"{}\" step=\"1\" \
         aria-label=\"Event of the run\"/>\n\
         <div class=\"world\"><svg class=\"graph\" viewBox=\"0 0 440 340\" role=\"img\" \
         aria-label=\"The cluster; the table beside it says the same\"></svg>\
         <div class=\"states\" tabindex=\"0\"><div class=\"changed\" aria-live=\"polite\"></div>\
         <table><thead><tr><th scope=\"col\">node</th><th scope=\"col\">state</th></tr></thead>\
         <tbody></tbody></table><div class=\"underway\"></div></div></div>\n</div>\n\
         <noscript><p class=\"faint\">The slider needs scripts; the pictures and tables do not.\
         </p></noscript>\n\
         <script type=\"application/json\" id=\"run-data\">\n{json}</script>\n",
        data.start,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{hostile, split_brain};

    #[test]
    fn every_event_is_a_step_and_the_first_violation_is_the_start() {
        let run = split_brain();
        let data = data(&run).unwrap();
        let (_, seen) = run.first_violation().unwrap();
        assert_eq!(data.times[data.start].0, micros(seen.at_ns));
        for line in &data.lines {
            assert!(data.times.iter().any(|time| time.0 == line.0), "{line:?}");
        }
    }

    #[test]
    fn a_long_run_keeps_the_steps_around_the_violation() {
        let mut run = split_brain();
        let like = run.ops[0].clone();
        for n in 0..10_000 {
            let call_ns = n * 3_000_000;
            let ret_ns = None;
            run.ops.push(crate::record::OpRow { call_ns, ret_ns, ..like.clone() });
        }
        let data = data(&run).unwrap();
        let (_, seen) = run.first_violation().unwrap();
        assert_eq!(data.times.len(), STEPS_MAX);
        assert_eq!(data.times[data.start].0, micros(seen.at_ns));
    }

    #[test]
    fn data_cannot_end_its_element() {
        let text = markup(&data(&hostile()).unwrap());
        let (_, json) = text.split_once("id=\"run-data\">").unwrap();
        assert_eq!(json.matches('<').count(), 1);
        assert!(json.trim_end().ends_with("</script>"));
    }

    #[test]
    fn nothing_happened_no_slider() {
        assert!(data(&RunRecord::default()).is_none());
    }
}
