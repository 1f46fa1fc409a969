//! Simulated shoppers, since no public data set has words, photos and sessions with their outcomes together.
//!
//! A shopper is one of five personas ([`persona`]), says a sentence composed of the shop's own intents and products
//! ([`utterances`]), may show a photo, has a session behind it, and then buys, takes a recommendation, needs a person or leaves, by a
//! hidden rule with noise ([`rule`]). The network gets what a real kiosk would get: embeddings and session features, never the
//! persona or the intent themselves. Figures on these shoppers show that the machinery works and that the modalities are fused;
//! they say nothing about how real people behave.

mod persona;
mod rule;
mod utterances;

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;

use self::persona::{Persona, pick};
use self::rule::{Circumstances, HiddenRule};
use self::utterances::{Part, Sentence, Tone, compose};
use super::error::BehaviorError;
use super::example::{Example, Examples};
use super::inputs::{PHOTO, TEXT};
use super::outcome::Outcomes;
use crate::domain::{Catalog, Channel, IntentDefinition, IntentKind, Product, SessionFeatures};

/// How shoppers are simulated. The same numbers give the same shoppers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulationConfig {
    /// Where chance starts.
    pub seed: u64,
    /// Shoppers to learn from.
    pub shoppers_train: usize,
    /// Shoppers to stop and calibrate by.
    pub shoppers_validation: usize,
    /// Shoppers to measure on.
    pub shoppers_test: usize,
    /// Different sentences among the training shoppers; encoding them takes a third of the time (13 ms each).
    pub sentences_train: usize,
    /// Different sentences in each of the other two parts.
    pub sentences_held_out: usize,
    /// Length of the noise on a photo against the length of its class centre. Photos of one class lie 0.38 +- 0.11 around the
    /// nearest of three centres (train photos of the Grocery Store data set, `grocery-classifier-first.onnx`).
    pub photo_noise: f32,
}

impl Default for SimulationConfig {
    fn default() -> Self {
        Self {
            seed: 16,
            shoppers_train: 20_000,
            shoppers_validation: 5_000,
            shoppers_test: 6_666,
            sentences_train: 2_400,
            sentences_held_out: 500,
            photo_noise: 0.38,
        }
    }
}

impl SimulationConfig {
    /// Refuses counts of zero and a noise that drowns the photo.
    pub fn check(&self) -> Result<(), BehaviorError> {
        for (key, value) in [("sentences_train", self.sentences_train), ("sentences_held_out", self.sentences_held_out)] {
            if value == 0 {
                return Err(BehaviorError::BadSetting { key, found: value.to_string(), expected: "at least 1" });
            }
        }
        if !(0.0..=2.0).contains(&self.photo_noise) {
            let found = self.photo_noise.to_string();
            return Err(BehaviorError::BadSetting { key: "photo_noise", found, expected: "a number from 0 to 2" });
        }
        Ok(())
    }
}

/// One view of a class of the photo classifier. A class may have several.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoPrototype {
    /// The class, as [`Product::photo_class`] names it.
    pub class: String,
    /// `[1280]`, any length above 0.
    pub centre: Vec<f32>,
}

/// The shop in which the shoppers are.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// What it sells; at least one product.
    pub catalog: &'a Catalog,
    /// What can be asked; at least one intent with an example.
    pub intents: &'a [IntentDefinition],
    /// What can be shown; may be empty, and then nobody shows a photo.
    pub prototypes: &'a [PhotoPrototype],
}

/// Makes sentence embeddings, `[384]` each, in the order of the sentences; or says why not.
pub type Embed<'a> = dyn FnMut(&[String]) -> Result<Vec<Vec<f32>>, String> + 'a;

