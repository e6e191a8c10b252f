//! `reset`: connections that break while both of their nodes live on, as when a firewall or an
//! address translator on the way forgets them.

use super::{Action, FaultKind, Stage, Step, nodes_of};
use catalog::{Need, Settings};
use contract::{Duration, Shock};
use scenario::kinds::{Damage, FaultRow, Field, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Breaks the open connections of nodes.
pub struct Reset;

impl FaultKind for Reset {
    fn row(&self) -> FaultRow {
        const FIELDS: &[Field] = &[Field::node("the nodes whose open connections break")];
        FaultRow {
            row: Row {
                name: "reset",
                about: "breaks the open connections of nodes that live on",
                fields: FIELDS,
            },
            overlaps: "each breaks what is open then",
            trouble: Need::Network,
            at_once: true,
            random: const { &[RandomFault::hunted(1, drawn)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let reset = |node| Action::Strike(Shock::Reset { node });
        let nodes = nodes_of(fields, stage);
        nodes.into_iter().map(|node| Step { offset: Duration::ZERO, action: reset(node) }).collect()
    }
}

fn drawn(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("reset")), ("node", d.node())]
}
