//! `clog` holds what is sent and releases it; `swizzle-clog` clogs nodes one by one and releases
//! them in another order, which finds recovery races that clean partitions miss (FoundationDB
//! testing manual).

use super::{Action, FaultKind, Stage, Step, lasting, links_of, nodes_of};
use catalog::{Need, Settings};
use contract::{Condition, Duration, NodeId};
use scenario::kinds::{Damage, FaultRow, Field, RandomFault, Row};
use scenario::random::{self, Drawing, Entries};

/// Holds every message on some links until it ends.
pub struct Clog;

/// Clogs nodes one by one, releases them in another order.
pub struct SwizzleClog;

const CLOG_FIELDS: &[Field] =
    &[Field::link("the links from one selector to another; or give `node`"), Field::NODE_OF_LINKS];

impl FaultKind for Clog {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "clog",
                about: "holds messages on a link or node, and delivers them when it ends",
                fields: CLOG_FIELDS,
            },
            overlaps: "any hold holds",
            trouble: Need::Network,
            at_once: false,
            random: const { &[RandomFault::survivable(1, clogged)] },
            damage: Damage::NONE,
        }
    }

    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let links = links_of(fields, stage);
        lasting(links.into_iter().map(|(from, to)| Condition::Hold { from, to }))
    }
}

impl FaultKind for SwizzleClog {
    fn row(&self) -> FaultRow {
        FaultRow {
            row: Row {
                name: "swizzle-clog",
                about: "clogs nodes one by one, and releases them in another order",
                fields: const { &[Field::node("the nodes whose links it clogs")] },
            },
            overlaps: "any hold holds",
            trouble: Need::Network,
            at_once: false,
            random: const { &[RandomFault::survivable(1, swizzled)] },
            damage: Damage::NONE,
        }
    }

    /// The first half of its length clogs, the second half releases; without a length, ten
    /// seconds.
    fn script(&self, fields: &Settings, stage: &mut dyn Stage) -> Vec<Step> {
        let half = stage.length().unwrap_or(Duration::from_secs(10)).as_nanos() / 2;
        let nodes = nodes_of(fields, stage);
        let all = stage.node_count() as u32;
        let mut script = Vec::new();
        let mut imposed = 0;
        for node in nodes {
            let clogged_at = stage.rng().below(half.max(1));
            let released_at = half + stage.rng().below(half.max(1));
            for other in (0..all).map(NodeId).filter(|other| *other != node) {
                for (from, to) in [(node, other), (other, node)] {
                    let action = Action::Impose(Condition::Hold { from, to });
                    script.push(Step { offset: Duration(clogged_at), action });
                    let action = Action::Lift(imposed);
                    script.push(Step { offset: Duration(released_at), action });
                    imposed += 1;
                }
            }
        }
        script
    }
}

fn clogged(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("clog")), ("node", d.node())]
}

fn swizzled(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", random::text("swizzle-clog")), ("node", d.all())]
}
