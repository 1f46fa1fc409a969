use std::fmt;

use serde::Serialize;

use crate::domain::IntentDecision;
use crate::language::{IntentExamples, IntentReading};
use crate::measure::{calibration_error, roc_auc, wilson};

/// How good a classifier is on sentences that it has not seen. Shares are in [0, 1].
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) sentences: usize,
    /// Right intent, of all that have one, whatever was decided about scope.
    accuracy: f64,
    /// 95% interval of it (Wilson).
    accuracy_interval: (f64, f64),
    /// Mean F1 of the intents.
    macro_f1: f64,
    /// Mean distance between a stated probability and how often it is right, over 15 bins.
    ece: Option<f64>,
    #[serde(flatten)]
    scope: Option<Scope>,
}

/// Of a test set that has sentences for no desk.
#[derive(Debug, Serialize)]
struct Scope {
    out_of_scope: usize,
    /// Right intent and not refused, of those in scope.
    in_scope_accuracy: f64,
    in_scope_interval: (f64, f64),
    /// Refused, of those out of scope.
    oos_recall: f64,
    oos_recall_interval: (f64, f64),
    /// Out of scope, of those refused.
    oos_precision: f64,
    /// Probability that a sentence in scope looks more at home than one out of scope.
    auroc: Option<f64>,
}

impl Figures {
    pub(super) fn of(names: &[String], test: &IntentExamples, readings: &[IntentReading]) -> Self {
        let inside: Vec<usize> = (0..readings.len()).filter(|&at| Some(test.labels[at] as usize) != test.out_of_scope).collect();
        let best = |at: usize| &readings[at].intents[0];
        let right = |at: &usize| names.get(test.labels[*at] as usize).is_some_and(|name| *name == best(*at).intent);
        let refused = |at: usize| readings[at].decision == IntentDecision::OutOfScope;
        let hits = inside.iter().filter(|at| right(at)).count();
        let probabilities: Vec<f32> = inside.iter().map(|&at| best(at).probability.get()).collect();
        let rights: Vec<bool> = inside.iter().map(right).collect();
        let outside = readings.len() - inside.len();
        let scope = (outside > 0).then(|| {
            let kept = inside.iter().filter(|at| right(at) && !refused(**at)).count();
            let refusals = (0..readings.len()).filter(|&at| refused(at)).count();
            let rightly = refusals - inside.iter().filter(|at| refused(**at)).count();
            let belonging: Vec<f32> = readings.iter().map(|reading| reading.belonging).collect();
            let is_inside: Vec<bool> = test.labels.iter().map(|label| Some(*label as usize) != test.out_of_scope).collect();
            Scope {
                out_of_scope: outside,
                in_scope_accuracy: share(kept, inside.len()),
                in_scope_interval: wilson(kept, inside.len()),
                oos_recall: share(rightly, outside),
                oos_recall_interval: wilson(rightly, outside),
                oos_precision: share(rightly, refusals),
                auroc: roc_auc(&belonging, &is_inside),
            }
        });
        Self {
            sentences: readings.len(),
            accuracy: share(hits, inside.len()),
            accuracy_interval: wilson(hits, inside.len()),
            macro_f1: macro_f1(names, test, readings, &inside),
            ece: calibration_error(&probabilities, &rights),
            scope,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |(low, high): (f64, f64)| format!("[{:.1}-{:.1}]", 100.0 * low, 100.0 * high);
        writeln!(out, "sentences            {}", self.sentences)?;
        writeln!(out, "accuracy             {:.1}% {}", 100.0 * self.accuracy, percent(self.accuracy_interval))?;
        writeln!(out, "macro F1             {:.1}%", 100.0 * self.macro_f1)?;
        writeln!(out, "calibration error    {:.3}", self.ece.unwrap_or_default())?;
        if let Some(scope) = &self.scope {
            writeln!(out, "in scope and right   {:.1}% {}", 100.0 * scope.in_scope_accuracy, percent(scope.in_scope_interval))?;
            writeln!(out, "out of scope found   {:.1}% {}", 100.0 * scope.oos_recall, percent(scope.oos_recall_interval))?;
            writeln!(out, "of refusals right    {:.1}%", 100.0 * scope.oos_precision)?;
            writeln!(out, "AUROC                {:.3}", scope.auroc.unwrap_or_default())?;
        }
        Ok(())
    }
}

fn macro_f1(names: &[String], test: &IntentExamples, readings: &[IntentReading], inside: &[usize]) -> f64 {
    let of_intent = |class: usize| {
        let truly = |at: &usize| test.labels[*at] as usize == class;
        let said = |at: &usize| readings[*at].intents[0].intent == names[class];
        let (true_count, said_count) = (inside.iter().filter(|at| truly(at)).count(), inside.iter().filter(|at| said(at)).count());
        let both = inside.iter().filter(|at| truly(at) && said(at)).count();
        (true_count > 0).then(|| 2.0 * both as f64 / (true_count + said_count) as f64)
    };
    let scores: Vec<f64> = (0..names.len()).filter_map(of_intent).collect();
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// What a model's folder says of it.
pub(super) fn card(names: &[String], sentences: usize, encoder: &str) -> String {
    format!(
        "# Intents of {sentences} sentences\n\n{} intents, learnt by `kioskd intents train` on the sentence vectors of the encoder {encoder} and on the \
         words themselves.\nMeasure it with `kioskd intents evaluate --model THIS-FOLDER --data FILE --json` on sentences that are not among \
         them.\n\nIntents: {}.\n",
        names.len(),
        names.join(", ")
    )
}
