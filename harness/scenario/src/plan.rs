//! A plan: a scenario with its variant applied, its seed fixed and every draw made. A value that
//! can be printed, compared, shrunk and run again; the runner reads nothing else.

use crate::kinds::{Behind, Damage};
use crate::workload::LoadKind;
use catalog::{Preload, Settings, System};
use contract::{Dist, Duration, Ratio, Rng, SimTime, Value};
use engine::{ClockSpec, DiskSpec, LinkSpec, Pin};

pub use crate::ask::{Ask, Does};

/// Everything one run needs.
#[derive(Clone)]
pub struct Plan {
    /// The scenario's name: its path under `scenarios/` without the suffix.
    pub name: String,
    /// What the scenario is about, in its own words.
    pub about: String,
    /// The seed of every stream.
    pub seed: u64,
    /// The variant, where it is not the base.
    pub variant: Option<String>,
    /// The values of the point of the matrix, as `path = value`; those that the file has anyway are
    /// left out.
    pub point: Vec<String>,
    /// Whatever was changed against the file besides the variant and the point that the seed
    /// selects, as `path = value`; empty for the scenario as it stands.
    pub overrides: Vec<String>,
    /// Groups of nodes and of clients, in the order of their names. The node ids of a world count
    /// through them in this order.
    pub groups: Vec<GroupPlan>,
    /// Where the run ends at the latest.
    pub budget: Budget,
    /// Named intervals, contiguous and in order.
    pub phases: Vec<Phase>,
    /// When the world is left in peace: every fault is lifted, none begins, no client calls.
    pub recovery: Option<Recovery>,
    /// The network between any two nodes, unless `links` says otherwise.
    pub link: LinkSpec,
    /// Links with a law of their own: (from, to) as selectors that name fixed nodes.
    pub links: Vec<(String, String, LinkSpec)>,
    /// Datagrams whose fate is not left to chance, in the order of the file.
    pub pins: Vec<PinPlan>,
    /// Faults in the order of the file.
    pub faults: Vec<FaultPlan>,
    /// Checks in the order of the file.
    pub checks: Vec<CheckPlan>,
    /// What must have been reached.
    pub covers: Vec<CoverPlan>,
    /// What the run must end with.
    pub expectation: Expectation,
    /// Whether events at one instant are permuted by the seed.
    pub ties_explore: bool,
    /// Whether other simulators must repeat the run event for event: the tag `exact`.
    pub exact: bool,
    /// The code behind the kinds of its faults and checks.
    pub behind: Behind,
    /// Faults that may be left out without the run being vacuous: `[swarm] omit`.
    pub omittable: Vec<String>,
    /// The plan as a scenario file of its own: the seed, the variant and all draws are written
    /// out, so running this text gives the same bytes.
    pub document: String,
}

/// A group of alike nodes or clients.
#[derive(Clone)]
pub struct GroupPlan {
    /// The key of `[nodes.G]` or `[clients.C]`.
    pub name: String,
    /// The system that boots its nodes.
    pub system: &'static dyn System,
    /// The role of its nodes: a row of the system's roles.
    pub role: &'static str,
    /// How many nodes.
    pub count: u32,
    /// The group of machines that start its nodes; `None` for a group that boots with the world.
    pub on: Option<String>,
    /// For each key of `uses`, the selector it names; for clients `target`.
    pub uses: Vec<(String, String)>,
    /// The settings of the role, defaults filled in.
    pub settings: Settings,
    /// The defects planted in it.
    pub defects: Vec<&'static str>,
    /// Zones, dealt round-robin; empty when there are none.
    pub zones: Vec<String>,
    /// Its clocks; skew and drift may be drawn per node.
    pub clock: ClockPlan,
    /// Its disks.
    pub disk: DiskSpec,
    /// The limit of its logical memory, in bytes.
    pub memory_limit: Option<u64>,
    /// What it holds from the start, and which of its nodes do (a selector).
    pub preload: Vec<(String, Vec<Preload>)>,
    /// The load it makes, for a group of clients.
    pub load: Option<LoadPlan>,
}

/// The clocks of a group.
#[derive(Clone, Debug)]
pub struct ClockPlan {
    /// What each node's clocks are off by and drift at, by index.
    pub nodes: Vec<ClockSpec>,
    /// The bound that the system may rely on.
    pub drift_max: Ratio,
}

/// The load of a group of clients.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Whether arrivals wait for answers (`closed`) or not (`open`).
    pub closed: bool,
    /// The mean gap between the arrivals at one client, in an open load.
    pub gap: Duration,
    /// The pause between an answer and the next operation, in a closed load.
    pub think: Dist,
    /// What is asked for, with weights: a draw each time, or the steps of `session` in order.
    pub ops: Vec<(Ask, u32)>,
    /// What one arrival does: one call, or a session of several.
    pub session: Session,
    /// Which keys.
    pub keys: KeysPlan,
    /// How many keys a batch-get draws.
    pub batch: u64,
    /// The size of written values in bytes.
    pub value: Dist,
    /// The largest value that these clients can write; what is drawn beyond is cut to it. Only a
    /// tail without a bound of its own reaches it.
    pub value_bytes_max: u32,
    /// The time to live of written values.
    pub ttl: Option<Dist>,
    /// How fresh reads must be; where not given, what the target's settings say.
    pub read: contract::ReadLevel,
    /// When arrivals begin.
    pub start: SimTime,
    /// When arrivals end.
    pub stop: SimTime,
    /// From when on not even what arrived is sent: the recovery.
    pub sends_until: Option<SimTime>,
    /// Single operations, in the order of time, in place of everything that is drawn.
    pub listed: Option<Vec<OpPlan>>,
}

