//! Selectors: `h/1`, `h/*`, `h/any`, `h/leader`, `h/random(2)`, `zone:eu`, `machine:m/2`. Their form
//! and their names are judged here; the nodes are found when a fault fires.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{E0401, E0402, E0409};
use crate::read::context::Context;
use crate::syntax::tree::Span;
use crate::vocabulary::symbols::{GroupName, Names};
use std::collections::BTreeSet;

/// When a selector is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Before the first event: nobody has a role that changes.
    BeforeRun,
    /// When a fault fires or an event happens.
    InRun,
}

/// A selector that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Some nodes of one group.
    Group(String, Word),
    /// All nodes of a zone.
    Zone(String),
    /// Some machines, and all that runs on them.
    Machine(Box<Selector>),
}

/// What stands after the slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A node, numbered from 1.
    Number(u32),
    /// All nodes.
    All,
    /// One at random.
    Any,
    /// Fewer than half, at random.
    Minority,
    /// More than half, at random.
    Majority,
    /// So many, at random.
    Random(u32),
    /// A word of the system.
    System(String),
}

/// Words that every group has.
const WORDS: &[&str] = &["any", "minority", "majority"];

/// Reads a selector; reports when it is malformed or matches nothing.
pub fn read(cx: &mut Context<'_>, text: &str, span: Span, resolved: Resolved) -> Option<Selector> {
    if let Some(zone) = text.strip_prefix("zone:") {
        let selector = Selector::Zone(zone.to_owned());
        let nodes = selector.fixed(&cx.names).map_or(0, |nodes| nodes.len());
        if nodes > 0 {
            return Some(selector);
        }
        if cx.names.zones.contains(zone) {
            let message = format!("no node is in the zone `{zone}`");
            let help = "zones are dealt round-robin, and there are fewer nodes than zones";
            cx.report(Diagnostic::error(E0402, message).help(help), span, "");
            return None;
        }
        let zones: Vec<String> = cx.names.zones.iter().cloned().collect();
        let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
        let message = format!("there is no zone `{zone}`");
        nothing(cx, message, zone, span, &zones);
        return None;
    }
    if let Some(machines) = text.strip_prefix("machine:") {
        return machine(cx, text, machines, span, resolved);
    }
    let Some((group, word)) = text.split_once('/') else {
        let message = format!("`{text}` is not a selector");
        let help = match cx.names.groups.contains_key(text) {
            true => format!("`{text}/*` is all of the group, `{text}/1` its first node"),
            false => "a selector is GROUP/NODE, such as `h/1`, `h/*` or `h/any`".to_owned(),
        };
        cx.report(Diagnostic::error(E0401, message).help(help), span, "");
        return None;
    };
    let Some(info) = cx.names.groups.get(group).cloned() else {
        let groups: Vec<String> = cx.names.groups.keys().cloned().collect();
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let message = format!("there is no group `{group}`");
        nothing(cx, message, group, span, &groups);
        return None;
    };
    let word = read_word(cx, group, word, &info, span)?;
    if resolved == Resolved::BeforeRun && !known_before(&word) {
        let message = format!("`{text}` is not known before the run");
        let help = format!("write `{group}/any`, `{group}/*` or a number");
        cx.report(Diagnostic::error(E0409, message).help(help), span, "");
        return None;
    }
    Some(Selector::Group(group.to_owned(), word))
}

/// `machine:m/2`: machines of one group, which must be able to host something.
fn machine(
    cx: &mut Context<'_>,
    text: &str,
    machines: &str,
    span: Span,
    resolved: Resolved,
) -> Option<Selector> {
    let Selector::Group(group, word) = read(cx, machines, span, Resolved::InRun)? else {
        let diagnostic = Diagnostic::error(E0401, format!("`{machines}` is no machine"));
        cx.report(diagnostic.help("write `machine:GROUP/NODE`"), span, "");
        return None;
    };
    if cx.names.hosted_by(&group).next().is_none() {
        let message = format!("no dormant group runs on `{group}`");
        let help = "a group with `dormant = true` names its machines by `on`";
        cx.report(Diagnostic::error(E0402, message).help(help), span, "");
        return None;
    }
    if resolved == Resolved::BeforeRun {
        let message = format!("`{text}` is not known before the run");
        let help = format!("what runs on a machine changes: write `{machines}`");
        cx.report(Diagnostic::error(E0409, message).help(help), span, "");
        return None;
    }
    Some(Selector::Machine(Box::new(Selector::Group(group, word))))
}

