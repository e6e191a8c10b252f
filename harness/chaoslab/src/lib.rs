//! The lab that the binary and its tests share: the harness with our systems, and the simulators
//! that can repeat their runs.

mod meter;
mod texts;

use harness::cli::{Lab, Missing};

/// Every system of ours, and every part that this build has.
pub const LAB: Lab = Lab {
    simulators: SIMULATORS,
    missing: MISSING,
    suites: sim::SUITES,
    meter: Some(meter::allocations),
    ..Lab::of(sim::SYSTEMS)
};

#[cfg(feature = "simulators")]
const SIMULATORS: &[&dyn engine::hosting::Simulator] =
    &[&host_turmoil::Turmoil, &host_madsim::Madsim];
#[cfg(not(feature = "simulators"))]
const SIMULATORS: &[&dyn engine::hosting::Simulator] = &[];

#[cfg(feature = "simulators")]
const MISSING: &[Missing] = &[];
#[cfg(not(feature = "simulators"))]
const MISSING: &[Missing] = &[
    Missing { name: "turmoil", feature: "simulators" },
    Missing { name: "madsim", feature: "simulators" },
];
