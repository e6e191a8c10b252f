//! Rows of the tables that a scenario file is checked against: kinds of faults and of checks, and
//! the fields of each. A row stands beside the code that it describes; parser, help, schema and
//! reference pages read it from there.

use crate::read::random::{Drawing, Entries};
use catalog::{Kind, Need, Settings};
use std::any::Any;
use std::fmt;

/// The code behind the rows of a lab. The compiler can do nothing with it: it hands it on with each
/// plan, to whoever runs the plan.
#[derive(Clone, Copy)]
pub struct Behind(&'static (dyn Any + Send + Sync));

impl Behind {
    /// Rows without code: plans that nobody runs.
    pub const NOTHING: Self = Self(&());

    /// Whatever runs plans of the lab.
    #[must_use]
    pub const fn new<T: Any + Send + Sync>(code: &'static T) -> Self {
        Self(code)
    }

    /// The code, where it is of this type.
    #[must_use]
    pub fn get<T: Any>(self) -> Option<&'static T> {
        self.0.downcast_ref()
    }
}

/// A kind of fault or check, as the scenario compiler and the help see it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The value of `kind = ".."`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The fields besides those that every fault (or check) has.
    pub fields: &'static [Field],
}

/// A kind of check: its row, and what the lab has to know of it besides. Whatever treats kinds of
/// checks differently reads it from here. [`CheckRow::of`] is a kind without limits that is judged
/// by our own runner alone; others change what differs.
#[derive(Clone, Copy, Debug)]
pub struct CheckRow {
    /// Name, help and fields.
    pub row: Row,
    /// The fields of which one at least must be there, because a check without a limit cannot fail;
    /// empty where it can fail without.
    pub limits: &'static [&'static str],
    /// What its amounts are amounts of.
    pub amounts: Amounts,
    /// Whether it judges what clients read, so that clients that never read make it empty.
    pub of_reads: bool,
    /// What it looks at.
    pub looks_at: LooksAt,
}

impl CheckRow {
    /// A kind without limits that is judged by our own runner alone.
    #[must_use]
    pub const fn of(row: Row) -> Self {
        let amounts = Amounts::OfUnit;
        Self { row, limits: &[], amounts, of_reads: false, looks_at: LooksAt::Run }
    }
}

/// What the amounts of a check are amounts of; what it measures decides the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amounts {
    /// Of the unit of what is measured.
    OfUnit,
    /// Of the unit of a gauge, and a rate of anything else.
    RateUnlessGauge,
    /// A rate, whatever is measured.
    Rate,
    /// A count, or a share where one count is divided by another (`per`).
    Count,
}

/// What a check looks at: it decides where a run can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksAt {
    /// What clients asked and were told: a recorded history is enough.
    History,
    /// The states of nodes after each event: an observer on any host sees them.
    Nodes,
    /// What only our own runner records: samples, faults and their effects, waiting for predicates.
    Run,
}

impl LooksAt {
    /// Whether a run on a simulator that shares no digests with ours can be judged by it.
    #[must_use]
    pub const fn is_on_any_host(self) -> bool {
        match self {
            Self::History | Self::Nodes => true,
            Self::Run => false,
        }
    }
}

/// A kind of fault: its row, and what the lab has to know of it besides. Whatever treats kinds of
/// faults differently reads it from here.
#[derive(Clone, Copy, Debug)]
pub struct FaultRow {
    /// Name, help and fields.
    pub row: Row,
    /// What becomes of occurrences that overlap, in a few words.
    pub overlaps: &'static str,
    /// Which trouble it is: the rows of defects say in these words what they need.
    pub trouble: Need,
    /// Whether it is over as soon as it began: without `for` or `until` it ends at once, others when
    /// the run's faults are lifted.
    pub at_once: bool,
    /// How `[swarm] random` draws it; empty where it does not.
    pub random: &'static [RandomFault],
    /// What it does to each node that it strikes, as the fault budget counts it.
    pub damage: fn(&Settings) -> Damage,
}

