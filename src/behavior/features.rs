use crate::domain::{Channel, SessionFeatures};

use std::f32::consts::TAU;

/// How many numbers describe a session.
pub const FEATURES: usize = TABLE.len();

/// A standardised value is cut to this many deviations: one session left open over night must not shout down everything else.
const DEVIATIONS_MAX: f32 = 4.0;

/// One measured number of a session.
struct Feature {
    /// Its name in the weights file. Fixed: a renamed feature is another feature.
    name: &'static str,
    /// What it is called in an explanation; features that measure one thing together share it.
    shown_as: &'static str,
    /// Takes the number, or `None` where it is not known.
    measure: fn(&SessionFeatures) -> Option<f32>,
}

/// Counts and times have long tails: the tenth turn says less than the second. ln(1 + x), with x at least 0.
fn log(count: f32) -> Option<f32> {
    Some(count.max(0.0).ln_1p())
}

fn flag(holds: bool) -> Option<f32> {
    Some(if holds { 1.0 } else { 0.0 })
}

/// The vector, in order. The order is stored with the weights, so a change here asks for new weights.
const TABLE: [Feature; 23] = [
    Feature { name: "turns_log", shown_as: "turns", measure: |s| log(s.turns as f32) },
    Feature { name: "seconds_log", shown_as: "time spent", measure: |s| log(s.seconds) },
    // The hour as a point on a circle, so that 23:30 lies beside 0:30.
    Feature { name: "hour_sin", shown_as: "hour", measure: |s| Some((s.hour / 24.0 * TAU).sin()) },
    Feature { name: "hour_cos", shown_as: "hour", measure: |s| Some((s.hour / 24.0 * TAU).cos()) },
    Feature { name: "channel_kiosk", shown_as: "channel", measure: |s| flag(s.channel == Channel::Kiosk) },
    Feature { name: "channel_phone", shown_as: "channel", measure: |s| flag(s.channel == Channel::Phone) },
    Feature { name: "channel_typed", shown_as: "channel", measure: |s| flag(s.channel == Channel::Typed) },
    Feature { name: "sentiment", shown_as: "sentiment", measure: |s| s.sentiment },
    Feature { name: "sentiment_known", shown_as: "sentiment", measure: |s| flag(s.sentiment.is_some()) },
    Feature { name: "sentiment_min", shown_as: "lowest sentiment", measure: |s| s.sentiment_min },
    Feature { name: "sentiment_min_known", shown_as: "lowest sentiment", measure: |s| flag(s.sentiment_min.is_some()) },
    Feature { name: "unanswered_log", shown_as: "unanswered turns", measure: |s| log(s.unanswered as f32) },
    Feature { name: "product_questions_log", shown_as: "product questions", measure: |s| log(s.product_questions as f32) },
    Feature { name: "asks_for_person", shown_as: "asks for a person", measure: |s| flag(s.asks_for_person) },
    Feature { name: "intent_confidence", shown_as: "clarity of the request", measure: |s| s.intent_confidence },
    Feature { name: "intent_known", shown_as: "clarity of the request", measure: |s| flag(s.intent_confidence.is_some()) },
    Feature { name: "price_log", shown_as: "price", measure: |s| s.price_cents.and_then(|cents| log(cents as f32)) },
    Feature { name: "price_known", shown_as: "price", measure: |s| flag(s.price_cents.is_some()) },
    Feature { name: "on_offer", shown_as: "offer", measure: |s| flag(s.on_offer) },
    Feature { name: "in_stock", shown_as: "stock", measure: |s| s.in_stock.and_then(flag) },
    Feature { name: "stock_known", shown_as: "stock", measure: |s| flag(s.in_stock.is_some()) },
    Feature { name: "basket_log", shown_as: "basket", measure: |s| log(s.basket as f32) },
    Feature { name: "basket_empty", shown_as: "basket", measure: |s| flag(s.basket == 0) },
];

/// Names of the features, in order.
pub fn feature_names() -> [&'static str; FEATURES] {
    TABLE.map(|feature| feature.name)
}

/// What each feature is called in an explanation, in order; several features may share a word.
pub(super) fn shown_names() -> [&'static str; FEATURES] {
    TABLE.map(|feature| feature.shown_as)
}

/// The numbers as they were measured; `None` for what is not known, also where it is no finite number.
pub(super) fn measure(session: &SessionFeatures) -> [Option<f32>; FEATURES] {
    TABLE.map(|feature| (feature.measure)(session).filter(|value| value.is_finite()))
}

