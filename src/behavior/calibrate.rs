/// Passes of Newton's method; the loss is convex in two numbers and settles in under ten.
const PASSES_MAX: usize = 50;

/// Shares of a step that are tried: 1, a half, a quarter and so on.
const HALVINGS_MAX: i32 = 20;

/// Turns a head's logit into a probability that can be taken at its word: `sigmoid(scale * logit + shift)`.
///
/// The shift is needed because rare outcomes weigh more in training, which makes raw probabilities too high; the scale because
/// a network that is trained past its best is too sure of itself.
/// # Source
/// Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with the targets of his section 2.2; fitted by Newton's
/// method as in Lin, Lin & Weng, "A Note on Platt's Probabilistic Outputs" (2007).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Above 0, so the order of shoppers never changes.
    pub scale: f32,
    /// Added after the scale.
    pub shift: f32,
}

impl Calibration {
    /// Changes nothing.
    pub const IDENTITY: Calibration = Calibration { scale: 1.0, shift: 0.0 };

    /// Fits both numbers on the validation part. Labels of one kind only, or logits that run against the labels, give a scale of
    /// 1 and the shift alone: such data say nothing of the slope.
    pub fn fit(logits: &[f32], labels: &[bool]) -> Self {
        let targets = soft_targets(labels);
        let (mut scale, mut shift) = (1.0_f64, 0.0_f64);
        let mut loss = log_loss(logits, &targets, scale, shift);
        for _ in 0..PASSES_MAX {
            let (step_scale, step_shift) = newton_step(logits, &targets, scale, shift);
            // Far from the minimum the whole step may lead further away, and a part of it never does.
            let tried = (0..HALVINGS_MAX).map(|halvings| 0.5_f64.powi(halvings)).find_map(|share| {
                let (scale, shift) = (scale - share * step_scale, shift - share * step_shift);
                let loss_there = log_loss(logits, &targets, scale, shift);
                (loss_there < loss).then_some((scale, shift, loss_there))
            });
            let Some(better) = tried else { break };
            (scale, shift, loss) = better;
        }
        let fitted = Self { scale: scale as f32, shift: shift as f32 };
        if fitted.is_sound() { fitted } else { Self::shift_only(logits, &targets) }
    }

    /// Whether the numbers can be used: finite, and a scale that keeps the order.
    pub fn is_sound(&self) -> bool {
        self.scale.is_finite() && self.scale > 0.0 && self.shift.is_finite()
    }

    /// The calibrated logit.
    pub fn logit(&self, raw: f32) -> f32 {
        self.scale * raw + self.shift
    }

    /// The calibrated probability.
    pub fn probability(&self, raw: f32) -> f32 {
        sigmoid(f64::from(self.logit(raw))) as f32
    }

    /// Bisection for the shift at which the mean probability is the mean target; monotone, so it always ends well.
    fn shift_only(logits: &[f32], targets: &[f64]) -> Self {
        let wanted: f64 = targets.iter().sum();
        let (mut low, mut high) = (-50.0_f64, 50.0_f64);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            let reached: f64 = logits.iter().map(|z| sigmoid(f64::from(*z) + middle)).sum();
            if reached < wanted { low = middle } else { high = middle }
        }
        Self { scale: 1.0, shift: ((low + high) / 2.0) as f32 }
    }
}

/// Platt's targets: a little inside 0 and 1, so that separable data do not send the scale to infinity.
fn soft_targets(labels: &[bool]) -> Vec<f64> {
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    labels.iter().map(|label| if *label { high } else { low }).collect()
}

/// Sum over the rows, with targets between 0 and 1; written so that it neither overflows nor rounds to infinity.
fn log_loss(logits: &[f32], targets: &[f64], scale: f64, shift: f64) -> f64 {
    let of_row = |(z, target): (&f32, &f64)| {
        let logit = scale * f64::from(*z) + shift;
        logit.max(0.0) - logit * target + (-logit.abs()).exp().ln_1p()
    };
    logits.iter().zip(targets).map(of_row).sum()
}

/// The step towards the minimum of the log loss, as inverse Hessian times gradient.
fn newton_step(logits: &[f32], targets: &[f64], scale: f64, shift: f64) -> (f64, f64) {
    // The tiny ridge keeps the matrix invertible where all logits are equal.
    let (mut aa, mut ab, mut bb, mut ga, mut gb) = (1e-9, 0.0, 1e-9, 0.0, 0.0);
    for (z, target) in logits.iter().map(|z| f64::from(*z)).zip(targets) {
        let p = sigmoid(scale * z + shift);
        let (miss, curve) = (p - target, p * (1.0 - p));
        ga += miss * z;
        gb += miss;
        aa += curve * z * z;
        ab += curve * z;
        bb += curve;
    }
    let determinant = aa * bb - ab * ab;
    ((bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant)
}

/// 1 / (1 + e^-x), without overflow.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels at the rate that `truth` gives to each logit of a grid.
    fn sample(truth: Calibration) -> (Vec<f32>, Vec<bool>) {
        let mut data = (Vec::new(), Vec::new());
        for step in -20..=20 {
            let logit = step as f32 / 5.0;
            let positives = (truth.probability(logit) * 1000.0).round() as usize;
            data.0.extend([logit; 1000]);
            data.1.extend((0..1000).map(|i| i < positives));
        }
        data
    }

    #[test]
    fn the_true_scale_and_shift_are_found() {
        let truth = Calibration { scale: 0.6, shift: -0.9 };
        let (logits, labels) = sample(truth);
        let found = Calibration::fit(&logits, &labels);
        assert!((found.scale - truth.scale).abs() < 0.01 && (found.shift - truth.shift).abs() < 0.01, "{found:?}");
    }

    /// As a private training leaves them: noise makes weights, and with them logits, much too large.
    #[test]
    fn logits_that_are_far_too_large_are_brought_down_to_what_they_are_worth() {
        let truth = Calibration { scale: 0.02, shift: -1.5 };
        let (logits, labels) = sample(Calibration { scale: truth.scale * 40.0, ..truth });
        let large: Vec<f32> = logits.iter().map(|z| z * 40.0).collect();
        let found = Calibration::fit(&large, &labels);
        assert!((found.scale - truth.scale).abs() < 0.002 && (found.shift - truth.shift).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn logits_that_run_backwards_never_turn_the_order_round() {
        let found = Calibration::fit(&[2.0, 1.0, -1.0, -2.0], &[false, false, true, true]);
        assert!(found.is_sound() && found.scale == 1.0, "{found:?}");
    }

    #[test]
    fn one_kind_of_label_or_none_still_gives_usable_numbers() {
        for labels in [&[true; 4][..], &[false; 4], &[]] {
            let logits = [0.3_f32, -0.2, 0.9, 0.1];
            let found = Calibration::fit(&logits[..labels.len()], labels);
            assert!(found.is_sound(), "{labels:?} {found:?}");
        }
    }
}
