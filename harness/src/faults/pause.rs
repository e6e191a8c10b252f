//! `pause`: nodes that do nothing for a while, as in a long collection or a stopped container.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::{Need, Settings};
use contract::Condition;
use scenario::kinds::{Damage, FaultRow, Field, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Stops nodes without killing them; what arrives meanwhile waits.
pub struct Pause;

impl FaultKind for Pause {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[Field::node("the nodes it stops")];
        FaultRow {
            row: Row {
                name: "pause",
                about: "stops nodes for a while without killing them",
                fields: FIELDS,
            },
            overlaps: "any pause holds",
            trouble: Need::Pause,
            at_once: false,
            random: const { &[RandomFault::survivable(1, drawn)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::Pause { node }))
    }
}

pub(super) fn drawn(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("pause")), ("node", d.node())]
}
