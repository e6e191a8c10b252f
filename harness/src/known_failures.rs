//! Failures that are known already: with `--known FILE` a sweep is red only for new ones.
//!
//! The file is TOML, a `[[known]]` for each failure: `scenario` and `check` name it; `variant`,
//! `rule` and `nodes` narrow it down where they are given; `why` says where it is being worked on.

use reports::SeedResult;
use reports::seeds::Cause;
use serde::Deserialize;

/// The failures of a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    #[serde(default)]
    known: Vec<Failure>,
}

/// One failure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    scenario: String,
    variant: Option<String>,
    check: String,
    rule: Option<String>,
    nodes: Option<String>,
    #[serde(default)]
    why: String,
}

impl Known {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not TOML, or has a field that nobody knows: what is wrong and where.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// What the file says about a cause of a run; `None` for a new one.
    #[must_use]
    pub fn find(&self, run: &SeedResult, cause: &Cause) -> Option<&str> {
        self.of(&run.scenario, run.variant.as_deref(), cause)
    }

    /// As [`Known::find`], by the names of scenario and variant.
    #[must_use]
    pub fn of(&self, scenario: &str, variant: Option<&str>, cause: &Cause) -> Option<&str> {
        let narrows = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let found = self.known.iter().find(|failure| {
            failure.scenario == scenario
                && failure.check == cause.check
                && narrows(&failure.variant, variant)
                && narrows(&failure.rule, Some(&cause.rule))
                && narrows(&failure.nodes, Some(&cause.nodes))
        });
        found.map(|failure| if failure.why.is_empty() { "yes" } else { failure.why.as_str() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_narrows_and_what_is_not_does_not() {
        let text = "[[known]]\nscenario = \"a/b\"\ncheck = \"lin\"\nwhy = \"issue 12\"\n\
                    [[known]]\nscenario = \"c\"\nvariant = \"v\"\ncheck = \"x\"\nrule = \"r\"\n";
        let known = Known::read(text).unwrap();
        let find = |scenario: &str, variant: Option<&str>, check: &str, rule: &str| {
            let cause = Cause { check: check.into(), rule: rule.into(), nodes: String::new() };
            known.of(scenario, variant, &cause).map(str::to_owned)
        };
        assert_eq!(find("a/b", None, "lin", "any").as_deref(), Some("issue 12"));
        assert_eq!(find("a/b", Some("v"), "lin", "any").as_deref(), Some("issue 12"));
        assert_eq!(find("a/b", None, "other", "any"), None);
        assert_eq!(find("c", Some("v"), "x", "r").as_deref(), Some("yes"));
        assert_eq!(find("c", None, "x", "r"), None);
        assert_eq!(find("c", Some("v"), "x", "s"), None);
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        assert!(Known::read("[[known]]\nscenario = \"a\"\ncheck = \"b\"\nrul = \"c\"").is_err());
        assert!(Known::read("[[known]]\nscenario = \"a\"").is_err());
    }
}
