//! Why a register's history is impossible, as tier one finds it: the rule that is broken and the
//! operations that break it.
//!
//! Indexes are into [`Register::ops`](crate::history::register::Register::ops).

/// The stretch of time over which one chain must hold the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The operation that returned first: by then the chain had begun.
    pub first: u32,
    /// The operation that was called last: by then it had not ended.
    pub last: u32,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the operations that the sentence of a rule names")]
pub enum Violation {
    /// An answer that the call cannot have.
    Impossible { op: u32 },
    /// A value was seen that no operation may have written.
    NeverWritten { op: u32, state: u32 },
    /// Two operations both replaced or removed the one write of a value.
    DoubleConsume { first: u32, second: u32, state: u32 },
    /// Compare-and-sets that each need another to come first.
    CasCycle { ops: Vec<u32> },
    /// `later` follows `earlier` by what they saw, yet returned before `earlier` was called.
    ChainOrder { earlier: u32, later: u32 },
    /// Two chains must both hold the register at one time.
    ZonesOverlap { one: Held, other: Held },
    /// A chain can only take effect while another must hold the register.
    ChainInZone { zone: Held, chain: Held },
    /// A delete can only take effect while a chain must hold the register.
    DeleteInZone { zone: Held, op: u32 },
    /// "Absent" was seen while a chain must hold the register.
    AbsentInZone { zone: Held, op: u32 },
    /// A value was seen after its time to live; `write` is the event of its expiry.
    SeenExpired { op: u32, write: u32 },
    /// "Absent" was seen, and nothing can have made the register so.
    AbsentUnexplained {
        /// The operation that saw it.
        op: u32,
        /// What certainly was written before, as far as one operation or chain shows it.
        written: Option<Held>,
        /// Others that compete for the same deletes.
        others: Vec<u32>,
    },
}

impl Violation {
    /// The name of the rule.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Impossible { .. } => "impossible-answer",
            Self::NeverWritten { .. } => "never-written",
            Self::DoubleConsume { .. } => "double-consume",
            Self::CasCycle { .. } => "cas-cycle",
            Self::ChainOrder { .. } => "chain-order",
            Self::ZonesOverlap { .. } => "zones-overlap",
            Self::ChainInZone { .. } => "chain-in-zone",
            Self::DeleteInZone { .. } => "delete-in-zone",
            Self::AbsentInZone { .. } => "absent-in-zone",
            Self::SeenExpired { .. } => "seen-expired",
            Self::AbsentUnexplained { .. } => "absent-unexplained",
        }
    }

    /// The operations that break it, ascending.
    #[must_use]
    pub fn witnesses(&self) -> Vec<u32> {
        let mut ops = match self {
            Self::Impossible { op } | Self::NeverWritten { op, .. } => vec![*op],
            Self::DoubleConsume { first, second, .. } => vec![*first, *second],
            Self::CasCycle { ops } => ops.clone(),
            Self::ChainOrder { earlier, later } => vec![*earlier, *later],
            Self::ZonesOverlap { one, other } => {
                vec![one.first, one.last, other.first, other.last]
            }
            Self::ChainInZone { zone, chain } => {
                vec![zone.first, zone.last, chain.first, chain.last]
            }
            Self::DeleteInZone { zone, op } | Self::AbsentInZone { zone, op } => {
                vec![zone.first, zone.last, *op]
            }
            Self::SeenExpired { op, write } => vec![*op, *write],
            Self::AbsentUnexplained { op, written, others } => {
                let held = written.iter().flat_map(|held| [held.first, held.last]);
                held.chain(others.iter().copied()).chain([*op]).collect()
            }
        };
        ops.sort_unstable();
        ops.dedup();
        ops
    }
}
