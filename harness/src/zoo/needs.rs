//! What a flaw's row says that it needs, beside what `cause` finds that a recorded run of it needs.

use crate::cause::WhatIf;
use crate::cause::whatif::Factor;
use crate::kinds::Kinds;
use catalog::{Defect, Need};
use std::collections::BTreeSet;

/// Which trouble a kind of fault is, as its row says.
fn trouble(kinds: &Kinds, kind: &str) -> Need {
    kinds.fault(kind).expect("a factor is a fault of the lab").row().trouble
}

const fn word(need: Need) -> &'static str {
    match need {
        Need::Crash => "crash",
        Need::Network => "network",
        Need::Pause => "pause",
        Need::Clock => "clock",
        Need::Disk => "disk",
        Need::Membership => "membership",
        Need::Dependency => "dependency",
    }
}

/// What a flaw needs, for people: `crash or network, and disk`; `nothing`.
#[must_use]
pub fn words(needs: &[&[Need]]) -> String {
    let group = |group: &&[Need]| -> String {
        group.iter().map(|need| word(*need)).collect::<Vec<_>>().join(" or ")
    };
    match needs {
        [] => "nothing".to_owned(),
        some => some.iter().map(group).collect::<Vec<_>>().join(", and "),
    }
}

/// What a flaw's row says, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What the row says.
    pub row: String,
    /// The faults that `cause` names: those that are necessary, and a smallest set that suffices.
    pub named: String,
    /// Whether they agree.
    pub agrees: bool,
    /// The agreement for people: `yes`, `needs none`, or `no` with what is missing or too much.
    pub says: String,
}

impl Compared {
    /// Compares the row of `defect` with what was found in a run of it; `rough` when the network of
    /// the run loses, doubles or reorders messages without any fault. `kinds` are those of the lab
    /// that ran it.
    #[must_use]
    pub fn new(kinds: &Kinds, defect: &Defect, found: &WhatIf, rough: bool) -> Self {
        let named = named(found);
        let troubles: BTreeSet<Need> =
            named.iter().map(|factor| trouble(kinds, &factor.kind)).collect();
        let serves = |need: &Need| troubles.contains(need) || (rough && *need == Need::Network);
        let missing = defect.needs.iter().find(|group| !group.iter().any(serves));
        let beyond = |kind: &&Need| !defect.needs.iter().any(|group| group.contains(kind));
        let beyond: Vec<&str> = troubles.iter().filter(beyond).map(|need| word(*need)).collect();
        let agrees = missing.is_none() && beyond.is_empty();
        let says = match (missing, beyond.as_slice()) {
            (None, []) if troubles.is_empty() && defect.needs.is_empty() => "needs none".to_owned(),
            (None, []) if troubles.is_empty() => {
                "yes: the network alone is rough enough".to_owned()
            }
            (None, []) => "yes".to_owned(),
            (Some(group), []) => format!("no: without {}", words(&[group])),
            (None, beyond) => format!("no: here also {}", beyond.join(" and ")),
            (Some(group), beyond) => {
                format!("no: {} instead of {}", beyond.join(" and "), words(&[group]))
            }
        };
        let ids: Vec<String> =
            named.iter().map(|factor| format!("{} ({})", factor.id, factor.kind)).collect();
        let named = if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") };
        Self { row: words(defect.needs), named, agrees, says }
    }
}

/// The faults that are necessary, and those of the first of the smallest sets that suffice.
fn named(found: &WhatIf) -> Vec<&Factor> {
    let suffices = |id: &String| found.sufficient.first().is_some_and(|set| set.contains(id));
    let faults = found.factors.iter().filter(|factor| factor.kind != "defect");
    faults.filter(|factor| factor.necessary || suffices(&factor.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FAULTS;

    fn found(kinds: &[(&str, bool)], sufficient: &[&str]) -> WhatIf {
        let factor = |(kind, necessary): &(&str, bool)| Factor {
            id: (*kind).to_owned(),
            kind: (*kind).to_owned(),
            on: String::new(),
            start_ns: None,
            end_ns: None,
            necessary: *necessary,
            without: String::new(),
        };
        WhatIf {
            factors: kinds.iter().map(factor).collect(),
            sufficient: vec![sufficient.iter().map(|id| (*id).to_owned()).collect()],
            exhaustive: true,
        }
    }

    #[test]
    fn every_kind_of_fault_is_some_trouble() {
        let kinds: BTreeSet<Need> = FAULTS.iter().map(|kind| kind.row().trouble).collect();
        assert_eq!(kinds.len(), 7);
    }

    #[test]
    fn rows_and_causes_are_compared() {
        const NETWORK: &[&[Need]] = &[&[Need::Network]];
        const LEADER: &[&[Need]] = &[&[Need::Crash, Need::Network]];
        let says = |needs, found: &WhatIf, rough| {
            let (name, about, source, caught_by) = ("flaw", "", "", "");
            let defect = Defect { name, about, source, caught_by, needs };
            Compared::new(Kinds::house(), &defect, found, rough).says
        };
        let cut = found(&[("partition", true), ("crash", false)], &["partition"]);
        assert_eq!(says(NETWORK, &cut, false), "yes");
        assert_eq!(says(LEADER, &cut, false), "yes");
        assert_eq!(says(&[], &cut, false), "no: here also network");
        assert_eq!(says(&[&[Need::Disk]], &cut, false), "no: network instead of disk");
        let none = found(&[("partition", false)], &[]);
        assert_eq!(says(&[], &none, false), "needs none");
        assert_eq!(says(NETWORK, &none, false), "no: without network");
        assert_eq!(says(NETWORK, &none, true), "yes: the network alone is rough enough");
    }
}