/// Mean and deviation of each feature over the training sessions, so that the average session is the zero vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardisation {
    /// Mean over the sessions where the feature was known.
    pub mean: [f32; FEATURES],
    /// Standard deviation there; 1 for a feature that never varied.
    pub deviation: [f32; FEATURES],
}

impl Standardisation {
    /// Measures the training sessions. A feature that was never known gets mean 0 and deviation 1.
    pub fn fit<'a>(sessions: impl Iterator<Item = &'a SessionFeatures>) -> Self {
        let (mut count, mut sum, mut square) = ([0_u32; FEATURES], [0.0_f64; FEATURES], [0.0_f64; FEATURES]);
        for session in sessions {
            for (at, value) in measure(session).into_iter().enumerate() {
                let Some(value) = value.map(f64::from) else { continue };
                count[at] += 1;
                sum[at] += value;
                square[at] += value * value;
            }
        }
        let mut fitted = Self { mean: [0.0; FEATURES], deviation: [1.0; FEATURES] };
        for at in 0..FEATURES {
            let known = f64::from(count[at].max(1));
            let mean = sum[at] / known;
            let deviation = (square[at] / known - mean * mean).max(0.0).sqrt();
            fitted.mean[at] = mean as f32;
            // Below this a feature is constant but for rounding, and dividing by it would blow the rounding up.
            fitted.deviation[at] = if deviation > 1e-4 { deviation as f32 } else { 1.0 };
        }
        fitted
    }

    /// The vector for the network: deviations from the average session, 0 for what is not known.
    pub fn apply(&self, session: &SessionFeatures) -> [f32; FEATURES] {
        let measured = measure(session);
        std::array::from_fn(|at| match measured[at] {
            Some(value) => ((value - self.mean[at]) / self.deviation[at]).clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX),
            None => 0.0,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A calm first turn at the kiosk at noon.
    pub fn session() -> SessionFeatures {
        SessionFeatures {
            turns: 1,
            seconds: 20.0,
            hour: 12.0,
            channel: Channel::Kiosk,
            sentiment: None,
            sentiment_min: None,
            unanswered: 0,
            product_questions: 0,
            asks_for_person: false,
            intent_confidence: Some(0.8),
            price_cents: Some(199),
            on_offer: false,
            in_stock: Some(true),
            basket: 0,
        }
    }

    fn value(session: &SessionFeatures, name: &str) -> Option<f32> {
        let at = feature_names().iter().position(|n| *n == name).expect("a feature of the table");
        measure(session)[at]
    }

    #[test]
    fn every_feature_has_its_own_name() {
        let mut names = feature_names().to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FEATURES);
    }

    #[test]
    fn half_past_eleven_at_night_is_near_half_past_midnight() {
        let at = |hour| {
            let s = SessionFeatures { hour, ..session() };
            (value(&s, "hour_sin").unwrap(), value(&s, "hour_cos").unwrap())
        };
        let (late, early, noon) = (at(23.5), at(0.5), at(12.0));
        let apart = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).hypot(a.1 - b.1);
        assert!(apart(late, early) < 0.3);
        assert!(apart(late, noon) > 1.9);
    }

    #[test]
    fn what_is_not_known_is_the_average_and_says_so() {
        let known = SessionFeatures { sentiment: Some(0.5), ..session() };
        let also = SessionFeatures { sentiment: Some(-0.5), ..session() };
        let scale = Standardisation::fit([&known, &also, &session()].into_iter());
        let vector = scale.apply(&session());
        let at = |name| feature_names().iter().position(|n| *n == name).unwrap();
        assert_eq!(vector[at("sentiment")], 0.0);
        assert!(vector[at("sentiment_known")] < scale.apply(&known)[at("sentiment_known")]);
    }

    #[test]
    fn nan_counts_as_unknown_and_an_endless_session_is_cut() {
        let broken = SessionFeatures { sentiment: Some(f32::NAN), seconds: f32::INFINITY, hour: f32::NAN, ..session() };
        assert_eq!(value(&broken, "sentiment"), None);
        let scale = Standardisation::fit([&session(), &SessionFeatures { seconds: 30.0, ..session() }].into_iter());
        let endless = SessionFeatures { seconds: f32::MAX, ..session() };
        for s in [&broken, &endless] {
            assert!(scale.apply(s).iter().all(|x| x.abs() <= DEVIATIONS_MAX));
        }
    }
}
