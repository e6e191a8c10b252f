//! Making one run of a scenario: overrides, swarm draws, no matrix left.

use crate::edit::matrix::{self, Law, Swarm};
use crate::edit::paths;
use crate::read::context::Context;
use crate::read::expect;
use crate::read::fields::Fields;
use crate::syntax::tree::{self, Item, Span, Table, Value};
use contract::{Domain, Rng};

/// What was changed besides the variant.
#[derive(Default)]
pub struct Edits {
    /// Every path that was set, also to what was there.
    paths: Vec<String>,
    /// `path = value` for each change.
    pub overrides: Vec<String>,
}

impl Edits {
    /// Puts `item` at `path`, and notes it.
    pub fn put(
        &mut self,
        cx: &mut Context<'_>,
        tree: &mut Table,
        path: &str,
        span: Span,
        item: Item,
    ) {
        let same = paths::get(tree, path) == Some(&item);
        let shown = item.show();
        if expect::put(cx, tree, path, span, item) {
            self.paths.push(path.to_owned());
            if !same {
                self.overrides.push(format!("{path} = {shown}"));
            }
        }
    }

    /// Whether `path`, or something around or inside of it, was set.
    fn touches(&self, path: &str) -> bool {
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let touches = |set: &String| inside(set, path) || inside(path, set);
        self.paths.iter().any(touches)
    }
}

/// The overrides of the command line.
pub fn apply_sets(
    cx: &mut Context<'_>,
    tree: &mut Table,
    sets: &[(String, String)],
    edits: &mut Edits,
) {
    for (i, (path, value)) in sets.iter().enumerate() {
        let source = u16::try_from(i + 1).expect("nobody types so many overrides");
        let span =
            Span { source, start: 0, end: u32::try_from(path.len()).expect("a path is short") };
        let item = tree::parse_value(value, source, path.len() + 1);
        edits.put(cx, tree, path, span, item);
    }
}

/// Makes `tree` a scenario of one run: swarm draws made, the seed fixed, no matrix.
pub fn concrete(cx: &mut Context<'_>, tree: &mut Table, edits: &Edits) {
    let copy = tree.clone();
    let mut top = Fields::top(&copy, Span::default(), "", "the top level");
    let sweep = matrix::read(cx, &mut top);
    let swarm = matrix::read_swarm(cx, &mut top);
    redraw(cx, tree, &swarm, edits);
    let mut kept = omit(cx, tree, &swarm);
    if let Some(random) = &swarm.random {
        let faults = random.draw(cx.seed, cx.lab.faults);
        // What a seed draws may come to nothing in its run; that is no fault of the file.
        kept.extend(faults.iter().map(|(id, _)| id.clone()));
        add_faults(tree, faults.into_iter().map(|(_, fault)| fault));
    }
    tree.remove("sweep");
    if sweep.ties_explore {
        put_made(tree, "sweep", [("ties", made_text("explore"))]);
    }
    tree.remove("swarm");
    if !kept.is_empty() {
        // That a fault may be left out is remembered; that it was not is settled.
        let faults = made(Value::List(kept.iter().map(|id| made_text(id)).collect()));
        let mut omit = Table::default();
        omit.set("faults", Span::default(), faults);
        omit.set("probability", Span::default(), made_text("0%"));
        put_made(tree, "swarm", [("omit", made(Value::Table(omit)))]);
    }
    let seed = made(Value::Int(i128::from(cx.seed)));
    tree.set("seed", Span::default(), seed);
}

/// A value that stands nowhere.
fn made(value: Value) -> Item {
    Item { span: Span::default(), value }
}

fn made_text(text: &str) -> Item {
    made(Value::Text(text.to_owned()))
}

/// Puts a table of `entries` at `key` of the top level.
fn put_made<const N: usize>(tree: &mut Table, key: &str, entries: [(&str, Item); N]) {
    let mut table = Table::default();
    for (name, item) in entries {
        table.set(name, Span::default(), item);
    }
    tree.set(key, Span::default(), made(Value::Table(table)));
}

/// Puts faults behind those of the file.
fn add_faults(tree: &mut Table, faults: impl Iterator<Item = Item>) {
    match tree.get_mut("fault").map(|item| &mut item.value) {
        Some(Value::List(items)) => items.extend(faults),
        _ => tree.set("fault", Span::default(), made(Value::List(faults.collect()))),
    }
}

/// Redraws what the swarm redraws, except for what was set by hand.
fn redraw(cx: &mut Context<'_>, tree: &mut Table, swarm: &Swarm, edits: &Edits) {
    for entry in &swarm.redraw {
        if edits.touches(&entry.path) {
            continue;
        }
        let mut rng = Rng::new(cx.seed, Domain::Swarm, &entry.path);
        let item = match &entry.from {
            Law::Dist(measure, dist) => {
                Item::quantity(entry.law_span, *measure, dist.sample(&mut rng))
            }
            Law::Choice(items) => items[rng.below(items.len() as u64) as usize].clone(),
        };
        expect::put(cx, tree, &entry.path, entry.span, item);
    }
}

/// Leaves out the faults that the seed leaves out, and the covers that refer to them. Returns the
/// faults that stay although they could have gone.
fn omit(cx: &mut Context<'_>, tree: &mut Table, swarm: &Swarm) -> Vec<String> {
    let mut kept = Vec::new();
    let mut gone = Vec::new();
    for (fault, ratio) in &swarm.omit {
        let mut rng = Rng::new(cx.seed, Domain::Swarm, &format!("omit {fault}"));
        if rng.chance(*ratio) {
            gone.push(fault.clone());
        } else {
            kept.push(fault.clone());
        }
    }
    let text = |item: &Item, key: &str| {
        let found = item.table().and_then(|table| table.get(key));
        found.and_then(Item::as_text).map(str::to_owned)
    };
    if let Some(Value::List(faults)) = tree.get_mut("fault").map(|item| &mut item.value) {
        faults.retain(|fault| !text(fault, "id").is_some_and(|id| gone.contains(&id)));
    }
    if let Some(Value::List(covers)) = tree.get_mut("cover").map(|item| &mut item.value) {
        covers.retain(|cover| {
            let during = text(cover, "during");
            !gone.iter().any(|id| during == Some(format!("fault.{id}")))
        });
    }
    kept
}
