//! `slow-cpu`: nodes whose processor takes several times as long for the same work;
//! `service-time`: services whose answers cost more, or less, than they did.
//!
//! Both scale what nodes spend. A `slow-cpu` slows a machine by a whole factor; a `service-time`
//! scales a service by any factor, also below 1.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Settings};
use contract::Condition;
use scenario::kinds::{Field, FieldKind, Row};

/// Multiplies the processor time that nodes spend.
pub struct SlowCpu;

/// Scales the service time of nodes.
pub struct ServiceTime;

const NODE: Field = Field {
    name: "node",
    kind: FieldKind::Selector,
    about: "the nodes whose work it makes longer",
    default: "",
    required: true,
};

impl FaultKind for SlowCpu {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            NODE,
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

impl FaultKind for ServiceTime {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[
            NODE,
            Field {
                name: "scale",
                kind: FieldKind::Factor,
                about: "by how much what they spend is multiplied: 4.0, 0.5",
                default: "",
                required: true,
            },
        ];
        Row {
            name: "service-time",
            about: "scales the time that nodes spend on their work",
            fields: FIELDS,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let permille = u32::try_from(fields.int("scale")).expect("the compiler bounds `scale`");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::ServiceTime { node, permille }))
    }
}
