use rand::Rng;
use rand::rngs::StdRng;

use super::persona::Persona;
use super::utterances::Tone;
use super::{chance_of, normal};
use crate::behavior::calibrate::sigmoid;
use crate::behavior::outcome::{HEADS, Head, Outcomes};
use crate::domain::{IntentKind, SessionFeatures};

/// Where the logits start: chosen so that about a third buy, a fifth take a recommendation, and an eighth each need a person or leave.
const START: [f32; HEADS] = [-1.4, -2.4, -3.1, -2.1];
/// Deviation of what nobody can see, in logits.
const NOISE: f32 = 0.5;
/// How strongly the product on the photo moves each outcome, in logits for one deviation of taste.
const TASTE: [f32; HEADS] = [1.5, 1.4, 1.3, 1.3];
/// Hours at which a product is wanted most, in logits above the daily mean (breakfast, lunch, dinner).
const DAYPART: f32 = 1.2;
const PEAK_HOURS: [f32; 3] = [8.0, 13.0, 19.0];

/// What the outcome depends on. The network never sees persona, mood, intent, tone and class themselves, but only their traces:
/// the embedding of the words, the embedding of the photo, and noisy features of the session.
pub(super) struct Circumstances<'a> {
    pub persona: &'static Persona,
    pub mood: f32,
    /// Kind of intent and tone of what was said.
    pub said: Option<(IntentKind, Tone)>,
    /// Index of the class on the photo.
    pub class: Option<usize>,
    pub session: &'a SessionFeatures,
}

/// The hidden rule of the simulated shop: a logit for each outcome,
///
/// `start + persona + words(intent, tone) + photo(taste of the class) + photo x session(hour) + photo x words + session + noise`.
///
/// *Words*: an order and an eager tone sell; a wish for advice and a curious tone take recommendations; a complaint needs a person.
/// *Photo*: each class has a taste of its own for each outcome, drawn once; the words need not name it.
/// *Together*: each class has an hour of the day at which it sells, and its taste counts double in questions about a product and in
/// orders. Neither can be learnt from one kind of input alone.
/// *Session*: mood, unanswered turns, offer, stock, price and basket, each as one would expect.
/// Whoever buys or is helped by a person does not leave without an answer.
pub(super) struct HiddenRule {
    tastes: Vec<[f32; HEADS]>,
    peak_hours: Vec<f32>,
}

impl HiddenRule {
    /// Draws the tastes of a shop with so many photo classes.
    pub fn draw(classes: usize, chance: &mut StdRng) -> Self {
        Self {
            tastes: (0..classes).map(|_| std::array::from_fn(|_| normal(chance))).collect(),
            peak_hours: (0..classes).map(|_| PEAK_HOURS[chance.random_range(0..PEAK_HOURS.len())]).collect(),
        }
    }

    /// What happens.
    pub fn outcomes(&self, of: &Circumstances<'_>, chance: &mut StdRng) -> Outcomes {
        let logits = self.logits(of);
        let mut happens = logits.map(|logit| {
            let unseen = NOISE * normal(chance);
            chance_of(chance, sigmoid(f64::from(logit + unseen)) as f32)
        });
        let served = happens[Head::Purchase as usize] || happens[Head::HandoffNeeded as usize];
        happens[Head::Abandon as usize] &= !served;
        happens
    }

    fn logits(&self, of: &Circumstances<'_>) -> [f32; HEADS] {
        let parts = [START, of.persona.bent, words(of.said), self.photo(of), session(of)];
        std::array::from_fn(|head| parts.iter().map(|part| part[head]).sum())
    }

    fn photo(&self, of: &Circumstances<'_>) -> [f32; HEADS] {
        let Some(class) = of.class else { return [0.0; HEADS] };
        let about_product = matches!(of.said, Some((IntentKind::Fact | IntentKind::Order, _)));
        let weight = if about_product { 1.3 } else { 0.65 };
        let mut moved: [f32; HEADS] = std::array::from_fn(|head| weight * TASTE[head] * self.tastes[class][head]);
        let from_peak = (of.session.hour - self.peak_hours[class]) / 24.0 * std::f32::consts::TAU;
        moved[Head::Purchase as usize] += DAYPART * from_peak.cos();
        moved
    }
}

