use super::Desk;
use crate::dialogue::{Decision, OrderAct};
use crate::domain::{Act, DialogueState, EntityKind, IntentKind, Prediction, ProductId, SessionId, Sighting, TurnRecord, Understanding};
use crate::recommend::{Offers, PriceWish, RecommendRequest};

/// The wish that asks for a lower price, as the word lists call it.
const CHEAPER: &str = "cheaper";

impl Desk {
    /// What to offer beside the answer: gathers what the turn and the conversation know for the recommender.
    pub(super) fn offers(
        &self,
        session: &SessionId,
        decision: &Decision,
        state: &DialogueState,
        understanding: Option<&Understanding>,
        sighting: Option<&Sighting>,
        prediction: Option<&Prediction>,
    ) -> Offers {
        let phrasebook = &self.parts.dialogue.phrasebook;
        let Some((intent, product)) = about(decision, &self.parts.dialogue.orders.menu().intent) else { return Offers::default() };
        let values = |kind| understanding.into_iter().flat_map(move |u| u.values(kind)).collect::<Vec<&str>>();
        // Offering something to a person who complains, says goodbye or asks for somebody is rude.
        let kind = phrasebook.definition(intent).map(|d| d.kind);
        if matches!(kind, Some(IntentKind::Handoff | IntentKind::Smalltalk)) {
            return Offers::default();
        }
        let companions_only = phrasebook.manner(intent).is_some_and(|manner| manner.act == Some(Act::GoWith));
        let mut talked_about: Vec<_> = product.iter().map(|id| (*id).clone()).collect();
        // What goes with one product need not go with the one before it, and may be that one.
        talked_about.extend(state.product.iter().filter(|id| Some(*id) != product && !companions_only).cloned());
        let basket: Vec<_> = state.basket.products().cloned().collect();
        let wishes = values(EntityKind::Wish);
        // Who asked about nuts is not offered nuts a minute later either.
        let avoided = self.parts.recommender.avoided(session);
        let mut allergens = values(EntityKind::Allergen);
        allergens.extend(avoided.iter().map(String::as_str).filter(|a| !values(EntityKind::Allergen).contains(a)));
        let free_from = self.free_from(&allergens);
        let mut diets = values(EntityKind::Diet);
        diets.extend(free_from.iter().map(String::as_str));
        self.parts.recommender.recommend(&RecommendRequest {
            talked_about: &talked_about,
            categories: &values(EntityKind::Category),
            brands: &values(EntityKind::Brand),
            price: if wishes.contains(&CHEAPER) { PriceWish::Cheaper } else { PriceWish::Any },
            allergens: &allergens,
            diets: &diets,
            basket: &basket,
            turn: Some((session, state.turns + 1)),
            sentence: understanding.map(|u| u.embedding.as_slice()),
            photo: sighting.map(|s| s.embedding.as_slice()),
            asked: kind == Some(IntentKind::Recommend),
            companions_only,
            prediction,
        })
    }

    /// Notes what a turn that is in the log offered, which allergens it asked about, and what was ordered for good: the recommender learns
    /// from it.
    pub(super) fn note_offers(&self, record: &TurnRecord) {
        let recommender = &self.parts.recommender;
        let asked = record.understanding.iter().flat_map(|u| u.values(EntityKind::Allergen)).map(str::to_owned).collect::<Vec<_>>();
        recommender.avoid(&record.session, &asked);
        recommender.shown(&record.session, record.turn, &record.recommendations);
        if record.state.basket.is_confirmed {
            let taken: Vec<_> = record.state.basket.products().cloned().collect();
            recommender.taken(&record.session, &taken);
        }
    }

    /// Who asks about lactose must be offered what is lactose-free: where the catalog has a diet "X-free", it says more of X than the
    /// list of allergens, which may not know X at all.
    fn free_from(&self, allergens: &[&str]) -> Vec<String> {
        let is_known = |diet: &String| self.parts.catalog.products().iter().any(|product| product.diet.contains(diet));
        allergens.iter().map(|allergen| format!("{allergen}-free")).filter(is_known).collect()
    }
}

/// The intent and the product that an answer is about; what is no answer is no occasion to offer something.
fn about<'a>(decision: &'a Decision, order_intent: &'a str) -> Option<(&'a str, Option<&'a ProductId>)> {
    match decision {
        Decision::Answer { intent, product, .. } => Some((intent, product.as_ref())),
        Decision::Order(OrderAct::Add(wishes)) => Some((order_intent, wishes.iter().find_map(|wish| wish.product.as_ref()))),
        _ => None,
    }
}