const fn known_before(word: &Word) -> bool {
    matches!(word, Word::Number(_) | Word::All | Word::Any | Word::Random(_))
}

fn nothing(cx: &mut Context<'_>, message: String, word: &str, span: Span, candidates: &[&str]) {
    let mut diagnostic = Diagnostic::error(E0402, message);
    diagnostic.help = match crate::vocabulary::suggest::nearest(word, candidates.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if candidates.is_empty() => None,
        None => Some(format!("there are {}", crate::read::context::listed(candidates))),
    };
    cx.report(diagnostic, span, "");
}

fn read_word(
    cx: &mut Context<'_>,
    group: &str,
    word: &str,
    info: &GroupName,
    span: Span,
) -> Option<Word> {
    if let Ok(number) = word.parse::<u32>() {
        return in_group(cx, group, info.count, number, span).map(Word::Number);
    }
    if let Some(inside) = word.strip_prefix("random(") {
        let number = inside.strip_suffix(')').and_then(|n| n.parse::<u32>().ok());
        let Some(number) = number else {
            let diagnostic = Diagnostic::error(E0401, format!("`{word}` is not `random(N)`"));
            cx.report(diagnostic, span, "");
            return None;
        };
        return in_group(cx, group, info.count, number, span).map(Word::Random);
    }
    match word {
        "*" => return Some(Word::All),
        "any" => return Some(Word::Any),
        "minority" if info.count < 3 => {
            let message = format!("the minority of `{group}` is nobody");
            let help = format!("it has {}; a minority needs 3", nodes(info.count));
            cx.report(Diagnostic::error(E0402, message).help(help), span, "");
            return None;
        }
        "minority" => return Some(Word::Minority),
        "majority" => return Some(Word::Majority),
        _ => {}
    }
    let Some(system) = info.system else {
        // The system is not here to say which words it knows; that is reported elsewhere.
        return Some(Word::System(word.to_owned()));
    };
    let words = system.selectors();
    if words.contains(&word) {
        return Some(Word::System(word.to_owned()));
    }
    let known: Vec<&str> = WORDS.iter().chain(words).copied().collect();
    let message = format!("`{word}` selects nothing in group `{group}`");
    nothing(cx, message, word, span, &known);
    None
}

fn nodes(count: u32) -> String {
    match count {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    }
}

/// `number`, when it is from 1 to `count`.
fn in_group(cx: &mut Context<'_>, group: &str, count: u32, number: u32, span: Span) -> Option<u32> {
    if (1..=count).contains(&number) {
        return Some(number);
    }
    let message = format!("group `{group}` has {}, not {number}", nodes(count));
    let help = "nodes are numbered from 1";
    cx.report(Diagnostic::error(E0402, message).help(help), span, "");
    None
}

impl Selector {
    /// The nodes, when they are known for certain before the run.
    pub fn fixed(&self, names: &Names) -> Option<BTreeSet<(String, u32)>> {
        let mut found = BTreeSet::new();
        match self {
            Self::Group(group, Word::Number(number)) => {
                found.insert((group.clone(), *number));
            }
            Self::Group(group, Word::All) => {
                let count = names.groups.get(group)?.count;
                found.extend((1..=count).map(|number| (group.clone(), number)));
            }
            Self::Zone(zone) => {
                for (name, group) in &names.groups {
                    let zones = group.zones.iter().cycle().zip(1..=group.count);
                    let inside = zones.filter(|(z, _)| *z == zone);
                    found.extend(inside.map(|(_, number)| (name.clone(), number)));
                }
            }
            Self::Group(..) | Self::Machine(_) => return None,
        }
        Some(found)
    }

    /// Whether the two certainly share a node, whenever they are resolved.
    pub fn overlaps(&self, other: &Self, names: &Names) -> bool {
        if self == other {
            return true;
        }
        // What is certainly there is the machine itself.
        if let (Self::Machine(machine), other) | (other, Self::Machine(machine)) = (self, other) {
            return machine.overlaps(other, names);
        }
        match (self.fixed(names), other.fixed(names)) {
            (Some(one), Some(two)) => one.intersection(&two).next().is_some(),
            _ => match (self, other) {
                (Self::Group(one, a), Self::Group(two, b)) => {
                    one == two && (*a == Word::All || *b == Word::All)
                }
                _ => false,
            },
        }
    }
}
