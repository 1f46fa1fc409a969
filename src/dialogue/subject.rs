//! Which product a turn is about.

use super::DialogueInput;
use super::wording::{self, Word};
use crate::domain::{
    Candidate, Catalog, DialogueState, Entity, EntityKind, PointingWords, Product, ProductId, Sighting, Understanding, Verdict, Waiting,
};

/// A photo's candidate counts for a category that was named when it has at least this probability, known or not.
const CANDIDATE_MIN: f32 = 0.05;
/// A sentence with few words beside what it points with answers the question "which product?".
const SHORT_ANSWER_WORDS: usize = 6;

/// How the product that a turn is about was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It was named.
    Named,
    /// It was held up.
    Seen,
    /// A category was named, and the photo says which of it.
    NamedAndSeen,
    /// It was pointed at among those told before: "the green one".
    Pointed,
    /// It was talked about before.
    Remembered,
}

/// What a turn is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct About {
    /// The product, and how it was found.
    pub product: Option<(ProductId, Subject)>,
    /// Further products that were named.
    pub others: Vec<ProductId>,
    /// Where several may be meant: those.
    pub options: Vec<ProductId>,
}

impl About {
    fn one(product: ProductId, how: Subject) -> Self {
        Self { product: Some((product, how)), ..Self::default() }
    }

    /// Whether this very turn says which product.
    pub fn is_said(&self) -> bool {
        self.product.as_ref().is_some_and(|(_, how)| *how != Subject::Remembered)
    }
}

/// What was said goes before what was seen, and both before what was talked about earlier; where the words name a category only ("this
/// juice"), the photo picks the product of it, even when alone it would not be sure enough.
pub(super) fn about(input: &DialogueInput<'_>, state: &DialogueState, pointing: &PointingWords, catalog: &Catalog) -> About {
    let Some(understanding) = input.understanding else { return About::default() };
    let words = wording::words(input.text.unwrap_or_default());
    if let Some(product) = understanding.product() {
        return About { others: other_products(understanding, &product), ..About::one(product, Subject::Named) };
    }
    let named = of_names(understanding, state, catalog);
    if let Some(seen) = input.sighting {
        return seen_product(seen, &named);
    }
    if !named.is_empty() {
        return narrowed(named, &words, state, pointing);
    }
    if let Some(about) = pointed(&words, state, pointing, catalog) {
        return about;
    }
    state.product.clone().map_or_else(About::default, |product| About::one(product, Subject::Remembered))
}

/// Whether a sentence says little but which product.
pub(super) fn is_short(input: &DialogueInput<'_>) -> bool {
    input.text.is_none_or(|text| text.split_whitespace().count() <= SHORT_ANSWER_WORDS)
}

/// How much of a sentence only says which product is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// Something else is said too.
    No,
    /// All but words that may say which, or ask something: "the vegan one", "the cheaper one".
    Perhaps,
    /// All of it: "and the lemons?"
    Yes,
}

/// Whether nothing is said but which product.
pub(super) fn bare(input: &DialogueInput<'_>, pointing: &PointingWords, catalog: &Catalog, about: &About) -> Bare {
    let (Some(text), Some(understanding)) = (input.text, input.understanding) else { return Bare::No };
    if !about.is_said() && about.options.is_empty() {
        return Bare::No;
    }
    let mut rest = text.to_owned();
    let names = [EntityKind::Product, EntityKind::Category, EntityKind::Brand];
    for entity in understanding.entities.iter().filter(|e| names.contains(&e.kind)).rev() {
        // Spans are bytes of the sentence; one that does not fit is left standing.
        if rest.get(entity.start..entity.end).is_some() {
            rest.replace_range(entity.start..entity.end, " ");
        }
    }
    let words = wording::words(&rest);
    let all_in = |said: &[String]| words.iter().all(|word| said.contains(&word.text));
    let nothing = [&pointing.filler, &pointing.one, &pointing.again].into_iter().chain(&pointing.places).flatten();
    let mut said: Vec<String> = nothing.flat_map(|phrase| texts(phrase)).collect();
    if all_in(&said) {
        return Bare::Yes;
    }
    let telling = [&pointing.other, &pointing.last, &pointing.cheapest, &pointing.dearest].into_iter().flatten();
    said.extend(telling.flat_map(|phrase| texts(phrase)));
    let meant = about.product.iter().map(|(id, _)| id).chain(&about.options);
    said.extend(meant.filter_map(|id| catalog.get(id)).flat_map(attributes));
    if all_in(&said) { Bare::Perhaps } else { Bare::No }
}