/// One way in which random plans draw a kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct RandomFault {
    /// How often, against the others of the same list.
    pub weight: u32,
    /// The line of the fault budget that it exceeds; `None` where a correct system survives it,
    /// however often it comes.
    pub exceeds: Option<Line>,
    /// Whether only `hunt` draws it, and `[swarm] random` does not.
    pub hunt_only: bool,
    /// Draws its kind and what it needs besides its time.
    pub make: fn(&mut Drawing<'_>) -> Entries,
}

impl RandomFault {
    /// A survivable one.
    #[must_use]
    pub const fn survivable(weight: u32, make: fn(&mut Drawing<'_>) -> Entries) -> Self {
        Self { weight, exceeds: None, hunt_only: false, make }
    }

    /// A survivable one that only `hunt` draws.
    #[must_use]
    pub const fn hunted(weight: u32, make: fn(&mut Drawing<'_>) -> Entries) -> Self {
        Self { weight, exceeds: None, hunt_only: true, make }
    }

    /// One that exceeds a line of the budget.
    #[must_use]
    pub const fn beyond(line: Line, make: fn(&mut Drawing<'_>) -> Entries) -> Self {
        Self { weight: 1, exceeds: Some(line), hunt_only: false, make }
    }
}

/// A line of the fault budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// A disk is wiped.
    WipedDisk,
    /// Power is lost after a sync that lied.
    LyingSync,
    /// More than a minority of disks return what was not written.
    DamagedDisks,
    /// Clocks drift past the bound.
    ClockDrift,
}

/// What a fault does to a node, as the fault budget counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The disk is wiped.
    pub wipes: bool,
    /// What was not synced is gone.
    pub loses_power: bool,
    /// Syncs are answered as good and are not.
    pub syncs_lie: bool,
    /// The disk returns what was not written.
    pub rots: bool,
    /// How much faster or slower the clocks run, in parts per million.
    pub drift_ppm: u64,
}

impl Damage {
    /// Of a fault that damages nothing that the budget counts.
    pub const NONE: fn(&Settings) -> Self =
        |_| Self { wipes: false, loses_power: false, syncs_lie: false, rots: false, drift_ppm: 0 };

    /// Whether the budget counts any of it.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// A field of a kind of fault or check.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key in the scenario file.
    pub name: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
    /// One line of help, with the unit.
    pub about: &'static str,
    /// As it would be written in a scenario file; empty when there is no default.
    pub default: &'static str,
    /// Whether leaving it out is an error.
    pub required: bool,
}

/// What a field may hold. A name must be a row of a table or a key of the same file, so that a
/// misspelt one is an error with a suggestion.
///
/// Every field is stored as a [`catalog::SettingValue`]: names as `Text`, lists of names as
/// `List` of `Text`, sides as `List` of `List` of `Text`.
#[derive(Clone, Copy, Debug)]
pub enum FieldKind {
    /// A value without a reference.
    Plain(Kind),
    /// A pure factor with at most three decimals, such as `4.0`; stored as `Int`, in thousandths.
    Factor,
    /// An amount of whatever is measured: `10_000`, `"512 entries"`, `"64KiB"`, `"5ms"`, `"98%"`,
    /// `"300/s"`; stored as `Int`, `Bytes`, `Duration`, `Ratio` or `Rate` accordingly.
    Amount,
    /// A selector of nodes: `h/leader`.
    Selector,
    /// Two or more lists of selectors that must not overlap.
    Sides,
    /// `{ from = "h/1", to = "h/2" }`, both selectors; stored as `List` of two `Text`.
    Link,
    /// `clients.C`.
    Clients,
    /// A key of `[nodes]`.
    Group,
    /// A key of `[phases]`.
    Phase,
    /// The name of an invariant of a system in the scenario.
    Invariant,
    /// The name of an event of a system in the scenario.
    Event,
    /// The name of a gauge of a system in the scenario.
    Gauge,
    /// Something that a check measures, of one of these sources: the name of a gauge or of an
    /// event, or `clients.C.ops`, `.ok`, `.fail`, `.unknown`, `.latency`.
    Measured(&'static [Source]),
    /// A list of labels of the event that the named field of the same table names; `node` is one
    /// that every event has.
    Labels(&'static str),
    /// A list of names of predicates of systems in the scenario.
    Predicates,
    /// The name of a model: `register-cas`.
    Model,
    /// A moment: `fault.ID.start`, `fault.ID.end`, `PHASE.start`, `PHASE.end` or a time.
    Moment,
}

impl fmt::Display for FieldKind {
    /// As in help: `a duration such as "150ms"`, `the name of a phase`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(kind) => return kind.fmt(f),
            Self::Factor => "a factor such as 4.0",
            Self::Amount => "an amount such as 512, \"64KiB\", \"5ms\", \"98%\"",
            Self::Selector => "a selector of nodes",
            Self::Sides => "lists of selectors",
            Self::Link => "{ from, to }",
            Self::Clients => "clients.C",
            Self::Group => "the name of a group",
            Self::Phase => "the name of a phase",
            Self::Invariant => "the name of an invariant",
            Self::Event => "the name of an event",
            Self::Gauge => "the name of a gauge",
            Self::Measured(sources) => return measured(f, sources),
            Self::Labels(_) => "a list of labels",
            Self::Predicates => "a list of predicates",
            Self::Model => "the name of a model",
            Self::Moment => "a moment",
        })
    }
}

