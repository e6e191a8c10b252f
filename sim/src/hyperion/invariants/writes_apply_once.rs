//! Each write of a session takes effect at most once (raft-thesis §6.3).
//!
//! A client repeats a write that was not answered, so a command may be in the log twice. The state
//! machine must recognise the second; it also notes every command that it carried out although its
//! session had moved past it, which is what this looks at.

use super::super::server::Server;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use catalog::{Judged, Look, PerNode, Property, Watched};

#[derive(Clone, Debug)]
pub struct WritesApplyOnce {
    /// Per group: the last index that was reported. Every replica repeats the same breach.
    reported: Vec<u64>,
}

impl WritesApplyOnce {
    pub fn new(watched: &Watched) -> Self {
        Self { reported: vec![0; watched.groups()] }
    }
}

impl PerNode for WritesApplyOnce {
    type Part = Server;
    type Memory = ();
    const PROPERTY: Property = Property {
        name: "hyperion.writes_apply_once",
        about: "each write of a session takes effect at most once",
        source: "raft-thesis §6.3",
    };

    fn look(&mut self, look: &Look<'_, Server>, (): &mut ()) -> Judged {
        let machine = look.part.machine();
        let Some(repeat) = machine.last_repeat() else {
            // A node with sessions would have said so.
            return Ok(u64::from(machine.sessions() > 0));
        };
        let reported = &mut self.reported[look.place.group];
        if repeat.again_index <= *reported {
            return Ok(1);
        }
        *reported = repeat.again_index;
        let detail = format!(
            "{} carried out write {} of session {:#x}/{} on key {} at index {}, although that \
             session was at index {} by then",
            look.name(),
            repeat.seq,
            repeat.session.client,
            repeat.session.epoch,
            repeat.key,
            repeat.again_index,
            repeat.first_index,
        );
        Err(look.breach(Self::PROPERTY, "a write took effect twice", &[look.node], detail))
    }
}
