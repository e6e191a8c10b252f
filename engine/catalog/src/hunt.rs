//! What `hunt` may make of a system: shapes of the world and settings that a correct system must
//! bear, with those that make rare paths common.

/// Settings with their values, as a scenario file has them.
pub type Draw = &'static [(&'static str, &'static str)];

/// What worlds of a system may be like. Everything in here is within what the system promises to
/// bear: whatever breaks in such a world is a finding.
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// The role of the group that is loaded and struck. It uses no other group.
    pub role: &'static str,
    /// How many nodes, with the settings that go with it; repeat what is to come more often.
    pub shapes: &'static [(u32, Draw)],
    /// For each thing that can be set, its alternatives; an empty one leaves the defaults.
    pub settings: &'static [&'static [Draw]],
    /// The same for clients.
    pub clients: &'static [&'static [Draw]],
    /// The model that the operations of its clients follow; `None` where no model is known.
    pub model: Option<&'static str>,
    /// Times to live that writes may have, and by how much more or less they may be kept in the
    /// model; `None` where values do not expire.
    pub ttl: Option<(&'static str, &'static str)>,
    /// The predicates that hold some time after the world was left in peace.
    pub settles: &'static [&'static str],
}
