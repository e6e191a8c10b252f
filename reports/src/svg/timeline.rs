//! A timeline as SVG: phases, fault bands behind every lane, state strips, client lanes, messages
//! and violations, from top to bottom.
//!
//! Whatever can be pointed at is a group of class `item` with a description and `data-at`, its
//! instant; the page's script walks through them in the order of time.

use super::{Drawing, tenths};
use crate::ascii::tick;
use crate::record::OpOutcome;
use crate::timeline::{Arrow, Band, Bar, Lane, Strip, Timeline};
use crate::units::{duration, instant, tick_step};

/// Lengths in pixels.
const WIDTH: u64 = 1_160;
const LEFT: u64 = 150;
const RIGHT: u64 = 16;
const AXIS: u64 = 30;
const ROW: u64 = 24;
const BAR: u64 = 18;
/// Space between faults, nodes and clients.
const GROUP_GAP: u64 = 10;
/// A letter of the labels is at most so wide, in tenths.
const LETTER_TENTHS: u64 = 64;
/// The instant at which an operation took effect is drawn into bars of at least this width.
const POINT_ROOM_TENTHS: u64 = 200;
/// Letters of a row's name that fit on the left.
const NAME_MAX: usize = 20;

/// The timeline as an `<svg>` element.
#[must_use]
pub fn timeline(timeline: &Timeline<'_>) -> String {
    let rows = Rows::of(timeline);
    let mut painter = Painter { timeline, rows, drawing: Drawing::default() };
    painter.head();
    painter.axis();
    painter.shade();
    for (n, band) in timeline.bands.iter().enumerate() {
        painter.band(n, band);
    }
    for (n, strip) in timeline.strips.iter().enumerate() {
        painter.strip(n, strip);
    }
    for (n, lane) in timeline.lanes.iter().enumerate() {
        painter.lane(n, lane);
    }
    for arrow in &timeline.arrows {
        painter.arrow(arrow);
    }
    painter.alarms();
    painter.drawing.raw("</svg>\n");
    painter.drawing.finish()
}

/// The upper edges of the groups of rows.
struct Rows {
    phases: Option<u64>,
    bands: u64,
    strips: u64,
    lanes: u64,
    bottom: u64,
}

impl Rows {
    fn of(timeline: &Timeline<'_>) -> Self {
        let group = |top: u64, rows: usize| match rows {
            0 => top,
            n => top + n as u64 * ROW + GROUP_GAP,
        };
        let phases = (!timeline.phases.is_empty()).then_some(AXIS);
        let bands = group(AXIS, usize::from(phases.is_some()));
        let strips = group(bands, timeline.bands.len());
        let lanes = group(strips, timeline.strips.len());
        let bottom = group(lanes, timeline.lanes.len()).max(AXIS + ROW);
        Self { phases, bands, strips, lanes, bottom }
    }
}

/// The picture under construction.
struct Painter<'t, 'a> {
    timeline: &'t Timeline<'a>,
    rows: Rows,
    drawing: Drawing,
}

impl Painter<'_, '_> {
    /// The horizontal place of an instant in tenths of a pixel; instants outside are at the edge.
    fn x(&self, at_ns: u64) -> u64 {
        let (from, to) = (self.timeline.from_ns, self.timeline.to_ns);
        let past = u128::from(at_ns.clamp(from, to) - from);
        let room = u128::from((WIDTH - LEFT - RIGHT) * 10);
        let x = past * room / u128::from(to - from);
        LEFT * 10 + u64::try_from(x).expect("a place in the picture is a small number")
    }

    /// Opens something that can be pointed at.
    fn item(&mut self, class: &str, at_ns: u64, title: &str) {
        self.drawing.open(&format!("item {class}\" data-at=\"{at_ns}"), title);
    }

