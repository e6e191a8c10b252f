//! Flaws planted in the checker itself, for tests alone: each must be noticed by the agreement
//! with brute force, or that agreement proves nothing. Outside tests no flaw can be switched on.

/// One flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The class check lets two writes of one value pass.
    ValuesRepeat,
    /// An open compare-and-set whose value was seen does not consume what it expected.
    OpenSwapsConsumeNothing,
    /// An open write that nobody saw is taken to have happened.
    UnseenOpenWritesCount,
    /// Two operations may consume one value.
    ConsumedTwice,
    /// Compare-and-sets may lead to each other in a circle.
    CyclesPass,
    /// The groups of a chain may contradict real time.
    ChainsInAnyOrder,
    /// Zones may overlap.
    ZonesOverlap,
    /// A backward chain may lie inside a zone.
    ChainsInZones,
    /// A delete may lie inside a zone.
    DeletesInZones,
    /// "Absent" may be seen inside a zone.
    AbsentInZones,
    /// Calls inside a zone are not moved behind it.
    CallsNotSnapped,
    /// Returns inside a zone are not moved before it.
    ReturnsNotSnapped,
    /// A write confined to a gap is taken to be harmless.
    NoneConfined,
    /// A write that touches the right end of a gap is taken to be confined.
    RightEndConfines,
    /// The end of a zone that exits absent explains nothing.
    ZoneEndsExplainNothing,
    /// The register is taken to hold something before the run.
    NotAbsentAtFirst,
    /// Deletes explain nothing.
    DeletesExplainNothing,
    /// Open deletes explain nothing.
    OpenDeletesExplainNothing,
    /// A chain that ends in a delete explains nothing.
    BackwardDeletesExplainNothing,
    /// One delete may be used at two instants.
    DeletesUsedTwice,
    /// Deletes are used in the order of their calls.
    LatestDeadlineFirst,
    /// Demands are served in the order of their calls.
    DemandsByCall,
    /// The instant of a delete may exceed its own deadline.
    DeadlinesIgnored,
    /// A gap's start does not bound what explains "absent" inside it.
    GapStartIgnored,
}

impl Mutant {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 24] = [
        Self::ValuesRepeat,
        Self::OpenSwapsConsumeNothing,
        Self::UnseenOpenWritesCount,
        Self::ConsumedTwice,
        Self::CyclesPass,
        Self::ChainsInAnyOrder,
        Self::ZonesOverlap,
        Self::ChainsInZones,
        Self::DeletesInZones,
        Self::AbsentInZones,
        Self::CallsNotSnapped,
        Self::ReturnsNotSnapped,
        Self::NoneConfined,
        Self::RightEndConfines,
        Self::ZoneEndsExplainNothing,
        Self::NotAbsentAtFirst,
        Self::DeletesExplainNothing,
        Self::OpenDeletesExplainNothing,
        Self::BackwardDeletesExplainNothing,
        Self::DeletesUsedTwice,
        Self::LatestDeadlineFirst,
        Self::DemandsByCall,
        Self::DeadlinesIgnored,
        Self::GapStartIgnored,
    ];
}

/// Whether this flaw is switched on.
#[cfg(not(test))]
#[inline]
pub const fn broken(_mutant: Mutant) -> bool {
    false
}

#[cfg(test)]
std::thread_local! {
    static BROKEN: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Whether this flaw is switched on.
#[cfg(test)]
pub fn broken(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}

/// Runs `body` with one flaw switched on in this thread; `None` when an assertion stops it.
#[cfg(test)]
pub fn with_mutant<T>(
    mutant: Mutant,
    body: impl FnOnce() -> T + std::panic::UnwindSafe,
) -> Option<T> {
    BROKEN.set(Some(mutant));
    let result = std::panic::catch_unwind(body);
    BROKEN.set(None);
    result.ok()
}
