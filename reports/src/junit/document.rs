//! The document itself: suites of cases, with the sums that services read.

use crate::escape::markup;

/// A case of a suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub ending: Ending,
    /// What stands inside a failure or an error: how to repeat it.
    pub details: String,
}

/// How a case ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Well.
    Pass,
    /// Not as it should have.
    Failure {
        /// In a word: `violation`.
        kind: &'static str,
        /// In a sentence.
        message: String,
    },
    /// Nothing can be said.
    Error {
        /// In a word: `inconclusive`.
        kind: &'static str,
        /// In a sentence.
        message: String,
    },
    /// It was not asked.
    Skipped {
        /// Why.
        message: String,
    },
}

/// Cases by how they ended.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Tally {
    fn of(cases: &[Case]) -> Self {
        let count =
            |is: fn(&Ending) -> bool| cases.iter().filter(|case| is(&case.ending)).count() as u64;
        Self {
            tests: cases.len() as u64,
            failures: count(|ending| matches!(ending, Ending::Failure { .. })),
            errors: count(|ending| matches!(ending, Ending::Error { .. })),
            skipped: count(|ending| matches!(ending, Ending::Skipped { .. })),
        }
    }

    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(self) -> String {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
            self.tests, self.failures, self.errors, self.skipped
        )
    }
}

/// A document under construction.
#[derive(Debug)]
pub struct Document {
    name: &'static str,
    body: String,
    all: Tally,
}

impl Document {
    /// One without suites.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let all = Tally { tests: 0, failures: 0, errors: 0, skipped: 0 };
        Self { name, body: String::new(), all }
    }

    /// Adds a suite; its name is the class of its cases.
    pub fn suite(&mut self, name: &str, cases: &[Case]) {
        let tally = Tally::of(cases);
        let name = markup(name);
        self.body.push_str(&format!("  <testsuite name=\"{name}\" {}>\n", tally.attributes()));
        cases.iter().for_each(|case| case.write(&name, &mut self.body));
        self.body.push_str("  </testsuite>\n");
        self.all.add(tally);
    }

    /// The document; ends with a newline.
    #[must_use]
    pub fn finish(self) -> String {
        let Self { name, body, all } = self;
        let (name, all) = (markup(name), all.attributes());
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" {all}>\n{body}\
             </testsuites>\n"
        )
    }
}

impl Case {
    /// Appends the case; `class` is escaped already.
    fn write(&self, class: &str, out: &mut String) {
        let name = markup(&self.name);
        let head = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
        let inner = match &self.ending {
            Ending::Pass => return out.push_str(&format!("{head}/>\n")),
            Ending::Failure { kind, message } => self.element("failure", kind, message),
            Ending::Error { kind, message } => self.element("error", kind, message),
            Ending::Skipped { message } => format!("<skipped message=\"{}\"/>", markup(message)),
        };
        out.push_str(&format!("{head}>\n      {inner}\n    </testcase>\n"));
    }

    fn element(&self, tag: &str, kind: &str, message: &str) -> String {
        let (message, details) = (markup(message), markup(&self.details));
        format!("<{tag} type=\"{kind}\" message=\"{message}\">{details}</{tag}>")
    }
}
