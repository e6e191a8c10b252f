//! A reader of EDN, the notation of Jepsen's histories (github.com/edn-format/edn).
//!
//! It reads every form that such files contain, also those that the checkers then ignore: sets,
//! tagged literals (the tag is dropped), comments, discarded forms. Nesting is bounded and there
//! is no recursion, so no input can overflow the stack.

use super::error::ReadError;

/// The deepest nesting that is read.
const DEPTH_MAX: usize = 128;

/// One form, with the byte offset where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it begins in the text.
    pub offset: usize,
    /// What it is.
    pub kind: FormKind,
}

/// What a form is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// `nil`.
    Nil,
    /// A number, boolean, symbol or character, as written.
    Atom(String),
    /// A string, with its escapes resolved.
    Text(String),
    /// A keyword without its colon.
    Keyword(String),
    /// A list, vector or set.
    Sequence(Vec<Form>),
    /// A map: keys and values in turn.
    Map(Vec<Form>),
}

impl Form {
    /// The value under `:name`, when this is a map that has it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        let FormKind::Map(entries) = &self.kind else {
            return None;
        };
        let is_name = |entry: &&[Self]| matches!(&entry[0].kind, FormKind::Keyword(k) if k == name);
        entries.chunks_exact(2).find(is_name).map(|entry| &entry[1])
    }

    /// The name of a keyword.
    #[must_use]
    pub fn keyword(&self) -> Option<&str> {
        match &self.kind {
            FormKind::Keyword(name) => Some(name),
            _ => None,
        }
    }

    /// The two items of a pair.
    #[must_use]
    pub fn pair(&self) -> Option<(&Self, &Self)> {
        match &self.kind {
            FormKind::Sequence(items) => match items.as_slice() {
                [first, second] => Some((first, second)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The form on one line, as it could have been written.
    #[must_use]
    pub fn print(&self) -> String {
        match &self.kind {
            FormKind::Nil => "nil".into(),
            FormKind::Atom(text) => text.clone(),
            FormKind::Text(text) => format!("{text:?}"),
            FormKind::Keyword(name) => format!(":{name}"),
            FormKind::Sequence(items) => format!("[{}]", print_all(items)),
            FormKind::Map(entries) => format!("{{{}}}", print_all(entries)),
        }
    }
}

/// Bounded by [`DEPTH_MAX`], like the forms themselves.
fn print_all(forms: &[Form]) -> String {
    let printed: Vec<String> = forms.iter().map(Form::print).collect();
    printed.join(" ")
}

/// All top-level forms of `text`.
pub fn read_all(text: &str) -> Result<Vec<Form>, ReadError> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), done: Vec::new() };
    while reader.step()? {}
    Ok(reader.done)
}

/// The first forms, at most `count`, of the line of `text` from `start` to `end`.
pub fn read_line(
    text: &str,
    start: usize,
    end: usize,
    count: usize,
) -> Result<Vec<Form>, ReadError> {
    let mut reader = Reader { text: &text[..end], at: start, open: Vec::new(), done: Vec::new() };
    while reader.done.len() < count && reader.step()? {}
    Ok(reader.done)
}

/// A collection that is being read.
struct Open {
    offset: usize,
    close: char,
    items: Vec<Form>,
    /// How many of the next forms to drop: each `#_` adds one.
    discard: usize,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
    done: Vec<Form>,
}

