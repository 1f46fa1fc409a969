use super::features::{FEATURES, Standardisation, shown_names};
use super::isolation::IsolationForest;
use super::simulate::{SimulationConfig, World, simulate};
use super::{BehaviorError, TEXT};
use crate::domain::{Catalog, IntentDefinition, Probability, SessionFeatures};

/// Fewer sessions than this do not say what is usual.
pub(super) const SESSIONS_MIN: usize = 50;
/// Shoppers simulated where a shop has too few of its own.
const SIMULATED: usize = 2_000;

/// How unlike the usual ones a session is while it runs.
#[derive(Debug, Clone)]
pub struct UnusualSessions {
    scales: Standardisation,
    forest: IsolationForest,
}

impl UnusualSessions {
    /// Learns what is usual from sessions as they were at some turn. `None` where there are fewer than 50.
    ///
    /// Deterministic: the same sessions in the same order give the same scores.
    pub fn learn(sessions: &[SessionFeatures]) -> Option<Self> {
        if sessions.len() < SESSIONS_MIN {
            return None;
        }
        let scales = Standardisation::fit(sessions.iter());
        let rows: Vec<f32> = sessions.iter().flat_map(|session| scales.apply(session)).collect();
        Some(Self { forest: IsolationForest::fit(&rows, FEATURES, IsolationForest::QUICK, 1)?, scales })
    }

    /// Sessions of simulated shoppers of this shop, to learn from where it has none of its own.
    /// # Errors
    /// Where the shop has no products or no intents.
    pub fn simulated(catalog: &Catalog, intents: &[IntentDefinition]) -> Result<Vec<SessionFeatures>, BehaviorError> {
        let config = SimulationConfig {
            shoppers_train: SIMULATED,
            shoppers_validation: 0,
            shoppers_test: 0,
            sentences_train: 100,
            sentences_held_out: 1,
            ..SimulationConfig::default()
        };
        // Only their sessions are wanted, so that one vector does for all sentences.
        let mut embed = |texts: &[String]| Ok(vec![vec![1.0; TEXT]; texts.len()]);
        let examples = simulate(World { catalog, intents, prototypes: &[] }, &config, &mut embed)?;
        Ok(examples.train.into_iter().map(|example| example.session).collect())
    }

    /// From 0 to 1; one half for a session among many.
    pub fn score(&self, session: &SessionFeatures) -> Probability {
        Probability::clamped(self.forest.score(&self.scales.apply(session)))
    }

    /// In what the session is most unlike the average one. Takes some twenty times as long as the score.
    pub fn reason(&self, session: &SessionFeatures) -> &'static str {
        let effects = self.forest.reasons(&self.scales.apply(session), &[0.0; FEATURES]);
        let largest = (0..FEATURES).reduce(|a, b| if effects[b] > effects[a] { b } else { a });
        largest.map_or("", |at| shown_names()[at])
    }
}

#[cfg(test)]
mod tests {
    use super::super::BehaviorConfig;
    use super::super::features::tests::session;
    use super::super::simulate::tests::{catalog, intents};
    use super::*;

    #[test]
    fn a_session_unlike_the_simulated_ones_is_above_the_threshold_and_few_of_them_are() {
        let sessions = UnusualSessions::simulated(&catalog(), &intents()).expect("sessions");
        let unusual = UnusualSessions::learn(&sessions).expect("enough");
        let threshold = BehaviorConfig::default().anomaly_threshold;
        let above = sessions.iter().filter(|session| unusual.score(session).get() >= threshold).count();
        assert!(above * 100 <= sessions.len(), "{above} of {} usual sessions are above the threshold", sessions.len());
        let strange = SessionFeatures {
            turns: 60,
            seconds: 7_200.0,
            hour: 3.5,
            sentiment: Some(-1.0),
            sentiment_min: Some(-1.0),
            unanswered: 40,
            asks_for_person: true,
            intent_confidence: Some(0.05),
            basket: 30,
            ..session()
        };
        let score = unusual.score(&strange).get();
        assert!(score >= threshold, "{score}");
        assert!(!unusual.reason(&strange).is_empty());
        assert_eq!(UnusualSessions::learn(&sessions).expect("enough").score(&strange).get(), score, "the same sessions, the same scores");
    }

    #[test]
    fn too_few_sessions_are_not_learnt_from_and_strange_numbers_are_no_trouble() {
        assert!(UnusualSessions::learn(&vec![session(); 49]).is_none());
        let unusual = UnusualSessions::learn(&vec![session(); 50]).expect("enough");
        let strange = SessionFeatures { seconds: f32::NAN, hour: f32::INFINITY, turns: u32::MAX, ..session() };
        assert!((0.0..=1.0).contains(&unusual.score(&strange).get()));
    }
}
