//! Promises against disks (raft-paper §5, Figure 2; raft-thesis §6.4.1).
//!
//! A node answers only from what a loss of power would leave: a vote, acknowledged entries, and the
//! word to a leader on which its lease rests. The oracle takes what left at the door of the node and
//! reads the durable image at that very instant; it believes neither the node's tickets nor the ends
//! of its syncs. Now and then, and whenever a new file has taken the log's name, the whole image goes
//! through the code of a boot, and what comes out must be what the node has.

use super::super::machine::Raft;
use super::super::recovery::would_recover;
use super::super::said::Said;
use super::super::settings::Fsync;
use super::Look;
use super::durable_log::{DurableLog, id_at, image};
use alloc::format;
use alloc::string::String;
use catalog::{Judged, PerNode, Property};
use contract::DurableFiles;

/// Whatever leaves a node as a promise is what its disk would give back.
#[derive(Clone, Debug)]
pub struct PromisesDurable;

/// What is remembered of one member, also of its earlier boots.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    said: Said,
    disk: DurableLog,
    /// The length of the file from which on the whole of it is read again.
    recover_at: u64,
    has_broken: bool,
}

/// The least length of a log at which the whole of it is read again.
const RECOVER_BYTES_MIN: u64 = 4 << 10;

type Broken = Option<(&'static str, String)>;

impl Memory {
    /// The promise that the disk does not keep.
    fn unkept(&self, raft: &Raft, before: Said) -> Broken {
        let (said, (term, vote)) = (self.said, self.disk.hard);
        let tell = |(term, vote): (u64, Option<u32>)| match vote {
            Some(peer) => format!("term {term} with a vote for {}", peer + 1),
            None => format!("term {term} without a vote"),
        };
        if let (true, Some((promised, to))) = (said.vote != before.vote, said.vote)
            && (term < promised || term == promised && vote != Some(to))
        {
            let detail = format!(
                "it granted {} its vote in term {promised}, and its disk holds {}",
                to + 1,
                tell(self.disk.hard)
            );
            return Some(("a vote is not durable", detail));
        }
        if said.followed != before.followed && term < said.followed {
            let detail = format!(
                "it told the leader of term {} that it leads, and its disk holds {}",
                said.followed,
                tell(self.disk.hard)
            );
            return Some(("a lease is granted in a term that is not durable", detail));
        }
        if said.accepted == before.accepted || raft.config().fsync != Fsync::Always {
            return None;
        }
        let (in_term, matched) = said.accepted?;
        if term < in_term {
            let detail = format!(
                "it acknowledged entries in term {in_term}, and its disk holds {}",
                tell(self.disk.hard)
            );
            return Some(("entries are acknowledged in a term that is not durable", detail));
        }
        let id = id_at(raft, matched).filter(|_| raft.term() == in_term)?;
        (!self.disk.holds(id)).then(|| {
            let last = self.disk.terms.last();
            let detail = format!("it acknowledged up to {id}, and its disk holds up to {last}");
            ("acknowledged entries are not durable", detail)
        })
    }

    /// Whether a boot from the image would know anything else than the walk over it and the node.
    fn misread(&self, raft: &Raft, files: &dyn DurableFiles) -> Broken {
        let rule = "a boot would read something else";
        let recovered = match would_recover(raft.config(), &image(files)) {
            Ok(recovered) => recovered,
            Err(refused) => return Some((rule, format!("a boot would refuse: {}", refused.0))),
        };
        if (recovered.term, recovered.vote) != self.disk.hard {
            let (term, vote) = (recovered.term, recovered.vote);
            let detail = format!("a boot would read term {term} and vote {vote:?} from its disk");
            return Some((rule, detail));
        }
        let end = recovered.log.last();
        if end != self.disk.terms.last() {
            let last = self.disk.terms.last();
            let detail = format!("a boot would read up to {end} where the disk holds {last}");
            return Some((rule, detail));
        }
        let first = recovered.log.first_index().max(raft.first_index());
        let differs = recovered.log.from(first).find(|read| {
            raft.entry(read.index).is_some_and(|held| held.term == read.term && held != *read)
        });
        let entry = differs?;
        let detail = format!("a boot would read another entry {} than it holds", entry.id());
        Some((rule, detail))
    }
}

impl PerNode for PromisesDurable {
    type Part = Raft;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "raft.promises_durable",
        about: "a vote, acknowledged entries and what a lease rests on are durable when they leave",
        source: "raft-paper §5",
    };

    fn reboot(memory: &mut Memory) {
        memory.said = Said::default();
    }

    fn look(&mut self, look: &Look<'_>, memory: &mut Memory) -> Judged {
        let said = *look.part.said();
        let before = core::mem::replace(&mut memory.said, said);
        if before == said || memory.has_broken {
            return Ok(0);
        }
        let Some(files) = look.nodes.durable(look.node).filter(|files| files.is_sound()) else {
            return Ok(0);
        };
        let known = memory.disk.len_bytes();
        memory.disk.refresh(files);
        let len_bytes = memory.disk.len_bytes();
        let is_due = len_bytes >= memory.recover_at || len_bytes < known;
        let mut broken = memory.unkept(look.part, before);
        if broken.is_none() && is_due {
            memory.recover_at = (2 * len_bytes).max(RECOVER_BYTES_MIN);
            broken = memory.misread(look.part, files);
        }
        let Some((rule, detail)) = broken else { return Ok(1) };
        memory.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
