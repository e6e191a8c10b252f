//! Pictures as SVG, to stand inside a page: colours come from the page's style sheet by class, so
//! one picture serves the light and the dark page and the printer.

mod plot;
mod timeline;

pub use plot::{PALETTE_SIZE, plot};
pub use svg::{Drawing, tenths};
pub use timeline::{state_class, timeline};
