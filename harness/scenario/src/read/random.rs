//! `[swarm] random`: faults that nobody wrote, drawn per seed, written out into the plan.
//!
//! The fault mixes of FoundationDB's simulator, where a test says how much may go wrong and not
//! what. Every fault strikes nodes that are named in the plan, for a length that is, so what a seed
//! drew can be read, edited and shrunk like a file that somebody wrote. Which kinds are drawn, and
//! how, their rows say. Survivable mixes stay inside of the fault budget by construction; the others
//! begin with a fault that does not.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0206, E0406};
use crate::kinds::{FaultRow, RandomFault};
use crate::read::context::Context;
use crate::read::fields::Fields;
use crate::read::time_point;
use crate::read::value;
use crate::syntax::tree::{Item, Span, Table, Value};
use crate::syntax::units::Measure;
use contract::{Domain, Rng, SimTime};

/// The most faults of one run.
const FAULTS_MAX: u64 = 100;
/// How long a fault lasts: nanoseconds, from and to.
const LENGTH: (u64, u64) = (50_000_000, 4_000_000_000);

/// `[swarm] random`, read.
#[derive(Clone, Debug)]
pub struct Random {
    /// The group of nodes that is struck.
    group: String,
    /// How many nodes it has.
    count: u32,
    /// How many faults are drawn.
    faults: u64,
    /// When they start: half-open.
    from: SimTime,
    to: SimTime,
    /// Whether they may exceed the fault budget.
    beyond: bool,
}

/// Reads `{ on, faults, from, to, budget }`.
pub fn read(cx: &mut Context<'_>, item: &Item) -> Option<Random> {
    let mut fields = Fields::of(cx, item, "swarm.random", "`random`")?;
    let on = fields.need(cx, "on", "the group of nodes that is struck");
    let faults = fields.count(cx, "faults", 1, FAULTS_MAX);
    if fields.get("faults").is_none() {
        fields.missing(cx, "faults", "how many faults a run has");
    }
    let mut at = |cx: &mut Context<'_>, key, what| {
        let item = fields.need(cx, key, what)?;
        let text = value::text(cx, item, key)?;
        time_point::known(cx, text, item.span)
    };
    let from = at(cx, "from", "when the first may start: a moment");
    let to = at(cx, "to", "when none starts any more: a moment");
    let beyond = fields.word(cx, "budget", &["survivable", "beyond"]) == "beyond";
    fields.finish(cx);
    let on = on?;
    let group = value::text(cx, on, "on")?;
    let known = cx.names.groups.get(group).filter(|known| !known.client);
    let Some(count) = known.map(|known| known.count) else {
        let message = format!("there is no group of nodes `{group}`");
        cx.report(Diagnostic::error(E0206, message), on.span, "");
        return None;
    };
    let (from, to) = (from?, to?);
    if from >= to {
        let message = "`from` is not below `to`";
        cx.report(Diagnostic::error(E0406, message), item.span, "");
        return None;
    }
    Some(Random { group: group.to_owned(), count, faults: faults?, from, to, beyond })
}

impl Random {
    /// Survivable faults on the `count` nodes of `group`, between two instants.
    #[must_use]
    pub fn over(group: &str, count: u32, from: SimTime, to: SimTime) -> Self {
        assert!(count > 0, "somebody is struck");
        assert!(from < to, "there is time for it");
        Self { group: group.to_owned(), count, faults: 0, from, to, beyond: false }
    }

    /// The ids of the faults of any seed.
    pub fn ids(&self) -> impl Iterator<Item = String> + use<> {
        (1..=self.faults).map(|number| format!("random-{number}"))
    }

    /// The faults of one seed, of the kinds of `rows`, as `[[fault]]` tables with ids.
    pub fn draw(&self, seed: u64, rows: &[FaultRow]) -> Vec<(String, Item)> {
        let (survivable, beyond) = ways(rows);
        let mut rng = Rng::new(seed, Domain::Swarm, "random faults");
        let mut numbers: Vec<u32> = (1..=self.count).collect();
        rng.shuffle(&mut numbers);
        // Only these may have a disk that returns what was not written.
        numbers.truncate((self.count as usize).saturating_sub(1) / 2);
        let mut drawing = Drawing { mix: self, rng, breakable: numbers };
        let fault = |(position, id): (usize, String)| {
            let exceeding = self.beyond && position == 0;
            let item = drawing.fault(&id, if exceeding { &beyond } else { &survivable });
            (id, item)
        };
        self.ids().enumerate().map(fault).collect()
    }
}

