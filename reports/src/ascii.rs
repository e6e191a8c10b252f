//! Timelines and plots as characters: one row per fault, node, client or line, one column per
//! slice of time. An election is seen as a change of letters down a column.

use crate::escape;
use crate::plot::Plot;
use crate::record::OpOutcome;
use crate::timeline::{Bar, Lane, Timeline};
use crate::units::{duration, gauge, plural, tick_step};

/// Names longer than this are cut.
const NAME_MAX: usize = 20;
/// More clients than this are not drawn, unless a violation names one of their operations.
const LANES_MAX: usize = 12;
/// Columns of the curve of a gauge.
const CURVE_COLUMNS: usize = 48;

/// The timeline in lines of at most `width` columns.
#[must_use]
pub fn timeline(timeline: &Timeline<'_>, width: usize) -> Vec<String> {
    let lanes = chosen_lanes(timeline);
    let names = (timeline.bands.iter().map(|band| band.id))
        .chain(timeline.strips.iter().map(|strip| strip.name.as_str()))
        .chain(lanes.iter().map(|lane| lane.name.as_str()))
        .chain(["violations"]);
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let label = longest.min(NAME_MAX);
    let columns = width.saturating_sub(label + 2).max(10);
    let scale = Scale { from_ns: timeline.from_ns, to_ns: timeline.to_ns, columns };
    let letters = letters(timeline);
    let mut lines = vec![row("", &axis(&scale), label)];
    for band in &timeline.bands {
        let mut cells = vec!['.'; columns];
        for &(from, to, _) in &band.spans {
            scale.fill(&mut cells, from, to, '=');
        }
        lines.push(row(band.id, &text(&cells), label));
    }
    for strip in &timeline.strips {
        let mut cells = vec![' '; columns];
        for span in &strip.spans {
            let letter = letters.iter().find(|(state, _)| *state == span.state);
            let letter = letter.expect("every state has a letter").1;
            scale.fill(&mut cells, span.from_ns, span.to_ns, letter);
        }
        lines.push(row(&strip.name, &text(&cells), label));
    }
    for lane in &lanes {
        lines.push(row(&lane.name, &text(&lane_cells(lane, &scale)), label));
    }
    if !timeline.alarms.is_empty() {
        let mut cells = vec![' '; columns];
        for alarm in &timeline.alarms {
            cells[scale.column(alarm.at_ns)] = '!';
        }
        lines.push(row("violations", &text(&cells), label));
    }
    lines.extend(legend(timeline, &letters, &lanes, &scale, width));
    lines
}

/// The lines of a plot as small curves, with the least and the greatest value of each.
#[must_use]
pub fn plot(plot: &Plot<'_>, width: usize) -> Vec<String> {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = CURVE_COLUMNS.min(width / 2);
    let scale = Scale { from_ns: 0, to_ns: plot.end_ns, columns };
    let (low, high) = plot.range();
    let longest = plot.lines.iter().map(|line| line.label.chars().count()).max();
    let label = longest.unwrap_or(0).min(NAME_MAX);
    let mut lines = vec![escape::terminal(plot.name)];
    for line in &plot.lines {
        let mut peaks: Vec<Option<i64>> = vec![None; columns];
        for &(at, value) in line.points {
            let peak = &mut peaks[scale.column(at)];
            *peak = Some(peak.map_or(value, |peak| peak.max(value)));
        }
        let step = |value: i64| {
            let above = (i128::from(value) - i128::from(low)) * 7;
            let range = (i128::from(high) - i128::from(low)).max(1);
            STEPS[usize::try_from(above / range).expect("a value lies in the range")]
        };
        let curve: String = peaks.iter().map(|peak| peak.map_or(' ', step)).collect();
        let least = line.points.iter().map(|p| p.1).min().unwrap_or(0);
        let most = line.points.iter().map(|p| p.1).max().unwrap_or(0);
        let range = match least == most {
            true => gauge(most, plot.unit),
            false => format!("{} to {}", gauge(least, plot.unit), gauge(most, plot.unit)),
        };
        lines.push(format!("  {}  {}", row(&line.label, &curve, label), escape::terminal(&range)));
    }
    lines
}

