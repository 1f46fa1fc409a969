use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::RecommendConfig;
use super::bandit::strengths;
use super::choose::{Candidate, choose, seed};
use super::collaborative::Tastes;
use super::explain::Evidence;
use super::learned::{EXPLORE_FROM, Learned};
use crate::domain::{
    Catalog, EvidenceStrengths, Feedback, OfferedTurn, PassedOver, Prediction, PriceCents, Probability, Product, ProductId, Recommendation,
    SessionId,
};

/// Offered at most: more are not listened to at a kiosk.
pub const OFFERS_MAX: usize = 3;

/// What lies below is no reason to speak. A lone alternative of the same category (0.25) just passes.
const SCORE_MIN: f32 = 0.2;

/// Cosine at which a description begins to count; MiniLM gives unrelated sentences 0.0 to 0.2 and near ones 0.5 and more.
const SENTENCE_COSINE_MIN: f32 = 0.3;
/// Cosine at which a likeness begins to count; photos of unlike groceries have 0.2, of one class 0.8 and more.
const PHOTO_COSINE_MIN: f32 = 0.6;

/// What being taken together weighs at most: less than the shop's own word (1.0) and more than a category that was named.
const TOGETHER: f32 = 0.8;
/// Lift from which it weighs that much; half of it at a lift of 2.
const LIFT_MAX: f64 = 4.0;
/// What the taste of alike people weighs at most: it is the least direct.
const TASTE: f32 = 0.5;
/// A product counts from so many times the tendency that its share of all baskets lets expect of this person, and weighs most at the
/// second of these: what everybody takes says nothing of one person's taste.
const TENDENCY_OVER_SHARE: (f64, f64) = (1.3, 3.0);

/// What the person wants of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriceWish {
    /// Nothing was said of it.
    #[default]
    Any,
    /// "Do you have something cheaper?" Only cheaper products of the same category are offered.
    Cheaper,
}

/// What is known when something is to be offered. Everything may be empty.
#[derive(Debug, Clone, Default)]
pub struct RecommendRequest<'a> {
    /// Products talked about or shown, the present one first. Unknown keys are passed over.
    pub talked_about: &'a [ProductId],
    /// Categories named, in the catalog's words.
    pub categories: &'a [&'a str],
    /// Brands named, in the catalog's words.
    pub brands: &'a [&'a str],
    /// What was said of the price.
    pub price: PriceWish,
    /// Allergens asked about, in the catalog's words: nothing that contains one, or of which it is not known, is offered.
    pub allergens: &'a [&'a str],
    /// Diets asked about, in the catalog's words: only what suits all of them is offered.
    pub diets: &'a [&'a str],
    /// Items noted for the person already.
    pub basket: &'a [ProductId],
    /// The conversation and the number of the turn: what was refused in it is not offered again, and by it the draw is made.
    pub turn: Option<(&'a SessionId, u32)>,
    /// The sentence, as long as the product embeddings.
    pub sentence: Option<&'a [f32]>,
    /// The photo, as long as the photo embeddings.
    pub photo: Option<&'a [f32]>,
    /// True where the person asked for a recommendation: then the full number is offered.
    pub asked: bool,
    /// Only what goes with a product talked about, as the shop says or as people take it, and for that reason.
    pub companions_only: bool,
    /// What the person is about to do; only scales how many are offered.
    pub prediction: Option<&'a Prediction>,
}

/// What to offer, and what could have been offered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offers {
    /// Offered, best first.
    pub offered: Vec<Recommendation>,
    /// Not offered.
    pub passed_over: Vec<PassedOver>,
}

/// Finds what to offer in one catalog, and learns from what is taken. Clones share what was learned.
#[derive(Debug, Clone)]
pub struct Recommender {
    catalog: Arc<Catalog>,
    currency_word: String,
    texts: HashMap<ProductId, Vec<f32>>,
    photos: HashMap<ProductId, Vec<f32>>,
    explore: f64,
    learned: Arc<RwLock<Learned>>,
    /// Held while tastes are fitted.
    fitting: Arc<Mutex<()>>,
}

