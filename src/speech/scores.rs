//! Sums over logarithms of probabilities.

/// ln(sum of exp(x)); minus infinity for none.
pub fn log_sum_exp(scores: &[f32]) -> f32 {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if max == f32::NEG_INFINITY {
        return max;
    }
    max + scores.iter().map(|score| (score - max).exp()).sum::<f32>().ln()
}

/// The largest score and where it is; none where all are minus infinity.
pub fn argmax(scores: &[f32]) -> Option<(usize, f32)> {
    let mut best = (0, f32::NEG_INFINITY);
    for (at, &score) in scores.iter().enumerate() {
        if score > best.1 {
            best = (at, score);
        }
    }
    (best.1 > f32::NEG_INFINITY).then_some(best)
}
