//! What texts of a scenario file look like, as patterns: quantities with their units, names, moments.
//! Patterns are of the part that all dialects of regular expressions have.

use crate::syntax::units::Measure;

/// The name of a group, a phase, a fault, a check.
pub const NAME: &str = "[A-Za-z][A-Za-z0-9_-]{0,63}";

/// The name of a scenario: names with slashes between them.
pub const PATH: &str = "[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*";

/// A number, with `_` between digits and perhaps a point.
const NUMBER: &str = "[0-9]+(_[0-9]+)*(\\.[0-9]+(_[0-9]+)*)?";

/// The whole text is this.
pub fn whole(pattern: &str) -> String {
    format!("^({pattern})$")
}

/// A quantity with a unit.
pub fn quantity(measure: Measure) -> String {
    format!("{NUMBER} ?({})", measure.units().join("|"))
}

/// A count that says what it counts: `512 entries`.
pub fn counted(units: &[&str]) -> String {
    format!("{NUMBER} ({})", units.join("|"))
}

/// A seed in hex or as a number.
pub fn seed() -> String {
    "0[xX][0-9A-Fa-f](_*[0-9A-Fa-f])*|[0-9](_*[0-9])*".to_owned()
}

/// A time, or the start or the end of a phase.
pub fn moment() -> String {
    format!("{}|{NAME}(\\.(start|end))?", quantity(Measure::Duration))
}

/// A moment that may also be the start or the end of a fault.
pub fn any_moment() -> String {
    format!("{}|fault\\.{NAME}\\.(start|end)", moment())
}

/// From when to when.
pub fn interval() -> String {
    let time = quantity(Measure::Duration);
    format!(" *({time}) *\\.\\. *({time}) *")
}

/// Nodes: `h/1`, `h/leader`, `zone:eu`, `machine:m/2`.
pub fn selector() -> String {
    format!("zone:.+|(machine:)?{NAME}/.+")
}

/// Nodes, or the name of their group.
pub fn nodes() -> String {
    format!("{NAME}|{}", selector())
}

/// One node or client of a group.
pub fn member() -> String {
    format!("{NAME}/\\+?[0-9]+")
}

/// A link between two nodes.
pub fn stream() -> String {
    format!("link {}>{}", member(), member())
}

/// A phase or a fault.
pub fn during() -> String {
    format!("(fault\\.)?{NAME}")
}

/// A group of clients.
pub fn clients() -> String {
    format!("clients\\.{NAME}")
}
