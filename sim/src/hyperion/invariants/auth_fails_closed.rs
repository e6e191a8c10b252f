//! A gateway passes on only what the auth service granted.

use super::super::gateway::Gateway;
use super::super::tables::Event;
use alloc::string::String;
use catalog::{Judged, Look, PerNode, Property};
use contract::Mark;

/// Needs no memory: every mark says whether somebody granted it.
#[derive(Clone, Debug)]
pub struct AuthFailsClosed;

impl PerNode for AuthFailsClosed {
    type Part = Gateway;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "hyperion.auth_fails_closed",
        about: "a gateway passes on only what the auth service granted",
        source: "hyperion-notes security",
    };

    fn on_mark(&mut self, look: &Look<'_, Gateway>, (): &mut (), mark: Mark) -> Judged {
        if mark.event != Event::GatewayForwarded.row() {
            return Ok(0);
        }
        let [granted, ..] = mark.labels;
        if granted == 1 {
            return Ok(1);
        }
        let rule = "a request went through that nobody granted";
        let detail = String::from("a gateway passed a request on although auth had not said yes");
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
