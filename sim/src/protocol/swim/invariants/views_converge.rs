//! Convergence (swim-paper §4.1; memberlist push/pull): views become equal once nothing changes.

use super::{Look, answered};
use crate::protocol::swim::{Swim, SwimOf};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::{Mark, NodeId, SimTime};

/// Two members that reach each other do not keep different views: who lives, in which incarnation,
/// and what it says of itself.
#[derive(Clone, Debug)]
pub struct ViewsConverge {
    swim_of: SwimOf,
    /// The digest of each view, and since when it is that.
    stable: BTreeMap<NodeId, (u64, SimTime)>,
    reported: BTreeSet<(NodeId, NodeId)>,
}

impl ViewsConverge {
    pub(super) const fn new(swim_of: SwimOf) -> Self {
        Self { swim_of, stable: BTreeMap::new(), reported: BTreeSet::new() }
    }
}

impl PerNode for ViewsConverge {
    type Part = Swim;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "swim.views_converge",
        about: "members that reach each other do not keep different views",
        source: "swim-paper §4.1",
    };

    fn look(&mut self, look: &Look<'_>, (): &mut ()) -> Judged {
        let digest = look.part.members().digest();
        let (known, since) = self.stable.entry(look.node).or_insert((digest, look.at));
        if *known != digest {
            (*known, *since) = (digest, look.at);
        }
        Ok(0)
    }

    fn on_mark(&mut self, look: &Look<'_>, (): &mut (), mark: Mark) -> Judged {
        let Some((node, other)) = answered(look, mark, self.swim_of) else { return Ok(0) };
        let (ours, theirs) = (look.part.members().digest(), other.members().digest());
        if ours == theirs {
            return Ok(1);
        }
        let bound = look.part.settles_within();
        let is_settled = |node: NodeId, digest: u64| {
            let stable = self.stable.get(&node);
            stable.is_some_and(|(known, since)| *known == digest && look.at.since(*since) > bound)
        };
        let settled = is_settled(look.node, ours) && is_settled(node, theirs);
        let pair = (look.node.min(node), look.node.max(node));
        if !settled || !self.reported.insert(pair) {
            return Ok(1);
        }
        let (one, two) = (look.name(), look.name_of(node));
        let detail = format!("the views of {one} and {two} differ, and neither changes in {bound}");
        let rule = "members in reach keep different views";
        Err(look.breach(Self::PROPERTY, rule, &[look.node, node], detail))
    }
}
