//! Keys of histories in EDN: as a field of each event, or as Jepsen's independent keys, where the
//! value of every operation is a tuple `[key value]` (`jepsen.independent`).

use super::edn::{Form, FormKind};
use super::recorded::Names;

/// Whether the values of `events` are tuples of a key and a value. A file does not say it, but a
/// read is called with `nil` and a compare-and-set with a pair, so with tuples each call of a read
/// has `[key nil]` and each of a compare-and-set `[key [expected new]]`.
pub fn are_tuples(events: &[Form]) -> bool {
    let mut is_certain = false;
    for event in events {
        let keyword = |name: &str| event.field(name).and_then(Form::keyword);
        let is_client = |form: &Form| matches!(form.kind, FormKind::Atom(_));
        if !event.field("process").is_some_and(is_client) || keyword("type") != Some("invoke") {
            continue;
        }
        let inner = event.field("value").and_then(Form::pair).map(|(_, inner)| inner);
        match (keyword("f"), inner) {
            (Some("read"), Some(inner)) if inner.kind == FormKind::Nil => is_certain = true,
            (Some("cas"), Some(inner)) if inner.pair().is_some() => is_certain = true,
            (Some("write"), Some(_)) => {}
            _ => return false,
        }
    }
    is_certain
}

/// Numbers keys in the order of first sight.
#[derive(Debug, Default)]
pub struct Keys {
    names: Names,
    /// By key: what a text said, without its quotes.
    bare: Vec<Option<String>>,
}

impl Keys {
    /// The number of `key`.
    pub fn intern(&mut self, key: &Form) -> u64 {
        let number = self.names.intern(&key.print()).id;
        if number == self.bare.len() as u64 {
            self.bare.push(match &key.kind {
                FormKind::Text(text) => Some(text.clone()),
                _ => None,
            });
        }
        number
    }

    /// How each key was written, by its number. Texts lose their quotes unless another key is
    /// written like that.
    pub fn into_names(self) -> Vec<String> {
        let written = self.names.into_names();
        let shown = |(name, bare): (&String, Option<String>)| match bare {
            Some(bare) if !written.contains(&bare) => bare,
            _ => name.clone(),
        };
        written.iter().zip(self.bare).map(shown).collect()
    }
}