/// Simulates the shoppers of all three parts. Parts share the shop and its rule, but neither sessions nor wording.
/// # Errors
/// [`BehaviorError::CannotSimulate`] where the shop is empty, or an embedding fails or has another length.
pub fn simulate(world: World<'_>, config: &SimulationConfig, embed: &mut Embed<'_>) -> Result<Examples, BehaviorError> {
    config.check()?;
    check(world)?;
    let mut chance = StdRng::seed_from_u64(config.seed);
    let rule = HiddenRule::draw(class_names(world.prototypes).len(), &mut chance);
    let mut part = |part, shoppers, sentences| {
        let sentences = compose(part, sentences, world.catalog, world.intents, &mut chance);
        let embeddings = embed_all(&sentences, embed)?;
        let shop = ShopFloor { world, rule: &rule, classes: class_names(world.prototypes), sentences, embeddings };
        Ok::<_, BehaviorError>((0..shoppers).map(|_| shop.shopper(config.photo_noise, &mut chance)).collect())
    };
    Ok(Examples {
        train: part(Part::Train, config.shoppers_train, config.sentences_train)?,
        validation: part(Part::Validation, config.shoppers_validation, config.sentences_held_out)?,
        test: part(Part::Test, config.shoppers_test, config.sentences_held_out)?,
    })
}

/// A shopper as a person would describe them, before anything is encoded.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// Which of the five kinds; no model is told.
    pub persona: &'static str,
    /// What is said; `None` where a photo has to do.
    pub sentence: Option<String>,
    /// The class of the product that is held up.
    pub shown: Option<String>,
    /// The session so far.
    pub session: SessionFeatures,
    /// What happens then.
    pub outcomes: Outcomes,
}

/// Simulates shoppers without encoding what they say: the training part of [`simulate`], for tables and for trying a desk.
/// # Errors
/// [`BehaviorError::CannotSimulate`] where the shop is empty.
pub fn shoppers(world: World<'_>, config: &SimulationConfig) -> Result<Vec<Shopper>, BehaviorError> {
    config.check()?;
    check(world)?;
    let mut chance = StdRng::seed_from_u64(config.seed);
    let rule = HiddenRule::draw(class_names(world.prototypes).len(), &mut chance);
    let sentences = compose(Part::Train, config.sentences_train, world.catalog, world.intents, &mut chance);
    let shop = ShopFloor { world, rule: &rule, classes: class_names(world.prototypes), sentences, embeddings: Vec::new() };
    let described = |visit: Visit| Shopper {
        persona: visit.persona.name,
        sentence: visit.said.map(|at| shop.sentences[at].text.clone()),
        shown: visit.class.map(|class| shop.classes[class].to_owned()),
        session: visit.session,
        outcomes: visit.outcomes,
    };
    Ok((0..config.shoppers_train).map(|_| described(shop.visit(config.photo_noise, &mut chance))).collect())
}

fn check(world: World<'_>) -> Result<(), BehaviorError> {
    let problem = if world.catalog.products().is_empty() {
        "the catalog has no products".to_owned()
    } else if world.intents.iter().all(|intent| intent.examples.is_empty()) {
        "no intent has an example".to_owned()
    } else if let Some(bad) = world.prototypes.iter().find(|p| p.centre.len() != PHOTO || norm(&p.centre) <= 0.0) {
        format!("the prototype of {:?} has {} numbers, expected {PHOTO} that are not all zero", bad.class, bad.centre.len())
    } else {
        return Ok(());
    };
    Err(BehaviorError::CannotSimulate(problem))
}

fn embed_all(sentences: &[Sentence<'_>], embed: &mut Embed<'_>) -> Result<Vec<Arc<[f32]>>, BehaviorError> {
    let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).collect();
    let embeddings = embed(&texts).map_err(BehaviorError::CannotSimulate)?;
    if embeddings.len() != texts.len() || embeddings.iter().any(|e| e.len() != TEXT) {
        let found = embeddings.len();
        return Err(BehaviorError::CannotSimulate(format!("{found} embeddings came for {} sentences of {TEXT} numbers each", texts.len())));
    }
    Ok(embeddings.into_iter().map(Arc::from).collect())
}

/// Classes in order of first appearance.
fn class_names(prototypes: &[PhotoPrototype]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for prototype in prototypes {
        if !names.contains(&prototype.class.as_str()) {
            names.push(&prototype.class);
        }
    }
    names
}

/// Where the shoppers of one part meet what they say and show.
struct ShopFloor<'a> {
    world: World<'a>,
    rule: &'a HiddenRule,
    classes: Vec<&'a str>,
    sentences: Vec<Sentence<'a>>,
    embeddings: Vec<Arc<[f32]>>,
}

