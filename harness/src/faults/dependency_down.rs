//! `dependency-down`: a service that others need is gone, in one of the two ways that clients can
//! tell apart.

use super::{FaultKind, Stage, Step, lasting, nodes_of, touching};
use catalog::{Kind, Need, Settings};
use contract::{Condition, DiskFate, InFlight};
use scenario::kinds::{Damage, FaultRow, Field, FieldKind, Row};

/// Takes nodes away from those that use them. Slow dependencies are the fault `service-time`.
pub struct DependencyDown;

impl FaultKind for DependencyDown {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[
            Field::node("the nodes that are gone"),
            Field {
                name: "mode",
                kind: FieldKind::Plain(Kind::Choice(&["refuse", "silent"])),
                about: "refuse: the process is gone, connections are refused at once; silent: the \
                        machine is unreachable, nothing is ever answered",
                default: "\"refuse\"",
                required: false,
            },
        ];
        FaultRow {
            row: Row {
                name: "dependency-down",
                about: "makes nodes that others use refuse everything, or answer nothing",
                fields: FIELDS,
            },
            overlaps: "any",
            trouble: Need::Dependency,
            at_once: false,
            random: &[],
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let nodes = nodes_of(fields, stage);
        match fields.choice("mode") {
            "refuse" => {
                let disk = DiskFate::Kept;
                lasting(nodes.into_iter().map(|node| Condition::down(node, disk)))
            }
            "silent" => {
                let in_flight = InFlight::Lost;
                let links = touching(&nodes, stage.node_count());
                let block = |(from, to)| Condition::Block { from, to, in_flight };
                lasting(links.into_iter().map(block))
            }
            other => unreachable!("`mode` is one of its words, not {other}"),
        }
    }
}
