//! `pause`: nodes that do nothing for a while, as in a long collection or a stopped container.

use super::{FaultKind, Stage, Step, lasting, nodes_of};
use catalog::Settings;
use contract::Condition;
use scenario::kinds::{Field, FieldKind, Row};

/// Stops nodes without killing them; what arrives meanwhile waits.
pub struct Pause;

impl FaultKind for Pause {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[Field {
            name: "node",
            kind: FieldKind::Selector,
            about: "the nodes it stops",
            default: "",
            required: true,
        }];
        Row { name: "pause", about: "stops nodes for a while without killing them", fields: FIELDS }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let nodes = nodes_of(fields, stage);
        lasting(nodes.into_iter().map(|node| Condition::Pause { node }))
    }
}
