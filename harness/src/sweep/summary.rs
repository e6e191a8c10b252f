//! What a sweep adds up to: tables, sentences and the exit status, all of them functions of the set
//! of results.

use super::Results;
use super::pool::Stop;
use super::tasks::{Head, Key};
use crate::campaign::Campaign;
use crate::known_failures::Known;
use crate::outcome::Exit;
use crate::stats;
use reports::canvas::{Canvas, Cell, Table, Tone, figures, words};
use reports::record::RunOutcome;
use reports::seeds::Cause;
use reports::units::{count, plural};
use reports::{SeedResult, SeedTable};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// So many series are shown one by one; of more, those that are not as they should be.
const SHOWN_MAX: usize = 8;

/// Results of series, and what is known about them. The results themselves are not kept, but for the
/// least that shows something.
pub struct Summary<'a> {
    heads: Vec<&'a Head>,
    known: &'a Known,
    campaigns: Vec<Campaign>,
    table: SeedTable,
    /// The least run of each series that shows a new cause.
    news: BTreeMap<(usize, Cause), SeedResult>,
    /// The least run of each series that failed as expected.
    caught: BTreeMap<usize, SeedResult>,
    /// Every result, where somebody wants to read them all.
    all: Option<Results>,
    added: u64,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
}

impl<'a> Summary<'a> {
    /// No result yet of `heads`; all of them are kept if `keep_all`.
    #[must_use]
    pub fn new(heads: Vec<&'a Head>, known: &'a Known, keep_all: bool) -> Self {
        let mut heads = heads;
        heads.sort_by(|a, b| (&a.scenario, &a.variant).cmp(&(&b.scenario, &b.variant)));
        let campaigns = heads.iter().map(|head| Campaign::new(head.law.clone())).collect();
        Self {
            heads,
            known,
            campaigns,
            table: SeedTable::new(),
            news: BTreeMap::new(),
            caught: BTreeMap::new(),
            all: keep_all.then(Results::new),
            added: 0,
            stop: None,
        }
    }

    /// Adds a result, each once and in any order; one of none of the series is left out.
    pub fn add(&mut self, result: SeedResult) {
        let key = Key::from(&result);
        let Some(series) = self.heads.iter().position(|head| head.has_run(&key)) else { return };
        self.added += 1;
        self.campaigns[series].add(&result, self.known);
        self.table.add(&result);
        if result.outcome == RunOutcome::FailedAsExpected {
            least(self.caught.entry(series), &result);
        }
        for cause in self.causes(series, &result) {
            least(self.news.entry((series, cause)), &result);
        }
        if let Some(all) = &mut self.all {
            all.insert(key, result);
        }
    }

    /// The causes of a run that should not have fired and are not known.
    fn causes(&self, series: usize, result: &SeedResult) -> Vec<Cause> {
        if result.outcome != RunOutcome::UnexpectedViolation {
            return Vec::new();
        }
        let law = &self.heads[series].law;
        let is_new = |cause: &&Cause| {
            law.unexpected(&cause.check) && self.known.find(result, cause).is_none()
        };
        result.causes.iter().filter(is_new).cloned().collect()
    }

