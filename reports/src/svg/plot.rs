//! A plot of gauges as SVG, drawn by `plotters`.
//!
//! The colours in the SVG are names for the style sheet of the page, which replaces them; a viewer
//! without it shows them as they are.

use crate::ascii::tick;
use crate::plot::{Line, Plot};
use crate::units::{gauge, tick_step, tick_step_bytes};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The size of a plot in pixels.
const SIZE: (u32, u32) = (560, 210);
/// A line has at most this many points: four for each column of pixels say all there is to see.
const COLUMNS: u64 = 480;

/// So many lines have a colour of their own.
pub const PALETTE_SIZE: usize = 6;

/// Palette of Okabe and Ito, chosen to be told apart by all kinds of eyes. Order matters.
const PALETTE: [RGBColor; PALETTE_SIZE] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
/// The colours of fault bands, as in the timelines: `.b0`, `.b1`, … of the style sheet.
const BAND_COLOURS: [usize; 6] = [1, 3, 5, 4, 2, 0];

/// The plot as an `<svg>` element. More lines than colours are all drawn in the first one.
#[must_use]
pub fn plot(plot: &Plot<'_>) -> String {
    let mut out = String::new();
    draw(plot, &mut out).expect("a picture in memory can always be written");
    out
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw(plot: &Plot<'_>, out: &mut String) -> Drawn {
    let (low, high) = padded(plot.range());
    let end = plot.end_ns;
    let x_step = tick_step(end, 6);
    let x_ticks = ticks(0, end, x_step);
    let y_step = match plot.unit {
        "bytes" => tick_step_bytes(high.abs_diff(low), 5),
        _ => tick_step(high.abs_diff(low), 5),
    };
    let y_ticks = signed_ticks(low, high, y_step);
    let root = SVGBackend::with_string(out, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(24)
        .y_label_area_size(76)
        .build_cartesian_2d(
            (0..end).with_key_points(x_ticks),
            (low..high).with_key_points(y_ticks),
        )?;
    for (n, band) in plot.bands.iter().enumerate() {
        let shade = PALETTE[BAND_COLOURS[n % BAND_COLOURS.len()]].mix(0.2);
        let boxes = band.spans.iter().map(|&(from, to, _)| {
            Rectangle::new([(from.min(end), low), (to.min(end), high)], shade.filled())
        });
        chart.draw_series(boxes)?;
    }
    let text = ("sans-serif", 14).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .x_label_formatter(&|at| tick(*at, x_step))
        .y_label_formatter(&|value| gauge(*value, plot.unit))
        .x_label_style(text.clone().pos(Pos::new(HPos::Center, VPos::Top)))
        .y_label_style(text)
        .draw()?;
    for (n, line) in plot.lines.iter().enumerate() {
        let colour = if plot.lines.len() > PALETTE.len() { PALETTE[0] } else { PALETTE[n] };
        let points = thinned(line, end);
        let style = colour.stroke_width(2);
        match points.as_slice() {
            [one] => chart.draw_series([Circle::new(*one, 3, colour.filled())])?,
            _ => chart.draw_series([PathElement::new(points, style)])?,
        };
    }
    root.present()
}

/// A range with a length, from 0 where that is near.
fn padded((low, high): (i64, i64)) -> (i64, i64) {
    assert!(low <= high, "the least value is at most the greatest");
    let low = if low > 0 && low <= high / 2 { 0 } else { low };
    let margin = i64::try_from(high.abs_diff(low) / 20).unwrap_or(i64::MAX).max(1);
    let padded_low = if low == 0 { 0 } else { low.saturating_sub(margin) };
    (padded_low, high.saturating_add(margin))
}

fn ticks(from: u64, to: u64, step: u64) -> Vec<u64> {
    let mut ticks = Vec::new();
    let mut at = from.next_multiple_of(step);
    while at <= to {
        ticks.push(at);
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    ticks
}

fn signed_ticks(low: i64, high: i64, step: u64) -> Vec<i64> {
    let (low, high, step) = (i128::from(low), i128::from(high), i128::from(step));
    let first = low.div_euclid(step) * step;
    let mut ticks = Vec::new();
    let mut at = if first < low { first + step } else { first };
    while at <= high {
        ticks.push(i64::try_from(at).expect("a tick lies between two values"));
        at += step;
    }
    ticks
}

/// The points that make the same picture: of each column of pixels the first, the least, the
/// greatest and the last.
fn thinned(line: &Line<'_>, end_ns: u64) -> Vec<(u64, i64)> {
    if line.points.len() as u64 <= COLUMNS * 2 {
        return line.points.to_vec();
    }
    let column = |at: u64| u128::from(at) * u128::from(COLUMNS) / u128::from(end_ns);
    let mut thinned = Vec::new();
    for part in line.points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let least = part.iter().min_by_key(|point| point.1).expect("a chunk has a point");
        let most = part.iter().max_by_key(|point| point.1).expect("a chunk has a point");
        let mut kept = [part[0], *least, *most, part[part.len() - 1]];
        kept.sort_by_key(|point| point.0);
        thinned.extend(kept);
    }
    thinned.dedup();
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{split_brain, well_formed};

    #[test]
    fn plots_are_well_formed_and_the_same_every_time() {
        let run = split_brain();
        for one in Plot::all(&run) {
            let svg = plot(&one);
            well_formed(&svg);
            assert_eq!(svg, plot(&one));
        }
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let mut points: Vec<(u64, i64)> = (0..100_000).map(|n| (n, 5)).collect();
        points[4_242].1 = 999;
        points[77_777].1 = -999;
        let label = String::new();
        let line = Line { label, points: &points };
        let kept = thinned(&line, 100_000);
        assert!(kept.len() as u64 <= COLUMNS * 4);
        assert!(kept.contains(&(4_242, 999)));
        assert!(kept.contains(&(77_777, -999)));
        assert!(kept.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn the_widest_range_can_be_drawn() {
        let points = [(0, i64::MIN), (u64::MAX, i64::MAX)];
        let line = |points| Line { label: String::new(), points };
        for points in [&points[..], &points[..1]] {
            well_formed(&plot(&Plot {
                name: "g",
                unit: "ns",
                end_ns: u64::MAX,
                lines: vec![line(points)],
                bands: vec![],
            }));
        }
    }

    #[test]
    fn ticks_of_negative_ranges() {
        assert_eq!(signed_ticks(-7, 12, 5), [-5, 0, 5, 10]);
        assert_eq!(padded((3, 100)), (0, 105));
        assert_eq!(padded((5, 5)), (4, 6));
    }
}
