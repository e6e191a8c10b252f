//! How long the lab itself takes: the one place that reads the wall clock. For progress lines; never
//! read by anything that decides.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "the one place")]

use std::time::Instant;

/// Measures from its start.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Wall-clock seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