/// Who came, said and showed what, and what happened.
struct Visit {
    persona: &'static Persona,
    /// Place among the sentences.
    said: Option<usize>,
    /// Place among the classes.
    class: Option<usize>,
    photo: Option<Vec<f32>>,
    session: SessionFeatures,
    outcomes: Outcomes,
}

impl ShopFloor<'_> {
    fn shopper(&self, photo_noise: f32, chance: &mut StdRng) -> Example {
        let Visit { said, photo, session, outcomes, .. } = self.visit(photo_noise, chance);
        Example { text: said.map(|at| Arc::clone(&self.embeddings[at])), photo, session, outcomes }
    }

    fn visit(&self, photo_noise: f32, chance: &mut StdRng) -> Visit {
        let persona = Persona::draw(chance);
        let channel = persona.channel(chance);
        let shows = self.shows(channel, chance);
        // Who shows nothing says something, or there would be no turn.
        let said = (!shows || chance_of(chance, 0.85)).then(|| self.choose_sentence(persona, chance));
        let sentence = said.map(|at| &self.sentences[at]);
        let class = shows.then(|| self.choose_class(sentence.and_then(|s| s.names), chance));
        let product = class.and_then(|c| self.world.catalog.of_photo_class(self.classes[c])).or(sentence.and_then(|s| s.names));
        let mood = (persona.mood + sentence.map_or(0.0, |s| mood_of(s.tone)) + 0.3 * normal(chance)).clamp(-1.0, 1.0);
        let session = session(persona, channel, mood, sentence.map(|s| s.kind), product, chance);
        let spoken = sentence.map(|s| (s.kind, s.tone));
        let outcomes = self.rule.outcomes(&Circumstances { persona, mood, said: spoken, class, session: &session }, chance);
        let photo = class.map(|class| self.photo(class, photo_noise, chance));
        Visit { persona, said, class, photo, session, outcomes }
    }

    fn shows(&self, channel: Channel, chance: &mut StdRng) -> bool {
        let often = match channel {
            Channel::Kiosk => 0.7,
            Channel::Typed => 0.3,
            Channel::Phone => 0.0,
        };
        !self.classes.is_empty() && chance_of(chance, often)
    }

    /// A sentence that suits the persona: the best suited, by weighted chance, of eight that come to mind.
    fn choose_sentence(&self, persona: &Persona, chance: &mut StdRng) -> usize {
        let minded: [usize; 8] = std::array::from_fn(|_| chance.random_range(0..self.sentences.len()));
        let weights = minded.map(|at| persona.affinity(self.sentences[at].kind, self.sentences[at].tone));
        minded[pick(chance, &weights)]
    }

    /// The class of the product named; else any.
    fn choose_class(&self, named: Option<&Product>, chance: &mut StdRng) -> usize {
        let of_name = named.and_then(|product| product.photo_class.as_deref()).and_then(|n| self.classes.iter().position(|c| *c == n));
        of_name.unwrap_or_else(|| chance.random_range(0..self.classes.len()))
    }

    /// `[1280]`: one view of the class, leaning a little towards a view of any class (look-alikes, what else is in the picture), with
    /// noise. Never negative, as pooled features after a ReLU are not.
    fn photo(&self, class: usize, noise: f32, chance: &mut StdRng) -> Vec<f32> {
        let views: Vec<_> = self.world.prototypes.iter().filter(|p| p.class == self.classes[class]).collect();
        let view = &views[chance.random_range(0..views.len())].centre;
        let beside = &self.world.prototypes[chance.random_range(0..self.world.prototypes.len())].centre;
        let (length, beside_length) = (norm(view), norm(beside));
        let lean = 0.3 * chance.random::<f32>() * length / beside_length;
        let spread = noise * length / (PHOTO as f32).sqrt();
        view.iter().zip(beside).map(|(x, other)| (x + lean * other + spread * normal(chance)).max(0.0)).collect()
    }
}

/// What the tone says of the mood.
fn mood_of(tone: Tone) -> f32 {
    match tone {
        Tone::Plain | Tone::Hesitant => 0.0,
        Tone::Eager | Tone::Curious => 0.2,
        Tone::Annoyed => -0.5,
    }
}

