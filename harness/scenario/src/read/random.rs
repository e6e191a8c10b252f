//! `[swarm] random`: faults that nobody wrote, drawn per seed, written out into the plan.
//!
//! The fault mixes of FoundationDB's simulator, where a test says how much may go wrong and not
//! what. Every fault strikes nodes that are named in the plan, for a length that is, so what a seed
//! drew can be read, edited and shrunk like a file that somebody wrote. Survivable mixes stay inside
//! of the fault budget ([`crate::budget`]) by construction; the others begin with a fault that does
//! not.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0206, E0406};
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
    /// The ids of the faults of any seed.
    pub fn ids(&self) -> impl Iterator<Item = String> + use<> {
        (1..=self.faults).map(|number| format!("random-{number}"))
    }

    /// The faults of one seed, as `[[fault]]` tables with ids.
    pub fn draw(&self, seed: u64) -> Vec<(String, Item)> {
        let mut rng = Rng::new(seed, Domain::Swarm, "random faults");
        let mut numbers: Vec<u32> = (1..=self.count).collect();
        rng.shuffle(&mut numbers);
        // Only these may have a disk that returns what was not written.
        numbers.truncate((self.count as usize).saturating_sub(1) / 2);
        let mut drawing = Drawing { mix: self, rng, breakable: numbers };
        let fault = |(position, id): (usize, String)| {
            let item = drawing.fault(&id, self.beyond && position == 0);
            (id, item)
        };
        self.ids().enumerate().map(fault).collect()
    }
}

/// The draws of one run.
struct Drawing<'a> {
    mix: &'a Random,
    rng: Rng,
    breakable: Vec<u32>,
}

