//! Who left is not failed (memberlist `deadNode`): its owner does not mourn it.

use super::{Look, about};
use crate::protocol::swim::{Event, Name, Swim};
use alloc::collections::BTreeMap;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::{Mark, SimTime};

/// Who is known to have left is not declared dead, and comes back in a higher incarnation or from
/// another address only.
#[derive(Clone, Debug)]
pub struct LeftStaysLeft;

/// The incarnation in which each left, from where, and when.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<Name, (u64, Option<u32>, SimTime)>);

impl PerNode for LeftStaysLeft {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.left_stays_left",
        about: "a member that left is not declared dead, and comes back by its own word only",
        source: "memberlist state.go",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        let incarnation = mark.labels[1];
        let address = |name| look.part.member(name).map(|member| member.address.0);
        if let Some(name) = about(look.part, mark, Event::Left) {
            memory.0.insert(name, (incarnation, address(name), look.at));
            return Ok(1);
        }
        let keep = look.part.config().timing.gossip_to_the_dead;
        if let Some(name) = about(look.part, mark, Event::Died) {
            let left = memory.0.remove(&name).filter(|(.., at)| look.at.since(*at) < keep);
            let Some((left, ..)) = left else { return Ok(0) };
            let detail = format!("at {} member {} left in {left} and died", look.name(), name.0);
            let rule = "a member that left is declared dead";
            return Err(look.breach(Self::PROPERTY, rule, &[look.node], detail));
        }
        let Some(name) = about(look.part, mark, Event::Joined) else { return Ok(0) };
        let Some((left, from, at)) = memory.0.remove(&name) else { return Ok(0) };
        let has_moved = address(name) != from;
        if incarnation > left || has_moved || look.at.since(at) >= keep {
            return Ok(1);
        }
        let detail = format!(
            "at {} member {} left in incarnation {left} and lives in {incarnation}",
            look.name(),
            name.0
        );
        let rule = "a member that left lives without a higher incarnation";
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