impl Reader<'_> {
    /// Reads one token; `false` at the end of the text.
    fn step(&mut self) -> Result<bool, ReadError> {
        self.skip_blank();
        let offset = self.at;
        let Some(first) = self.peek() else {
            return match self.open.last() {
                Some(open) => Err(self.error(self.at, format!("`{}`", open.close))),
                None => Ok(false),
            };
        };
        match first {
            '(' => self.begin(1, ')')?,
            '[' => self.begin(1, ']')?,
            '{' => self.begin(1, '}')?,
            ')' | ']' | '}' => self.end(first)?,
            '"' => {
                let text = self.string()?;
                self.add(Form { offset, kind: FormKind::Text(text) });
            }
            '#' => self.dispatch()?,
            '\\' => {
                // A character: the backslash, any one character, then the rest of its name.
                self.at += 1;
                self.at += self.peek().map_or(0, char::len_utf8);
                self.token();
                let text = self.text[offset..self.at].to_owned();
                self.add(Form { offset, kind: FormKind::Atom(text) });
            }
            _ => self.atom()?,
        }
        Ok(true)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn error(&self, offset: usize, expected: impl Into<String>) -> ReadError {
        ReadError::at(self.text, offset, expected)
    }

    /// White space, commas and comments.
    fn skip_blank(&mut self) {
        while let Some(next) = self.peek() {
            if next == ';' {
                let rest = &self.text[self.at..];
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if next.is_whitespace() || next == ',' {
                self.at += next.len_utf8();
            } else {
                return;
            }
        }
    }

    fn begin(&mut self, width: usize, close: char) -> Result<(), ReadError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.error(self.at, format!("at most {DEPTH_MAX} forms inside each other")));
        }
        self.open.push(Open { offset: self.at, close, items: Vec::new(), discard: 0 });
        self.at += width;
        Ok(())
    }

    fn end(&mut self, close: char) -> Result<(), ReadError> {
        let Some(open) = self.open.pop() else {
            return Err(self.error(self.at, "a form"));
        };
        if open.close != close {
            return Err(self.error(self.at, format!("`{}`", open.close)));
        }
        let is_map = close == '}' && self.text[open.offset..].starts_with('{');
        if is_map && open.items.len() % 2 == 1 {
            return Err(self.error(self.at, "a value for the last key of the map"));
        }
        self.at += 1;
        let kind = if is_map { FormKind::Map(open.items) } else { FormKind::Sequence(open.items) };
        self.add(Form { offset: open.offset, kind });
        Ok(())
    }

    /// What follows `#`: a set, a discarded form, or a tag.
    fn dispatch(&mut self) -> Result<(), ReadError> {
        let rest = &self.text[self.at + 1..];
        if rest.starts_with('{') {
            return self.begin(2, '}');
        }
        if rest.starts_with('_') {
            self.at += 2;
            if let Some(open) = self.open.last_mut() {
                open.discard += 1;
                return Ok(());
            }
            return Err(self.error(self.at, "a discarded form only inside a collection"));
        }
        self.at += 1;
        let offset = self.at;
        if self.token().is_empty() {
            return Err(self.error(offset, "a tag"));
        }
        Ok(())
    }

    /// A run of characters up to white space or a delimiter.
    fn token(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let ends = |c: char| c.is_whitespace() || ",;\"()[]{}".contains(c);
        let token = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += token.len();
        token
    }

    fn atom(&mut self) -> Result<(), ReadError> {
        let offset = self.at;
        let token = self.token();
        let kind = match token.strip_prefix(':') {
            Some("") => return Err(self.error(offset, "the name of a keyword")),
            Some(name) => FormKind::Keyword(name.to_owned()),
            None if token == "nil" => FormKind::Nil,
            None => FormKind::Atom(token.to_owned()),
        };
        self.add(Form { offset, kind });
        Ok(())
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.text[start..].char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(out);
                }
                '\\' => {
                    let escaped = chars.next().map(|(_, c)| c);
                    out.push(match escaped {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        Some(c @ ('"' | '\\')) => c,
                        _ => return Err(self.error(start + at, "an escape: n, t, r, \\ or \"")),
                    });
                }
                c => out.push(c),
            }
        }
        Err(self.error(self.text.len(), "the end of the string"))
    }

    fn add(&mut self, form: Form) {
        match self.open.last_mut() {
            Some(open) if open.discard > 0 => open.discard -= 1,
            Some(open) => open.items.push(form),
            None => self.done.push(form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let forms = read_all(text).map(|forms| print_all(&forms));
        assert_eq!(forms.unwrap_or_else(|error| error.to_string()), expect);
    }

    #[test]
    fn forms() {
        check(
            "[1 -2.5e3 nil true sym/bol \\a \\newline]",
            "[1 -2.5e3 nil true sym/bol \\a \\newline]",
        );
        check("{:a \"x\\n\\\"\", :b (1 2)} ; end", "{:a \"x\\n\\\"\" :b [1 2]}");
        check("[1 #_ (2 3) 4 #{5 6} #inst \"2020\" #a.B{:c 1}]", "[1 4 [5 6] \"2020\" {:c 1}]");
        check("{:process 1}\n{:process 2}", "{:process 1} {:process 2}");
        check("", "");
    }

    #[test]
    fn malformed_forms_are_placed() {
        check("[1 2", "line 1, column 5: expected `]`, found the end");
        check("[1\n 2)", "line 2, column 3: expected `]`, found `)`");
        check("{:a}", "line 1, column 4: expected a value for the last key of the map, found `}`");
        check("]", "line 1, column 1: expected a form, found `]`");
        check("\"abc", "line 1, column 5: expected the end of the string, found the end");
        check("\"a\\q\"", "line 1, column 3: expected an escape: n, t, r, \\ or \", found `\\q\"`");
        check(":", "line 1, column 1: expected the name of a keyword, found `:`");
        let deep = "[".repeat(1_000_000);
        let error = read_all(&deep).expect_err("too deep");
        assert_eq!(error.column, DEPTH_MAX as u64 + 1);
    }
}
