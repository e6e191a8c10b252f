//! `reset`: connections that break while both of their nodes live on, as when a firewall or an
//! address translator on the way forgets them.

use super::{Action, FaultKind, Stage, Step, nodes_of};
use catalog::Settings;
use contract::{Duration, Shock};
use scenario::kinds::{Field, FieldKind, Row};

/// Breaks the open connections of nodes.
pub struct Reset;

impl FaultKind for Reset {
    fn row(&self) -> Row {
        const FIELDS: &[Field] = &[Field {
            name: "node",
            kind: FieldKind::Selector,
            about: "the nodes whose open connections break",
            default: "",
            required: true,
        }];
        let about = "breaks the open connections of nodes that live on";
        Row { name: "reset", about, fields: FIELDS }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let reset = |node| Action::Strike(Shock::Reset { node });
        let nodes = nodes_of(fields, stage);
        nodes.into_iter().map(|node| Step { offset: Duration::ZERO, action: reset(node) }).collect()
    }
}