impl Recommender {
    /// `currency_word` is the plural of the currency, as spoken. Without embeddings the words and photos of a request say nothing.
    pub fn new(catalog: Arc<Catalog>, currency_word: &str) -> Self {
        let (texts, photos) = (HashMap::new(), HashMap::new());
        Self {
            catalog,
            currency_word: currency_word.to_owned(),
            texts,
            photos,
            explore: 0.0,
            learned: Arc::default(),
            fitting: Arc::default(),
        }
    }

    /// With these settings; without them nothing is tried out by chance.
    pub fn with_settings(self, settings: &RecommendConfig) -> Self {
        Self { explore: settings.explore, ..self }
    }

    /// With embeddings of the products' descriptions, to compare with the sentence.
    pub fn with_texts(self, texts: HashMap<ProductId, Vec<f32>>) -> Self {
        Self { texts, ..self }
    }

    /// With embeddings of the products' photos, to compare with the photo.
    pub fn with_photos(self, photos: HashMap<ProductId, Vec<f32>>) -> Self {
        Self { photos, ..self }
    }

    /// Learns from the log at the start: turns and outcomes in any order, together those of one stretch of time.
    pub fn replay(&self, turns: &[OfferedTurn], outcomes: &[Feedback]) {
        self.learning().replay(turns, outcomes);
        self.refit_if_due();
    }

    /// Notes what was offered in a turn that is in the log, so that it can be judged.
    pub fn shown(&self, session: &SessionId, turn: u32, offered: &[Recommendation]) {
        self.learning().shown(session, turn, offered);
    }

    /// Notes what a person has surely taken. What goes with what is counted at once.
    pub fn taken(&self, session: &SessionId, products: &[ProductId]) {
        self.learning().taken(session, products);
    }

    /// Notes allergens that were asked about in a conversation.
    pub fn avoid(&self, session: &SessionId, allergens: &[String]) {
        self.learning().avoid(session, allergens);
    }

    /// Allergens that were asked about in a conversation, to be named in its later requests.
    pub fn avoided(&self, session: &SessionId) -> Vec<String> {
        self.known().avoided(session).to_vec()
    }

    /// Learns from an outcome, at once: the next turn of any conversation is offered by it.
    pub fn feedback(&self, feedback: &Feedback) {
        self.learning().feedback(feedback);
    }

    /// Fits tastes to the baskets anew, if enough came since the last time; takes up to seconds, while the desk goes on with the old
    /// ones. Returns whether it did; where another thread is at it, this one does not wait.
    pub fn refit_if_due(&self) -> bool {
        let Ok(_alone) = self.fitting.try_lock() else { return false };
        let Some((at, baskets)) = self.known().due() else { return false };
        let tastes = Learned::fit(&baskets);
        self.learning().fitted(at, tastes);
        true
    }