/// The session as a kiosk would have measured it: sentiment and clarity are noisy, and absent where nothing was said.
fn session(
    persona: &Persona,
    channel: Channel,
    mood: f32,
    kind: Option<IntentKind>,
    product: Option<&Product>,
    chance: &mut StdRng,
) -> SessionFeatures {
    let (turns, unanswered) = persona.turns(chance);
    let sentiment = kind.map(|_| (mood + 0.25 * normal(chance)).clamp(-1.0, 1.0));
    let clear = if kind == Some(IntentKind::OutOfScope) { 0.35 } else { 0.75 };
    SessionFeatures {
        turns,
        seconds: turns as f32 * persona.seconds_per_turn * (0.4 * normal(chance)).exp(),
        hour: persona.arrives(chance),
        channel,
        sentiment,
        sentiment_min: sentiment.map(|now| (now - 0.15 * (turns - 1) as f32 * chance.random::<f32>()).max(-1.0)),
        unanswered,
        product_questions: (0..turns).filter(|_| chance_of(chance, 0.5)).count() as u32,
        asks_for_person: kind == Some(IntentKind::Handoff) && chance_of(chance, 0.9),
        intent_confidence: kind.map(|_| (clear + 0.15 * normal(chance)).clamp(0.05, 1.0)),
        // Prices move by a sixth, so that a price is a price and not a name.
        price_cents: product.and_then(|p| p.price).map(|price| (price.0 as f32 * (0.16 * normal(chance)).exp()).round() as u32),
        on_offer: product.is_some_and(|p| if p.offer.is_some() { chance_of(chance, 0.8) } else { chance_of(chance, 0.1) }),
        in_stock: product.map(|p| if p.in_stock { chance_of(chance, 0.9) } else { chance_of(chance, 0.2) }),
        basket: persona.basket(chance),
    }
}

fn chance_of(chance: &mut StdRng, probability: f32) -> bool {
    chance.random::<f32>() < probability
}

