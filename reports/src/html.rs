//! `report.html`: one self-contained page that works without a network, in a file that is attached
//! to an issue, on paper, by keyboard and with colour-blind eyes.
//!
//! Style and script are written by hand and stand inside the page; a content security policy
//! forbids it to load anything. Without scripts everything but the slider is there.

mod player;

use crate::canvas::{Canvas, Cell, Table, Tone};
use crate::escape::markup;
use crate::plot::Plot;
use crate::record::RunRecord;
use crate::sections::{
    Checks, CloseUp, Counterexample, Counters, Covers, Evidences, Faults, LastEvents, Messages,
    Operations, Origin, Plots, Replay, Section, Shape, VerdictLine, draw,
};
use crate::svg;
use crate::timeline::Timeline;

/// Above the slider: what happened.
const STORY: &[&dyn Section] =
    &[&VerdictLine, &Replay, &Evidences, &CloseUp, &Counterexample, &Shape];

/// Below the slider: the figures.
const TABLES: &[&dyn Section] =
    &[&Plots, &Checks, &Covers, &Faults, &Operations, &Messages, &Counters, &LastEvents, &Origin];

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The run as a page.
#[must_use]
pub fn render(run: &RunRecord) -> String {
    let mut html = Html::new();
    draw(run, STORY, &mut html);
    html.player(run);
    draw(run, TABLES, &mut html);
    html.finish(&format!("{}, seed {}", run.scenario, run.seed))
}

/// The canvas of a page.
#[derive(Debug, Default)]
pub struct Html {
    body: String,
    /// Headings so far; their places are the ids of the sections.
    headings: Vec<String>,
}

impl Html {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The page with what was drawn.
    #[must_use]
    pub fn finish(mut self, title: &str) -> String {
        self.close_section();
        let links: Vec<String> = (self.headings.iter().enumerate())
            .map(|(n, title)| format!("<li><a href=\"#s{n}\">{}</a></li>", markup(title)))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; \
             style-src &#39;unsafe-inline&#39;; script-src &#39;unsafe-inline&#39;\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{HATCH}\
             <a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n\
             <nav aria-label=\"Sections\"><ul>{}</ul></nav>\n<main id=\"main\">\n{}</main>\n\
             <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            markup(title),
            links.join(""),
            self.body,
        )
    }

    fn close_section(&mut self) {
        if !self.headings.is_empty() {
            self.body.push_str("</section>\n");
        }
    }

    /// The slider through the run, its data, and the places that the script fills.
    fn player(&mut self, run: &RunRecord) {
        if let Some(data) = player::data(run) {
            self.heading("Step through the run");
            self.body.push_str(&player::markup(&data));
        }
    }
}

/// The pattern of what is down; pictures refer to it by its id.
const HATCH: &str = "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\
    <pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
    patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\"/><line x1=\"0\" y1=\"0\" \
    x2=\"0\" y2=\"6\"/></pattern></defs></svg>\n";

impl Canvas for Html {
    fn banner(&mut self, tone: Tone, sentence: &str) {
        self.body.push_str(&format!(
            "<h1 class=\"banner {}\">{}</h1>\n",
            class(tone),
            markup(sentence)
        ));
    }

    fn heading(&mut self, title: &str) {
        self.close_section();
        let id = self.headings.len();
        self.body.push_str(&format!("<section id=\"s{id}\">\n<h2>{}</h2>\n", markup(title)));
        self.headings.push(title.to_owned());
    }

    fn say(&mut self, tone: Tone, text: &str) {
        self.body.push_str(&format!("<p class=\"{}\">{}</p>\n", class(tone), markup(text)));
    }

    fn list(&mut self, items: &[Cell]) {
        self.body.push_str("<ul>\n");
        for item in items {
            let (class, text) = (class(item.tone), markup(&item.text));
            self.body.push_str(&format!("<li class=\"{class}\">{text}</li>\n"));
        }
        self.body.push_str("</ul>\n");
    }