/// What the words say of purchase, recommendation, handoff and leaving.
fn words(said: Option<(IntentKind, Tone)>) -> [f32; HEADS] {
    let Some((kind, tone)) = said else { return [0.0; HEADS] };
    let wish = match kind {
        IntentKind::Fact => [0.3, 0.2, -0.2, -0.2],
        IntentKind::Faq => [-0.6, -0.3, 0.2, 0.0],
        IntentKind::Recommend => [0.4, 1.9, -0.5, -0.3],
        IntentKind::Handoff => [-1.2, -0.8, 2.2, 0.4],
        IntentKind::Order => [2.0, 0.5, -0.4, -1.0],
        IntentKind::Smalltalk => [-1.0, -0.3, -0.8, 0.4],
        IntentKind::OutOfScope => [-1.4, -0.8, 0.5, 2.0],
    };
    let manner = match tone {
        Tone::Plain => [0.0; HEADS],
        Tone::Eager => [1.6, 0.5, -0.2, -1.2],
        Tone::Hesitant => [-1.3, 0.2, 0.2, 1.3],
        Tone::Annoyed => [-0.8, -0.8, 1.6, 1.6],
        Tone::Curious => [0.1, 1.4, 0.0, -0.3],
    };
    std::array::from_fn(|head| wish[head] + manner[head])
}

/// What the session says of purchase, recommendation, handoff and leaving.
fn session(of: &Circumstances<'_>) -> [f32; HEADS] {
    let s = of.session;
    let gone = if s.in_stock == Some(false) { 1.0 } else { 0.0 };
    let offer = if s.on_offer { 1.0 } else { 0.0 };
    let unanswered = s.unanswered.min(4) as f32;
    let basket = s.basket.min(6) as f32;
    // ln of the price against 2.50, 0 where there is no product.
    let dear = s.price_cents.map_or(0.0, |cents| (cents.max(1) as f32 / 250.0).ln().clamp(-2.0, 2.0));
    [
        0.6 * of.mood - 0.4 * unanswered + 0.25 * basket + 0.8 * offer - 3.0 * gone - 0.4 * dear,
        0.4 * of.mood - 0.2 * unanswered + 0.2 * basket + 0.4 * offer + 1.5 * gone,
        -of.mood + 0.9 * unanswered + 0.4 * gone + 0.3 * dear,
        -0.7 * of.mood + 0.6 * unanswered - 0.3 * basket + 1.2 * gone + 0.3 * dear,
    ]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::persona::PERSONAS;
    use super::*;
    use crate::behavior::features::tests::session as noon;

    fn purchase(said: Option<(IntentKind, Tone)>, class: Option<usize>, session: &SessionFeatures) -> f32 {
        let rule = HiddenRule::draw(3, &mut StdRng::seed_from_u64(1));
        rule.logits(&Circumstances { persona: &PERSONAS[0], mood: 0.0, said, class, session })[Head::Purchase as usize]
    }

    #[test]
    fn an_order_sells_more_than_small_talk_and_an_empty_shelf_less_than_a_full_one() {
        let order = Some((IntentKind::Order, Tone::Eager));
        assert!(purchase(order, None, &noon()) > purchase(Some((IntentKind::Smalltalk, Tone::Plain)), None, &noon()) + 2.0);
        let gone = SessionFeatures { in_stock: Some(false), ..noon() };
        assert!(purchase(order, None, &gone) < purchase(order, None, &noon()) - 2.0);
    }

    #[test]
    fn what_the_photo_is_worth_depends_on_the_words_and_on_the_hour() {
        let worth = |said, session: &SessionFeatures| purchase(said, Some(0), session) - purchase(said, None, session);
        let question = Some((IntentKind::Fact, Tone::Plain));
        assert_ne!(worth(question, &noon()), worth(Some((IntentKind::Faq, Tone::Plain)), &noon()));
        assert_ne!(worth(question, &noon()), worth(question, &SessionFeatures { hour: 20.0, ..noon() }));
    }

    #[test]
    fn who_buys_does_not_leave_without_an_answer() {
        let mut chance = StdRng::seed_from_u64(5);
        let rule = HiddenRule::draw(3, &mut chance);
        let session = SessionFeatures { unanswered: 4, ..noon() };
        for _ in 0..500 {
            let of = Circumstances { persona: &PERSONAS[4], mood: -1.0, said: None, class: None, session: &session };
            let [buys, _, handed, leaves] = rule.outcomes(&of, &mut chance);
            assert!(!(leaves && (buys || handed)));
        }
    }
}
