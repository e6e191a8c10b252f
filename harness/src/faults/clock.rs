//! `clock`: clocks that run fast or slow, and wall clocks that jump.

use super::{Action, FaultKind, Stage, Step, nodes_of};
use catalog::{Kind, Need, Settings};
use contract::{Condition, Duration, Shock};
use scenario::kinds::{Damage, FaultRow, Field, Line, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Bends the clocks of nodes.
pub struct Clock;

const FIELDS: &[Field] = &[
    Field::node("the nodes whose clocks it bends"),
    Field::optional(
        "drift_ppm",
        Kind::Int { min: -500_000, max: 500_000 },
        "how much faster (or, negative, slower) all clocks of the node run meanwhile",
    ),
    Field::optional("jump", Kind::DURATION, "how far the wall clock jumps ahead at the start"),
    Field::optional("jump_back", Kind::DURATION, "how far the wall clock jumps back at the start"),
];

impl FaultKind for Clock {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "clock",
                about: "makes clocks drift while it lasts, or wall clocks jump for good",
                fields: FIELDS,
            },
            overlaps: "drifts add",
            trouble: Need::Clock,
            at_once: false,
            random: const {
                &[
                    RandomFault::survivable(1, jumping),
                    RandomFault::hunted(1, within_bound),
                    RandomFault::beyond(Line::ClockDrift, drifting),
                ]
            },
            damage: |fields| {
                let drifts = fields.has("drift_ppm");
                let drift_ppm = if drifts { fields.int("drift_ppm").unsigned_abs() } else { 0 };
                Damage { drift_ppm, ..Damage::default() }
            },
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let mut script = Vec::new();
        let mut act = |action| script.push(Step { offset: Duration::ZERO, action });
        let jump = |name: &str, sign: i64| {
            fields.has(name).then(|| sign * fields.duration(name).as_nanos().cast_signed())
        };
        for node in nodes_of(fields, stage) {
            if fields.has("drift_ppm") {
                let ppm = i32::try_from(fields.int("drift_ppm")).expect("the compiler bounds it");
                act(Action::Impose(Condition::Drift { node, ppm }));
            }
            for by_ns in [jump("jump", 1), jump("jump_back", -1)].into_iter().flatten() {
                act(Action::Strike(Shock::WallJump { node, by_ns }));
            }
        }
        script
    }
}

fn jumping(d: &mut Drawing<'_>) -> Entries {
    let way = if d.rng().below(2) == 0 { "jump" } else { "jump_back" };
    vec![("kind", random::text("clock")), ("node", d.node()), (way, d.millis(1, 3_600_000))]
}

fn drifting(d: &mut Drawing<'_>) -> Entries {
    let ppm = 400_000 * if d.rng().below(2) == 0 { 1 } else { -1 };
    vec![("kind", random::text("clock")), ("node", d.node()), ("drift_ppm", random::int(ppm))]
}

/// So little that as many of them as a plan has stay below the bound of one per cent together.
fn within_bound(d: &mut Drawing<'_>) -> Entries {
    let ppm = 500 * if d.rng().below(2) == 0 { 1 } else { -1 };
    vec![("kind", random::text("clock")), ("node", d.node()), ("drift_ppm", random::int(ppm))]
}