/// A draw from the normal distribution with mean 0 and deviation 1 (Box & Muller, 1958).
fn normal(chance: &mut StdRng) -> f32 {
    let radius = (-2.0 * (1.0 - chance.random::<f32>()).ln()).sqrt();
    radius * (chance.random::<f32>() * std::f32::consts::TAU).cos()
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

#[cfg(test)]
pub(in crate::behavior) mod tests {
    use super::*;
    use crate::domain::{Needs, PriceCents, ProductId};

    fn product(name: &str, class: &str, cents: u32) -> Product {
        Product {
            id: ProductId(name.replace(' ', "-")),
            name: name.to_owned(),
            plural: format!("{name}s"),
            photo_class: Some(class.to_owned()),
            category: "food".to_owned(),
            brand: None,
            price: Some(PriceCents(cents)),
            unit: "piece".to_owned(),
            size: None,
            aisle: "1".to_owned(),
            shelf: "1".to_owned(),
            in_stock: true,
            stock_count: None,
            origin: None,
            ingredients: None,
            allergens: None,
            diet: Vec::new(),
            kcal_per_100g: None,
            synonyms: Vec::new(),
            goes_with: Vec::new(),
            offer: None,
            description: None,
            facts: Default::default(),
        }
    }

    pub fn catalog() -> Catalog {
        let products = vec![product("red apple", "Apple", 40), product("oat milk", "Oat-Milk", 249), product("yogurt", "Yogurt", 99)];
        Catalog::new(products).expect("a sound catalog")
    }

    pub fn intents() -> Vec<IntentDefinition> {
        let intent = |name: &str, kind, needs, words: &str| IntentDefinition {
            name: name.to_owned(),
            title: name.to_owned(),
            kind,
            needs,
            examples: (1..=6).map(|i| format!("{words} {}", "please ".repeat(i).trim())).collect(),
            answers: Vec::new(),
            missing: Vec::new(),
        };
        vec![
            intent("price", IntentKind::Fact, Needs::Product, "how much is the red apple"),
            intent("order", IntentKind::Order, Needs::Product, "I take the yogurt"),
            intent("advice", IntentKind::Recommend, Needs::Nothing, "what do you recommend"),
            intent("person", IntentKind::Handoff, Needs::Nothing, "get me a person"),
            intent("joke", IntentKind::OutOfScope, Needs::Nothing, "tell me a joke"),
        ]
    }

    /// One direction a class, with some overlap.
    pub fn prototypes() -> Vec<PhotoPrototype> {
        let centre = |class: usize| (0..PHOTO).map(|i| if i % 4 == class { 1.0 } else { 0.3 }).collect();
        ["Apple", "Oat-Milk", "Yogurt", "Leek"]
            .iter()
            .enumerate()
            .map(|(at, class)| PhotoPrototype { class: (*class).to_owned(), centre: centre(at) })
            .collect()
    }

    /// A bag of letter triples: enough to tell these few sentences apart, with no model on disk.
    pub fn embed(texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        let one = |text: &String| {
            let mut vector = vec![0.01_f32; TEXT];
            for triple in text.as_bytes().windows(3) {
                let hash = triple.iter().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
                vector[hash % TEXT] += 1.0;
            }
            vector
        };
        Ok(texts.iter().map(one).collect())
    }

    pub fn small(seed: u64) -> Examples {
        let (catalog, intents, prototypes) = (catalog(), intents(), prototypes());
        let config = SimulationConfig {
            seed,
            shoppers_train: 1_200,
            shoppers_validation: 400,
            shoppers_test: 600,
            sentences_train: 300,
            sentences_held_out: 100,
            ..SimulationConfig::default()
        };
        simulate(World { catalog: &catalog, intents: &intents, prototypes: &prototypes }, &config, &mut embed).expect("a sound shop")
    }

    #[test]
    fn the_same_seed_gives_the_same_shoppers_and_another_gives_others() {
        let outcomes = |seed| small(seed).train.iter().map(|e| e.outcomes).collect::<Vec<_>>();
        assert_eq!(outcomes(1), outcomes(1));
        assert_ne!(outcomes(1), outcomes(2));
    }

    #[test]
    fn every_shopper_says_or_shows_something_and_nobody_shows_a_photo_on_the_phone() {
        for shopper in small(3).train {
            assert!(shopper.text.is_some() || shopper.photo.is_some());
            assert!(shopper.session.channel != Channel::Phone || shopper.photo.is_none());
            assert!(shopper.photo.is_none_or(|p| p.len() == PHOTO && p.iter().all(|x| *x >= 0.0)));
        }
    }

    #[test]
    fn shoppers_that_are_only_described_are_those_that_are_learnt_from() {
        let (catalog, intents, prototypes) = (catalog(), intents(), prototypes());
        let config = SimulationConfig { seed: 3, shoppers_train: 1_200, sentences_train: 300, ..SimulationConfig::default() };
        let world = World { catalog: &catalog, intents: &intents, prototypes: &prototypes };
        let described = shoppers(world, &config).expect("a sound shop");
        for (described, learnt) in described.iter().zip(small(3).train) {
            assert_eq!((&described.session, described.outcomes), (&learnt.session, learnt.outcomes));
            assert_eq!((described.sentence.is_some(), described.shown.is_some()), (learnt.text.is_some(), learnt.photo.is_some()));
        }
    }

    #[test]
    fn each_outcome_is_neither_rare_beyond_use_nor_the_rule() {
        let shoppers = small(4).train;
        for head in 0..4 {
            let share = shoppers.iter().filter(|s| s.outcomes[head]).count() as f32 / shoppers.len() as f32;
            assert!((0.05..0.6).contains(&share), "head {head}: {share}");
        }
    }

    #[test]
    fn a_shop_without_products_or_an_encoder_that_fails_is_told_in_one_sentence() {
        let (empty, intents, catalog) = (Catalog::default(), intents(), catalog());
        let config = SimulationConfig::default();
        let none = simulate(World { catalog: &empty, intents: &intents, prototypes: &[] }, &config, &mut embed);
        assert_eq!(none.unwrap_err().to_string(), "shoppers cannot be simulated: the catalog has no products");
        let world = World { catalog: &catalog, intents: &intents, prototypes: &[] };
        let failed = simulate(world, &config, &mut |_| Err("the encoder stopped".to_owned()));
        assert_eq!(failed.unwrap_err().to_string(), "shoppers cannot be simulated: the encoder stopped");
        assert!(simulate(world, &config, &mut |_| Ok(Vec::new())).is_err());
    }
}