fn measured(f: &mut fmt::Formatter<'_>, sources: &[Source]) -> fmt::Result {
    for (position, source) in sources.iter().enumerate() {
        f.write_str(if position == 0 { "" } else { ", or " })?;
        f.write_str(match source {
            Source::Gauge => "the name of a gauge",
            Source::Event => "the name of an event",
            Source::Ops => "clients.C.ops|ok|fail|unknown",
            Source::Latency => "clients.C.latency",
        })?;
    }
    Ok(())
}

impl Field {
    /// The nodes that a fault strikes.
    #[must_use]
    pub const fn node(about: &'static str) -> Self {
        Self { name: "node", kind: FieldKind::Selector, about, default: "", required: true }
    }

    /// The links of the nodes that a fault strikes, where `link` may stand instead.
    pub const NODE_OF_LINKS: Self =
        Self { required: false, ..Self::node("all links to and from these nodes; or give `link`") };

    /// The links that a fault strikes, where `node` may stand instead.
    #[must_use]
    pub const fn link(about: &'static str) -> Self {
        Self { name: "link", kind: FieldKind::Link, about, default: "", required: false }
    }

    /// A value that may be left out, without a default.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind: FieldKind::Plain(kind), about, default: "", required: false }
    }

    /// A value that has to be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: FieldKind, about: &'static str) -> Self {
        Self { name, kind, about, default: "", required: true }
    }

    /// One of some words, as it would be written in a file where it is left out.
    #[must_use]
    pub const fn with_default(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, kind: FieldKind::Plain(kind), about, default, required: false }
    }

    /// One line of help: what it means, what it may hold, and what it is when it is left out.
    #[must_use]
    pub fn told(&self) -> String {
        let rest = match (self.required, self.default) {
            (true, _) => "required".to_owned(),
            (false, "") => "optional".to_owned(),
            (false, default) => format!("default: {default}"),
        };
        format!("{} ({}; {rest})", self.about, self.kind)
    }
}

/// Where something that a check measures comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A gauge of a system: a number that each node has at any time.
    Gauge,
    /// An event of a system, with its value and its labels.
    Event,
    /// Operations of a group of clients, all or those that ended in one way: the last part of
    /// `clients.C.ops`, one of [`CLIENT_OPS`].
    Ops,
    /// How long the answered operations of a group of clients took: `clients.C.latency`.
    Latency,
}

/// What `clients.C.` may end with for [`Source::Ops`]: all operations, and those that were
/// answered, that certainly failed, and whose outcome is unknown.
pub const CLIENT_OPS: [&str; 4] = ["ops", "ok", "fail", "unknown"];
