//! What training by DP-SGD tells about a single row, as epsilon at a delta.

/// Orders of the Rényi divergence that are tried: those of Opacus, so that both find the same minimum.
fn orders() -> impl Iterator<Item = f64> {
    (1..100).map(|tenth| 1.0 + f64::from(tenth) / 10.0).chain((12..64).map(f64::from))
}

/// Epsilon after so many steps, each of which takes every row with probability `sample_rate` and adds noise of `noise` times the bound of a
/// row's gradient. Infinite without noise.
/// # Source
/// Mironov, Talwar & Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism" (2019); from Rényi to epsilon: Balle et al.,
/// "Hypothesis Testing Interpretations and Renyi Differential Privacy" (2020), theorem 21.
pub fn epsilon(noise: f64, sample_rate: f64, steps: usize, delta: f64) -> f64 {
    let at = |order: f64| {
        let spent = steps as f64 * divergence(order, noise, sample_rate);
        spent - (delta.ln() + order.ln()) / (order - 1.0) + ((order - 1.0) / order).ln()
    };
    orders().map(at).filter(|epsilon| !epsilon.is_nan()).fold(f64::INFINITY, f64::min).max(0.0)
}

/// The least noise with which so many steps stay within epsilon, to a thousandth. `None` where even a thousandfold noise is too little.
pub fn noise_for(epsilon_max: f64, sample_rate: f64, steps: usize, delta: f64) -> Option<f64> {
    let (mut low, mut high) = (0.0, 1.0);
    while epsilon(high, sample_rate, steps, delta) > epsilon_max {
        (low, high) = (high, high * 2.0);
        if high > 1_000.0 {
            return None;
        }
    }
    while high - low > 1e-4 * high {
        let middle = (low + high) / 2.0;
        if epsilon(middle, sample_rate, steps, delta) > epsilon_max { low = middle } else { high = middle }
    }
    Some(high)
}

/// Rényi divergence of one step at an order above 1.
fn divergence(order: f64, noise: f64, sample_rate: f64) -> f64 {
    if sample_rate == 0.0 {
        0.0
    } else if noise == 0.0 {
        f64::INFINITY
    } else if sample_rate >= 1.0 {
        order / (2.0 * noise * noise)
    } else {
        let log_moment =
            if order.fract() == 0.0 { whole_order(order, noise, sample_rate) } else { broken_order(order, noise, sample_rate) };
        log_moment / (order - 1.0)
    }
}

/// Section 3.3 of Mironov et al.: a finite sum.
fn whole_order(order: f64, noise: f64, sample_rate: f64) -> f64 {
    let term = |k: f64| {
        let choose = ln_gamma(order + 1.0) - ln_gamma(k + 1.0) - ln_gamma(order - k + 1.0);
        choose + k * sample_rate.ln() + (order - k) * (1.0 - sample_rate).ln() + (k * k - k) / (2.0 * noise * noise)
    };
    (0..=order as u32).map(|k| term(f64::from(k))).fold(f64::NEG_INFINITY, ln_sum)
}

/// Section 3.3 of Mironov et al. for other orders: two alternating series, cut where terms no longer count.
fn broken_order(order: f64, noise: f64, sample_rate: f64) -> f64 {
    let square = noise * noise;
    let split = square * (1.0 / sample_rate - 1.0).ln() + 0.5;
    let (ln_q, ln_rest) = (sample_rate.ln(), (1.0 - sample_rate).ln());
    // Sums of the terms above and below 0, as logarithms, for the parts on both sides of the split.
    let (mut plus, mut minus) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut ln_choose, mut sign) = (0.0_f64, 1.0);
    for i in 0..10_000 {
        let i = f64::from(i);
        let j = order - i;
        let below = ln_choose + i * ln_q + j * ln_rest + (i * i - i) / (2.0 * square) + ln_tail((i - split) / noise);
        let above = ln_choose + j * ln_q + i * ln_rest + (j * j - j) / (2.0 * square) + ln_tail((split - j) / noise);
        let both = ln_sum(below, above);
        if sign > 0.0 {
            plus = ln_sum(plus, both)
        } else {
            minus = ln_sum(minus, both)
        }
        if below.max(above) < -30.0 {
            break;
        }
        // The next binomial coefficient is this one times (order - i) / (i + 1), which turns negative after the order.
        let next = (order - i) / (i + 1.0);
        ln_choose += next.abs().ln();
        sign *= next.signum();
    }
    if minus == f64::NEG_INFINITY { plus } else { plus + (-(minus - plus).exp()).ln_1p() }
}

/// ln(e^a + e^b).
fn ln_sum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// ln of the normal curve's area beyond x.
fn ln_tail(x: f64) -> f64 {
    if x < 5.0 {
        return (0.5 * erfc(x / std::f64::consts::SQRT_2)).ln();
    }
    // The continued fraction 1 / (x + 1 / (x + 2 / (x + 3 / ..))), times the curve's height.
    let fraction = (1..60).rev().fold(x, |below, k| x + f64::from(k) / below);
    -x * x / 2.0 - (2.0 * std::f64::consts::PI).ln() / 2.0 - fraction.ln()
}

/// The complementary error function, by its series, which converges fast below 4.
fn erfc(x: f64) -> f64 {
    // erf(x) = 2 / sqrt(pi) * e^(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * .. * (2n+1)): all terms have one sign, so nothing cancels.
    if x.abs() > 6.0 {
        return if x > 0.0 { 0.0 } else { 2.0 };
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..400 {
        term *= 2.0 * x * x / (2.0 * f64::from(n) + 1.0);
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    1.0 - 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

/// ln of the gamma function, for x of 1 and more.
/// # Source
/// Stirling's series after shifting x above 10.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `benches/peers/behavior_privacy.py` printed.
    #[derive(serde::Deserialize)]
    struct Case {
        noise: f64,
        sample_rate: f64,
        steps: usize,
        delta: f64,
        epsilon: f64,
    }

    #[test]
    fn epsilon_agrees_with_opacus_within_one_percent() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("reference/opacus.json")).unwrap();
        assert!(cases.len() >= 20);
        for case in cases {
            let found = epsilon(case.noise, case.sample_rate, case.steps, case.delta);
            let apart = (found / case.epsilon - 1.0).abs();
            let at = (case.noise, case.sample_rate, case.steps);
            assert!(apart < 0.01, "{at:?}: {found} is not {}", case.epsilon);
        }
    }

    #[test]
    fn the_noise_that_is_found_keeps_within_epsilon_and_hardly_below() {
        let noise = noise_for(3.0, 0.03, 600, 1e-5).unwrap();
        let reached = epsilon(noise, 0.03, 600, 1e-5);
        assert!(reached <= 3.0 && reached > 2.99, "{reached}");
        assert_eq!(noise_for(1e-9, 0.5, 1_000_000, 1e-9), None);
    }

    #[test]
    fn more_noise_and_fewer_steps_tell_less() {
        assert!(epsilon(2.0, 0.02, 500, 1e-5) < epsilon(1.0, 0.02, 500, 1e-5));
        assert!(epsilon(1.0, 0.02, 100, 1e-5) < epsilon(1.0, 0.02, 500, 1e-5));
        assert_eq!(epsilon(0.0, 0.02, 1, 1e-5), f64::INFINITY);
    }
}
