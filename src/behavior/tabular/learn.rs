//! From a table to a model: every learner is trained on some parts of the rows and judged on the part it has not seen.

use super::bins::{Binned, Feature, TreeView};
use super::blend::{best_threshold, weigh};
use super::dense::Dense;
use super::error::TabularError;
use super::figures::Figures;
use super::fit::{Epoch, FitConfig, Rows, fit};
use super::folds::{deal, without};
use super::inputs::InputEncoding;
use super::jobs;
use super::labelled::Labelled;
use super::model::{About, Learners, Part, Privacy, TabularModel, mean_logits};
use super::private::fit_private;
use super::recipe::{Kind, Recipe};
use super::tree::Tree;
use super::trees::{Trees, boost, forest};
use crate::behavior::calibrate::{Calibration, sigmoid};
use crate::measure::average_precision;

/// A model and how good it is on rows that its judges have not seen.
#[derive(Debug)]
pub struct Learnt {
    /// To be written, or used at once.
    pub model: TabularModel,
    /// On held-out rows: each row is judged by the learners that were trained without it. The weights of the kinds and the threshold are
    /// chosen on these same rows, so that figures on new ones come out a little lower.
    pub held_out: Figures,
    /// Passes of the first network, for TensorBoard.
    pub epochs: Vec<Epoch>,
    /// PR-AUC of each network, each on the part that it has not seen.
    pub member_pr_aucs: Vec<f64>,
}

/// A learner to be trained without one part of the rows.
struct Job<'a> {
    family: usize,
    kind: &'a Kind,
    fold: usize,
    seed: u64,
}

enum Member {
    Network(Dense, Vec<Epoch>),
    Trees(Trees),
}

/// What the jobs look at.
struct Workshop<'a> {
    data: &'a Labelled,
    inputs: Vec<f32>,
    width: usize,
    targets: Vec<f32>,
    columns: (Vec<Feature>, Binned),
    full: (Vec<Feature>, Binned),
    part_of: Vec<usize>,
}

/// Trains what the recipe says. `on_done` hears how many of how many learners are done, from any thread.
/// # Errors
/// [`TabularError::Diverged`], or a setting out of its range.
pub fn learn(data: &Labelled, recipe: &Recipe, about: About, on_done: &(dyn Fn(usize, usize) + Sync)) -> Result<Learnt, TabularError> {
    recipe.check()?;
    let encoding = InputEncoding::learn(&data.schema, &data.frame, recipe.view);
    let workshop = Workshop::new(data, recipe, &encoding);
    let all = jobs_of(recipe);
    let work = |job: &Job<'_>| workshop.train(job);
    let trained = jobs::run(&all, recipe.threads, work, &|done| on_done(done, all.len()));
    let mut members = Vec::with_capacity(all.len());
    for (job, member) in all.iter().zip(trained) {
        members.push((job, member?));
    }
    let epochs = members.iter().find_map(|(_, member)| match member {
        Member::Network(_, epochs) => Some(epochs.clone()),
        Member::Trees(_) => None,
    });
    // Rows that were held out from somebody; with one part in use these are the rows of that part.
    let judged: Vec<usize> = (0..data.frame.rows).filter(|row| workshop.part_of[*row] < recipe.folds_used).collect();
    let judged_labels: Vec<bool> = judged.iter().map(|row| data.labels[*row]).collect();
    let mut logits = Vec::new();
    for family in 0..recipe.families.len() {
        let all = workshop.judge(members.iter().filter(|(job, _)| job.family == family).map(|(job, member)| (job.fold, member)));
        logits.push(judged.iter().map(|row| all[*row]).collect::<Vec<f32>>());
    }
    let (weights, shift) = match &logits[..] {
        // A single network keeps its own probability, or a straight line of it where it was made to be rough.
        [one] if matches!(recipe.preset, super::recipe::Preset::Network) => {
            let line = Calibration::fit(one, &judged_labels);
            (vec![line.scale], line.shift)
        }
        [_] => (vec![1.0], 0.0),
        _ => weigh(&logits, &judged_labels),
    };
    let blended = |at: usize| logits.iter().zip(&weights).map(|(of, weight)| weight * of[at]).sum::<f32>() + shift;
    let probabilities: Vec<f32> = (0..judged.len()).map(|at| sigmoid(f64::from(blended(at))) as f32).collect();
    let threshold = best_threshold(&probabilities, &judged_labels);
    let held_out = Figures::of(&probabilities, &judged_labels, threshold);
    let member_pr_aucs = members.iter().filter_map(|(job, member)| workshop.pr_auc(job.fold, member)).collect();
    let parts = workshop.parts(recipe, &weights, members.into_iter().map(|(job, member)| (job.family, member)));
    let about = About { privacy: workshop.privacy(recipe)?, ..about };
    let model = TabularModel { schema: data.schema.clone(), about, inputs: encoding, parts, shift, threshold, is_eight_bit: false };
    Ok(Learnt { model, held_out, epochs: epochs.unwrap_or_default(), member_pr_aucs })
}