    /// The best few, best first, each with its reason; none where nothing speaks for any.
    pub fn recommend(&self, request: &RecommendRequest<'_>) -> Offers {
        let known = self.known();
        let refused = request.turn.map_or(&[][..], |(session, _)| known.refused(session));
        let anchors: Vec<&Product> = request.talked_about.iter().filter_map(|id| self.catalog.get(id)).collect();
        // What is shown or named counts as taken: at the first turn there is nothing else.
        let mut takes: Vec<&ProductId> = request.basket.iter().chain(request.talked_about).collect();
        takes.sort();
        takes.dedup();
        let person = known.tastes.as_ref().and_then(|tastes| Person::of(tastes, &takes, &known));
        let allowed = self.catalog.products().iter().filter(|product| may_be_offered(product, request) && !refused.contains(&product.id));
        let mut found: Vec<(f32, &Product, EvidenceStrengths, Evidence<'_>)> = allowed
            .filter_map(|product| {
                let mut evidence = self.evidence(product, &anchors, request);
                let is_cheaper = evidence.iter().any(|(_, e)| matches!(e, Evidence::Cheaper { .. }));
                if request.price == PriceWish::Cheaper && !is_cheaper {
                    return None;
                }
                evidence.extend(together(product, &anchors, &known));
                evidence.extend(person.as_ref().and_then(|person| person.taste(product, &known)));
                let score = evidence.iter().map(|(weight, _)| weight).sum();
                let kinds = by_kind(&evidence);
                let counts = |(_, e): &(f32, Evidence<'_>)| !request.companions_only || e.is_of_companion();
                let (_, reason) = evidence.into_iter().filter(counts).max_by(|a, b| a.0.total_cmp(&b.0))?;
                (score >= SCORE_MIN).then_some((score, product, kinds, reason))
            })
            .collect();
        // Equal scores: the cheaper one, then the order of the keys, so that a list never depends on chance alone.
        found.sort_by(|(a, one, ..), (b, other, ..)| b.total_cmp(a).then(one.price.cmp(&other.price)).then(one.id.cmp(&other.id)));
        let candidates: Vec<Candidate<'_>> = found
            .iter()
            .map(|(score, product, evidence, _)| Candidate { product: &product.id, strengths: strengths(evidence), score: *score })
            .collect();
        let explore = if known.bandit.judged() >= EXPLORE_FROM { self.explore } else { 0.0 };
        let seed = request.turn.map_or(0, |(session, turn)| seed(session.as_str(), turn));
        let offered = how_many(request);
        let choice = choose(&known.bandit, &candidates, offered, explore, seed);
        let mut offers = Offers::default();
        for (place, at) in choice.order.into_iter().enumerate() {
            let (_, product, evidence, reason) = &found[at];
            let (product_id, evidence) = (product.id.clone(), evidence.clone());
            let propensity = Probability::clamped(choice.propensities[place]);
            if place < offered {
                let (score, reason) = (choice.scores[place], reason.sentence(&self.currency_word));
                let (name, price) = (product.name.clone(), product.price);
                offers.offered.push(Recommendation { product: product_id, name, price, score, reason, evidence, propensity });
            } else {
                offers.passed_over.push(PassedOver { product: product_id, evidence, propensity });
            }
        }
        offers
    }

    fn known(&self) -> RwLockReadGuard<'_, Learned> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn learning(&self) -> RwLockWriteGuard<'_, Learned> {
        self.learned.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that speaks for a product, with weights. The weights are set by hand: what the shop itself says (goes with, replaces) above
    /// what was asked for, that above what is merely alike.
    fn evidence<'a>(&'a self, product: &'a Product, anchors: &[&'a Product], request: &RecommendRequest<'a>) -> Vec<(f32, Evidence<'a>)> {
        let mut found = Vec::new();
        for (rank, anchor) in anchors.iter().enumerate() {
            // What was talked about before counts for less than what is talked about now.
            let weight = 0.6_f32.powi(rank as i32);
            found.extend(relation(product, anchor, request.price).map(|(strength, evidence)| (strength * weight, evidence)));
        }
        found.extend(request.categories.iter().find(|c| product.category == **c).map(|c| (0.7, Evidence::Category(c))));
        found.extend(request.brands.iter().find(|b| product.brand.as_deref() == Some(**b)).map(|b| (0.6, Evidence::Brand(b))));
        let likeness = |known: &HashMap<ProductId, Vec<f32>>, given: Option<&[f32]>| cosine(known.get(&product.id)?, given?);
        let beyond = |cosine: Option<f32>, least: f32| cosine.filter(|c| *c > least).map(|c| (c - least) / (1.0 - least));
        found.extend(beyond(likeness(&self.texts, request.sentence), SENTENCE_COSINE_MIN).map(|near| (near, Evidence::Sentence)));
        found.extend(beyond(likeness(&self.photos, request.photo), PHOTO_COSINE_MIN).map(|near| (0.8 * near, Evidence::Photo)));
        // An offer alone is a reason only for who asks for a recommendation; else it lifts what there is another reason for.
        if request.asked || !found.is_empty() {
            found.extend(product.offer.as_deref().map(|offer| (0.3, Evidence::Offer(offer))));
        }
        found
    }
}

/// That people take a product with one of those talked about, as the baskets say; the strongest counts.
fn together<'a>(product: &Product, anchors: &[&'a Product], known: &Learned) -> Option<(f32, Evidence<'a>)> {
    let companions = anchors.iter().filter_map(|anchor| Some((*anchor, known.together.companion(&anchor.id, &product.id)?)));
    let (with, companion) = companions.max_by(|(_, a), (_, b)| a.log_lift.total_cmp(&b.log_lift))?;
    let strength = TOGETHER * (companion.log_lift / LIFT_MAX.ln()).min(1.0) as f32;
    Some((strength, Evidence::TakenTogether { with, both: companion.both, of: companion.of }))
}

