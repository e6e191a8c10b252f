//! `slow-cpu`: nodes whose processor takes several times as long for the same work.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use crate::table::{Field, FieldKind, Row};
use contract::{Condition, Kind, Settings};

/// Multiplies the processor time that nodes spend.
pub struct SlowCpu;

impl FaultKind for SlowCpu {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            Field {
                name: "node",
                kind: FieldKind::Selector,
                about: "the nodes it slows",
                default: "",
                required: true,
            },
            Field {
                name: "times",
                kind: FieldKind::Plain(Kind::Int { min: 1, max: 1_000_000 }),
                about: "how many times as long the same work takes",
                default: "",
                required: true,
            },
        ];
        Row {
            name: "slow-cpu",
            about: "makes the same work take several times as long",
            fields: FIELDS,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let times = u32::try_from(fields.int("times")).expect("the compiler bounds `times`");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::SlowCpu { node, times }))
    }
}