    fn head(&mut self) {
        let (from, to) = (self.timeline.from_ns, self.timeline.to_ns);
        let height = self.rows.bottom + 4;
        self.drawing.raw(&format!(
            "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" tabindex=\"0\" role=\"group\" \
             aria-label=\"{}, from {} to {}; arrow keys walk through it\" data-from=\"{from}\" \
             data-to=\"{to}\" data-left=\"{LEFT}\" data-right=\"{}\" data-bottom=\"{}\">\n",
            self.timeline.title,
            instant(from),
            instant(to),
            WIDTH - RIGHT,
            self.rows.bottom,
        ));
    }

    fn axis(&mut self) {
        let (from, to) = (self.timeline.from_ns, self.timeline.to_ns);
        let step = tick_step(to - from, 10);
        let mut at = from.next_multiple_of(step);
        while at <= to {
            let x = self.x(at);
            self.drawing.line("grid", (x, AXIS - 6), (x, self.rows.bottom));
            // A label at the very edge would be cut off.
            if x + 300 < (WIDTH - RIGHT) * 10 || at == to && x > LEFT * 10 {
                let class = if at == to { "tick end" } else { "tick" };
                self.drawing.text(class, x, AXIS - 12, &tick(at, step));
            }
            let Some(next) = at.checked_add(step) else {
                break;
            };
            at = next;
        }
        let Some(y) = self.rows.phases else {
            return;
        };
        self.name(y, "phases", "The phases of the plan");
        for phase in self.timeline.phases.clone() {
            let (x, x_end) = (self.x(phase.start_ns), self.x(phase.end_ns));
            let title = format!(
                "phase {} from {} to {}",
                phase.name,
                instant(phase.start_ns),
                instant(phase.end_ns)
            );
            self.item("phase", phase.start_ns, &title);
            self.drawing.rect("phase", (x, x_end), (y + 3, BAR));
            self.label("on-phase", (x, x_end), y, &[&phase.name]);
            self.drawing.close();
        }
    }

    /// Shades every row while a fault is on.
    fn shade(&mut self) {
        let (top, bottom) = (self.rows.strips, self.rows.bottom);
        for (n, band) in self.timeline.bands.iter().enumerate() {
            for &(from, to, _) in &band.spans {
                let span = (self.x(from), self.x(to));
                self.drawing.rect(&format!("shade b{}", n % 6), span, (top, bottom - top));
            }
        }
        self.drawing.raw("\n");
    }

    /// The name of a row, cut where it is too long.
    fn name(&mut self, y: u64, name: &str, title: &str) {
        let cut: String = match name.chars().count() > NAME_MAX {
            true => name.chars().take(NAME_MAX - 1).chain(['…']).collect(),
            false => name.to_owned(),
        };
        self.drawing.open("name", title);
        self.drawing.text("name", (LEFT - 10) * 10, y + 16, &cut);
        self.drawing.close();
    }

    /// The longest of `texts` that fits into a span, if any.
    fn label(&mut self, class: &str, (x, x_end): (u64, u64), y: u64, texts: &[&str]) {
        let room = (x_end - x).saturating_sub(80) / LETTER_TENTHS;
        let fits = |text: &&&str| text.chars().count() as u64 <= room && !text.is_empty();
        if let Some(text) = texts.iter().find(fits) {
            self.drawing.text(&format!("in {class}"), x + 50, y + 16, text);
        }
    }

    fn band(&mut self, n: usize, band: &Band<'_>) {
        let y = self.rows.bands + n as u64 * ROW;
        self.name(y, band.id, &format!("fault {} ({})", band.id, band.kind));
        for &(from, to, targets) in &band.spans {
            let (x, x_end) = (self.x(from), self.x(to));
            let title = format!(
                "fault {} ({}) from {} to {}: {targets}",
                band.id,
                band.kind,
                instant(from),
                instant(to)
            );
            self.item("fault", from, &title);
            self.drawing.rect(&format!("fault b{}", n % 6), (x, x_end), (y + 3, BAR));
            let long = format!("{}: {targets}", band.kind);
            self.label("on-fault", (x, x_end), y, &[&long, band.kind, targets]);
            self.drawing.close();
        }
    }

