//! Small SVG pictures: fragments for a page that brings the colours, or documents by themselves.
//!
//! The bytes are a function of what is drawn: no clock, no path, no font metrics. Text is escaped.

mod markup;

pub use markup::{is_unseen, markup};

/// An SVG fragment under construction. Lengths are in pixels, horizontal ones in tenths.
#[derive(Debug, Default)]
pub struct Drawing {
    out: String,
}

impl Drawing {
    /// A document by itself, `width` by `height` pixels, with a title and its own style sheet; it
    /// ends with [`Drawing::end`].
    #[must_use]
    pub fn document((width, height): (u64, u64), title: &str, style: &str) -> Self {
        let title = markup(title);
        let out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\">\n<title>{title}</title>\n<style>{style}</style>\n"
        );
        Self { out }
    }

    /// Ends a document: what was drawn.
    #[must_use]
    pub fn end(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    /// What was drawn.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Appends markup as it is.
    pub fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// Opens a group with a class and a description, which browsers show beside the pointer.
    pub fn open(&mut self, class: &str, title: &str) {
        self.out.push_str(&format!("<g class=\"{class}\"><title>{}</title>", markup(title)));
    }

    /// Closes a group.
    pub fn close(&mut self) {
        self.out.push_str("</g>\n");
    }

    /// A rectangle from `x` to `x_end`, at least one pixel wide.
    pub fn rect(&mut self, class: &str, (x, x_end): (u64, u64), (y, height): (u64, u64)) {
        assert!(x <= x_end, "a rectangle goes to the right");
        let width = (x_end - x).max(10);
        self.out.push_str(&format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/>",
            tenths(x),
            tenths(width)
        ));
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, (x, y): (u64, u64), (x_end, y_end): (u64, u64)) {
        self.out.push_str(&format!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y_end}\"/>",
            tenths(x),
            tenths(x_end)
        ));
    }

    /// A circle around a place, its radius in whole pixels.
    pub fn circle(&mut self, class: &str, (x, y): (u64, u64), radius: u64) {
        self.out.push_str(&format!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{y}\" r=\"{radius}\"/>",
            tenths(x)
        ));
    }

    /// A text; the class says where it is anchored.
    pub fn text(&mut self, class: &str, x: u64, y: u64, text: &str) {
        self.out.push_str(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>",
            tenths(x),
            markup(text)
        ));
    }
}

/// Tenths of a pixel as a number with one decimal.
#[must_use]
pub fn tenths(x: u64) -> String {
    format!("{}.{}", x / 10, x % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_decimal_numbers_and_text_is_escaped() {
        let mut drawing = Drawing::default();
        drawing.open("a", "<b>");
        drawing.rect("r", (105, 105), (3, 4));
        drawing.close();
        assert_eq!(
            drawing.finish(),
            "<g class=\"a\"><title>&lt;b&gt;</title><rect class=\"r\" x=\"10.5\" y=\"3\" \
             width=\"1.0\" height=\"4\"/></g>\n"
        );
    }
}