impl LoadPlan {
    /// The size of one value.
    #[must_use]
    pub fn size(&self, rng: &mut Rng) -> u32 {
        assert!(self.value_bytes_max >= Value::SIZE_MIN, "some value can be written");
        let drawn = self.value.sample(rng);
        drawn.clamp(u64::from(Value::SIZE_MIN), u64::from(self.value_bytes_max)) as u32
    }
}

/// What one arrival at a client does.
#[derive(Clone, Copy, Debug, Default)]
pub enum Session {
    /// One call, drawn by weight.
    #[default]
    Single,
    /// The operations in their order, on one key, as one process: `script`.
    Script,
    /// Whatever the code of a workload asks for: `workload`.
    Own(&'static dyn LoadKind),
}

/// A datagram whose fate is not left to chance: `[[pin]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinPlan {
    /// Who sends it: the name of a node.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// Its number on the link, from 0.
    pub n: u64,
    /// What is pinned.
    pub pin: Pin,
}

/// A single operation: `[[op]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpPlan {
    /// When its client is asked for it.
    pub at: SimTime,
    /// Which client of the group, from 1.
    pub client: u32,
    /// What it is asked for; arguments are constants.
    pub ask: Ask,
    /// The key, where the operation is about one.
    pub key: Option<u64>,
    /// The number of the value that it writes, unique in the file.
    pub value: Option<u32>,
    /// What a compare-and-set expects.
    pub expect: Expected,
    /// The time to live of what it writes.
    pub ttl: Option<Duration>,
}

/// What a compare-and-set expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// What the clients last saw.
    LastSeen,
    /// That the key is absent.
    Nothing,
    /// The value with this number; one that no operation writes is never there.
    Value(u32),
}

/// How keys are drawn from `0..count`.
#[derive(Clone, Debug)]
pub enum KeysPlan {
    /// Each as likely.
    Uniform(u64),
    /// By Zipf's law.
    Zipf {
        /// How many keys.
        count: u64,
        /// The exponent in millionths.
        s_ppm: u32,
    },
}

/// Where a run ends at the latest.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Simulated time.
    pub sim_time: Duration,
    /// Events of the engine.
    pub events: u64,
    /// Steps of the linearizability checker.
    pub search_steps: u64,
}

/// How the world is left in peace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// From when on.
    pub at: SimTime,
    /// Whether every server is booted again, and not only what does not run.
    pub restart_all: bool,
}

/// A named interval, half-open.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Its first instant.
    pub start: SimTime,
    /// Just after its last instant.
    pub end: SimTime,
}

/// One `[[fault]]`.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Its id, unique in the scenario.
    pub id: String,
    /// A kind of fault of the lab.
    pub kind: &'static str,
    /// When it starts.
    pub start: Start,
    /// How long after the instant or the event.
    pub plus: Dist,
    /// When it ends.
    pub end: End,
    /// Whether it comes again.
    pub repeat: Option<Repeat>,
    /// What it does to each node that it strikes, as the fault budget counts it.
    pub damage: Damage,
    /// The fields of its kind, also `node`, `link` and `sides` where the kind has them.
    pub fields: Settings,
}

/// What starts a fault.
#[derive(Clone, Debug)]
pub enum Start {
    /// An instant.
    At(Dist),
    /// An event, or a combination.
    When(When),
}

/// Something that happens in a run.
#[derive(Clone, Debug)]
pub enum When {
    /// The `nth` time that a node in `node` marks `event`.
    Event {
        /// The system whose table has the event.
        system: &'static str,
        /// The row of that table.
        event: u16,
        /// Which nodes count; any when not given. Resolved when the event happens.
        node: Option<String>,
        /// Which occurrence, from 1.
        nth: u32,
    },
    /// When all of these have happened.
    All(Vec<When>),
    /// When any of these has happened.
    Any(Vec<When>),
}

/// What ends a fault.
#[derive(Clone, Debug)]
pub enum End {
    /// It has no length: a shock, or something that ends by itself.
    AtOnce,
    /// After a time.
    After(Dist),
    /// At an instant.
    At(SimTime),
    /// When something happens.
    When(When),
    /// When the run's faults are lifted.
    Never,
}

/// A fault that comes again.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// From one start to the next.
    pub every: Duration,
    /// Up to so much more, drawn each time.
    pub jitter: Duration,
    /// How many times in all.
    pub max: u32,
}

/// One `[[check]]`.
#[derive(Clone, Debug)]
pub struct CheckPlan {
    /// Its id, unique in the scenario.
    pub id: String,
    /// A kind of check of the lab.
    pub kind: &'static str,
    /// The fields of its kind.
    pub fields: Settings,
}

/// One `[[cover]]`.
#[derive(Clone, Debug)]
pub struct CoverPlan {
    /// Its id, unique in the scenario.
    pub id: String,
    /// What must have been seen.
    pub what: Covered,
    /// When it counts.
    pub during: During,
    /// How often in one run for the run to count.
    pub min: u64,
    /// How many runs of the command must count.
    pub min_runs: u64,
}

/// What a cover looks for.
#[derive(Clone, Debug)]
pub enum Covered {
    /// A mark: the system and the row of its table of events.
    Event(&'static str, u16),
    /// A predicate of a system, by row of its table.
    State(&'static str, u16),
}

/// When a cover counts.
#[derive(Clone, Debug)]
pub enum During {
    /// Always.
    Run,
    /// While the named fault is on.
    Fault(String),
    /// In the named phase.
    Phase(String),
}

/// What a run must end with.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// True for `expect = "fail"`.
    pub fail: bool,
    /// The checks that must all fire.
    pub caught_by: Vec<String>,
    /// The checks that may fire besides.
    pub may_fail: Vec<String>,
    /// The share of a sweep's seeds that must fail as expected; one seed where it is not given.
    pub min_rate: Option<Ratio>,
}
