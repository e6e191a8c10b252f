//! One plot: the series of one gauge, over the fault bands of the run.

use crate::record::{RunRecord, Series};
use crate::timeline::{Band, bands};

/// The series of one gauge.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// The name of the gauge.
    pub name: &'a str,
    /// The unit of its values.
    pub unit: &'a str,
    /// The end of the run; the horizontal axis starts at 0.
    pub end_ns: u64,
    /// One line per node, in order of node; each has at least one point.
    pub lines: Vec<Line<'a>>,
    /// When faults were on.
    pub bands: Vec<Band<'a>>,
}

/// One line of a plot.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The node's name; `all` for a gauge of the whole cluster.
    pub label: String,
    /// Instant in nanoseconds and value, in order of time.
    pub points: &'a [(u64, i64)],
}

impl<'a> Plot<'a> {
    /// The plots of a record, in order of gauge.
    #[must_use]
    pub fn all(run: &'a RunRecord) -> Vec<Self> {
        let drawn = |series: &&Series| !series.points.is_empty();
        let mut series: Vec<&Series> = run.series.iter().filter(drawn).collect();
        series.sort_by_key(|series| (&series.name, &series.unit, series.node));
        let mut plots: Vec<Self> = Vec::new();
        for one in series {
            let last = one.points.last().map_or(0, |&(at, _)| at);
            let line = Line {
                label: one.node.map_or_else(|| "all".into(), |id| run.node_name(id)),
                points: &one.points,
            };
            match plots.last_mut() {
                Some(plot) if plot.name == one.name && plot.unit == one.unit => {
                    plot.lines.push(line);
                    plot.end_ns = plot.end_ns.max(last);
                }
                _ => plots.push(Self {
                    name: &one.name,
                    unit: &one.unit,
                    end_ns: run.end_ns.max(last).max(1),
                    lines: vec![line],
                    bands: bands(run, 0, run.end_ns),
                }),
            }
        }
        plots
    }

    /// The least and the greatest value.
    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        let values = || self.lines.iter().flat_map(|line| line.points).map(|p| p.1);
        let low = values().min().expect("a line of a plot has a point");
        let high = values().max().expect("a line of a plot has a point");
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_gauge_share_a_plot() {
        let series = |name: &str, node, points| Series {
            name: name.into(),
            unit: String::new(),
            node,
            points,
        };
        let run = RunRecord {
            end_ns: 10,
            series: vec![
                series("b", None, vec![(1, 5)]),
                series("a", Some(2), vec![(1, -3)]),
                series("a", Some(1), vec![(12, 9)]),
                series("c", None, vec![]),
            ],
            ..RunRecord::default()
        };
        let plots = Plot::all(&run);
        assert_eq!(plots.len(), 2);
        assert_eq!((plots[0].name, plots[0].lines.len()), ("a", 2));
        assert_eq!((plots[0].range(), plots[0].end_ns), ((-3, 9), 12));
        assert_eq!(plots[1].lines[0].label, "all");
    }
}
