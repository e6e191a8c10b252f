//! Escapes for each format. A name comes from a scenario file, and a scenario file may come from a
//! stranger: no name may become markup, a column of a table, or a command to the terminal.

use svg::is_unseen;
pub use svg::markup;

/// Text for Markdown, in a paragraph or in a cell of a table.
#[must_use]
pub fn markdown(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    for (at, &c) in chars.iter().enumerate() {
        match c {
            '_' if word(at.checked_sub(1)) && word(Some(at + 1)) => out.push('_'),
            '#' | '+' | '-' | '=' if at > 0 => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '+' | '-' | '=' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Breaks the mention of a user that a forge would notify; shows as it was.
            '@' => out.push_str("@<!-- -->"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_unseen(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text for a terminal: what would move the cursor, change a colour or turn the writing around is
/// shown as `\x1b`, `\u{202e}`, ….
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_unseen(c) && c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_stays_text_and_in_its_cell() {
        assert_eq!(markdown("a|b\nc"), "a\\|b c");
        assert_eq!(markdown("one_leader_per_term"), "one_leader_per_term");
        assert_eq!(markdown("_x_ *y* `z`"), "\\_x\\_ \\*y\\* \\`z\\`");
        assert_eq!(markdown("[a](b) <i>"), "\\[a\\](b) &lt;i&gt;");
        assert_eq!(markdown("# no heading, 1-2"), "\\# no heading, 1-2");
        assert_eq!(markdown("@all"), "@<!-- -->all");
    }

    #[test]
    fn the_terminal_is_not_commanded() {
        assert_eq!(terminal("a\x1b[31mb\r\n"), "a\\x1b[31mb  ");
        assert_eq!(terminal("\u{202e}x\u{9b}"), "\\u{202e}x\\u{9b}");
    }
}