    fn strip(&mut self, n: usize, strip: &Strip<'_>) {
        let y = self.rows.strips + n as u64 * ROW;
        self.name(y, &strip.name, &format!("node {}", strip.name));
        for span in &strip.spans {
            let (x, x_end) = (self.x(span.from_ns), self.x(span.to_ns));
            let title = format!(
                "{}: {} from {} to {}",
                strip.name,
                span.label,
                instant(span.from_ns),
                instant(span.to_ns)
            );
            let state = state_class(&span.state);
            self.item("strip", span.from_ns, &title);
            self.drawing.rect(&format!("state {state}"), (x, x_end), (y + 3, BAR));
            let short: String = span.state.chars().take(1).collect();
            self.label(&format!("on-{state}"), (x, x_end), y, &[&span.label, &span.state, &short]);
            self.drawing.close();
        }
    }

    fn lane(&mut self, n: usize, lane: &Lane<'_>) {
        let y = self.rows.lanes + n as u64 * ROW;
        self.name(y, &lane.name, &format!("client {}", lane.name));
        // Those of the counterexample last, so that nothing covers them.
        for core in [false, true] {
            for bar in lane.bars.iter().filter(|bar| bar.core == core) {
                self.bar(y, &lane.name, bar);
            }
        }
    }

    fn bar(&mut self, y: u64, client: &str, bar: &Bar<'_>) {
        let op = bar.op;
        let (x, x_end) = (self.x(op.call_ns), self.x(bar.to_ns));
        let outcome = match op.outcome {
            OpOutcome::Ok => "ok",
            OpOutcome::Fail => "fail",
            OpOutcome::Unknown => "unknown",
        };
        let core = if bar.core { " core" } else { "" };
        self.item(&format!("op {outcome}{core}"), op.call_ns, &op_title(client, bar));
        let shape = if bar.core { (y + 3, BAR) } else { (y + 7, BAR - 8) };
        self.drawing.rect("bar", (x, x_end), shape);
        let roomy = x_end - x >= POINT_ROOM_TENTHS;
        let point = op.point_ns.filter(|at| roomy && (op.call_ns..=bar.to_ns).contains(at));
        if let Some(point) = point.map(|at| self.x(at)) {
            self.drawing.line("point", (point, y + BAR - 2), (point, y + ROW));
        }
        if bar.core {
            let long = format!("{}: {} → {}", op.id, op.call, op.ret);
            let short = format!("{}: {}", op.id, op.call);
            let number = op.id.to_string();
            self.label("on-core", (x, x_end), y, &[&long, &short, &op.call, &number]);
        }
        self.drawing.close();
    }

    /// The name of a row; rows count strips first, then lanes.
    fn row_name(&self, row: usize) -> &str {
        let strips = &self.timeline.strips;
        match strips.get(row) {
            Some(strip) => &strip.name,
            None => &self.timeline.lanes[row - strips.len()].name,
        }
    }