/// The ways in which random faults are drawn: those that a correct system survives, in the order of
/// the kinds, and those that exceed the budget, in the order of its lines.
fn ways(rows: &[FaultRow]) -> (Vec<RandomFault>, Vec<RandomFault>) {
    let all = rows.iter().flat_map(|row| row.random).filter(|way| !way.hunt_only).copied();
    let (mut beyond, survivable): (Vec<RandomFault>, Vec<RandomFault>) =
        all.partition(|way| way.exceeds.is_some());
    beyond.sort_by_key(|way| way.exceeds);
    (survivable, beyond)
}

/// The draws of one run.
pub struct Drawing<'a> {
    mix: &'a Random,
    rng: Rng,
    /// Numbers of nodes whose disk may return what was not written.
    breakable: Vec<u32>,
}

/// The fields of a fault, in the order in which they are written; the first is its kind.
pub type Entries = Vec<(&'static str, Item)>;

impl<'a> Drawing<'a> {
    /// Draws for whoever makes worlds, from a stream of its own; the disks of the nodes `breakable`,
    /// by number, may return what was not written.
    #[must_use]
    pub fn new(mix: &'a Random, rng: Rng, breakable: Vec<u32>) -> Self {
        Self { mix, rng, breakable }
    }
}

impl Drawing<'_> {
    fn fault(&mut self, id: &str, ways: &[RandomFault]) -> Item {
        let total: u64 = ways.iter().map(|way| u64::from(way.weight)).sum();
        assert!(total > 0, "some kind of fault of the lab can be drawn");
        let mut left = self.rng.below(total);
        let mut drawn = ways.iter();
        let way = loop {
            let way = drawn.next().expect("the draw is below the sum of the weights");
            match left.checked_sub(u64::from(way.weight)) {
                Some(rest) => left = rest,
                None => break way,
            }
        };
        let at = self.rng.range(self.mix.from.0, self.mix.to.0) / 1_000_000 * 1_000_000;
        let length = self.rng.range(LENGTH.0, LENGTH.1) / 1_000_000 * 1_000_000;
        let mut entries = vec![("id", text(id))];
        entries.extend((way.make)(self));
        entries.push(("at", quantity(Measure::Duration, at)));
        entries.push(("for", quantity(Measure::Duration, length)));
        table(entries)
    }

    /// The random stream of the mix.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// How many nodes may be struck.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.mix.count
    }

    /// A node of the group, by its number from 1.
    #[must_use]
    pub fn named(&self, number: u64) -> Item {
        text(&format!("{}/{number}", self.mix.group))
    }

    /// What a word after the slash selects of the group.
    #[must_use]
    pub fn selector(&self, word: &str) -> String {
        format!("{}/{word}", self.mix.group)
    }

    /// All nodes of the group.
    #[must_use]
    pub fn all(&self) -> Item {
        text(&format!("{}/*", self.mix.group))
    }

    /// One node of the group.
    pub fn node(&mut self) -> Item {
        let number = self.rng.range(1, u64::from(self.mix.count) + 1);
        self.named(number)
    }

    /// A node whose disk may return what was not written; at most a minority of the group may.
    #[must_use]
    pub fn breakable(&self) -> Option<Item> {
        self.breakable.first().map(|number| self.named(u64::from(*number)))
    }

    /// One of some words.
    pub fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.rng.below(words.len() as u64) as usize]
    }

    /// One of some words, as it is written.
    pub fn word(&mut self, words: &[&'static str]) -> Item {
        text(self.pick(words))
    }

    /// A share between 1 and `most` percent.
    pub fn share(&mut self, most: u64) -> Item {
        let percent = self.rng.range(1, most + 1);
        quantity(Measure::Ratio, percent * 10_000)
    }

    /// A length of time, in milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Item {
        quantity(Measure::Duration, self.rng.range(from, to) * 1_000_000)
    }
}

/// A value as it is written in a file.
#[must_use]
pub fn written(item: &Item) -> String {
    item.show()
}

/// A value as an item that no file has.
fn made(value: Value) -> Item {
    Item { span: Span::default(), value }
}

/// A text.
#[must_use]
pub fn text(text: &str) -> Item {
    Item::text(Span::default(), text)
}

/// A count.
#[must_use]
pub fn count(number: u64) -> Item {
    Item::quantity(Span::default(), Measure::Count, number)
}

/// A whole number, also a negative one.
#[must_use]
pub fn int(number: i64) -> Item {
    made(Value::Int(number.into()))
}

/// A quantity.
#[must_use]
pub fn quantity(measure: Measure, value: u64) -> Item {
    Item::quantity(Span::default(), measure, value)
}

/// A list.
#[must_use]
pub fn list(items: Vec<Item>) -> Item {
    made(Value::List(items))
}

/// A table.
#[must_use]
pub fn table(entries: Entries) -> Item {
    let mut table = Table::default();
    for (key, item) in entries {
        table.set(key, Span::default(), item);
    }
    made(Value::Table(table))
}
