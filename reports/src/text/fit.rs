//! Fits text into columns: where lines break, and how wide the columns of a table are.

use crate::canvas::Table;
use crate::escape;
use tabled::grid::util::string::get_line_width;

/// A column of words is not made narrower than this while another can give.
const COLUMN_MIN: usize = 12;

/// The width of each column so that the table takes at most `width`, `gap` after each column
/// included; `None` when it cannot. Figures and heads keep their width; the widest column of words
/// gives first.
#[must_use]
pub fn widths(table: &Table, gap: usize, width: usize) -> Option<Vec<usize>> {
    let columns = table.columns();
    let mut widths: Vec<usize> = columns.iter().map(|head| get_line_width(head.title)).collect();
    let least: Vec<usize> = widths.iter().map(|&head| head.max(COLUMN_MIN)).collect();
    for row in table.rows() {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = get_line_width(&escape::terminal(&cell.text)).max(*widest);
        }
    }
    loop {
        let total: usize = widths.iter().map(|column| column + gap).sum();
        let gives = |n: &usize| !columns[*n].figures && widths[*n] > least[*n];
        let widest = (0..columns.len()).filter(gives).max_by_key(|&n| widths[n]);
        match widest {
            _ if total <= width => return Some(widths),
            Some(n) => widths[n] -= 1,
            None => return None,
        }
    }
}

/// The text in lines of at most `width`: broken at spaces, in names after `/`, `.`, `-` or `_`, and
/// anywhere when nothing else helps. A figure stays with its unit.
#[must_use]
pub fn wrap(text: &str, width: usize) -> String {
    assert!(width > 0, "a line has a width");
    let mut lines = vec![String::new()];
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut piece = word.to_owned();
        let figure = word.ends_with(|c: char| c.is_ascii_digit());
        if let Some(unit) = words.next_if(|next| figure && is_unit(next)) {
            piece = format!("{word} {unit}");
        }
        put(&mut lines, &piece, width);
    }
    lines.join("\n")
}

/// Appends a word to the last line, or to new ones.
fn put(lines: &mut Vec<String>, word: &str, width: usize) {
    let line = lines.last_mut().expect("there is always a line");
    if line.is_empty() && get_line_width(word) <= width {
        line.push_str(word);
    } else if get_line_width(line) + 1 + get_line_width(word) <= width {
        line.push(' ');
        line.push_str(word);
    } else if get_line_width(word) <= width {
        lines.push(word.to_owned());
    } else {
        break_word(lines, word, width);
    }
}

/// Breaks a word that is longer than a line.
fn break_word(lines: &mut Vec<String>, word: &str, width: usize) {
    if lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(String::new());
    }
    for part in word.split_inclusive(['/', '.', '-', '_']) {
        let line = lines.last_mut().expect("there is always a line");
        if get_line_width(line) + get_line_width(part) <= width {
            line.push_str(part);
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for c in part.chars() {
            let line = lines.last_mut().expect("there is always a line");
            if !line.is_empty() && get_line_width(line) + get_line_width(&c.to_string()) > width {
                lines.push(c.to_string());
            } else {
                line.push(c);
            }
        }
    }
}

/// Whether a word, without the mark after it, is one of our units.
fn is_unit(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.', ':', ';', ')']);
    ["ns", "µs", "ms", "s", "min", "h", "B", "KiB", "MiB", "GiB"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{Cell, figures, words};

    #[test]
    fn lines_break_where_a_reader_would() {
        let check = |text, width, expect| assert_eq!(wrap(text, width), expect);
        check("at 14.5 s, it fell", 7, "at\n14.5 s,\nit fell");
        check("hyperion/split-brain-1500ms", 15, "hyperion/split-\nbrain-1500ms");
        check("raft.one_leader x", 9, "raft.one_\nleader x");
        check("aaaaaaaaaa", 4, "aaaa\naaaa\naa");
        check("", 4, "");
    }

    #[test]
    fn the_widest_column_of_words_gives() {
        let mut table = Table::new(vec![words("name"), figures("n"), words("what")]);
        table.push(vec![
            Cell::from("a".repeat(30)),
            Cell::from("123456789012345"),
            Cell::from("b".repeat(20)),
        ]);
        let of = |width| widths(&table, 2, width);
        assert_eq!(of(100), Some(vec![30, 15, 20]));
        assert_eq!(of(61), Some(vec![20, 15, 20]));
        assert_eq!(of(45), Some(vec![12, 15, 12]));
        assert_eq!(of(44), None);
    }
}
