//! Real allocations, where the binary brings a meter for them ([`crate::cli::Lab::meter`]).
//!
//! They belong to the machine and to how it was built, so no report of a run holds them: they go
//! to `host.json` and are judged by `op-cost` with `allocations_max` alone.

use scenario::plan::Plan;
use std::sync::OnceLock;

/// How many allocations the calling thread has made so far; growing one in place counts too.
pub type Meter = fn() -> u64;

static METER: OnceLock<Meter> = OnceLock::new();

/// From now on a run whose checks ask for it is metered.
pub fn install(meter: Meter) {
    // A second installation is that of the same binary, in a test.
    METER.get_or_init(|| meter);
}

/// What the nodes of one run have allocated.
#[derive(Clone, Copy, Debug)]
pub struct Metered {
    meter: Option<Meter>,
    /// What the meter said before the input that is being handled.
    before: u64,
    /// Allocations by the node that handled the last input.
    pub last: u64,
    /// Allocations by all nodes.
    pub total: u64,
    /// Inputs that were handled.
    pub inputs: u64,
}

impl Default for Metered {
    fn default() -> Self {
        Self { meter: METER.get().copied(), before: 0, last: 0, total: 0, inputs: 0 }
    }
}

impl Metered {
    /// Metered where a check of `plan` asks for it, so that no other run pays for it.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let asks = plan.checks.iter().any(|check| check.fields.has("allocations_max"));
        let metered = Self::default();
        Self { meter: metered.meter.filter(|_| asks), ..metered }
    }

    /// Whether anything is metered.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.meter.is_some()
    }

    /// A node is about to handle an input.
    pub fn before(&mut self) {
        if let Some(meter) = self.meter {
            self.before = meter();
        }
    }

    /// It has handled it.
    pub fn after(&mut self) {
        if let Some(meter) = self.meter {
            let now = meter();
            assert!(now >= self.before, "a thread's count of allocations only grows");
            self.last = now - self.before;
            self.total += self.last;
            self.inputs += 1;
        }
    }
}