    /// Runs of the series that have no result.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let all: u128 = self.heads.iter().map(|head| head.runs()).sum();
        u64::try_from(all).unwrap_or(u64::MAX).saturating_sub(self.added)
    }

    /// The series with what their runs add up to; those without a run are left out.
    pub fn series(&self) -> impl Iterator<Item = (&'a Head, &Campaign)> {
        let all = self.heads.iter().copied().zip(&self.campaigns);
        all.filter(|(_, campaign)| campaign.runs() > 0)
    }

    /// The exit status: the gravest of the series. Where nothing was run, nothing was shown.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let none = if self.added == 0 { Exit::Inconclusive } else { Exit::Fine };
        self.series().map(|(_, campaign)| campaign.exit()).fold(none, Exit::and)
    }

    /// For each cause that should not have fired and is not known: the series, and the least run
    /// that shows it.
    #[must_use]
    pub fn news(&self) -> Vec<(&'a Head, Cause, &SeedResult)> {
        let named = self.news.iter();
        named.map(|((series, cause), run)| (self.heads[*series], cause.clone(), run)).collect()
    }

    /// The run that shows best what was planted, for each series that failed as expected.
    #[must_use]
    pub fn caught(&self) -> Vec<(&'a Head, &SeedResult)> {
        self.caught.iter().map(|(series, run)| (self.heads[*series], run)).collect()
    }

    /// What the banner, the tables and the causes are drawn from.
    #[must_use]
    pub fn table(&self) -> SeedTable {
        let mut table = self.table.clone();
        let known = |scenario: &str, variant: Option<&str>, cause: &Cause| {
            self.known.of(scenario, variant, cause).map(str::to_owned)
        };
        table.mark_known(known);
        table.set_known(self.campaigns.iter().map(|campaign| campaign.known).sum());
        table
    }

    /// Draws it: everything if `long`, else what fits a screen. What failed, what is new and what was
    /// not reached is always there.
    pub fn render(&self, long: bool, canvas: &mut dyn Canvas) {
        let long = long || self.heads.len() <= SHOWN_MAX;
        let table = self.table();
        if long {
            table.render(canvas);
        } else {
            table.render_odd(canvas);
        }
        let covers = self.covers(long);
        if !covers.rows().is_empty() {
            canvas.heading(if long { "Reached" } else { "Not reached often enough" });
            canvas.table(&covers);
        }
        let shown = self.series().filter(|(_, campaign)| long || campaign.exit() != Exit::Fine);
        let sure: Vec<Cell> = shown.flat_map(|(head, c)| confidence(head, c)).collect();
        if !sure.is_empty() {
            canvas.heading("What it means");
            canvas.list(&sure);
        }
        if !long {
            canvas.say(Tone::Faint, "Only what is not as it should be; --long shows all.");
        }
        let missing = self.missing();
        if missing > 0 {
            let why =
                self.stop.map_or_else(String::new, |stop| format!(", because {}", stop.reason()));
            let all = missing.saturating_add(self.added);
            let text = format!("{} of {} were not run{why}.", count(missing), runs(all));
            canvas.say(Tone::Warn, &text);
        }
    }

    /// In how many runs each cover was met.
    fn covers(&self, all: bool) -> Table {
        let mut table = Table::new(vec![
            words("scenario"),
            words("cover"),
            figures("met in"),
            figures("of"),
            figures("needs"),
        ]);
        for (head, campaign) in self.series() {
            for (id, met, must) in campaign.covers().filter(|(_, met, must)| all || met < must) {
                let tone = if met < must { Tone::Warn } else { Tone::Plain };
                table.push(vec![
                    Cell::from(head.name()),
                    Cell::from(id),
                    Cell::new(tone, count(met)),
                    Cell::from(count(campaign.runs())),
                    Cell::from(count(must)),
                ]);
            }
        }
        table
    }

    /// Everything as one JSON value, for [`reports::json::canonical`]; the results themselves where
    /// they were kept.
    #[must_use]
    pub fn json(&self) -> Value {
        let series = self.series().map(|(head, campaign)| {
            let (seeds, clean) = campaign.clean_seeds();
            let exit = campaign.exit().code();
            json!({
                "head": head,
                "runs": campaign.runs(),
                "known": campaign.known,
                "seeds": seeds,
                "clean_seeds": clean,
                "vacuous": campaign.vacuous(),
                "exit": exit,
            })
        });
        json!({
            "series": series.collect::<Vec<Value>>(),
            "results": self.all.iter().flat_map(Results::values).collect::<Vec<_>>(),
            "not_run": self.missing(),
        })
    }
}

/// Puts `result` where there is none yet or one of a later seed or point.
fn least<K: Ord>(entry: Entry<'_, K, SeedResult>, result: &SeedResult) {
    let old = entry.or_insert_with(|| result.clone());
    if (result.seed, result.point) < (old.seed, old.point) {
        *old = result.clone();
    }
}

fn runs(n: u64) -> String {
    plural(n, "run", "runs")
}

/// What the runs of a series say about the next one, in full sentences.
fn confidence(head: &Head, campaign: &Campaign) -> Vec<Cell> {
    let name = head.name();
    let (seeds, clean) = campaign.clean_seeds();
    let failed = seeds - clean;
    if !head.law.fail {
        if failed == 0 {
            let bound = stats::percent_up(stats::clean_bound_ppm(clean));
            let all = campaign.count(RunOutcome::Passed) == campaign.runs();
            let tone = if all { Tone::Good } else { Tone::Plain };
            let text = format!(
                "{name}: {} broke nothing: a seed that breaks something is rarer than {bound}, with \
                 95 % confidence.",
                plural(clean, "seed", "seeds")
            );
            return vec![Cell::new(tone, text)];
        }
        let (low, high) = stats::wilson_ppm(failed, seeds);
        let text = format!(
            "{name}: {} of {} broke something: between {} and {} of all seeds do, with 95 % \
             confidence.",
            count(failed),
            plural(seeds, "seed", "seeds"),
            stats::percent(low),
            stats::percent_up(high)
        );
        return vec![Cell::new(Tone::Bad, text)];
    }
    let caught = campaign.count(RunOutcome::FailedAsExpected);
    let all = campaign.runs();
    let (low, high) = stats::wilson_ppm(caught, all);
    let needs = match campaign.min_rate() {
        Some(rate) => format!("{} are needed", stats::percent(rate.ppm())),
        None => "one is needed".to_owned(),
    };
    let met = campaign.rate_met();
    let text = format!(
        "{name}: failed as expected in {} of {} ({} to {} with 95 % confidence); {needs}{}.",
        count(caught),
        runs(all),
        stats::percent(low),
        stats::percent_up(high),
        if met { "" } else { ", which is not met" }
    );
    vec![Cell::new(if met { Tone::Good } else { Tone::Bad }, text)]
}