/// Columns of a picture and the time that they stand for.
struct Scale {
    from_ns: u64,
    to_ns: u64,
    columns: usize,
}

impl Scale {
    /// The column of an instant; instants outside are at the edge.
    fn column(&self, at_ns: u64) -> usize {
        let range = u128::from(self.to_ns - self.from_ns);
        let past = u128::from(at_ns.saturating_sub(self.from_ns));
        let column = past * self.columns as u128 / range.max(1);
        usize::try_from(column).map_or(self.columns - 1, |column| column.min(self.columns - 1))
    }

    /// Fills the columns of a span, at least one.
    fn fill(&self, cells: &mut [char], from_ns: u64, to_ns: u64, with: char) {
        let first = self.column(from_ns);
        let last = self.column(to_ns.saturating_sub(1).max(from_ns));
        cells[first..=last].fill(with);
    }
}

/// A row: the name, cut and padded, and the cells.
fn row(name: &str, cells: &str, label: usize) -> String {
    let name = escape::terminal(name);
    let cut: String = match name.chars().count() > label {
        true => name.chars().take(label.saturating_sub(1)).chain(['…']).collect(),
        false => name,
    };
    format!("{cut:label$}  {cells}").trim_end().to_owned()
}

fn text(cells: &[char]) -> String {
    cells.iter().collect()
}

/// Times at round instants, each starting in its column.
fn axis(scale: &Scale) -> String {
    let range = scale.to_ns - scale.from_ns;
    let step = tick_step(range, (scale.columns as u64 / 12).max(1));
    let mut line = String::new();
    let mut at = scale.from_ns.next_multiple_of(step);
    while at < scale.to_ns {
        let column = scale.column(at);
        let label = format!("|{}", tick(at, step));
        let used = line.chars().count();
        let fits = column + label.chars().count() <= scale.columns;
        if fits && (column > used || used == 0) {
            line.push_str(&" ".repeat(column - used));
            line.push_str(&label);
        }
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    line
}

/// A time on an axis with as many decimals as the distance of the ticks needs.
#[must_use]
pub fn tick(at_ns: u64, step_ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    if at_ns.is_multiple_of(SECOND) && step_ns.is_multiple_of(SECOND) {
        return format!("{} s", at_ns / SECOND);
    }
    let mut decimals = 9;
    let mut unit = 1;
    while step_ns.is_multiple_of(unit * 10) && decimals > 1 {
        unit *= 10;
        decimals -= 1;
    }
    let fraction = at_ns % SECOND / unit;
    format!("{}.{fraction:0decimals$} s", at_ns / SECOND)
}

/// The lanes that fit: all when they are few, those with an operation of the counterexample
/// otherwise.
fn chosen_lanes<'t, 'a>(timeline: &'t Timeline<'a>) -> Vec<&'t Lane<'a>> {
    let all = timeline.lanes.iter();
    if timeline.lanes.len() <= LANES_MAX {
        return all.collect();
    }
    all.filter(|lane| lane.bars.iter().any(|bar| bar.core)).take(LANES_MAX).collect()
}

/// Operations of a client; those of the counterexample are drawn last, over the others.
fn lane_cells(lane: &Lane<'_>, scale: &Scale) -> Vec<char> {
    let mut cells = vec![' '; scale.columns];
    let (core, other): (Vec<&Bar<'_>>, Vec<&Bar<'_>>) = lane.bars.iter().partition(|bar| bar.core);
    for bar in other.into_iter().chain(core) {
        let with = match (bar.core, bar.op.outcome) {
            (true, _) => '#',
            (false, OpOutcome::Ok) => '-',
            (false, OpOutcome::Fail) => '/',
            (false, OpOutcome::Unknown) => '?',
        };
        scale.fill(&mut cells, bar.op.call_ns, bar.to_ns, with);
    }
    cells
}

/// A letter for each state, the same in every row: a capital for who leads, `x` for down.
fn letters<'a>(timeline: &Timeline<'a>) -> Vec<(&'a str, char)> {
    let mut states: Vec<&str> = Vec::new();
    for span in timeline.strips.iter().flat_map(|strip| &strip.spans) {
        if !states.contains(&span.state.as_str()) {
            states.push(&span.state);
        }
    }
    states.sort_unstable();
    let mut letters: Vec<(&str, char)> = Vec::new();
    for state in states {
        let leads = matches!(state, "leader" | "primary" | "master");
        let first = state.chars().find(char::is_ascii_alphabetic).unwrap_or('a');
        let wanted = match state {
            "down" => 'x',
            _ if leads => first.to_ascii_uppercase(),
            _ => first.to_ascii_lowercase(),
        };
        let free = |c: &char| letters.iter().all(|(_, taken)| taken != c);
        let letter = std::iter::once(wanted).chain('a'..='z').chain('A'..='Z').find(free);
        letters.push((state, letter.unwrap_or('*')));
    }
    letters
}