fn jobs_of(recipe: &Recipe) -> Vec<Job<'_>> {
    let mut jobs = Vec::new();
    for fold in 0..recipe.folds_used {
        for (family, described) in recipe.families.iter().enumerate() {
            for _ in 0..described.members {
                let seed = recipe.seed.wrapping_mul(1_000_003).wrapping_add(jobs.len() as u64);
                jobs.push(Job { family, kind: &described.kind, fold, seed });
            }
        }
    }
    jobs
}

impl<'a> Workshop<'a> {
    fn new(data: &'a Labelled, recipe: &Recipe, encoding: &InputEncoding) -> Self {
        let has = |wanted: fn(&Kind) -> bool| recipe.families.iter().any(|family| wanted(&family.kind));
        let features = |is_wanted: bool, view| match is_wanted {
            true => Feature::learn(&data.schema, &data.frame, view),
            false => Vec::new(),
        };
        let columns = features(has(|kind| matches!(kind, Kind::Forest { .. })), TreeView::Columns);
        let full = features(has(|kind| matches!(kind, Kind::Boosted(_))), TreeView::Full);
        let binned = |features: Vec<Feature>| {
            let binned = Binned::new(&features, &data.frame);
            (features, binned)
        };
        Self {
            data,
            inputs: encoding.apply(&data.frame),
            width: encoding.width(),
            targets: data.labels.iter().map(|label| f32::from(u8::from(*label))).collect(),
            columns: binned(columns),
            full: binned(full),
            part_of: deal(&data.labels, recipe.folds, recipe.seed),
        }
    }

    fn train(&self, job: &Job<'_>) -> Result<Member, TabularError> {
        let (rows, held_out) = without(&self.part_of, job.fold);
        let labels = &self.data.labels;
        match job.kind {
            Kind::Networks(config) => self.network(&rows, &held_out, config, job.seed),
            Kind::Private(config, wish) => {
                let plan = wish.plan(rows.len(), config)?;
                let all = Rows { inputs: &self.inputs, width: self.width, labels: &self.targets };
                Ok(Member::Network(fit_private(&all, &rows, config, &plan, job.seed)?, Vec::new()))
            }
            Kind::Forest { trees, growth } => Ok(Member::Trees(forest(&self.columns.1, &rows, labels, *trees, growth, job.seed))),
            Kind::Boosted(settings) => Ok(Member::Trees(boost(&self.full.1, &rows, &held_out, labels, settings, job.seed))),
        }
    }

    fn network(&self, rows: &[u32], held_out: &[u32], config: &FitConfig, seed: u64) -> Result<Member, TabularError> {
        let all = Rows { inputs: &self.inputs, width: self.width, labels: &self.targets };
        let mut epochs = Vec::new();
        let network = fit(&all, rows, held_out, config, seed, &mut |epoch, _| epochs.push(*epoch))?;
        Ok(Member::Network(network, epochs))
    }

    /// What a private training spends.
    fn privacy(&self, recipe: &Recipe) -> Result<Option<Privacy>, TabularError> {
        match recipe.families.first().map(|family| &family.kind) {
            Some(Kind::Private(config, wish)) => wish.plan(without(&self.part_of, 0).0.len(), config).map(Some),
            _ => Ok(None),
        }
    }

    /// How good a network is on the part that it has not seen.
    fn pr_auc(&self, fold: usize, member: &Member) -> Option<f64> {
        let Member::Network(..) = member else { return None };
        let logits = self.judge(std::iter::once((fold, member)));
        let held_out = without(&self.part_of, fold).1;
        let scores: Vec<f32> = held_out.iter().map(|row| logits[*row as usize]).collect();
        let labels: Vec<bool> = held_out.iter().map(|row| self.data.labels[*row as usize]).collect();
        average_precision(&scores, &labels)
    }

    /// For each row the mean logit of the members that were trained without it.
    fn judge<'m>(&self, members: impl Iterator<Item = (usize, &'m Member)>) -> Vec<f32> {
        let mut sums = vec![0.0; self.part_of.len()];
        let mut counts = vec![0_u32; self.part_of.len()];
        for (fold, member) in members {
            let held_out = without(&self.part_of, fold).1;
            let logits = match member {
                Member::Network(network, _) => {
                    let all = Rows { inputs: &self.inputs, width: self.width, labels: &self.targets };
                    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
                    all.take(&held_out, &mut inputs, &mut labels);
                    mean_logits(std::slice::from_ref(network), &inputs, held_out.len())
                }
                Member::Trees(trees) => {
                    let data = if trees.is_on_columns { &self.columns.1 } else { &self.full.1 };
                    held_out.iter().map(|row| trees.logit(data, *row as usize)).collect()
                }
            };
            for (row, logit) in held_out.into_iter().zip(logits) {
                sums[row as usize] += logit;
                counts[row as usize] += 1;
            }
        }
        sums.iter().zip(counts).map(|(sum, count)| sum / count.max(1) as f32).collect()
    }

    /// All members of a kind as one part, whose logit is their mean.
    fn parts(&self, recipe: &Recipe, weights: &[f32], members: impl Iterator<Item = (usize, Member)>) -> Vec<Part> {
        let mut networks: Vec<Vec<Dense>> = vec![Vec::new(); recipe.families.len()];
        let mut forests: Vec<Vec<Trees>> = vec![Vec::new(); recipe.families.len()];
        for (family, member) in members {
            match member {
                Member::Network(network, _) => networks[family].push(network),
                Member::Trees(trees) => forests[family].push(trees),
            }
        }
        let part = |(at, family): (usize, &super::recipe::Family)| {
            let learners = match &family.kind {
                Kind::Networks(_) | Kind::Private(..) => Learners::Networks(std::mem::take(&mut networks[at])),
                Kind::Forest { .. } => Learners::Trees { features: self.columns.0.clone(), trees: mean(std::mem::take(&mut forests[at])) },
                Kind::Boosted(_) => Learners::Trees { features: self.full.0.clone(), trees: mean(std::mem::take(&mut forests[at])) },
            };
            Part { name: family.name.to_owned(), weight: weights[at], learners }
        };
        recipe.families.iter().enumerate().map(part).collect()
    }
}

