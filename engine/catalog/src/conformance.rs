//! Conformance suites of other projects: their recorded cases, run against an implementation here.
//!
//! A suite reads its own file format and judges every case in it. It stands beside the systems, so
//! that the command line runs it without knowing what it is about.

use alloc::string::String;
use alloc::vec::Vec;

/// One suite: a row of the table of suites that a binary brings to the lab.
pub trait Suite: Sync {
    /// As in `conformance NAME FILE`.
    fn name(&self) -> &'static str;
    /// Whose cases they are and what they judge, in one line.
    fn about(&self) -> &'static str;
    /// Judges every case of a file, in its order.
    ///
    /// # Errors
    /// When the text is not a file of this suite.
    fn judge(&self, text: &str) -> Result<Vec<Judged>, Malformed>;
}

/// One case and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Where it stands: `joint_commit.txt:9`.
    pub place: String,
    /// What it asks, in a few words.
    pub what: String,
    /// The verdict.
    pub agreement: Agreement,
}

/// Whether an implementation does what a case expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It does.
    Agrees,
    /// It does something else on purpose; the reason names the design.
    DiffersByDesign(String),
    /// The case needs what the implementation does not have, or judges what is not ours to say.
    DoesNotApply(String),
    /// It does something else.
    Disagrees {
        /// What the case expects.
        expected: String,
        /// What came out.
        found: String,
    },
}

/// A file that is none of the suite's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1.
    pub line: u64,
    /// What was expected there, and what stands there instead.
    pub expected: String,
}