    fn table(&mut self, table: &Table) {
        self.body.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
        for column in table.columns() {
            let class = if column.figures { " class=\"figure\"" } else { "" };
            self.body.push_str(&format!("<th scope=\"col\"{class}>{}</th>", markup(column.title)));
        }
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in table.rows() {
            self.body.push_str("<tr>");
            for (column, cell) in table.columns().iter().zip(row) {
                let figure = if column.figures { " figure" } else { "" };
                self.body.push_str(&format!(
                    "<td class=\"{}{figure}\">{}</td>",
                    class(cell.tone),
                    markup(&cell.text)
                ));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody></table></div>\n");
    }

    fn command(&mut self, command: &str) {
        self.body.push_str(&format!(
            "<div class=\"command\"><code>{}</code>\
             <button type=\"button\" class=\"copy\">Copy</button></div>\n",
            markup(command)
        ));
    }

    fn lines(&mut self, lines: &[String]) {
        self.body.push_str("<pre class=\"scroll\" tabindex=\"0\">");
        for line in lines {
            self.body.push_str(&markup(line));
            self.body.push('\n');
        }
        self.body.push_str("</pre>\n");
    }

    fn timeline(&mut self, timeline: &Timeline<'_>) {
        self.body.push_str("<figure class=\"scroll wide\">\n");
        self.body.push_str(&svg::timeline(timeline));
        self.body.push_str("</figure>\n<p class=\"told faint\" aria-live=\"polite\">");
        self.body.push_str(&markup(&hint(timeline)));
        self.body.push_str("</p>\n");
    }

    fn plot(&mut self, plot: &Plot<'_>) {
        let name = markup(plot.name);
        self.body.push_str(&format!("<figure class=\"plot\">\n<figcaption>{name}"));
        let palette = svg::PALETTE_SIZE;
        if plot.lines.len() > palette {
            let n = plot.lines.len();
            self.body.push_str(&format!(" <span class=\"key k0\">each of {n}</span>"));
        } else {
            for (n, line) in plot.lines.iter().enumerate() {
                let label = markup(&line.label);
                self.body.push_str(&format!(" <span class=\"key k{n}\">{label}</span>"));
            }
        }
        self.body.push_str("</figcaption>\n");
        self.body.push_str(&svg::plot(plot));
        self.body.push_str("</figure>\n");
    }
}

/// What stands under a picture until something in it is pointed at.
fn hint(timeline: &Timeline<'_>) -> String {
    let mut text = "Point at anything, or use the arrow keys.".to_owned();
    if timeline.ops_left_out > 0 {
        let n = crate::units::count(timeline.ops_left_out as u64);
        text.push_str(&format!(" {n} further operations are not drawn; history.jsonl has them."));
    }
    if timeline.rows_left_out > 0 {
        let n = crate::units::count(timeline.rows_left_out as u64);
        text.push_str(&format!(" {n} further nodes and clients are not drawn."));
    }
    text
}

/// The class of a tone.
const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Warn => "warn",
        Tone::Faint => "faint",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{check_snapshot, clean_run, hostile, split_brain, well_formed};

    /// The page without style and script, which are no markup.
    fn markup_only(page: &str) -> String {
        page.replace(STYLE, "").replace(SCRIPT, "")
    }

    #[test]
    fn pages_are_well_formed() {
        for run in [split_brain(), clean_run(), hostile(), RunRecord::default()] {
            let page = markup_only(&render(&run));
            let (before, rest) = page.split_once("<main").unwrap();
            well_formed(&format!("{before}<main{rest}"));
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let page = render(&split_brain()).replace("http://www.w3.org/2000/svg", "");
        for word in ["http:", "https:", "src=", "@import", "url(//", "<link", "fetch("] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn hostile_names_are_text() {
        let page = render(&hostile());
        assert!(!page.contains("<script>alert"));
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("</script").count(), 2);
        assert!(!page.contains("onerror="));
    }

    #[test]
    fn the_bytes_of_a_page() {
        check_snapshot("split-brain.html", &render(&split_brain()));
    }
}
