//! Paths such as `tuning.h.lease` and `fault.split.plus`: how variants, matrices, swarms and the
//! command line name one place of the tree.

use crate::syntax::tree::{Item, Span, Table, Value};
use crate::vocabulary::suggest::nearest;
use crate::vocabulary::words;

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPath {
    pub message: String,
    pub help: Option<String>,
}

/// Keys of the top level that an edit may not touch, and what to do instead.
const FIXED: &[(&str, &str)] = &[
    ("format", "the format is that of the file"),
    ("name", "the name is that of the file"),
    ("seed", "use `--seed`"),
    ("variant", "use `--variant`"),
];

/// Tables whose sub-tables are declared by the file: an edit changes them, but does not add any.
const DECLARED: &[&str] = &["nodes", "clients"];

/// Tables of the top level that an edit may add.
const ADDED: &[&str] = &["tuning", "disk", "clock", "memory", "net", "sweep", "swarm", "report"];

/// Lists whose items are named by a field.
const LISTS: &[(&str, &str)] = &[("fault", "id"), ("check", "id"), ("cover", "id")];

/// The value at `path`, if there is one.
pub fn get<'t>(tree: &'t Table, path: &str) -> Option<&'t Item> {
    let mut parts = path.split('.');
    let first = parts.next()?;
    let mut item = tree.get(first)?;
    for (i, part) in parts.enumerate() {
        item = match &item.value {
            Value::Table(table) => table.get(part)?,
            Value::List(items) => {
                let key = if i == 0 { id_key(first) } else { None };
                items.get(position(items, part, key)?)?
            }
            _ => return None,
        };
    }
    Some(item)
}

/// The value at `path`, to change.
pub fn get_mut<'t>(tree: &'t mut Table, path: &str) -> Option<&'t mut Item> {
    let mut parts = path.split('.');
    let first = parts.next()?;
    let mut item = tree.get_mut(first)?;
    for (i, part) in parts.enumerate() {
        item = match &mut item.value {
            Value::Table(table) => table.get_mut(part)?,
            Value::List(items) => {
                let key = if i == 0 { id_key(first) } else { None };
                let position = position(items, part, key)?;
                &mut items[position]
            }
            _ => return None,
        };
    }
    Some(item)
}

/// Puts `value` at `path`. Whether the last part is a field at all is found out by whoever reads
/// the table, who points at `key_span` then.
///
/// # Errors
/// When an earlier part of the path leads nowhere.
pub fn set(tree: &mut Table, path: &str, key_span: Span, value: Item) -> Result<(), NoPath> {
    let walk = Walk { path, parts: path.split('.').collect(), key_span };
    let first = walk.parts[0];
    top(first)?;
    let named = DECLARED.contains(&first) || id_key(first).is_some();
    if (named && walk.parts.len() < 3) || walk.parts.len() > PARTS_MAX {
        return Err(NoPath {
            message: format!("the path `{path}` has {} parts", walk.parts.len()),
            help: named.then(|| format!("a path into `{first}` looks like `{first}.NAME.FIELD`")),
        });
    }
    walk.in_table(tree, 0, value)
}

/// Takes away what stands at `path`, and every table around it that is empty then.
pub fn remove(tree: &mut Table, path: &str) {
    let parts: Vec<&str> = path.split('.').collect();
    remove_in(tree, &parts, id_key(parts[0]));
}

fn remove_in(table: &mut Table, parts: &[&str], key: Option<&'static str>) {
    let [first, rest @ ..] = parts else { return };
    let empty = match table.get_mut(first).map(|item| &mut item.value) {
        None => return,
        Some(_) if rest.is_empty() => true,
        Some(Value::Table(inner)) => {
            remove_in(inner, rest, None);
            inner.entries.is_empty()
        }
        Some(Value::List(items)) => {
            let Some(at) = position(items, rest[0], key) else { return };
            match (&mut items[at].value, rest) {
                (_, [_]) => drop(items.remove(at)),
                (Value::Table(inner), [_, rest @ ..]) => remove_in(inner, rest, None),
                _ => {}
            }
            items.is_empty()
        }
        Some(_) => false,
    };
    if empty {
        table.remove(first);
    }
}

/// More parts than any place of a scenario has.
const PARTS_MAX: usize = 16;

/// The field that names the items of a list.
fn id_key(list: &str) -> Option<&'static str> {
    let found = LISTS.iter().find(|(name, _)| *name == list);
    found.map(|(_, key)| *key)
}

/// A path on the way to its place.
struct Walk<'p> {
    path: &'p str,
    parts: Vec<&'p str>,
    key_span: Span,
}

