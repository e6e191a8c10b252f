//! Accuracy in the long run (swim-paper §4.2): who lives and is in reach does not stay declared dead.

use super::{Look, answered};
use crate::protocol::swim::{Name, Swim, SwimOf};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::{Mark, SimTime};

/// A member that another answers takes its place among that one's living in time.
#[derive(Clone, Debug)]
pub struct LiveNotDead {
    swim_of: SwimOf,
}

impl LiveNotDead {
    pub(super) const fn new(swim_of: SwimOf) -> Self {
        Self { swim_of }
    }
}

/// Since when others do not count a member among the living although they answer it; `None` where
/// that was reported.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<Name, Option<SimTime>>);

impl PerNode for LiveNotDead {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.live_not_dead",
        about: "no live member that is in reach stays declared dead",
        source: "swim-paper §4.2",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        let Some((node, other)) = answered(look, mark, self.swim_of) else { return Ok(0) };
        let (me, target) = (look.part.name(), other.name());
        if other.takes_for_living(me) {
            memory.0.remove(&target);
            return Ok(1);
        }
        let since = *memory.0.entry(target).or_insert(Some(look.at));
        let bound = look.part.settles_within();
        let Some(since) = since.filter(|since| look.at.since(*since) > bound) else { return Ok(1) };
        memory.0.insert(target, None);
        let what = other.member(me).map_or("unknown", |member| member.state.name());
        let detail = format!(
            "{} answers {} since {since} and holds it for {what}; {bound} are the bound",
            look.name_of(node),
            look.name(),
        );
        let rule = "a live member stays declared dead";
        Err(look.breach(Self::PROPERTY, rule, &[look.node, node], detail))
    }
}