/// A person's taste, as far as it is known by what they take.
struct Person<'a> {
    tastes: &'a Tastes,
    factors: Vec<f64>,
    /// Tendency for each share of the baskets, over all products that the person does not take yet.
    usual: f64,
}

impl<'a> Person<'a> {
    fn of(tastes: &'a Tastes, takes: &[&ProductId], known: &Learned) -> Option<Self> {
        let factors = tastes.person(takes)?;
        let of_others = tastes.tendency_to_all(&factors) - takes.iter().map(|id| tastes.tendency(&factors, id)).sum::<f64>();
        let shares = known.together.shares() - takes.iter().map(|id| known.together.share(id)).sum::<f64>();
        let usual = of_others / shares;
        (usual.is_finite() && usual > 0.0).then_some(Self { tastes, factors, usual })
    }

    /// That the person tends to a product more than its share of the baskets lets expect.
    fn taste<'e>(&self, product: &Product, known: &Learned) -> Option<(f32, Evidence<'e>)> {
        let (least, most) = TENDENCY_OVER_SHARE;
        let times = self.tastes.tendency(&self.factors, &product.id) / (self.usual * known.together.share(&product.id));
        let strength = TASTE * (((times - 1.0) / (most - 1.0)).clamp(0.0, 1.0) as f32);
        (times.is_finite() && times > least).then_some((strength, Evidence::Taste))
    }
}

/// Evidence of one kind together, in the order of the kinds.
fn by_kind(evidence: &[(f32, Evidence<'_>)]) -> EvidenceStrengths {
    let mut kinds = EvidenceStrengths::new();
    for (strength, evidence) in evidence {
        match kinds.iter_mut().find(|(kind, _)| *kind == evidence.kind()) {
            Some((_, sum)) => *sum += strength,
            None => kinds.push((evidence.kind(), *strength)),
        }
    }
    kinds.sort_by_key(|(kind, _)| *kind);
    kinds
}

/// How a product stands to one that is talked about; the strongest relation counts.
fn relation<'a>(product: &Product, anchor: &'a Product, wish: PriceWish) -> Option<(f32, Evidence<'a>)> {
    let same_category = product.category == anchor.category;
    // Without both prices nobody can say which is cheaper.
    let prices = anchor.price.zip(product.price);
    let saved = prices.map_or(0, |(anchor, product)| anchor.0.saturating_sub(product.0));
    if wish == PriceWish::Cheaper {
        return (same_category && saved > 0).then(|| cheaper(product, anchor, saved, 1.0));
    }
    if anchor.goes_with.contains(&product.id) {
        Some((1.0, Evidence::GoesWith(anchor)))
    } else if product.goes_with.contains(&anchor.id) {
        // Said of the other one: apples go with cheese, so cheese may be offered to apples, a little less surely.
        Some((0.7, Evidence::GoesWith(anchor)))
    } else if same_category && !anchor.in_stock {
        Some((0.9, Evidence::Replaces(anchor)))
    } else if same_category && saved > 0 {
        Some(cheaper(product, anchor, saved, 0.5))
    } else {
        same_category.then_some((0.25, Evidence::Alternative(anchor)))
    }
}

/// Cheaper by more is better, up to half the price.
fn cheaper<'a>(product: &Product, than: &'a Product, saved: u32, strength: f32) -> (f32, Evidence<'a>) {
    let share = (saved as f32 / than.price.map_or(1, |price| price.0).max(1) as f32).min(0.5) / 0.5;
    let same_shelf = !product.aisle.is_empty() && product.aisle == than.aisle && product.shelf == than.shelf;
    (strength * (0.6 + 0.4 * share), Evidence::Cheaper { than, by: PriceCents(saved), same_shelf })
}

