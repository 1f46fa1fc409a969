//! How good a model is on labelled rows.

use serde::Serialize;

use super::blend::f1;
use crate::measure::{average_precision, calibration_error, log_loss, roc_auc};

/// What `behavior evaluate` prints. `None` where the rows allow no figure: with one kind of label there is no ranking to judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Rows measured on.
    pub rows: usize,
    /// Rows with a label of true.
    pub positives: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Share of true among those said to be true; 0 where none was.
    pub precision: f64,
    /// Share of the true ones that was found.
    pub recall: f64,
    /// Area under the receiver operating characteristic.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub pr_auc: Option<f64>,
    /// Mean surprise.
    pub log_loss: Option<f64>,
    /// Expected calibration error over 15 bins.
    pub ece: Option<f64>,
    /// The probability from which the answer is yes.
    pub threshold: f32,
}

impl Figures {
    /// Measures probabilities against labels.
    pub fn of(probabilities: &[f32], labels: &[bool], threshold: f32) -> Self {
        let pairs = || probabilities.iter().map(|p| *p >= threshold).zip(labels.iter().copied());
        let count = |wanted: (bool, bool)| pairs().filter(|pair| *pair == wanted).count();
        let (right, false_alarms, missed) = (count((true, true)), count((true, false)), count((false, true)));
        let share = |part: usize, of: usize| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        Self {
            rows: labels.len(),
            positives: right + missed,
            accuracy: share(labels.len() - false_alarms - missed, labels.len()),
            f1: f1(probabilities, labels, threshold),
            precision: share(right, right + false_alarms),
            recall: share(right, right + missed),
            roc_auc: roc_auc(probabilities, labels),
            pr_auc: average_precision(probabilities, labels),
            log_loss: log_loss(probabilities, labels),
            ece: calibration_error(probabilities, labels),
            threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_with_counts_by_hand() {
        let figures = Figures::of(&[0.9, 0.6, 0.4, 0.2], &[true, false, true, false], 0.5);
        assert_eq!((figures.rows, figures.positives), (4, 2));
        assert_eq!((figures.accuracy, figures.precision, figures.recall, figures.f1), (0.5, 0.5, 0.5, 0.5));
        assert_eq!(figures.roc_auc, Some(0.75));
    }

    #[test]
    fn rows_of_one_kind_have_no_ranking() {
        let figures = Figures::of(&[0.9], &[false], 0.5);
        assert_eq!((figures.roc_auc, figures.pr_auc, figures.precision, figures.accuracy), (None, None, 0.0, 0.0));
    }
}
