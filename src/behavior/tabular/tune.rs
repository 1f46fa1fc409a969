//! Search for good settings of a network: many get a short training, the better half goes on.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::error::TabularError;
use super::fit::{FitConfig, Rows, fit};
use super::folds::{deal, without};
use super::inputs::{InputEncoding, View};
use super::jobs;
use super::labelled::Labelled;
use crate::measure::average_precision;

/// Settings and how far they came.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The settings.
    pub config: FitConfig,
    /// Rounds survived, from 1.
    pub rounds: usize,
    /// Mean PR-AUC of the last round, over the parts that it was judged on.
    pub pr_auc: f64,
}

/// Parts of the rows that a setting is judged on in a round.
const PARTS: usize = 3;
/// Passes of the first round; each round doubles them.
const EPOCHS_FIRST: usize = 5;

/// Tries `trials` settings drawn by chance, by successive halving: the passes double and the better half stays, until one is left or
/// `rounds` are over. The first is the careful network as it ships. Best first.
/// # Source
/// Jamieson & Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (2016).
pub fn tune(
    data: &Labelled,
    trials: usize,
    rounds: usize,
    seed: u64,
    threads: usize,
    on_done: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Trial>, TabularError> {
    for (key, value) in [("--trials", trials), ("--rounds", rounds)] {
        if !(1..=1_000).contains(&value) {
            return Err(TabularError::BadSetting { key, found: value.to_string(), expected: "1 to 1000" });
        }
    }
    let mut chance = StdRng::seed_from_u64(seed);
    let drawn = (1..trials).map(|_| draw(&mut chance));
    let mut open: Vec<Trial> =
        std::iter::once(FitConfig::careful()).chain(drawn).map(|config| Trial { config, rounds: 0, pr_auc: 0.0 }).collect();
    let bench = Bench::new(data, seed);
    let all = trainings(trials, rounds);
    let (mut over, mut before) = (Vec::new(), 0);
    for round in 1..=rounds {
        let epochs = EPOCHS_FIRST << (round - 1).min(12);
        let items: Vec<(usize, usize)> = (0..open.len()).flat_map(|trial| (0..PARTS).map(move |part| (trial, part))).collect();
        let work = |(trial, part): &(usize, usize)| bench.judge(&open[*trial].config, epochs, *part, seed);
        let found = jobs::run(&items, threads, work, &|done| on_done(before + done, all));
        before += items.len();
        for (trial, parts) in open.iter_mut().zip(found.chunks(PARTS)) {
            trial.rounds = round;
            // A training that diverged is the worst there is.
            trial.pr_auc = parts.iter().map(|area| area.as_ref().copied().unwrap_or(0.0)).sum::<f64>() / PARTS as f64;
        }
        open.sort_by(|a, b| b.pr_auc.total_cmp(&a.pr_auc));
        if round == rounds || open.len() == 1 {
            break;
        }
        over.extend(open.drain(open.len().div_ceil(2)..).rev());
    }
    over.extend(open.into_iter().rev());
    over.reverse();
    for trial in &mut over {
        trial.config.epochs_max = EPOCHS_FIRST << (trial.rounds.max(1) - 1).min(12);
    }
    Ok(over)
}

fn trainings(trials: usize, rounds: usize) -> usize {
    let mut left = trials;
    let mut sum = 0;
    for _ in 0..rounds {
        sum += left * PARTS;
        if left == 1 {
            break;
        }
        left = left.div_ceil(2);
    }
    sum
}

fn draw(chance: &mut StdRng) -> FitConfig {
    let mut one_of = |choices: &[f32]| choices.choose(chance).copied().unwrap_or_default();
    let (learning_rate, weight_decay, dropout) =
        (one_of(&[5e-4, 1e-3, 2e-3, 4e-3]), one_of(&[0.0, 0.01, 0.05, 0.2, 0.5]), one_of(&[0.0, 0.2, 0.3, 0.4, 0.5]));
    let batch = one_of(&[64.0, 128.0, 256.0, 512.0]) as usize;
    let hidden = match chance.random_range(0..6) {
        0 => vec![32],
        1 => vec![128],
        2 => vec![64, 32],
        3 => vec![128, 64],
        4 => vec![256, 128],
        _ => vec![128, 64, 32],
    };
    FitConfig { hidden, learning_rate, weight_decay, dropout, batch, ..FitConfig::careful() }
}

struct Bench<'a> {
    data: &'a Labelled,
    inputs: Vec<f32>,
    width: usize,
    targets: Vec<f32>,
    part_of: Vec<usize>,
}

impl<'a> Bench<'a> {
    fn new(data: &'a Labelled, seed: u64) -> Self {
        let encoding = InputEncoding::learn(&data.schema, &data.frame, View::Full);
        Self {
            data,
            inputs: encoding.apply(&data.frame),
            width: encoding.width(),
            targets: data.labels.iter().map(|label| f32::from(u8::from(*label))).collect(),
            part_of: deal(&data.labels, 5, seed),
        }
    }

    /// PR-AUC on a part after so many passes on the others.
    fn judge(&self, config: &FitConfig, epochs: usize, part: usize, seed: u64) -> Result<f64, TabularError> {
        let (learn, held_out) = without(&self.part_of, part);
        let rows = Rows { inputs: &self.inputs, width: self.width, labels: &self.targets };
        let config = FitConfig { epochs_max: epochs, ..config.clone() };
        let network = fit(&rows, &learn, &[], &config, seed ^ part as u64, &mut |_, _| ())?;
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        rows.take(&held_out, &mut inputs, &mut targets);
        let labels: Vec<bool> = held_out.iter().map(|row| self.data.labels[*row as usize]).collect();
        Ok(average_precision(&network.logits(&inputs), &labels).unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::learn::tests::labelled;
    use super::*;

    #[test]
    fn the_better_half_goes_on_and_the_best_comes_first() {
        let found = tune(&labelled(200), 4, 3, 1, 2, &|done, all| assert!(done <= all)).unwrap();
        let rounds: Vec<usize> = found.iter().map(|trial| trial.rounds).collect();
        assert_eq!(rounds, [3, 2, 1, 1]);
        assert_eq!(found[0].config.epochs_max, 20);
        assert!(tune(&labelled(100), 0, 1, 1, 1, &|_, _| ()).is_err());
    }
}
