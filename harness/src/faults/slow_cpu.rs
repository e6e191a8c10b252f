//! `slow-cpu`: nodes whose processor takes several times as long for the same work;
//! `service-time`: services whose answers cost more, or less, than they did.
//!
//! Both scale what nodes spend. A `slow-cpu` slows a machine by a whole factor; a `service-time`
//! scales a service by any factor, also below 1.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Kind, Need, Settings};
use contract::Condition;
use scenario::kinds::{Damage, FaultRow, Field, FieldKind, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Multiplies the processor time that nodes spend.
pub struct SlowCpu;

/// Scales the service time of nodes.
pub struct ServiceTime;

const NODE: Field = Field::node("the nodes whose work it makes longer");

impl FaultKind for SlowCpu {
    fn row(&self) -> FaultRow {
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
        FaultRow {
            row: Row {
                name: "slow-cpu",
                about: "makes the same work take several times as long",
                fields: FIELDS,
            },
            overlaps: "factors multiply, also with those of `service-time`",
            trouble: Need::Pause,
            at_once: false,
            random: const { &[RandomFault::survivable(1, slowed)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let times = u32::try_from(fields.int("times")).expect("the compiler bounds `times`");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::SlowCpu { node, times }))
    }
}

impl FaultKind for ServiceTime {
    fn row(&self) -> FaultRow {
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
        FaultRow {
            row: Row {
                name: "service-time",
                about: "scales the time that nodes spend on their work",
                fields: FIELDS,
            },
            overlaps: "factors multiply, also with those of `slow-cpu`",
            trouble: Need::Dependency,
            at_once: false,
            random: &[],
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let permille = u32::try_from(fields.int("scale")).expect("the compiler bounds `scale`");
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::ServiceTime { node, permille }))
    }
}

fn slowed(d: &mut Drawing<'_>) -> Entries {
    let times = d.rng().range(2, 50);
    vec![("kind", random::text("slow-cpu")), ("node", d.node()), ("times", random::count(times))]
}