fn other_products(understanding: &Understanding, first: &ProductId) -> Vec<ProductId> {
    let mut others: Vec<ProductId> = Vec::new();
    for id in understanding.values(EntityKind::Product).map(|sku| ProductId(sku.to_owned())) {
        if id != *first && !others.contains(&id) {
            others.push(id);
        }
    }
    others
}

/// The products of the category and the brand that were named.
fn of_names<'a>(understanding: &Understanding, state: &DialogueState, catalog: &'a Catalog) -> Vec<&'a Product> {
    let category = understanding.entities.iter().find(|e| e.kind == EntityKind::Category);
    let brands: Vec<&str> = understanding.values(EntityKind::Brand).collect();
    if category.is_none() && brands.is_empty() {
        return Vec::new();
    }
    let of_brand = |p: &Product| brands.is_empty() || p.brand.as_deref().is_some_and(|brand| brands.contains(&brand));
    let of_category: Vec<&Product> = category.map_or_else(|| catalog.products().iter().collect(), |entity| called(entity, catalog));
    let mut both: Vec<&Product> = of_category.iter().filter(|p| of_brand(p)).copied().collect();
    // "The Arla one", when milk is talked about.
    let talked_about = state.product.iter().chain(state.shown.first()).find_map(|id| catalog.get(id)).map(|p| &p.category);
    if category.is_none() && both.iter().any(|p| Some(&p.category) == talked_about) {
        both.retain(|p| Some(&p.category) == talked_about);
    }
    // "Garant milk" is a name of its own; another brand beside it does not make it nothing.
    if both.is_empty() { of_category } else { both }
}

/// The products that are called as a category was said: "standard milk" is fewer than all milk.
pub(super) fn called<'a>(entity: &Entity, catalog: &'a Catalog) -> Vec<&'a Product> {
    let said = texts(&entity.text);
    let has_name = |p: &&Product| [&p.name, &p.plural].into_iter().chain(&p.synonyms).any(|name| texts(name) == said);
    let of_name: Vec<&Product> = catalog.products().iter().filter(has_name).collect();
    if of_name.is_empty() { catalog.products().iter().filter(|p| p.category == entity.value).collect() } else { of_name }
}

fn seen_product(seen: &Sighting, named: &[&Product]) -> About {
    let probable = |c: &&Candidate| c.probability.get() >= CANDIDATE_MIN;
    // A known photo was weighed with the words already, and its first candidate is what both together say.
    let considered = if seen.verdict == Verdict::Known { 1 } else { seen.top.len() };
    let candidates = || seen.top.iter().take(considered).filter(probable).filter_map(|c| c.product.as_ref());
    let narrowed = candidates().find(|id| named.iter().any(|product| product.id == **id));
    if let Some(product) = narrowed {
        return About::one(product.clone(), Subject::NamedAndSeen);
    }
    if seen.verdict == Verdict::Known {
        return seen.product().map_or_else(About::default, |id| About::one(id.clone(), Subject::Seen));
    }
    // Something else is held up now; the product of an earlier turn is not what is meant.
    About::default()
}

