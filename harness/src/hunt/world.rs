//! A world as a scenario file: topology, settings, load, faults and checks, all drawn from a
//! [`Genome`] and the rows of the system and the lab.

use super::genome::Genome;
use super::storm;
use catalog::{Draw, Hunt, System};
use contract::{Domain, Rng};
use scenario::Lab;
use std::fmt::Write;

/// When the faults may begin, when the world is left in peace, and when it ends: seconds.
pub const FROM_S: u64 = 1;
/// The recovery.
pub const CALM_S: u64 = 16;
/// The end.
pub const END_S: u64 = 34;
/// How long after the recovery the world may take to settle.
const SETTLE_S: u64 = 16;

/// What worlds are drawn from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The names of the lab.
    pub lab: &'a Lab<'a>,
    /// The system that is hunted.
    pub system: &'static dyn System,
    /// What may be made of it.
    pub hunt: &'static Hunt,
    /// Defects to plant.
    pub defects: &'a [String],
    /// What the scenarios are called, before their number.
    pub name: &'a str,
}

/// The group that is struck.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many nodes.
    pub count: u32,
    /// Whether all of them take part from the start.
    pub is_whole: bool,
}

impl Source<'_> {
    /// The scenario file of a world. With `plain` its faults strike fixed nodes only, which is what
    /// the fault budget can tell apart.
    #[must_use]
    pub fn text(&self, genome: &Genome, number: u64, plain: bool) -> String {
        let mut rng = Rng::new(genome.shape, Domain::Swarm, "shape");
        let mut out = String::new();
        self.head(&mut out, genome, number);
        let shape = self.topology(&mut out, &mut rng);
        weather(&mut out, &mut rng);
        let ttl = self.load(&mut out, genome);
        out += &storm::faults(self, genome, shape, plain);
        self.checks(&mut out, ttl);
        out
    }

    fn head(&self, out: &mut String, genome: &Genome, number: u64) {
        let (name, system) = (self.name, self.system.name());
        let defects: Vec<String> = self.defects.iter().map(|it| format!("\"{it}\"")).collect();
        line(out, &format!("# World {number} of `chaoslab hunt {system}`: nobody wrote it."));
        line(out, "format = 1");
        line(out, &format!("name = \"{name}/world-{number}\""));
        line(out, "about = \"A world that hunt has drawn.\"");
        line(out, &format!("system = \"{system}\""));
        line(out, &format!("seed = {}", genome.run));
        if !defects.is_empty() {
            line(out, &format!("defects = [{}]", defects.join(", ")));
        }
        line(out, &format!("[budget]\nsim_time = \"{END_S}s\"\nevents = 3_000_000"));
        line(out, "search_steps = 5_000_000");
        line(out, &format!("[recovery]\nat = \"{CALM_S}s\"\nrestart = \"all\""));
    }

    /// The nodes and their settings.
    fn topology(&self, out: &mut String, rng: &mut Rng) -> Shape {
        let shapes = self.hunt.shapes;
        let (count, with) = shapes[rng.below(shapes.len() as u64) as usize];
        line(out, &format!("[nodes.h]\nrole = \"{}\"\ncount = {count}", self.hunt.role));
        let mut tuning: Vec<(&str, &str)> = with.to_vec();
        tuning.extend(drawn(self.hunt.settings, rng));
        table(out, "tuning.h", &tuning);
        Shape { count, is_whole: with.is_empty() }
    }

    /// The clients; returns whether what they write expires.
    fn load(&self, out: &mut String, genome: &Genome) -> bool {
        let mut rng = Rng::new(genome.load, Domain::Swarm, "load");
        let clients = [2, 4, 6, 10][rng.below(4) as usize];
        let rate = [20, 40, 80, 120][rng.below(4) as usize];
        let keys = [1, 2, 4, 8, 24][rng.below(5) as usize];
        let bytes = ["16B", "64B", "64B", "1KiB"][rng.below(4) as usize];
        line(out, &format!("[clients.kv]\ncount = {clients}\ntarget = \"h/any\""));
        if rng.below(4) == 0 {
            line(out, "mode = \"closed\"\nthink = \"20ms\"");
        } else {
            line(out, &format!("rate = \"{rate}/s\""));
        }
        line(out, "workload = \"general\"");
        line(out, &format!("keys = {{ count = {keys} }}\nvalue = \"{bytes}\""));
        let ttl = self.hunt.ttl.filter(|_| rng.below(4) == 0);
        if let Some((lives, _)) = ttl {
            line(out, &format!("ttl = {lives}"));
        }
        table(out, "tuning.kv", &drawn(self.hunt.clients, &mut rng));
        ttl.is_some()
    }

    fn checks(&self, out: &mut String, ttl: bool) {
        if let Some(model) = self.hunt.model {
            line(out, "[[check]]\nid = \"lin\"\nkind = \"linearizable\"");
            line(out, &format!("model = \"{model}\"\nover = \"clients.kv\""));
            if let (true, Some((_, tolerance))) = (ttl, self.hunt.ttl) {
                line(out, &format!("ttl_tolerance = {tolerance}"));
            }
        }
        let settles: Vec<String> =
            self.hunt.settles.iter().map(|name| format!("\"{name}\"")).collect();
        line(out, "[[check]]\nid = \"whole-again\"\nkind = \"converge\"");
        line(out, &format!("after = \"{CALM_S}s\"\nwithin = \"{SETTLE_S}s\""));
        line(out, &format!("to = [{}]", settles.join(", ")));
    }
}

/// Network, disks and clocks: what is so all the time.
fn weather(out: &mut String, rng: &mut Rng) {
    let sync = [
        "\"100us\"",
        "{ dist = \"uniform\", min = \"200us\", max = \"3ms\" }",
        "{ dist = \"uniform\", min = \"1ms\", max = \"6ms\" }",
    ];
    line(out, &format!("[disk.h]\nsync = {}", sync[rng.below(3) as usize]));
    line(out, "[clock.h]\ndrift_max = \"1%\"");
    line(out, "drift_ppm = { dist = \"uniform\", min = -2_000, max = 2_000 }");
    if rng.below(2) == 0 {
        line(out, "skew = { dist = \"uniform\", min = \"-30s\", max = \"30s\" }");
    }
    let latency = [
        "{ dist = \"uniform\", min = \"500us\", max = \"8ms\" }",
        "{ dist = \"exponential\", min = \"1ms\", mean = \"5ms\" }",
        "{ dist = \"uniform\", min = \"100us\", max = \"600us\" }",
    ];
    line(out, &format!("[net]\nlatency = {}", latency[rng.below(3) as usize]));
    if rng.below(3) == 0 {
        line(out, "loss = \"2%\"\nduplicate = \"2%\"");
        line(out, "reorder = \"5%\"\nreorder_extra = \"100ms\"");
    }
}

/// One alternative of each.
fn drawn(choices: &[&[Draw]], rng: &mut Rng) -> Vec<(&'static str, &'static str)> {
    let mut drawn = Vec::new();
    for alternatives in choices {
        drawn.extend(alternatives[rng.below(alternatives.len() as u64) as usize]);
    }
    drawn
}

fn table(out: &mut String, name: &str, rows: &[(&str, &str)]) {
    if rows.is_empty() {
        return;
    }
    line(out, &format!("[{name}]"));
    for (key, value) in rows {
        line(out, &format!("{key} = {value}"));
    }
}

pub(super) fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a text takes what is written to it");
}