/// What the characters mean, of those that occur, in lines of at most `width`.
fn legend(
    timeline: &Timeline<'_>,
    letters: &[(&str, char)],
    lanes: &[&Lane<'_>],
    scale: &Scale,
    width: usize,
) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    if !timeline.bands.is_empty() {
        parts.push("= fault on".to_owned());
    }
    for (state, letter) in letters {
        parts.push(format!("{letter} {}", escape::terminal(state)));
    }
    let bars = || lanes.iter().flat_map(|lane| &lane.bars);
    let plain = |outcome| bars().any(|bar| !bar.core && bar.op.outcome == outcome);
    let meanings = [
        (bars().any(|bar| bar.core), "# operation of the counterexample"),
        (plain(OpOutcome::Ok), "- operation"),
        (plain(OpOutcome::Fail), "/ failed"),
        (plain(OpOutcome::Unknown), "? unknown"),
        (!timeline.alarms.is_empty(), "! violation"),
    ];
    parts.extend(meanings.iter().filter(|(occurs, _)| *occurs).map(|(_, what)| (*what).to_owned()));
    let slice = (scale.to_ns - scale.from_ns) / scale.columns as u64;
    parts.push(format!("one column: {}", duration(slice)));
    for (n, one, many) in [
        (timeline.ops_left_out, "other operation not drawn", "other operations not drawn"),
        (timeline.rows_left_out, "other row not drawn", "other rows not drawn"),
    ] {
        if n > 0 {
            parts.push(plural(n as u64, one, many));
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + part.chars().count() <= width => {
                line.push_str("   ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RunRecord, StripSpan};

    #[test]
    fn ticks_have_the_decimals_that_their_distance_needs() {
        assert_eq!(tick(20_000_000_000, 10_000_000_000), "20 s");
        assert_eq!(tick(14_500_000_000, 100_000_000), "14.5 s");
        assert_eq!(tick(14_000_050_000, 50_000), "14.00005 s");
        assert_eq!(tick(7, 1), "0.000000007 s");
    }

    #[test]
    fn every_state_has_a_letter_of_its_own() {
        let span =
            |state: &str| StripSpan { state: state.into(), to_ns: 1, ..StripSpan::default() };
        let run = RunRecord {
            end_ns: 1,
            nodes: vec![crate::record::NodeRow::default()],
            strips: ["follower", "leader", "down", "faulty", "learner", "", "ß"].map(span).into(),
            ..RunRecord::default()
        };
        let timeline = Timeline::window(&run, "", 0, 1);
        let letters = letters(&timeline);
        let of = |state| letters.iter().find(|(name, _)| *name == state).unwrap().1;
        assert_eq!((of("leader"), of("learner"), of("down")), ('L', 'l', 'x'));
        let mut all: Vec<char> = letters.iter().map(|(_, letter)| *letter).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn a_curve_spans_its_range_even_at_the_limits() {
        let points = vec![(0, i64::MIN), (5, 0), (10, i64::MAX)];
        let picture = Plot {
            name: "g",
            unit: "",
            end_ns: 10,
            lines: vec![crate::plot::Line { label: "h/1".into(), points: &points }],
            bands: vec![],
        };
        let lines = plot(&picture, 80);
        assert!(lines[1].contains('▁'));
        assert!(lines[1].contains('█'));
    }
}