impl Walk<'_> {
    fn in_table(&self, table: &mut Table, depth: usize, value: Item) -> Result<(), NoPath> {
        let part = self.parts[depth];
        if depth + 1 == self.parts.len() {
            table.set(part, self.key_span, value);
            return Ok(());
        }
        if table.get(part).is_none() {
            let first = self.parts[0];
            if depth == 0 && !ADDED.contains(&first) {
                return Err(missing(first, self.parts[1], &[]));
            }
            if depth == 1 && DECLARED.contains(&first) {
                let names: Vec<&str> = table.entries.iter().map(|e| e.key.as_str()).collect();
                return Err(missing(first, part, &names));
            }
            let empty = Item { span: self.key_span, value: Value::Table(Table::default()) };
            table.set(part, self.key_span, empty);
        }
        let item = table.get_mut(part).expect("it was put there");
        self.in_item(item, depth + 1, value)
    }

    fn in_item(&self, item: &mut Item, depth: usize, value: Item) -> Result<(), NoPath> {
        let noun = item.noun();
        match &mut item.value {
            Value::Table(table) => self.in_table(table, depth, value),
            Value::List(items) => {
                let (part, key) = (self.parts[depth], self.key_at(depth));
                let Some(position) = position(items, part, key) else {
                    let names = item_names(items, key);
                    return Err(missing(self.parts[depth - 1], part, &names));
                };
                if depth + 1 == self.parts.len() {
                    items[position] = value;
                    return Ok(());
                }
                self.in_item(&mut items[position], depth + 1, value)
            }
            _ => Err(NoPath {
                message: format!("the path `{}` goes into {noun}", self.path),
                help: Some(format!("`{}` has no fields", self.parts[..depth].join("."))),
            }),
        }
    }

    /// The field that names the items of the list that part `depth` is in.
    fn key_at(&self, depth: usize) -> Option<&'static str> {
        if depth == 1 { id_key(self.parts[0]) } else { None }
    }
}

/// The first part of a path.
fn top(first: &str) -> Result<(), NoPath> {
    if let Some((_, instead)) = FIXED.iter().find(|(key, _)| *key == first) {
        return Err(NoPath {
            message: format!("`{first}` cannot be set"),
            help: Some((*instead).to_owned()),
        });
    }
    if words::TOP.contains(&first) {
        return Ok(());
    }
    let near = nearest(first, words::TOP.iter().copied());
    Err(NoPath {
        message: format!("no path begins with `{first}`"),
        help: near.map(|near| format!("did you mean `{near}`?")),
    })
}

fn missing(list: &str, name: &str, names: &[&str]) -> NoPath {
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are {}", crate::read::context::listed(names))),
    };
    NoPath { message: format!("`{list}` has no `{name}`"), help }
}

/// The position of the item that `part` names: by its `key`, or by its number from 1.
fn position(items: &[Item], part: &str, key: Option<&str>) -> Option<usize> {
    match key {
        Some(key) => items.iter().position(|item| {
            let id = item.table().and_then(|table| table.get(key));
            id.and_then(|id| id.as_text()) == Some(part)
        }),
        None => {
            let number: usize = part.parse().ok()?;
            let index = number.checked_sub(1)?;
            (index < items.len()).then_some(index)
        }
    }
}

fn item_names<'t>(items: &'t [Item], key: Option<&str>) -> Vec<&'t str> {
    let Some(key) = key else { return Vec::new() };
    let name = |item: &'t Item| item.table()?.get(key)?.as_text();
    items.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::parse_document;

    const TEXT: &str = "
        [nodes.h]
        count = 3
        [tuning.h]
        lease = \"1s\"
        election = { min = \"1s\", max = \"2s\" }
        list = [1, 2]
        [net]
        [[net.link]]
        from = \"h/1\"
        [[fault]]
        id = \"split\"
        [[preload]]
        entries = 5
    ";

    fn check(path: &str, expect: Result<(), &str>) {
        let (mut tree, errors) = parse_document(TEXT);
        assert!(errors.is_empty());
        let value = Item::text(Span::default(), "new");
        let result = set(&mut tree, path, Span::default(), value.clone());
        match (result, expect) {
            (Ok(()), Ok(())) => assert_eq!(get(&tree, path), Some(&value), "{path}"),
            (Err(error), Err(expect)) => {
                let shown = format!("{} {}", error.message, error.help.unwrap_or_default());
                assert!(shown.contains(expect), "{path}: {shown}");
            }
            (result, _) => panic!("{path}: {result:?}"),
        }
    }

    #[test]
    fn places_are_found_or_made() {
        check("tuning.h.lease", Ok(()));
        check("tuning.h.other", Ok(()));
        check("tuning.h.election.min", Ok(()));
        check("tuning.h.list.2", Ok(()));
        check("clock.h.drift_max", Ok(()));
        check("fault.split.plus", Ok(()));
        check("net.link.1.loss", Ok(()));
        check("net.latency", Ok(()));
        check("preload.1.entries", Ok(()));
        check("expect", Ok(()));
    }

    #[test]
    fn what_is_taken_away_leaves_no_empty_table() {
        let (mut tree, _) = parse_document(TEXT);
        for path in ["tuning.h.lease", "tuning.h.election.min", "tuning.h.list.1", "no.such.path"] {
            remove(&mut tree, path);
            assert_eq!(get(&tree, path).map(Item::show).filter(|shown| shown != "2"), None);
        }
        assert!(get(&tree, "tuning.h.election.max").is_some());
        for path in ["tuning.h.election.max", "tuning.h.list.1", "fault.split.id", "preload.1"] {
            remove(&mut tree, path);
        }
        assert!(tree.get("tuning").is_none() && tree.get("preload").is_none());
        assert!(tree.get("nodes").is_some());
    }

    #[test]
    fn what_leads_nowhere_says_where_it_might() {
        check("tunning.h.lease", Err("did you mean `tuning`?"));
        check("fault.splt.plus", Err("did you mean `split`?"));
        check("nodes.k.count", Err("there are `h`"));
        check("tuning.h.lease.min", Err("goes into text"));
        check("tuning.h.list.3", Err("has no `3`"));
        check("fault.split", Err("looks like `fault.NAME.FIELD`"));
        check("seed", Err("--seed"));
        check("", Err("no path begins with"));
        check("preload.0.entries", Err("has no `0`"));
        check("cover.c.min", Err("`cover` has no `c`"));
        check("clients.kv.rate", Err("`clients` has no `kv`"));
    }
}
