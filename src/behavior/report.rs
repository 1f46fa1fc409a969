use std::fmt;

use serde::Serialize;

use super::outcome::{HEADS, Head, Outcomes};
use crate::measure::{Estimate, average_precision, bootstrap, calibration_error, log_loss, roc_auc};

/// Draws of the bootstrap; 95% intervals change in the third digit only from here on.
const DRAWS: usize = 400;
/// Where the draws start; the same for all models, so that they are compared on the same shoppers.
const DRAW_SEED: u64 = 95;

/// How well one head of one model does on shoppers it has never met.
#[derive(Debug, Clone, Serialize)]
pub struct HeadFigures {
    /// Which outcome.
    pub head: &'static str,
    /// Average precision.
    pub pr_auc: Estimate,
    /// Area under the ROC curve.
    pub roc_auc: Estimate,
    /// Mean surprise, in nats.
    pub log_loss: Estimate,
    /// Expected calibration error over 15 bins.
    pub ece: Estimate,
}

/// One model of the ablation.
#[derive(Debug, Clone, Serialize)]
pub struct ModelFigures {
    /// "fusion", "words alone", ..., "base rate".
    pub model: String,
    /// One for each head.
    pub heads: Vec<HeadFigures>,
}

/// How much better fusion is than the best single modality, on the same draws of shoppers.
#[derive(Debug, Clone, Serialize)]
pub struct Gain {
    /// Which outcome.
    pub head: &'static str,
    /// The rival.
    pub over: String,
    /// Difference of the PR-AUC.
    pub pr_auc: Estimate,
}

/// What training came to. All figures are on the held-out shoppers.
#[derive(Debug, Clone, Serialize)]
pub struct TrainingReport {
    /// What the shoppers are, so that no figure stands without it.
    pub data: String,
    /// Shoppers to learn from, to validate and to test.
    pub shoppers: [usize; 3],
    /// Share of held-out shoppers for whom each outcome came true.
    pub positive_share: [f64; HEADS],
    /// Fusion first, then each modality alone, then the base rate.
    pub models: Vec<ModelFigures>,
    /// Fusion against the best single modality, for each head.
    pub gains: Vec<Gain>,
}

/// What one model says of the held-out shoppers: calibrated probabilities by head.
pub(super) struct Scored {
    pub model: String,
    pub probabilities: [Vec<f32>; HEADS],
}

/// The labels of one head.
pub(super) fn labels_of(head: Head, outcomes: &[Outcomes]) -> Vec<bool> {
    outcomes.iter().map(|outcome| outcome[head as usize]).collect()
}

/// The figures of one model. A head without a figure (one class only) is left out; `Examples::check` refuses such parts before.
pub(super) fn figures(scored: &Scored, outcomes: &[Outcomes]) -> ModelFigures {
    let of_head = |head: Head| {
        let (scores, labels) = (&scored.probabilities[head as usize], labels_of(head, outcomes));
        let measured = |metric: fn(&[f32], &[bool]) -> Option<f64>| {
            bootstrap(labels.len(), DRAWS, DRAW_SEED, |rows| {
                let drawn: Vec<f32> = rows.iter().map(|row| scores[*row]).collect();
                metric(&drawn, &rows.iter().map(|row| labels[*row]).collect::<Vec<_>>())
            })
        };
        Some(HeadFigures {
            head: head.name(),
            pr_auc: measured(average_precision)?,
            roc_auc: measured(roc_auc)?,
            log_loss: measured(log_loss)?,
            ece: measured(calibration_error)?,
        })
    };
    ModelFigures { model: scored.model.clone(), heads: Head::ALL.into_iter().filter_map(of_head).collect() }
}

/// Fusion (the first) against the best of `alone`, head by head.
pub(super) fn gains(fusion: &Scored, alone: &[Scored], outcomes: &[Outcomes]) -> Vec<Gain> {
    let of_head = |head: Head| {
        let labels = labels_of(head, outcomes);
        let on = |scored: &Scored, rows: &[usize]| {
            let drawn: Vec<f32> = rows.iter().map(|row| scored.probabilities[head as usize][*row]).collect();
            average_precision(&drawn, &rows.iter().map(|row| labels[*row]).collect::<Vec<_>>())
        };
        let all: Vec<usize> = (0..labels.len()).collect();
        let quality = |scored: &&Scored| on(scored, &all).unwrap_or(0.0);
        let best = alone.iter().max_by(|a, b| quality(a).total_cmp(&quality(b)))?;
        let difference = bootstrap(labels.len(), DRAWS, DRAW_SEED, |rows| Some(on(fusion, rows)? - on(best, rows)?))?;
        Some(Gain { head: head.name(), over: best.model.clone(), pr_auc: difference })
    };
    Head::ALL.into_iter().filter_map(of_head).collect()
}

impl fmt::Display for TrainingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, validation, test] = self.shoppers;
        writeln!(f, "{}: {train} to learn from, {validation} to validate, {test} held out.", self.data)?;
        writeln!(f, "Figures on the held-out shoppers, with 95% bootstrap intervals.\n")?;
        writeln!(f, "{:<22} {:<14} {:>22} {:>22} {:>8} {:>7}", "outcome", "model", "PR-AUC", "ROC-AUC", "log loss", "ECE")?;
        for (at, head) in Head::ALL.into_iter().enumerate() {
            for model in &self.models {
                let Some(row) = model.heads.iter().find(|row| row.head == head.name()) else { continue };
                let (pr, roc) = (row.pr_auc.to_string(), row.roc_auc.to_string());
                let (loss, ece) = (row.log_loss.value, row.ece.value);
                writeln!(f, "{:<22} {:<14} {pr:>22} {roc:>22} {loss:>8.3} {ece:>7.3}", row.head, model.model)?;
            }
            writeln!(f, "{:<22} happened to {:.1}%", "", self.positive_share[at] * 100.0)?;
        }
        writeln!(f, "\nPR-AUC that fusion adds to the best single modality:")?;
        for gain in &self.gains {
            writeln!(f, "{:<22} over {:<14} {:>22}", gain.head, gain.over, gain.pr_auc.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} [{:.3}, {:.3}]", self.value, self.low, self.high)
    }
}
