//! Indirect probes (swim-paper §4.1): whoever could help is asked.

use super::{Look, about};
use crate::protocol::swim::{Event, Swim};
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// A member of a small cluster that gets no answer asks as many others as it may, and never nobody
/// while there is somebody.
#[derive(Clone, Debug)]
pub struct HelpersAsked;

impl PerNode for HelpersAsked {
    type Part = Swim;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "swim.helpers_asked",
        about: "who gets no answer asks every helper that there is room for",
        source: "swim-paper §4.1",
    };

    fn on_mark(&mut self, look: &Look<'_>, (): &mut (), mark: Mark) -> Judged {
        let Some(target) = about(look.part, mark, Event::HelpersAsked) else { return Ok(0) };
        let (asked, eligible) = (mark.value, mark.labels[1]);
        let checks = u64::from(look.part.config().timing.indirect_checks);
        let is_small = look.part.members().count() < 3 * checks;
        let is_missed = if is_small { asked < eligible } else { asked == 0 && eligible > 0 };
        if !is_missed {
            return Ok(1);
        }
        let detail = format!(
            "{} asked {asked} of {eligible} helpers about member {}",
            look.name(),
            target.0
        );
        Err(look.breach(Self::PROPERTY, "a helper was missed", &[look.node], detail))
    }
}
