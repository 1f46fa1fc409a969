use std::collections::{BTreeMap, HashMap};

use super::inflection::inflected;
use super::sentence::{Sentence, normal};
use crate::domain::{Catalog, Entity, EntityKind, Product, ProductId};

/// Words that stand in names and tell no product from another.
const UNTELLING: [&str; 16] =
    ["a", "an", "and", "at", "for", "free", "from", "in", "of", "on", "one", "the", "to", "with", "without", "your"];
/// A word right behind one of these is not what is meant: "not the green one".
const DENYING: [&str; 3] = ["not", "no", "without"];

/// What sort of words a hint is made of; each sort is right more or less often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HintKind {
    /// A name of products, or their category: "apple juice".
    Name,
    /// A brand.
    Brand,
    /// A size that the catalog writes: "1 litre".
    Size,
    /// A word of their names that is no name: "green", "organic".
    Attribute,
}

/// Words that fit some products and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What sort of words.
    pub kind: HintKind,
    /// The products they fit, in the order of their keys; never empty.
    pub fits: Vec<ProductId>,
}

/// Tells which products the words of a sentence fit, by all that the catalog calls them.
#[derive(Debug, Clone, Default)]
pub struct ProductWords {
    names: Index,
    categories: Index,
    brands: Index,
    sizes: Index,
    words: Index,
}

type Index = HashMap<String, Vec<ProductId>>;

impl ProductWords {
    /// Indexes a catalog.
    pub fn new(catalog: &Catalog) -> Self {
        let mut found = Self::default();
        for product in catalog.products() {
            found.add(product);
        }
        found
    }

    fn add(&mut self, product: &Product) {
        note(&mut self.categories, product.category.clone(), product);
        product.brand.iter().for_each(|brand| note(&mut self.brands, brand.clone(), product));
        product.size.iter().for_each(|size| note(&mut self.sizes, size.clone(), product));
        let names = std::iter::once(&product.name).chain([&product.plural]).chain(&product.synonyms);
        let said = names.clone().chain([&product.category]).chain(&product.diet);
        for name in names.map(|name| normal(name)) {
            inflected(&name).into_iter().for_each(|other| note(&mut self.names, other, product));
            note(&mut self.names, name, product);
        }
        for word in said.flat_map(|text| normal(text).split(' ').map(str::to_owned).collect::<Vec<_>>()) {
            if word.len() > 1 && !UNTELLING.contains(&word.as_str()) {
                inflected(&word).into_iter().for_each(|other| note(&mut self.words, other, product));
                note(&mut self.words, word, product);
            }
        }
    }

    /// The hints of a sentence in which these entities were found. A stretch of words is one hint, and words that are part of an entity
    /// are not counted again one by one.
    pub fn hints(&self, text: &str, entities: &[Entity]) -> Vec<Hint> {
        let mut by_span: BTreeMap<(usize, usize), Vec<Hint>> = BTreeMap::new();
        for entity in entities {
            let hint = self.of_entity(entity).filter(|fits| !fits.is_empty()).and_then(|fits| Some(Hint { kind: kind_of(entity)?, fits }));
            by_span.entry((entity.start, entity.end)).or_default().extend(hint);
        }
        by_span.retain(|_, hints| !hints.is_empty());
        let sentence = Sentence::new(text);
        let words = sentence.words();
        let is_free = |at: usize| {
            let (start, end) = sentence.span(at, at + 1);
            !by_span.keys().any(|(from, to)| start < *to && end > *from)
        };
        let is_denied = |at: usize| {
            let before = |back: usize| at.checked_sub(back).is_some_and(|before| DENYING.contains(&words[before]));
            before(1) || (before(2) && matches!(words[at - 1], "the" | "a"))
        };
        let told = (0..words.len()).filter(|at| is_free(*at) && !is_denied(*at)).filter_map(|at| self.words.get(words[at]));
        let attributes: Vec<Hint> = told.map(|fits| Hint { kind: HintKind::Attribute, fits: fits.clone() }).collect();
        by_span.into_values().flatten().chain(attributes).collect()
    }

    fn of_entity(&self, entity: &Entity) -> Option<Vec<ProductId>> {
        match entity.kind {
            EntityKind::Product => Some(vec![ProductId(entity.value.clone())]),
            // "apple juice" is the category juice, but fits the apple ones of it only.
            EntityKind::Category => self.names.get(&normal(&entity.text)).or_else(|| self.categories.get(&entity.value)).cloned(),
            EntityKind::Brand => self.brands.get(&entity.value).cloned(),
            EntityKind::Size => self.sizes.get(&entity.value).cloned(),
            _ => None,
        }
    }
}

fn kind_of(entity: &Entity) -> Option<HintKind> {
    match entity.kind {
        EntityKind::Product | EntityKind::Category => Some(HintKind::Name),
        EntityKind::Brand => Some(HintKind::Brand),
        EntityKind::Size => Some(HintKind::Size),
        _ => None,
    }
}

fn note(index: &mut Index, word: String, product: &Product) {
    let products = index.entry(word).or_default();
    if let Err(place) = products.binary_search(&product.id) {
        products.insert(place, product.id.clone());
    }
}
