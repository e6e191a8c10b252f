//! Memory under churn (memberlist `resetNodes`): who is gone is forgotten in time.

use super::Look;
use crate::protocol::swim::Swim;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Instant;

/// When a round of probes begins, no tombstone is older than the dead are told.
#[derive(Clone, Debug)]
pub struct TombstonesReaped;

/// The round that was judged last, and whether a breach was reported.
#[derive(Clone, Debug, Default)]
pub struct Memory(Instant, bool);

impl PerNode for TombstonesReaped {
    type Part = Swim;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "swim.tombstones_reaped",
        about: "who is dead or left is forgotten after the time set for it",
        source: "memberlist state.go",
    };

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let round = look.part.round_began();
        if memory.1 || core::mem::replace(&mut memory.0, round) == round {
            return Ok(0);
        }
        let keep = look.part.config().timing.gossip_to_the_dead;
        let gone = look.part.members().iter().filter(|member| member.state.is_gone());
        let Some(old) = gone.clone().find(|member| round.since(member.since) > keep) else {
            return Ok(1);
        };
        memory.1 = true;
        let detail = format!(
            "{} remembers {} that are gone, member {} for longer than {keep}",
            look.name(),
            gone.count(),
            old.name.0
        );
        Err(look.breach(Self::PROPERTY, "an old tombstone is kept", &[look.node], detail))
    }
}