/// Of several products of one name: the one that further words single out; else all that those words leave.
fn narrowed(named: Vec<&Product>, words: &[Word], state: &DialogueState, pointing: &PointingWords) -> About {
    let ids = |products: &[&Product]| products.iter().map(|p| p.id.clone()).collect::<Vec<_>>();
    let shown: Vec<&Product> = named.iter().filter(|p| state.shown.contains(&p.id)).copied().collect();
    let is_pointing = !shown.is_empty() && pointing.one.iter().any(|one| wording::stands_in(words, one));
    let among = if is_pointing { shown } else { named };
    let best = best_by_words(&among, words, pointing);
    match &best[..] {
        [only] => About::one(only.id.clone(), Subject::Named),
        _ => About { options: ids(&best), ..About::default() },
    }
}

/// Those that most of the words fit to; all of them where none fits to any.
fn best_by_words<'a>(among: &[&'a Product], words: &[Word], pointing: &PointingWords) -> Vec<&'a Product> {
    let content: Vec<&Word> = words.iter().filter(|word| !pointing.filler.contains(&word.text)).collect();
    let all_have = |word: &str| among.iter().all(|p| attributes(p).iter().any(|a| a == word));
    let telling: Vec<&&Word> = content.iter().filter(|word| !all_have(&word.text)).collect();
    let score = |product: &&Product| {
        let attributes = attributes(product);
        telling.iter().filter(|word| attributes.contains(&word.text)).count()
    };
    let most = among.iter().map(&score).max().unwrap_or(0);
    among.iter().filter(|p| score(p) == most).copied().collect()
}

/// What is pointed at among the products shown, or among those like the one talked about.
fn pointed(words: &[Word], state: &DialogueState, pointing: &PointingWords, catalog: &Catalog) -> Option<About> {
    let says = |phrases: &[String]| phrases.iter().any(|phrase| wording::stands_in(words, phrase));
    let one = |product: &Product| About::one(product.id.clone(), Subject::Pointed);
    let shown: Vec<&Product> = state.shown.iter().filter_map(|id| catalog.get(id)).collect();
    if says(&pointing.other) {
        return shown.iter().find(|p| Some(&p.id) != state.product.as_ref()).map(|p| one(p));
    }
    if let Some(place) = pointing.places.iter().position(|phrases| says(phrases)) {
        return shown.get(place).map(|p| one(p));
    }
    if says(&pointing.last) {
        return shown.last().map(|p| one(p));
    }
    if says(&pointing.cheapest) && shown.len() > 1 {
        return shown.iter().filter(|p| p.price.is_some()).min_by_key(|p| p.price).map(|p| one(p));
    }
    if says(&pointing.dearest) && shown.len() > 1 {
        return shown.iter().filter(|p| p.price.is_some()).max_by_key(|p| p.price).map(|p| one(p));
    }
    if !says(&pointing.one) && !matches!(state.waiting, Waiting::Product { .. }) {
        return None;
    }
    let like_it = state.product.as_ref().and_then(|id| catalog.get(id)).map(|p| &p.category);
    let category: Vec<&Product> = catalog.products().iter().filter(|p| Some(&p.category) == like_it).collect();
    match &told(&shown, words, pointing).or_else(|| told(&category, words, pointing))?[..] {
        [only] => Some(one(only)),
        several => Some(About { options: several.iter().map(|p| p.id.clone()).collect(), ..About::default() }),
    }
}

/// Those that the words tell from the others; `None` where they tell none from any.
fn told<'a>(among: &[&'a Product], words: &[Word], pointing: &PointingWords) -> Option<Vec<&'a Product>> {
    let best = best_by_words(among, words, pointing);
    (best.len() < among.len()).then_some(best)
}

/// Words by which a product can be told from others: of its names, brand, size and diets.
fn attributes(product: &Product) -> Vec<String> {
    let names = std::iter::once(&product.name).chain(&product.synonyms).chain(&product.brand).chain(&product.size).chain(&product.diet);
    names.flat_map(|name| texts(name)).collect()
}

fn texts(text: &str) -> Vec<String> {
    wording::words(text).into_iter().map(|word| word.text).collect()
}