/// The fields of a fault, in the order in which they are written.
type Entries = Vec<(&'static str, Item)>;

/// Draws what a kind of fault needs besides its time; its first entry is the kind.
type Maker = fn(&mut Drawing<'_>) -> Entries;

/// What a correct system survives, however often it comes.
const SURVIVABLE: &[Maker] = &[
    partition,
    partition,
    lossy_link,
    clogged,
    swizzled,
    crashed,
    crashed,
    paused,
    slowed,
    jumping,
    slow_disk,
    failing_disk,
    full_disk,
    rotten_disk,
    starved,
];

/// What exceeds a line of the budget.
const BEYOND: &[Maker] = &[wiped, rotten_disks, drifting];

impl Drawing<'_> {
    fn fault(&mut self, id: &str, exceeding: bool) -> Item {
        let makers = if exceeding { BEYOND } else { SURVIVABLE };
        let maker = makers[self.rng.below(makers.len() as u64) as usize];
        let at = self.rng.range(self.mix.from.0, self.mix.to.0) / 1_000_000 * 1_000_000;
        let length = self.rng.range(LENGTH.0, LENGTH.1) / 1_000_000 * 1_000_000;
        let mut entries = vec![("id", text(id))];
        entries.extend(maker(self));
        entries.push(("at", quantity(Measure::Duration, at)));
        entries.push(("for", quantity(Measure::Duration, length)));
        table(entries)
    }

    /// One node of the group, by name.
    fn node(&mut self) -> Item {
        let number = self.rng.range(1, u64::from(self.mix.count) + 1);
        text(&format!("{}/{number}", self.mix.group))
    }

    /// One of some words.
    fn word(&mut self, words: &[&str]) -> Item {
        text(words[self.rng.below(words.len() as u64) as usize])
    }

    /// A share between 1 and `most` percent.
    fn share(&mut self, most: u64) -> Item {
        let percent = self.rng.range(1, most + 1);
        quantity(Measure::Ratio, percent * 10_000)
    }

    fn millis(&mut self, from: u64, to: u64) -> Item {
        quantity(Measure::Duration, self.rng.range(from, to) * 1_000_000)
    }
}

/// One node, or some, on one side; everybody else of the group on the other.
fn partition(d: &mut Drawing<'_>) -> Entries {
    let mut numbers: Vec<u32> = (1..=d.mix.count).collect();
    d.rng.shuffle(&mut numbers);
    let cut = 1 + d.rng.below(u64::from(d.mix.count.max(2) - 1)) as usize;
    let group = d.mix.group.clone();
    let side = |numbers: &[u32]| {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        let names = numbers.iter().map(|number| text(&format!("{group}/{number}")));
        list(names.collect())
    };
    if numbers.len() < 2 {
        return paused(d);
    }
    let sides = list(vec![side(&numbers[..cut]), side(&numbers[cut..])]);
    let direction = d.word(&["both", "both", "forward", "backward"]);
    let mode = d.word(&["drop", "drop", "hold"]);
    vec![("kind", text("partition")), ("sides", sides), ("direction", direction), ("mode", mode)]
}

fn lossy_link(d: &mut Drawing<'_>) -> Entries {
    let mut entries = vec![("kind", text("link")), ("node", d.node())];
    for field in ["loss", "duplicate", "reorder", "corrupt"] {
        if d.rng.below(2) == 0 {
            entries.push((field, d.share(20)));
        }
    }
    if entries.len() == 2 {
        entries.push(("loss", d.share(50)));
    }
    entries
}

fn clogged(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", text("clog")), ("node", d.node())]
}

fn swizzled(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", text("swizzle-clog")), ("node", text(&format!("{}/*", d.mix.group)))]
}

fn crashed(d: &mut Drawing<'_>) -> Entries {
    let disk = d.word(&["keep", "lose-unsynced", "torn"]);
    let node = match d.rng.below(4) {
        0 => text(&format!("{}/*", d.mix.group)),
        _ => d.node(),
    };
    vec![("kind", text("crash")), ("node", node), ("disk", disk)]
}

fn paused(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", text("pause")), ("node", d.node())]
}

fn slowed(d: &mut Drawing<'_>) -> Entries {
    let times = d.rng.range(2, 50);
    vec![("kind", text("slow-cpu")), ("node", d.node()), ("times", count(times))]
}

fn jumping(d: &mut Drawing<'_>) -> Entries {
    let way = if d.rng.below(2) == 0 { "jump" } else { "jump_back" };
    vec![("kind", text("clock")), ("node", d.node()), (way, d.millis(1, 3_600_000))]
}

fn slow_disk(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", text("disk")), ("node", d.node()), ("sync", d.millis(1, 500))]
}

fn failing_disk(d: &mut Drawing<'_>) -> Entries {
    let field = if d.rng.below(2) == 0 { "sync_fail" } else { "write_fail" };
    vec![("kind", text("disk")), ("node", d.node()), (field, d.share(20))]
}

fn full_disk(d: &mut Drawing<'_>) -> Entries {
    let bytes = d.rng.range(1, 1 << 20);
    let capacity = quantity(Measure::Bytes, bytes);
    vec![("kind", text("disk")), ("node", d.node()), ("capacity", capacity)]
}

/// Rot, on a disk of the minority that may have it.
fn rotten_disk(d: &mut Drawing<'_>) -> Entries {
    let Some(number) = d.breakable.first().copied() else { return slow_disk(d) };
    let node = text(&format!("{}/{number}", d.mix.group));
    let field = ["read_corrupt", "write_corrupt", "misdirect"][d.rng.below(3) as usize];
    vec![("kind", text("disk")), ("node", node), (field, d.share(50))]
}

/// So little memory that the node is killed, and killed again whenever it boots.
fn starved(d: &mut Drawing<'_>) -> Entries {
    let limit = quantity(Measure::Bytes, 1 << d.rng.range(4, 16));
    vec![("kind", text("memory-pressure")), ("node", d.node()), ("limit", limit)]
}

fn wiped(d: &mut Drawing<'_>) -> Entries {
    vec![("kind", text("crash")), ("node", d.node()), ("disk", text("wipe"))]
}

fn rotten_disks(d: &mut Drawing<'_>) -> Entries {
    let node = text(&format!("{}/*", d.mix.group));
    let field = ["read_corrupt", "write_corrupt", "misdirect"][d.rng.below(3) as usize];
    vec![("kind", text("disk")), ("node", node), (field, d.share(50))]
}

fn drifting(d: &mut Drawing<'_>) -> Entries {
    let ppm = Value::Int(400_000 * if d.rng.below(2) == 0 { 1 } else { -1 });
    vec![("kind", text("clock")), ("node", d.node()), ("drift_ppm", made(ppm))]
}

fn made(value: Value) -> Item {
    Item { span: Span::default(), value }
}

fn text(text: &str) -> Item {
    Item::text(Span::default(), text)
}

fn count(number: u64) -> Item {
    Item::quantity(Span::default(), Measure::Count, number)
}

fn quantity(measure: Measure, value: u64) -> Item {
    Item::quantity(Span::default(), measure, value)
}

fn list(items: Vec<Item>) -> Item {
    made(Value::List(items))
}

fn table(entries: Entries) -> Item {
    let mut table = Table::default();
    for (key, item) in entries {
        table.set(key, Span::default(), item);
    }
    made(Value::Table(table))
}