/// What no score can make good. Unknown allergens count as contained: the shop's data do not say, so nobody may promise.
fn may_be_offered(product: &Product, request: &RecommendRequest<'_>) -> bool {
    let free_of = |allergen: &str| product.allergens.as_ref().is_some_and(|contained| !contained.iter().any(|a| a == allergen));
    let suits = |diet: &str| product.diet.iter().any(|d| d == diet);
    product.in_stock
        && !request.talked_about.contains(&product.id)
        && !request.basket.contains(&product.id)
        && request.allergens.iter().all(|allergen| free_of(allergen))
        && request.diets.iter().all(|diet| suits(diet))
}

/// More for who is likely to take one: who is not is only bothered. Unknown likelihood counts as middling.
fn how_many(request: &RecommendRequest<'_>) -> usize {
    let likely = request.prediction.map(|prediction| prediction.accept_recommendation.get());
    match likely {
        _ if request.asked => OFFERS_MAX,
        Some(p) if p >= 0.4 => OFFERS_MAX,
        Some(p) if p < 0.1 => 1,
        _ => 2,
    }
}

/// `None` where the lengths differ or a vector has no direction: such vectors say nothing of likeness.
fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    (a.len() == b.len() && cosine.is_finite()).then_some(cosine)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{EvidenceKind, FeedbackOutcome, ModalityShares, Probability};

    /// A fruit of 1 euro, in stock, in aisle 1.
    pub fn product(name: &str) -> Product {
        Product {
            id: ProductId(name.to_owned()),
            name: name.to_owned(),
            plural: format!("{name}s"),
            photo_class: None,
            category: "fruit".to_owned(),
            brand: None,
            price: Some(PriceCents(100)),
            unit: "piece".to_owned(),
            size: None,
            aisle: "1".to_owned(),
            shelf: "a".to_owned(),
            in_stock: true,
            stock_count: None,
            origin: None,
            ingredients: None,
            allergens: Some(Vec::new()),
            diet: vec!["vegan".to_owned()],
            kcal_per_100g: None,
            synonyms: Vec::new(),
            goes_with: Vec::new(),
            offer: None,
            description: None,
            facts: Default::default(),
        }
    }

    fn id(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    fn dairy(name: &str, cents: u32) -> Product {
        Product {
            category: "dairy".to_owned(),
            price: Some(PriceCents(cents)),
            allergens: Some(vec!["milk".to_owned()]),
            diet: vec!["vegetarian".to_owned()],
            ..product(name)
        }
    }

    /// Apples go with cheese; pears are cheaper, plums dearer; quark says nothing of its allergens.
    fn shelf() -> Vec<Product> {
        vec![
            Product { goes_with: vec![id("cheese")], ..product("apple") },
            Product { price: Some(PriceCents(60)), ..product("pear") },
            Product { price: Some(PriceCents(180)), offer: Some("3 for 2 euros".to_owned()), ..product("plum") },
            dairy("cheese", 400),
            Product { allergens: None, ..dairy("quark", 150) },
        ]
    }

    fn recommender(products: Vec<Product>) -> Recommender {
        Recommender::new(Arc::new(Catalog::new(products).expect("a sound catalog")), "euros")
    }

    fn names(products: Vec<Product>, request: &RecommendRequest<'_>) -> Vec<String> {
        recommender(products).recommend(request).offered.into_iter().map(|offer| offer.name).collect()
    }

    #[test]
    fn what_goes_with_the_product_comes_first_and_says_so() {
        let about = [id("apple")];
        let offers = recommender(shelf()).recommend(&RecommendRequest { talked_about: &about, asked: true, ..Default::default() }).offered;
        assert_eq!((offers[0].name.as_str(), offers[0].reason.as_str()), ("cheese", "People often take it with apples."));
        assert_eq!((offers[1].name.as_str(), offers[1].reason.as_str()), ("plum", "On offer: 3 for 2 euros."));
        assert_eq!((offers[2].name.as_str(), offers[2].reason.as_str()), ("pear", "Same shelf, 40 cents cheaper."));
    }

    #[test]
    fn cheaper_means_cheaper_and_of_the_same_category() {
        let about = [id("apple")];
        let request = RecommendRequest { talked_about: &about, price: PriceWish::Cheaper, asked: true, ..Default::default() };
        assert_eq!(names(shelf(), &request), ["pear"]);
        let cheapest = [id("pear")];
        assert!(names(shelf(), &RecommendRequest { talked_about: &cheapest, ..request }).is_empty());
    }

    #[test]
    fn what_is_sold_out_is_never_offered_and_is_replaced_where_it_was_asked_for() {
        let mut products = shelf();
        products[1].in_stock = false;
        let about = [id("pear")];
        let offers = recommender(products).recommend(&RecommendRequest { talked_about: &about, ..Default::default() }).offered;
        assert!(offers.iter().all(|offer| offer.name != "pear"));
        assert_eq!(offers[0].reason, "Pear is sold out, and this is the nearest we have.");
    }

    #[test]
    fn neither_the_product_itself_nor_what_is_in_the_basket_is_offered() {
        let (about, basket) = ([id("apple")], [id("cheese"), id("pear")]);
        let request = RecommendRequest { talked_about: &about, basket: &basket, asked: true, ..Default::default() };
        assert_eq!(names(shelf(), &request), ["plum"]);
    }

    #[test]
    fn an_allergen_asked_about_is_never_offered_and_unknown_counts_as_contained() {
        let (about, dairy) = ([id("apple")], ["dairy"]);
        let request =
            RecommendRequest { talked_about: &about, categories: &dairy, allergens: &["milk"], asked: true, ..Default::default() };
        assert_eq!(names(shelf(), &request), ["plum", "pear"]);
    }

    #[test]
    fn a_diet_that_is_not_satisfied_is_never_offered() {
        let dairy = ["dairy"];
        let request = RecommendRequest { categories: &dairy, diets: &["vegan"], asked: true, ..Default::default() };
        assert!(names(shelf(), &request).iter().all(|name| name != "cheese" && name != "quark"));
    }

    #[test]
    fn a_category_named_is_enough_on_the_first_turn() {
        let dairy = ["dairy"];
        let request = RecommendRequest { categories: &dairy, ..Default::default() };
        assert_eq!(names(shelf(), &request), ["quark", "cheese"]);
    }

    #[test]
    fn nothing_known_and_nothing_asked_means_nothing_offered() {
        assert!(names(shelf(), &RecommendRequest::default()).is_empty());
        let unknown = [id("no such product")];
        assert!(names(shelf(), &RecommendRequest { talked_about: &unknown, ..Default::default() }).is_empty());
    }

    #[test]
    fn words_and_photos_count_by_likeness_and_vectors_of_another_length_say_nothing() {
        let texts = HashMap::from([(id("pear"), vec![1.0, 0.0]), (id("plum"), vec![0.0, 1.0])]);
        let with = recommender(shelf()).with_texts(texts.clone()).with_photos(texts);
        let offers = with.recommend(&RecommendRequest { sentence: Some(&[2.0, 0.1]), ..Default::default() }).offered;
        assert_eq!((offers[0].name.as_str(), offers[0].reason.as_str()), ("pear", "It fits what you asked for."));
        let offers = with.recommend(&RecommendRequest { photo: Some(&[0.0, 3.0]), ..Default::default() }).offered;
        assert_eq!((offers[0].name.as_str(), offers[0].reason.as_str()), ("plum", "It looks like what you showed."));
        for strange in [&[1.0_f32][..], &[0.0, 0.0], &[f32::NAN, 1.0]] {
            assert!(with.recommend(&RecommendRequest { sentence: Some(strange), ..Default::default() }).offered.is_empty());
        }
    }

    #[test]
    fn the_prediction_decides_how_many_and_never_which() {
        let about = [id("apple")];
        let offered = |accepts: f32| {
            let p = Probability::clamped(accepts);
            let shares = ModalityShares { text: 1.0, photo: 0.0, session: 0.0 };
            let prediction = Prediction {
                purchase: p,
                accept_recommendation: p,
                handoff_needed: p,
                abandon: p,
                anomaly: None,
                shares,
                because: Vec::new(),
            };
            names(shelf(), &RecommendRequest { talked_about: &about, prediction: Some(&prediction), ..Default::default() })
        };
        let (many, some, one) = (offered(0.9), offered(0.2), offered(0.01));
        assert_eq!((many.len(), some.len(), one.len()), (3, 2, 1));
        assert_eq!((&many[..2], &many[..1]), (&some[..], &one[..]));
    }

    #[test]
    fn what_was_refused_stays_away_in_that_conversation_and_what_was_accepted_comes_first_in_the_next() {
        let about = [id("apple")];
        let recommender = recommender(shelf());
        let (here, next) = (SessionId::parse("here").expect("an identifier"), SessionId::parse("next").expect("an identifier"));
        let offered = |session: &SessionId, turn: u32| {
            let request = RecommendRequest { talked_about: &about, asked: true, turn: Some((session, turn)), ..Default::default() };
            recommender.recommend(&request).offered
        };
        let said = |outcome: FeedbackOutcome, product: &str| Feedback {
            session: here.clone(),
            turn: Some(1),
            at_unix_ms: 1,
            outcome,
            product: Some(id(product)),
        };
        let first = offered(&here, 1);
        recommender.shown(&here, 1, &first);
        recommender.feedback(&said(FeedbackOutcome::Rejected, "cheese"));
        recommender.feedback(&said(FeedbackOutcome::Accepted, "pear"));
        assert!(offered(&here, 2).iter().all(|offer| offer.product != id("cheese")));
        let place = |offers: &[Recommendation], name: &str| offers.iter().position(|offer| offer.product == id(name)).expect("offered");
        let later = offered(&next, 1);
        assert!(place(&later, "pear") < place(&first, "pear"), "{later:?}");
        assert!(later.iter().any(|offer| offer.product == id("cheese")), "another person may want it");
    }

    #[test]
    fn baskets_become_a_reason_once_they_are_many_and_the_count_is_told() {
        let about = [id("apple")];
        let recommender = recommender(shelf());
        let session = |n: usize| SessionId::parse(&format!("s{n}")).expect("an identifier");
        for n in 0..40 {
            let basket = if n % 4 == 0 { vec![id("apple"), id("plum")] } else { vec![id("pear")] };
            recommender.taken(&session(n), &basket);
        }
        let request = RecommendRequest { talked_about: &about, asked: true, ..Default::default() };
        let offers = recommender.recommend(&request).offered;
        let plum = offers.iter().find(|offer| offer.product == id("plum")).expect("offered");
        assert_eq!(plum.reason, "People who take apples often take it too.");
        assert!(plum.evidence.iter().any(|(kind, _)| *kind == EvidenceKind::TakenTogether));
    }

    #[test]
    fn who_asks_what_goes_with_a_product_is_offered_that_alone_by_the_shops_word_or_by_baskets() {
        let recommender = recommender(shelf());
        let offered = |about: &str| {
            let about = [id(about)];
            let request = RecommendRequest { talked_about: &about, asked: true, companions_only: true, ..Default::default() };
            recommender.recommend(&request).offered.into_iter().map(|offer| (offer.name, offer.reason)).collect::<Vec<_>>()
        };
        let told = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
        assert_eq!(offered("apple"), [told("cheese", "People often take it with apples.")]);
        assert_eq!(offered("plum"), [], "pears are cheaper, which is no answer");
        for n in 0..40 {
            let basket = if n % 4 == 0 { vec![id("pear"), id("plum")] } else { vec![id("quark")] };
            recommender.taken(&SessionId::parse(&format!("s{n}")).expect("an identifier"), &basket);
        }
        assert_eq!(offered("plum"), [told("pear", "People who take plums often take it too.")]);
    }

    #[test]
    fn tastes_are_fitted_once_enough_baskets_came_and_speak_for_what_alike_people_take() {
        let products: Vec<Product> = ["milk", "muesli", "banana", "flour", "sugar", "yeast"]
            .into_iter()
            .map(|name| Product { category: name.to_owned(), ..product(name) })
            .collect();
        let recommender = recommender(products);
        for n in 0..200 {
            let kind = [["milk", "muesli", "banana"], ["flour", "sugar", "yeast"]][n % 2];
            let basket: Vec<ProductId> = (0..3).filter(|at| *at != (n / 2) % 3).map(|at| id(kind[at])).collect();
            recommender.taken(&SessionId::parse(&format!("s{n}")).expect("an identifier"), &basket);
        }
        assert!(recommender.refit_if_due() && !recommender.refit_if_due());
        let about = [id("muesli")];
        let request = RecommendRequest { talked_about: &about, asked: true, ..Default::default() };
        let offers = recommender.recommend(&request).offered;
        let of_taste = |offer: &Recommendation| offer.evidence.iter().any(|(kind, _)| *kind == EvidenceKind::Taste);
        assert!(offers.iter().any(|offer| offer.name == "milk" && of_taste(offer)), "{offers:?}");
        assert!(offers.iter().all(|offer| !["flour", "sugar", "yeast"].contains(&offer.name.as_str())), "{offers:?}");
    }

    proptest! {
        #[test]
        fn whatever_was_learned_and_drawn_nothing_forbidden_comes_out(
            stock in prop::collection::vec(any::<bool>(), 12),
            contains in prop::collection::vec(0_u8..3, 12),
            vegan in prop::collection::vec(any::<bool>(), 12),
            judged in prop::collection::vec((0_usize..12, 0_u8..4), 0..80),
            basket in prop::collection::vec(0_usize..12, 0..4),
            (about, asks_milk, asks_vegan, turn) in (0_usize..12, any::<bool>(), any::<bool>(), 0_u32..50),
        ) {
            let name = |n: usize| format!("p{n}");
            let products: Vec<Product> = (0..12).map(|n| Product {
                in_stock: stock[n],
                allergens: match contains[n] { 0 => None, 1 => Some(vec!["milk".to_owned()]), _ => Some(Vec::new()) },
                diet: if vegan[n] { vec!["vegan".to_owned()] } else { Vec::new() },
                goes_with: vec![id(&name((n + 1) % 12))],
                ..product(&name(n))
            }).collect();
            let catalog = Arc::new(Catalog::new(products).expect("a sound catalog"));
            let recommender = Recommender::new(Arc::clone(&catalog), "euros")
                .with_settings(&RecommendConfig { explore: 1.0, ..RecommendConfig::default() });
            let session = SessionId::parse("s").expect("an identifier");
            let about = [id(&name(about))];
            let basket: Vec<ProductId> = basket.into_iter().map(|n| id(&name(n))).collect();
            let mut refused: Vec<ProductId> = Vec::new();
            for (n, outcome) in judged {
                let product = id(&name(n));
                let offer = Recommendation {
                    product: product.clone(), name: String::new(), price: None, score: 0.0, reason: String::new(),
                    evidence: vec![(EvidenceKind::GoesWith, 1.0)], propensity: Probability::clamped(1.0),
                };
                recommender.shown(&session, 1, &[offer]);
                let outcome = match outcome {
                    0 => FeedbackOutcome::Purchase,
                    1 => FeedbackOutcome::Accepted,
                    2 => FeedbackOutcome::Rejected,
                    _ => FeedbackOutcome::ThumbsUp,
                };
                match outcome {
                    FeedbackOutcome::Rejected => refused.push(product.clone()),
                    FeedbackOutcome::Purchase | FeedbackOutcome::Accepted => refused.retain(|other| *other != product),
                    _ => {}
                }
                recommender.feedback(&Feedback { session: session.clone(), turn: Some(1), at_unix_ms: 0, outcome, product: Some(product) });
            }
            let allergens: &[&str] = if asks_milk { &["milk"] } else { &[] };
            let diets: &[&str] = if asks_vegan { &["vegan"] } else { &[] };
            let request = RecommendRequest {
                talked_about: &about, basket: &basket, allergens, diets, asked: true, turn: Some((&session, turn)), ..Default::default()
            };
            let offers = recommender.recommend(&request);
            prop_assert_eq!(&offers, &recommender.recommend(&request), "the same turn gives the same");
            prop_assert!(offers.offered.len() <= OFFERS_MAX);
            for offer in &offers.offered {
                let product = catalog.get(&offer.product).expect("of the catalog");
                prop_assert!(product.in_stock && !about.contains(&product.id) && !basket.contains(&product.id));
                prop_assert!(!refused.contains(&product.id));
                prop_assert!(!asks_milk || product.allergens.as_deref() == Some(&[]));
                prop_assert!(!asks_vegan || product.diet.iter().any(|diet| diet == "vegan"));
                prop_assert!(!offer.reason.is_empty() && offer.score.is_finite());
                prop_assert!(offer.propensity.get() > 0.0 && !offer.evidence.is_empty());
            }
        }
    }
}