/// Sums of trees as one sum whose logit is their mean.
fn mean(all: Vec<Trees>) -> Trees {
    let count = all.len().max(1) as f32;
    let base = all.iter().map(|trees| trees.base).sum::<f32>() / count;
    let is_on_columns = all.first().is_some_and(|trees| trees.is_on_columns);
    // Members of a kind have one factor each, but may have grown different numbers of trees: the factor goes into the values.
    let scaled = |trees: Trees| {
        let factor = trees.factor / count;
        trees.trees.into_iter().map(move |mut tree: Tree| {
            for node in &mut tree.nodes {
                node.value *= factor;
            }
            tree
        })
    };
    Trees { trees: all.into_iter().flat_map(scaled).collect(), base, factor: 1.0, is_on_columns }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fit::FitConfig;
    use super::super::recipe::Preset;
    use super::super::table::Table;
    use super::*;

    pub fn about() -> About {
        let (data, data_sha256) = ("it.csv".to_owned(), "00".to_owned());
        About { data, data_sha256, rows: 1, positives: 1, bad_rows: 0, preset: "blend".to_owned(), seed: Some(1), privacy: None }
    }

    /// Visits of which those with many pages and "back" as their kind mostly buy.
    pub fn visits(rows: usize) -> String {
        let row = |at: usize| {
            let (pages, kind, noise) = ((at * 7) % 40, ["new", "back", "staff"][(at / 3) % 3], (at * 31) % 17);
            let buys = (pages > 20 && kind == "back") != (noise == 0);
            format!("{pages},{:.1},{kind},{buys}\n", pages as f64 * 2.5 + noise as f64)
        };
        format!("Pages,Pages_Duration,Kind,Buys\n{}", (0..rows).map(row).collect::<String>())
    }

    pub fn labelled(rows: usize) -> Labelled {
        Labelled::learn(&mut Table::parse("it.csv", visits(rows).as_bytes()).unwrap(), "Buys", &[]).unwrap()
    }

    /// The blend, with networks small enough for a test.
    pub fn quick(preset: Preset, threads: usize) -> Recipe {
        Recipe::new(preset, 1, threads).with_fit(|fit| *fit = FitConfig { hidden: vec![16], epochs_max: 12, batch: 32, ..fit.clone() })
    }

    #[test]
    fn what_sells_is_found_and_the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
        let data = labelled(600);
        let one = learn(&data, &quick(Preset::Blend, 1), about(), &|_, _| ()).unwrap();
        assert!(one.held_out.pr_auc.is_some_and(|area| area > 0.75), "{:?}", one.held_out);
        assert!(one.held_out.f1 > 0.75 && one.held_out.rows == 600, "{:?}", one.held_out);
        let two = learn(&data, &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap();
        assert_eq!(one.model.to_bytes().unwrap(), two.model.to_bytes().unwrap());
    }

    #[test]
    fn a_single_network_is_judged_on_the_fifth_that_it_has_not_seen() {
        for preset in [Preset::Seed, Preset::Network] {
            let learnt = learn(&labelled(300), &quick(preset, 1), about(), &|_, _| ()).unwrap();
            assert!((59..=62).contains(&learnt.held_out.rows), "{}", learnt.held_out.rows);
            assert!(!learnt.epochs.is_empty() && learnt.epochs[0].held_out_loss.is_some());
        }
    }

    #[test]
    fn an_unknown_cell_and_a_new_word_still_get_a_probability() {
        let learnt = learn(&labelled(300), &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap();
        let mut table = Table::parse("it.csv", b"Pages,Pages_Duration,Kind,Buys\n,?,alien,0\n39,1e30,back,1\n").unwrap();
        let data = Labelled::read(&mut table, &learnt.model.schema).unwrap();
        let probabilities = learnt.model.probabilities(&data.frame);
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{probabilities:?}");
    }
}
