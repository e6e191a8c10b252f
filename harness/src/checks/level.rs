//! `level`: what began and has not ended yet never exceeds a limit, per group.
//!
//! Placement is the case it was made for: a workload runs at most once (`group = ["workload"]`,
//! `max = 1`), and what runs on a node never asks for more than it has (`group = ["node"]`,
//! `sum = true`).

use super::measured::{IN, What, violation};
use super::{CheckKind, RunData};
use crate::measure::{Marked, RowOf, Wanted, labels};
use catalog::{Kind, Property, SettingValue, Verdict};
use contract::{Condition, ConditionId, NodeId, SimTime};
use engine::hosting::Action;
use scenario::kinds::{CheckRow, Field, FieldKind, Row, Source};
use scenario::plan::{CheckPlan, Plan};
use std::collections::BTreeMap;

/// Judges a level after every mark.
pub struct Level;

const EVENT: FieldKind = FieldKind::Measured(&[Source::Event]);

impl CheckKind for Level {
    fn row(&self) -> CheckRow {
        const FIELDS: &[Field] = &[
            Field {
                name: "up",
                kind: EVENT,
                about: "the event with which something begins",
                default: "",
                required: true,
            },
            Field {
                name: "down",
                kind: EVENT,
                about: "the event with which it ends; what a node began ends also when it crashes",
                default: "",
                required: true,
            },
            Field {
                name: "group",
                kind: FieldKind::Labels("up"),
                about: "labels that both events have, or `node`: each combination has a level of \
                        its own",
                default: "",
                required: false,
            },
            Field {
                name: "sum",
                kind: FieldKind::Plain(Kind::Bool),
                about: "whether the values of the marks are summed up, instead of counting one each",
                default: "false",
                required: false,
            },
            Field {
                name: "max",
                kind: FieldKind::Amount,
                about: "the highest level that is allowed",
                default: "",
                required: true,
            },
            IN,
        ];
        CheckRow::of(Row {
            name: "level",
            about: "what began and has not ended stays below a limit",
            fields: FIELDS,
        })
    }

    fn property(&self, _: &CheckPlan, _: &RunData<'_>) -> Property {
        Property {
            name: "level",
            about: "the sum of what began and has not ended is never above the limit",
            source: "tigerstyle §safety",
        }
    }

    fn wanted(&self, check: &CheckPlan, plan: &Plan) -> Wanted {
        What::marks(plan, check, &["up", "down"])
    }

    fn judge(&self, check: &CheckPlan, run: &RunData<'_>) -> Verdict {
        if let Some(missing) = run.marks_missing() {
            return missing;
        }
        let row = |name| What::of(run.plan, check, name).and_then(|what| what.event());
        let (Some(up), Some(down)) = (row("up"), row("down")) else {
            unreachable!("the compiler accepts events only")
        };
        let mut levels = Levels {
            check,
            run,
            up: Side { row: up, labels: labels(run.plan, up).0 },
            down: Side { row: down, labels: labels(run.plan, down).0 },
            begun: BTreeMap::new(),
            broken: Vec::new(),
        };
        let any = levels.play();
        if !levels.broken.is_empty() {
            return Verdict::Violated(levels.broken);
        }
        if any {
            Verdict::Ok
        } else {
            let name = check.fields.text("up");
            Verdict::Inconclusive(format!("`{name}` never happened while it counted"))
        }
    }
}

/// An event and its labels.
struct Side {
    row: RowOf,
    labels: &'static [&'static str],
}

/// At most so many breaches are told.
const TOLD_MAX: usize = 20;

struct Levels<'a> {
    check: &'a CheckPlan,
    run: &'a RunData<'a>,
    up: Side,
    down: Side,
    /// By group: what each node began and has not ended, and by how much that counts.
    begun: BTreeMap<Vec<u64>, Vec<(NodeId, u64)>>,
    broken: Vec<catalog::Violation>,
}

