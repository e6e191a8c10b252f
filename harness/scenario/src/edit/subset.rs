//! Whether a draft is another one with something taken away that comes late: then the two have a
//! past in common, and a trial of the one can begin where the other's past ends.

use crate::edit::draft::Draft;
use crate::syntax::tree::{Item, Table, Value};
use crate::syntax::units::Measure;
use contract::SimTime;

/// The lists of which items may be missing.
const LISTS: [&str; 2] = ["op", "fault"];

/// What a draft has less than another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Less {
    /// The faults that are missing.
    pub faults: Vec<String>,
    /// When the first thing that is missing would have happened.
    pub first_at: SimTime,
}

impl Draft {
    /// What this one has less than `whole`; `None` when it differs otherwise, or when it is not
    /// written when something that is missing would have happened.
    #[must_use]
    pub fn less_than(&self, whole: &Self) -> Option<Less> {
        let (mine, its) = (self.tree(), whole.tree());
        let others = |tree: &Table| -> Vec<(String, Item)> {
            let keeps = |entry: &&crate::syntax::tree::Entry| !LISTS.contains(&entry.key.as_str());
            tree.entries.iter().filter(keeps).map(|e| (e.key.clone(), e.item.clone())).collect()
        };
        if others(mine) != others(its) {
            return None;
        }
        let mut gone = Vec::new();
        for list in LISTS {
            gone.extend(missing(items(mine, list), items(its, list))?);
        }
        let first_at = gone.iter().map(|item| at(item)).min().flatten()?;
        let id = |item: &&Item| Some(item.table()?.get("id")?.as_text()?.to_owned());
        Some(Less { faults: gone.iter().filter_map(id).collect(), first_at })
    }
}

fn items<'t>(tree: &'t Table, list: &str) -> &'t [Item] {
    match tree.get(list).map(|item| &item.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The items of `all` that `some` has not, if `some` is `all` without them.
fn missing<'t>(some: &[Item], all: &'t [Item]) -> Option<Vec<&'t Item>> {
    let mut rest = some;
    let mut gone = Vec::new();
    for item in all {
        match rest.split_first() {
            Some((first, others)) if first == item => rest = others,
            _ => gone.push(item),
        }
    }
    rest.is_empty().then_some(gone)
}

/// When something of a list happens, where that is plainly written.
fn at(item: &Item) -> Option<SimTime> {
    let text = item.table()?.get("at")?.as_text()?;
    Measure::Duration.parse(text).ok().map(SimTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_found_in_order() {
        let numbers = |all: &[i128]| -> Vec<Item> {
            let item = |n: &i128| Item { span: Default::default(), value: Value::Int(*n) };
            all.iter().map(item).collect()
        };
        let all = numbers(&[1, 2, 3, 4]);
        let gone = |some: &[i128]| missing(&numbers(some), &all).map(|gone| gone.len());
        assert_eq!(gone(&[1, 3]), Some(2));
        assert_eq!(gone(&[1, 2, 3, 4]), Some(0));
        assert_eq!(gone(&[3, 1]), None);
        assert_eq!(gone(&[5]), None);
    }
}