    fn arrow(&mut self, arrow: &Arrow<'_>) {
        let flight = arrow.flight;
        let strips = self.timeline.strips.len();
        let middle = |row: usize| match row < strips {
            true => self.rows.strips + row as u64 * ROW + ROW / 2,
            false => self.rows.lanes + (row - strips) as u64 * ROW + ROW / 2,
        };
        let (y, y_end) = (middle(arrow.from_row), middle(arrow.to_row));
        let (x, lost) = (self.x(flight.sent_ns), flight.arrived_ns.is_none());
        // A message that never arrived ends half-way, with a cross.
        let (x_end, y_end) = match flight.arrived_ns {
            Some(at) => (self.x(at), y_end),
            None => (x + 60, u64::midpoint(y, y_end)),
        };
        let end = match flight.arrived_ns {
            Some(at) => format!("arrived at {}", instant(at)),
            None => "never arrived".to_owned(),
        };
        let fate = if flight.fate.is_empty() { "" } else { ", " };
        let title = format!(
            "{} from {} to {}: sent at {}, {end}{fate}{}",
            flight.label,
            self.row_name(arrow.from_row),
            self.row_name(arrow.to_row),
            instant(flight.sent_ns),
            flight.fate
        );
        self.item(if lost { "arrow lost" } else { "arrow" }, flight.sent_ns, &title);
        self.drawing.line("shaft", (x, y), (x_end, y_end));
        let (mark, class) = if lost { ("×", "cross") } else { ("•", "tip") };
        self.drawing.text(class, x_end, y_end + 4, mark);
        self.drawing.close();
    }

    fn alarms(&mut self) {
        let bottom = self.rows.bottom;
        for alarm in &self.timeline.alarms {
            let x = self.x(alarm.at_ns);
            let title = format!(
                "violation of {} at {}: {}. {}",
                alarm.check,
                instant(alarm.at_ns),
                alarm.rule,
                alarm.detail
            );
            self.item("alarm", alarm.at_ns, &title);
            self.drawing.line("alarm", (x, AXIS - 4), (x, bottom));
            self.drawing.raw(&format!(
                "<path class=\"alarm\" d=\"M{} {}l-6 -9h12z\"/>",
                tenths(x),
                AXIS - 2
            ));
            self.drawing.close();
        }
    }
}

/// The class of a state: what leads, follows, stands for election or is down looks the same in every
/// system; other states get one of four classes by their name.
#[must_use]
pub fn state_class(state: &str) -> &'static str {
    const OTHERS: [&str; 4] = ["s-0", "s-1", "s-2", "s-3"];
    match state {
        "leader" | "primary" | "master" => "s-lead",
        "follower" | "backup" | "replica" | "alive" | "up" => "s-follow",
        "candidate" | "pre-candidate" | "suspect" => "s-stand",
        "down" | "dead" | "paused" => "s-down",
        other => OTHERS[other.bytes().map(usize::from).sum::<usize>() % OTHERS.len()],
    }
}

fn op_title(client: &str, bar: &Bar<'_>) -> String {
    let op = bar.op;
    let end = match op.ret_ns {
        Some(at) => format!(
            "{} at {} after {}",
            op.outcome.name(),
            instant(at),
            duration(at.saturating_sub(op.call_ns))
        ),
        None => "unknown, may take effect at any later time".to_owned(),
    };
    let ret = if op.ret.is_empty() { String::new() } else { format!(" → {}", op.ret) };
    let core = if bar.core { "; of the counterexample" } else { "" };
    let called = instant(op.call_ns);
    format!("operation {} of {client}: {}{ret}; called at {called}, {end}{core}", op.id, op.call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{hostile, split_brain, well_formed};

    #[test]
    fn everything_of_the_window_is_drawn() {
        let run = split_brain();
        let near = Timeline::close_up(&run).unwrap();
        let svg = super::timeline(&near);
        well_formed(&svg);
        assert_eq!(svg.matches("item alarm").count(), near.alarms.len());
        assert_eq!(svg.matches(" core\"").count(), 3);
        assert_eq!(svg.matches("item arrow").count(), near.arrows.len());
        assert!(near.arrows.len() >= 8);
    }

    #[test]
    fn hostile_names_stay_text() {
        let run = hostile();
        let svg = super::timeline(&Timeline::whole(&run).unwrap());
        well_formed(&svg);
        assert!(!svg.contains("<script"));
    }

    #[test]
    fn the_longest_run_has_a_picture() {
        let mut run = split_brain();
        run.end_ns = u64::MAX;
        well_formed(&super::timeline(&Timeline::whole(&run).unwrap()));
    }
}
