//! `clock`: clocks that run fast or slow, and wall clocks that jump.

use super::{Action, FaultKind, Stage, Step, nodes_of};
use catalog::{Kind, Settings};
use contract::{Condition, Duration, Shock};
use scenario::kinds::{Field, FieldKind, Row};

/// Bends the clocks of nodes.
pub struct Clock;

const FIELDS: &[Field] = &[
    Field {
        name: "node",
        kind: FieldKind::Selector,
        about: "the nodes whose clocks it bends",
        default: "",
        required: true,
    },
    Field {
        name: "drift_ppm",
        kind: FieldKind::Plain(Kind::Int { min: -500_000, max: 500_000 }),
        about: "how much faster (or, negative, slower) all clocks of the node run meanwhile",
        default: "",
        required: false,
    },
    Field {
        name: "jump",
        kind: FieldKind::Plain(Kind::DURATION),
        about: "how far the wall clock jumps ahead at the start",
        default: "",
        required: false,
    },
    Field {
        name: "jump_back",
        kind: FieldKind::Plain(Kind::DURATION),
        about: "how far the wall clock jumps back at the start",
        default: "",
        required: false,
    },
];

impl FaultKind for Clock {
    fn row(&self) -> Row {
        Row { name: "clock", about: "makes clocks drift, or wall clocks jump", fields: FIELDS }
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
