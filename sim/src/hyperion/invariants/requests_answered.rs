//! Whatever a cache node took in is answered, refused, or still on its way to an answer (raft-thesis
//! §6.2).
//!
//! A request that nobody will ever answer costs its client a timeout and the node its memory, and no
//! history shows it: the client tries again. So the node is asked after each of its inputs what it waits
//! for, and whether that can still come: a write for an entry that is not applied yet, at a leader; a
//! read for a round of heartbeats, at a leader, or for an entry that is not applied yet; a query for a
//! connection that carries it or will. Connections and queries of the pool stay inside their bounds.

use super::super::server::Server;
use crate::protocol::raft::Role;
use alloc::format;
use alloc::string::String;
use catalog::{Judged, Look, PerNode, Property};

#[derive(Clone, Debug)]
pub struct RequestsAnswered;

/// A pool with more queries than this is looked into at one event of so many.
const QUERIES_MIN: u64 = 16;
const LOOK_EVERY: u64 = 64;

/// What is remembered of one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    looks: u64,
    /// Whether it was reported in any life of the node.
    has_broken: bool,
}

type Broken = Option<(&'static str, String)>;

fn unanswered(server: &Server) -> Broken {
    let leads = server.raft().role() == Role::Leader;
    let applied = server.machine().applied_index();
    if let Some(first) = server.first_write_pending() {
        let writes = server.writes_pending();
        if !leads {
            let detail = format!("it does not lead and keeps {writes} writes, the first {first}");
            return Some(("a node that does not lead waits for writes", detail));
        }
        if first.index <= applied {
            let detail = format!("it has applied {applied} and has not answered {first}");
            return Some(("an applied write has no answer", detail));
        }
    }
    let asked = server.reads_unconfirmed();
    if asked > 0 && !leads {
        let detail = format!("it does not lead and keeps {asked} reads that a leader confirms");
        return Some(("a node that does not lead waits for reads", detail));
    }
    if let Some(index) = server.first_read_waiting().filter(|index| *index <= applied) {
        let detail = format!("it has applied {applied}, and a read waits for {index}");
        return Some(("an applied read has no answer", detail));
    }
    let batched = server.batched();
    (batched > 0 && !leads).then(|| {
        let detail = format!("it does not lead, and {batched} writes wait to be proposed");
        ("a node that does not lead gathers writes", detail)
    })
}

fn misfit_of_pool(server: &Server, looks: u64) -> Broken {
    let pool = server.pool()?;
    if pool.queries() > QUERIES_MIN && !looks.is_multiple_of(LOOK_EVERY) {
        return None;
    }
    let stranded = pool.stranded();
    if stranded > 0 {
        let detail = format!("{stranded} queries have no connection and wait for none");
        return Some(("a query that nobody carries", detail));
    }
    let (orphaned, conns) = pool.orphaned();
    if orphaned > 0 {
        let detail = format!("{orphaned} of {conns} connections are in use for no query");
        return Some(("a connection in use for nobody", detail));
    }
    let (max, waiting_max) = (pool.config().connections_max, pool.config().waiting_max);
    let waiting = pool.waiting();
    (conns > max || waiting > waiting_max).then(|| {
        let detail = format!(
            "it has {conns} connections of {max}, and {waiting} queries wait of {waiting_max}"
        );
        ("a pool past its bounds", detail)
    })
}

impl PerNode for RequestsAnswered {
    type Part = Server;
    type Memory = Looked;
    const PROPERTY: Property = Property {
        name: "hyperion.requests_answered",
        about: "a request that was taken in is answered, refused, or waits for what can still come",
        source: "raft-thesis §6.2",
    };

    fn reboot(_: &mut Looked) {}

    fn look(&mut self, look: &Look<'_, Server>, looked: &mut Looked) -> Judged {
        if looked.has_broken {
            return Ok(0);
        }
        looked.looks += 1;
        let broken = unanswered(look.part).or_else(|| misfit_of_pool(look.part, looked.looks));
        let Some((rule, detail)) = broken else { return Ok(1) };
        looked.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
