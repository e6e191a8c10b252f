//! Answers to queries (Serf, `handleQueryResponse`): each member's counts once, for its own query.

use super::{Look, is};
use crate::protocol::serf::{Event, Serf};
use alloc::collections::BTreeSet;
use alloc::format;
use catalog::{Judged, PerNode, Property};
use contract::Mark;

/// An answer counts for the query that it answers, and a member answers once.
#[derive(Clone, Debug)]
pub struct AnswersOnce;

/// Whose answers were counted, by query.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeSet<(u64, u64)>);

impl PerNode for AnswersOnce {
    type Part = Serf;
    type Memory = Memory;
    const PROPERTY: Property = Property {
        name: "serf.answers_once",
        about: "each member's answer counts once, and for the query that it answers",
        source: "serf handleQueryResponse",
    };

    fn on_mark(&mut self, look: &Look<'_>, memory: &mut Memory, mark: Mark) -> Judged {
        if !is(look, mark, Event::Answered) {
            return Ok(0);
        }
        let [query, answered, from] = mark.labels;
        let rule = match (query == answered, memory.0.insert((query, from))) {
            (true, true) => return Ok(1),
            (false, _) => "an answer counts for another query",
            (true, false) => "an answer counts twice",
        };
        let name = look.name();
        let detail = format!("{name} took the answer of member {from} to {answered} for {query}");
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
