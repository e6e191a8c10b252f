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
use std::collections::{BTreeMap, BTreeSet};

/// Results of series, and what is known about them.
pub struct Summary<'a> {
    heads: Vec<&'a Head>,
    /// The results of each of the series; others are left out.
    results: BTreeMap<Key, &'a SeedResult>,
    known: &'a Known,
    campaigns: Vec<Campaign>,
    /// Runs of the series that have no result.
    pub missing: u64,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
}

impl<'a> Summary<'a> {
    /// Adds up the results of `heads`.
    #[must_use]
    pub fn new(heads: Vec<&'a Head>, results: &'a Results, known: &'a Known) -> Self {
        let mut heads = heads;
        heads.sort_by(|a, b| (&a.scenario, &a.variant).cmp(&(&b.scenario, &b.variant)));
        let mut kept = BTreeMap::new();
        let mut campaigns = Vec::new();
        let mut missing = 0;
        for head in &heads {
            let mut campaign = Campaign::new(head.law.clone());
            for seed in head.own_seeds() {
                for point in head.points_of(seed) {
                    let (scenario, variant) = (head.scenario.clone(), head.variant.clone());
                    let key = Key { scenario, variant, seed, point };
                    let Some(result) = results.get(&key) else {
                        missing += 1;
                        continue;
                    };
                    campaign.add(result, known);
                    kept.insert(key, result);
                }
            }
            campaigns.push(campaign);
        }
        Self { heads, results: kept, known, campaigns, missing, stop: None }
    }

    /// The series with what their runs add up to; those without a run are left out.
    pub fn series(&self) -> impl Iterator<Item = (&'a Head, &Campaign)> {
        let all = self.heads.iter().copied().zip(&self.campaigns);
        all.filter(|(_, campaign)| campaign.runs() > 0)
    }

    /// The exit status: the gravest of the series.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.series().map(|(_, campaign)| campaign.exit()).fold(Exit::Fine, Exit::and)
    }

    /// For each cause that should not have fired and is not known: the series, and the least run
    /// that shows it.
    #[must_use]
    pub fn news(&self) -> Vec<(&'a Head, Cause, &'a SeedResult)> {
        let mut found: BTreeMap<(usize, Cause), &SeedResult> = BTreeMap::new();
        for result in self.results.values() {
            let of =
                |head: &&Head| head.scenario == result.scenario && head.variant == result.variant;
            let series = self.heads.iter().position(of).expect("only results of series are kept");
            if result.outcome != RunOutcome::UnexpectedViolation {
                continue;
            }
            for cause in result.causes.iter() {
                let new = self.heads[series].law.unexpected(&cause.check)
                    && self.known.find(result, cause).is_none();
                if new {
                    found.entry((series, cause.clone())).or_insert(result);
                }
            }
        }
        let named = |((series, cause), result)| (self.heads[series], cause, result);
        found.into_iter().map(named).collect()
    }

    /// The run that shows best what was planted, for each series that failed as expected.
    #[must_use]
    pub fn caught(&self) -> Vec<(&'a Head, &'a SeedResult)> {
        let mut seen: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
        let mut found = Vec::new();
        for result in self.results.values() {
            let series = (result.scenario.as_str(), result.variant.as_deref());
            if result.outcome != RunOutcome::FailedAsExpected || !seen.insert(series) {
                continue;
            }
            let of =
                |head: &&&Head| head.scenario == result.scenario && head.variant == result.variant;
            let head = self.heads.iter().find(of).expect("only results of series are kept");
            found.push((*head, *result));
        }
        found
    }

    /// What the banner, the tables and the causes are drawn from.
    #[must_use]
    pub fn table(&self) -> SeedTable {
        let mut table = SeedTable::new();
        self.results.values().for_each(|result| table.add(result));
        let known = |scenario: &str, variant: Option<&str>, cause: &Cause| {
            self.known.of(scenario, variant, cause).map(str::to_owned)
        };
        table.mark_known(known);
        table.set_known(self.campaigns.iter().map(|campaign| campaign.known).sum());
        table
    }

    /// Draws everything.
    pub fn render(&self, canvas: &mut dyn Canvas) {
        self.table().render(canvas);
        let covers = self.covers();
        if !covers.rows().is_empty() {
            canvas.heading("Reached");
            canvas.table(&covers);
        }
        let sure: Vec<Cell> = self.series().flat_map(|(head, c)| confidence(head, c)).collect();
        if !sure.is_empty() {
            canvas.heading("What it means");
            canvas.list(&sure);
        }
        if self.missing > 0 {
            let why =
                self.stop.map_or_else(String::new, |stop| format!(", because {}", stop.reason()));
            let all = self.missing + self.results.len() as u64;
            let text = format!("{} of {} were not run{why}.", count(self.missing), runs(all));
            canvas.say(Tone::Warn, &text);
        }
    }

    /// In how many runs each cover was met.
    fn covers(&self) -> Table {
        let mut table = Table::new(vec![
            words("scenario"),
            words("cover"),
            figures("met in"),
            figures("of"),
            figures("needs"),
        ]);
        for (head, campaign) in self.series() {
            for (id, met, must) in campaign.covers() {
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

    /// Everything as one JSON value, for [`reports::json::canonical`].
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
            "results": self.results.values().collect::<Vec<_>>(),
            "not_run": self.missing,
        })
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