impl Levels<'_> {
    /// Plays all marks and crashes in the order of time. Whether anything began.
    fn play(&mut self) -> bool {
        let run = self.run;
        let mut marks: Vec<&Marked> = run.marks_of(self.up.row, self.check).collect();
        let any = !marks.is_empty();
        marks.extend(run.marks_of(self.down.row, self.check));
        // Marks are kept in the order of time; those of both events are merged again.
        marks.sort_by_key(|marked| marked.at);
        let mut crashes = crashes(run).into_iter().peekable();
        for marked in marks {
            while let Some((_, node)) = crashes.next_if(|(at, _)| *at <= marked.at) {
                self.crash(node);
            }
            let system = run.roster.group_of(marked.node).plan.system.name();
            if (system, usize::from(marked.mark.event)) == self.up.row {
                self.begin(marked);
            } else {
                self.end(marked);
            }
        }
        any
    }

    fn group(&self, side: &Side, marked: &Marked) -> Vec<u64> {
        let Some(SettingValue::List(names)) = self.check.fields.0.get("group") else {
            return Vec::new();
        };
        let value = |name: &SettingValue| {
            let SettingValue::Text(name) = name else { return 0 };
            let position = side.labels.iter().position(|label| label == name);
            position.map_or(u64::from(marked.node.0), |position| marked.mark.labels[position])
        };
        names.iter().map(value).collect()
    }

    fn amount(&self, marked: &Marked) -> u64 {
        if self.check.fields.bool("sum") { marked.mark.value } else { 1 }
    }

    fn begin(&mut self, marked: &Marked) {
        let amount = self.amount(marked);
        let group = self.group(&self.up, marked);
        let begun = self.begun.entry(group.clone()).or_default();
        begun.push((marked.node, amount));
        let level: u64 = begun.iter().map(|(_, amount)| *amount).sum();
        let max = crate::measure::extremes::limit(self.check, "max").unwrap_or(0);
        if level <= max || self.broken.len() >= TOLD_MAX {
            return;
        }
        let mut nodes: Vec<NodeId> = begun.iter().map(|(node, _)| *node).collect();
        nodes.dedup();
        let names: Vec<&str> = nodes.iter().map(|node| self.run.name(*node)).collect();
        let of = if group.is_empty() { String::new() } else { format!(" for {group:?}") };
        let detail = format!(
            "the level of `{}`{of} was {level} at {}, and {max} is allowed; begun by {}",
            self.check.fields.text("up"),
            marked.at,
            names.join(", "),
        );
        let mut broken = violation("level", "above the limit", marked.at, None, detail);
        broken.nodes = nodes;
        self.broken.push(broken);
    }

    /// Ends what the same node began, or what any node began where it did not.
    fn end(&mut self, marked: &Marked) {
        let amount = self.amount(marked);
        let group = self.group(&self.down, marked);
        let Some(begun) = self.begun.get_mut(&group) else { return };
        let own = begun.iter().position(|entry| *entry == (marked.node, amount));
        let other = begun.iter().position(|(_, other)| *other == amount);
        if let Some(position) = own.or(other) {
            begun.remove(position);
        }
    }

    fn crash(&mut self, node: NodeId) {
        for begun in self.begun.values_mut() {
            begun.retain(|(by, _)| *by != node);
        }
    }
}

/// When each node was taken down, in the order of time.
fn crashes(run: &RunData<'_>) -> Vec<(SimTime, NodeId)> {
    let mut down: BTreeMap<ConditionId, NodeId> = BTreeMap::new();
    let mut crashes = Vec::new();
    for step in run.script {
        match &step.action {
            Action::Impose(id, Condition::Down { node, .. }) => {
                if !down.values().any(|other| other == node) {
                    crashes.push((step.at, *node));
                }
                down.insert(*id, *node);
            }
            Action::Lift(id) => {
                down.remove(id);
            }
            _ => {}
        }
    }
    crashes
}
