//! Precedence of states (swim-paper §4.2): only a higher incarnation brings back the dead.

use super::{Look, about};
use crate::protocol::swim::{Event, Name, Swim};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::{Mark, SimTime};

/// Who was declared dead lives again in a higher incarnation only, for as long as tombstones are
/// kept: what an older message says after that, nobody can know.
#[derive(Clone, Debug)]
pub struct DeadStaysDead;

/// The incarnation in which each died, and when.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<Name, (u64, SimTime)>);

impl PerNode for DeadStaysDead {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.dead_stays_dead",
        about: "a dead member comes back in a higher incarnation only",
        source: "swim-paper §4.2",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        let incarnation = mark.labels[1];
        if let Some(name) = about(look.part, mark, Event::Died) {
            memory.0.insert(name, (incarnation, look.at));
            return Ok(1);
        }
        let lives = [Event::Joined, Event::Renewed];
        let Some(name) = lives.into_iter().find_map(|event| about(look.part, mark, event)) else {
            return Ok(0);
        };
        let Some((died, at)) = memory.0.remove(&name) else { return Ok(1) };
        let timing = &look.part.config().timing;
        let is_reclaimed = timing.dead_node_reclaim > contract::Duration::ZERO;
        let is_kept = look.at.since(at) < timing.gossip_to_the_dead;
        if incarnation > died || !is_kept || is_reclaimed {
            return Ok(1);
        }
        let detail = format!(
            "at {} member {} died in incarnation {died} and lives in {incarnation}",
            look.name(),
            name.0
        );
        let rule = "the dead live without a higher incarnation";
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
