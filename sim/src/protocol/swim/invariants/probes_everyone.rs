//! Time-bounded completeness (swim-paper §4.3): every member is probed within two rounds.

use super::{Look, about};
use crate::protocol::swim::{Event, Name, Swim};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// Between two probes of a member lie at most `2 n − 1` of the prober's.
#[derive(Clone, Debug)]
pub struct ProbesEveryone;

/// How many probes there were, the most members meanwhile, and at which each was probed last.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    probes: u64,
    members_max: u64,
    last: BTreeMap<Name, u64>,
}

impl PerNode for ProbesEveryone {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.probes_everyone",
        about: "every member is probed again within two rounds",
        source: "swim-paper §4.3",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        for event in [Event::Joined, Event::Died, Event::Left] {
            if let Some(name) = about(look.part, mark, event) {
                memory.last.remove(&name);
            }
        }
        let Some(target) = about(look.part, mark, Event::Probed) else { return Ok(0) };
        memory.probes += 1;
        memory.members_max = memory.members_max.max(look.part.members().count());
        let Some(last) = memory.last.insert(target, memory.probes) else { return Ok(0) };
        let (between, bound) = (memory.probes - last, 2 * memory.members_max - 1);
        if between <= bound {
            return Ok(1);
        }
        let detail = format!(
            "{} probed member {} again after {between} probes; {bound} are the bound",
            look.name(),
            target.0
        );
        Err(look.breach(Self::PROPERTY, "a member was probed late", &[look.node], detail))
    }
}
