//! A counterexample as a picture: one lane per client, and the order that explains all but the
//! last answer.
//!
//! The picture is a function of the history alone: no clock, no path, no font metrics. Time runs
//! to the right in the order of events and is not to scale, since a contradiction may join
//! milliseconds that lie seconds apart.

use super::counterexample::oracle::{Case, RegisterOracle};
use super::counterexample::sentence::Speaker;
use super::model::order_of_model;
use super::replay::replay_register;
use super::report::{Counterexample, Options};
use super::search::{Found, Limits};
use super::zones::{Relaxed, judge_relaxed};
use crate::history::register::Register;
use crate::history::split::{Share, shares_of};
use crate::linearizable::search::search_register;
use crate::models::{Model, RegisterCas};
use contract::{Call, NodeId, Op, Outcome, Ret};
use std::fmt::Write as _;
use svg::Drawing;

const LEFT: usize = 110;
const STEP: usize = 56;
const LANE: usize = 46;
const TOP: usize = 16;
const BAR: usize = 16;
/// Where names and the sentence begin, in tenths of a pixel.
const MARGIN: u64 = 40;
/// Characters of the sentence on one line.
const WRAP: usize = 100;
/// Pixels of one character of the sentence, for the width of the picture.
const CHARACTER: usize = 7;
/// Steps to find the order of a handful of operations.
const STEPS_MAX: u64 = 100_000;
/// The most operations of one key that fit into a picture.
pub const DRAWN_MAX: usize = 200;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#222}\
.read{fill:#009E73}.write{fill:#0072B2}.other{fill:#CC79A7}.wrong{fill:#D55E00}\
rect{rx:3px}.open{fill-opacity:.35;stroke-dasharray:4 3;stroke:#888}.axis{stroke:#ccc}\
.dot{fill:#fff;stroke:#222}.number{font-size:9px;text-anchor:middle}\
@media(prefers-color-scheme:dark){text{fill:#eee}.axis{stroke:#555}.number{fill:#222}}";

/// Draws `example`, which was found in `ops` for registers, as an SVG.
#[must_use]
pub fn lanes_svg(
    ops: &[Op],
    model: &RegisterCas,
    example: &Counterexample,
    options: &Options<'_>,
) -> String {
    let shares = shares_of(ops, example.key, model_knows);
    assert!(!shares.is_empty(), "the counterexample is about a key of this history");
    let case = Case { ops, key: example.key, shares: &shares, model };
    let relevant = RegisterOracle::new(case).relevant(&example.indexes);
    let (wrong, rest) = split_last(ops, &example.indexes);
    let order = order_of(case, &relevant, &rest);
    let drawing = Shown { strong: &example.indexes, wrong: Some(wrong), order };
    Picture::new(ops, drawing).draw(example.rule, &example.sentence, &Speaker { ops, options })
}

/// Draws `example`, which was found in `ops` by `model`.
#[must_use]
pub fn model_lanes_svg<M: Model>(
    model: &M,
    ops: &[Op],
    example: &Counterexample,
    options: &Options<'_>,
) -> String {
    let (wrong, rest) = split_last(ops, &example.indexes);
    let order = order_of_model(model, ops, example.key, &rest);
    let drawing = Shown { strong: &example.indexes, wrong: Some(wrong), order };
    Picture::new(ops, drawing).draw(example.rule, &example.sentence, &Speaker { ops, options })
}

/// Draws the whole key `key` of a linearizable history with an order that explains it; `None` when
/// that would be more than [`DRAWN_MAX`] operations.
#[must_use]
pub fn key_lanes_svg(
    ops: &[Op],
    model: &RegisterCas,
    key: u64,
    options: &Options<'_>,
) -> Option<String> {
    let shares = shares_of(ops, key, model_knows);
    if shares.is_empty() || shares.len() > DRAWN_MAX {
        return None;
    }
    let is_done = |op: &u32| matches!(ops[*op as usize].outcome, Outcome::Ok(_));
    let mut strong: Vec<u32> = shares.iter().map(|share| share.op).filter(is_done).collect();
    strong.sort_unstable();
    strong.dedup();
    let case = Case { ops, key, shares: &shares, model };
    let order = order_of(case, &shares, &strong);
    let sentence = "The numbers are an order that explains every answer.";
    let drawing = Shown { strong: &strong, wrong: None, order };
    Some(Picture::new(ops, drawing).draw("linearizable", sentence, &Speaker { ops, options }))
}

/// The answer of a core that came last, which no order explains, and the others, ascending.
fn split_last(ops: &[Op], core: &[u32]) -> (u32, Vec<u32>) {
    let returned = |op: &u32| (ops[*op as usize].ret_at, *op);
    let wrong = *core.iter().max_by_key(|op| returned(op)).expect("a core");
    (wrong, core.iter().copied().filter(|&op| op != wrong).collect())
}

/// What is to be drawn.
struct Shown<'a> {
    /// The operations whose answers count, ascending.
    strong: &'a [u32],
    /// The one among them that no order explains.
    wrong: Option<u32>,
    /// The order that explains the rest.
    order: Vec<u32>,
}

const fn model_knows(op: &Op) -> bool {
    matches!(
        op.call,
        Call::Get { .. }
            | Call::BatchGet { .. }
            | Call::Put { .. }
            | Call::Delete { .. }
            | Call::Cas { .. }
    )
}

/// What is drawn.
struct Picture<'a> {
    ops: &'a [Op],
    /// The core and the open writes that explain it, in the order of calls.
    shown: Vec<u32>,
    clients: Vec<NodeId>,
    /// The shown operations' calls and returns in the order of time.
    events: Vec<(u64, bool, u32)>,
    /// The answer that no order explains.
    wrong: Option<u32>,
    /// The order that explains the rest, among the shown.
    order: Vec<u32>,
}

impl<'a> Picture<'a> {
    fn new(ops: &'a [Op], drawing: Shown<'_>) -> Self {
        let Shown { strong, wrong, order } = drawing;
        let mut shown = strong.to_vec();
        shown.extend(&order);
        shown.sort_unstable_by_key(|&op| (ops[op as usize].call_at, op));
        shown.dedup();
        let mut clients: Vec<NodeId> = shown.iter().map(|&op| ops[op as usize].client).collect();
        clients.sort_unstable();
        clients.dedup();
        let mut events: Vec<(u64, bool, u32)> = Vec::new();
        for &op in &shown {
            let recorded = &ops[op as usize];
            events.push((recorded.call_at.0, false, op));
            if matches!(recorded.outcome, Outcome::Ok(_)) && strong.binary_search(&op).is_ok() {
                events.push((recorded.ret_at.0, true, op));
            }
        }
        events.sort_unstable();
        Self { ops, shown, clients, events, wrong, order }
    }

    /// Where the call or return of `op` stands, if it is drawn.
    fn x(&self, op: u32, is_return: bool) -> Option<usize> {
        let is_it = |event: &(u64, bool, u32)| (event.1, event.2) == (is_return, op);
        Some(LEFT + STEP * self.events.iter().position(is_it)? + STEP / 2)
    }

    fn right(&self) -> usize {
        LEFT + STEP * (self.events.len() + 1)
    }

    fn y(&self, op: u32) -> usize {
        let client = self.ops[op as usize].client;
        let lane = self.clients.iter().position(|other| *other == client);
        TOP + LANE * lane.expect("every shown operation has a lane")
    }

    fn draw(&self, title: &str, sentence: &str, speaker: &Speaker<'_>) -> String {
        let lines = wrap(sentence);
        let longest = lines.iter().map(String::len).max().unwrap_or(0);
        let width = self.right().max(LEFT + longest * CHARACTER);
        let bottom = TOP + LANE * self.clients.len();
        let height = bottom + 18 * (lines.len() + 1);
        let mut svg = Drawing::document((width as u64, height as u64), title, STYLE);
        for (lane, &client) in self.clients.iter().enumerate() {
            let y = (TOP + LANE * lane + BAR + BAR / 2) as u64;
            svg.text("name", MARGIN, y + 4, &(speaker.options.client)(client));
            svg.line("axis", (tenths(LEFT), y), (tenths(self.right()), y));
            svg.raw("\n");
        }
        self.shown.iter().for_each(|&op| self.bar(op, speaker, &mut svg));
        for (x, y, number) in self.dots() {
            svg.circle("dot", (tenths(x), y as u64), 7);
            svg.text("number", tenths(x), y as u64 + 3, &number.to_string());
            svg.raw("\n");
        }
        for (index, text) in lines.iter().enumerate() {
            svg.text("told", MARGIN, (bottom + 18 * (index + 1)) as u64, text);
            svg.raw("\n");
        }
        svg.end()
    }

    fn bar(&self, op: u32, speaker: &Speaker<'_>, svg: &mut Drawing) {
        let recorded = &self.ops[op as usize];
        let from = self.x(op, false).expect("every shown operation is called");
        let until = self.x(op, true);
        let kind = match recorded.call {
            _ if Some(op) == self.wrong => "wrong",
            Call::Get { .. } | Call::BatchGet { .. } => "read",
            Call::Put { .. } => "write",
            _ => "other",
        };
        let class = if until.is_some() { kind.into() } else { format!("{kind} open") };
        let (y, until) = (self.y(op) as u64, until.unwrap_or(self.right()));
        svg.open("operation", &speaker.operation(op));
        let (x, bar) = ((tenths(from), tenths(until)), BAR as u64);
        svg.rect(&class, x, (y + bar, bar));
        svg.text("call", x.0, y + bar - 3, &label(recorded, speaker));
        svg.close();
    }

    /// Where each operation of the order may take effect, with its place in the order.
    fn dots(&self) -> Vec<(usize, usize, usize)> {
        let mut at = 0;
        let mut dots = Vec::new();
        for (&op, number) in self.order.iter().zip(1..) {
            let call = self.x(op, false).expect("the order is shown");
            at = at.max(call + 10);
            let x = self.x(op, true).map_or(at, |ret| at.min(ret.saturating_sub(4)));
            dots.push((x, self.y(op) + BAR + BAR / 2, number));
        }
        dots
    }
}

/// Pixels in the tenths of [`Drawing`].
const fn tenths(pixels: usize) -> u64 {
    10 * pixels as u64
}

/// An order that explains `strong`, with the open operations that it needs, as indexes into the
/// history.
fn order_of(case: Case<'_>, relevant: &[Share], strong: &[u32]) -> Vec<u32> {
    let register: Register = case.weakened(relevant, strong);
    let order = match judge_relaxed(&register, true) {
        Relaxed::Holds(order) => order,
        _ => match search_register(&register, Limits::steps(STEPS_MAX)).0 {
            Found::Linearizable(order) => order,
            _ => Vec::new(),
        },
    };
    assert!(
        order.is_empty() || replay_register(&register, &order) == Ok(()),
        "only orders that can be replayed are drawn"
    );
    let ops = order.iter().map(|&index| register.ops[index as usize]);
    ops.filter(|op| !op.is_event()).map(|op| op.op).collect()
}

/// What stands above a bar.
fn label(op: &Op, speaker: &Speaker<'_>) -> String {
    let value = |value| speaker.options.value_or_nothing(value);
    let short = |text: String| text.strip_prefix("value ").map_or(text.clone(), Into::into);
    let call = match &op.call {
        Call::Put { value: written, .. } => format!("put {}", short(value(Some(*written)))),
        Call::Cas { expect, value: written, .. } => {
            let (from, to) = (short(value(*expect)), short(value(Some(*written))));
            format!("cas {from} {to}")
        }
        call => call.name().into(),
    };
    let answer = match &op.outcome {
        Outcome::Ok(Ret::Found { value: seen, .. }) => short(value(Some(*seen))),
        Outcome::Ok(Ret::Missing | Ret::Conflict { seen: None }) => "nothing".into(),
        Outcome::Ok(Ret::Deleted { previous: seen } | Ret::Conflict { seen }) => {
            short(value(*seen))
        }
        Outcome::Ok(_) => return call,
        Outcome::Fail => "failed".into(),
        Outcome::Unknown => "?".into(),
    };
    format!("{call}: {answer}")
}

/// Breaks a sentence into lines.
fn wrap(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WRAP {
            lines.push(word.to_owned());
        } else {
            let space = if last.is_empty() { "" } else { " " };
            write!(last, "{space}{word}").expect("a string takes everything");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::register::check_register;
    use super::super::testkit::script::script;
    use super::*;

    fn drawn(text: &str) -> String {
        let ops = script(text);
        let report = check_register(&ops, 1_000);
        let example = &report.counterexamples[0];
        lanes_svg(&ops, &RegisterCas::default(), example, &Options::steps(0))
    }

    /// `UPDATE=1` draws it anew.
    #[test]
    fn a_stale_read_is_drawn() {
        let svg = drawn(
            "1 put 1 -> ok 0..1
             2 put 2 -> ? 2
             4 get -> 2 3..5
             3 get -> 1 6..7",
        );
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/linearizable/testdata");
        devkit::golden::check(&std::path::Path::new(folder).join("lanes.svg"), &svg);
    }

    #[test]
    fn every_rule_can_be_drawn() {
        let cases = include_str!("testdata/sentences.txt");
        for case in cases.split("\n\n") {
            let is_history = |line: &&str| !line.starts_with("=>") && !line.starts_with('#');
            let lines: Vec<&str> = case.lines().filter(is_history).collect();
            let svg = drawn(&lines.join("\n"));
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
            assert!(svg.len() < 8_000, "{} bytes", svg.len());
        }
    }
}
