use crate::turn::softmax;

/// Steps of gradient ascent; the likelihood has one top, and the last hundred steps change no weight by a hundredth.
const STEPS: usize = 600;
const RATE: f64 = 0.5;
/// Pull of each weight towards where it began, in trials: a sort of hint that hardly occurs keeps its weight.
const PULL: f64 = 2.0;

/// One choice among candidates: what speaks for each, and which was right.
pub(super) struct Choice {
    pub(super) rows: Vec<[f64; 5]>,
    pub(super) right: usize,
}

/// The weights of the log-linear model under which the right choices are most likely, from where to begin.
///
/// # Source
/// Conditional (multinomial) logit: McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior" (1974).
pub(super) fn fit(choices: &[Choice], begin: [f64; 5]) -> [f64; 5] {
    let mut weights = begin;
    let trials = choices.len().max(1) as f64;
    for _ in 0..STEPS {
        let mut gradient = [0.0; 5];
        for choice in choices {
            let scores: Vec<f64> = choice.rows.iter().map(|row| row.iter().zip(weights).map(|(x, w)| x * w).sum()).collect();
            let shares = softmax(&scores);
            for (at, (row, share)) in choice.rows.iter().zip(shares).enumerate() {
                let surprise = if at == choice.right { 1.0 - share } else { -share };
                gradient.iter_mut().zip(row).for_each(|(sum, x)| *sum += surprise * x);
            }
        }
        for ((weight, slope), origin) in weights.iter_mut().zip(gradient).zip(begin) {
            *weight += RATE * (slope - PULL * (*weight - origin)) / trials;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_that_is_right_in_nine_of_ten_cases_gets_the_log_of_nine() {
        // Two candidates that look alike; the hint fits the first, which is right in 900 cases of 1000.
        let choice = |right| Choice { rows: vec![[-0.7, 1.0, 0.0, 0.0, 0.0], [-0.7, 0.0, 0.0, 0.0, 0.0]], right };
        let choices: Vec<Choice> = (0..1_000).map(|at| choice(usize::from(at % 10 == 0))).collect();
        let found = fit(&choices, [1.0, 2.0, 2.0, 2.0, 2.0]);
        assert!((found[1] - 9.0_f64.ln()).abs() < 0.05, "{found:?}");
        assert_eq!(found[2], 2.0);
    }
}
