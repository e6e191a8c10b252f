//! Rows of the tables that a scenario file is checked against: kinds of faults and of checks, and
//! the fields of each. A row stands beside the code that it describes; parser, help, schema and
//! reference pages read it from there.

use contract::Kind;

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
/// Every field is stored as a [`contract::SettingValue`]: names as `Text`, lists of names as
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
    /// A list of names of predicates of systems in the scenario.
    Predicates,
    /// The name of a model: `register-cas`.
    Model,
    /// A moment: `fault.ID.start`, `fault.ID.end`, `PHASE.start`, `PHASE.end` or a time.
    Moment,
}
