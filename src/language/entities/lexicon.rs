use std::collections::{BTreeMap, HashMap, HashSet};

use super::inflection::inflected;
use super::reading::{Rank, Reading};
use super::sentence::normal;
use crate::domain::{Catalog, EntityKind, Product};

/// Longest phrase looked for, in words.
const WORDS_MAX: usize = 8;

/// Words that mean something in this shop beside the catalog: a value of the catalog, and how people say it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WordLists {
    /// Allergens: "milk" is said "dairy".
    pub allergen: BTreeMap<String, Vec<String>>,
    /// Diets: "gluten-free" is said "coeliac".
    pub diet: BTreeMap<String, Vec<String>>,
    /// Sizes: "large" is said "big".
    pub size: BTreeMap<String, Vec<String>>,
    /// What goes with an order: "double shot" is said "two shots".
    pub extra: BTreeMap<String, Vec<String>>,
    /// Wishes: "cheaper" is said "less expensive".
    pub wish: BTreeMap<String, Vec<String>>,
    /// What is counted beside weights and volumes: "carton" is said "cartons" and "packs".
    pub unit: BTreeMap<String, Vec<String>>,
    /// Places of the house: "till" is said "checkout". A number behind one names one of several: "aisle five".
    pub place: BTreeMap<String, Vec<String>>,
    /// People who may be asked for: "manager" is said "boss".
    pub person: BTreeMap<String, Vec<String>>,
    /// Words before the number of an order: "order", "receipt".
    pub order_number: Vec<String>,
    /// Words before the number of a customer: "loyalty card", "account".
    pub customer_number: Vec<String>,
    /// The shop's words for its currency: "euro", "euros". Pounds, euros and dollars are known anyway.
    pub currency: Vec<String>,
}

impl WordLists {
    /// Groups of phrases that mean the same, in lower case.
    pub fn synonyms(&self) -> impl Iterator<Item = Vec<String>> {
        let lists = [&self.allergen, &self.diet, &self.size, &self.extra, &self.wish, &self.unit, &self.place, &self.person];
        lists.into_iter().flat_map(BTreeMap::values).map(|phrases| phrases.iter().map(|phrase| phrase.to_lowercase()).collect())
    }
}

/// Every phrase that the catalog and the word lists name, and what each means.
///
/// A name that several products share ("milk") is a category; which of them is meant, the dialogue or the photo decides. Where all of
/// them are of one brand ("arla milk"), the brand is named too.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    phrases: HashMap<String, Vec<(EntityKind, String)>>,
    /// Words with which a phrase begins; most words of a sentence are none of them.
    begins: HashSet<String>,
}

impl Lexicon {
    pub(super) fn new(catalog: &Catalog, words: &WordLists) -> Self {
        let mut lexicon = Self::default();
        for product in catalog.products() {
            lexicon.add(&product.category, EntityKind::Category, &product.category);
            if let Some(brand) = &product.brand {
                lexicon.add(brand, EntityKind::Brand, brand);
            }
        }
        let names = names(catalog);
        for (name, products) in &names {
            lexicon.add_name(name, products);
        }
        let lists = [
            (EntityKind::Allergen, &words.allergen),
            (EntityKind::Diet, &words.diet),
            (EntityKind::Size, &words.size),
            (EntityKind::Extra, &words.extra),
            (EntityKind::Wish, &words.wish),
            (EntityKind::Place, &words.place),
            (EntityKind::Person, &words.person),
        ];
        for (kind, list) in lists {
            for (value, said) in list {
                said.iter().for_each(|phrase| lexicon.add(phrase, kind, value));
            }
        }
        lexicon.add_inflected(&names);
        lexicon.begins = lexicon.phrases.keys().filter_map(|phrase| phrase.split(' ').next()).map(str::to_owned).collect();
        lexicon
    }

    fn add_name(&mut self, name: &str, products: &[&Product]) {
        match products {
            [only] => self.add(name, EntityKind::Product, only.id.as_str()),
            _ => {
                self.add(name, EntityKind::Category, commonest_category(products));
                let brand = products.first().and_then(|product| product.brand.as_deref());
                let brand = brand.filter(|brand| name != normal(brand) && products.iter().all(|p| p.brand.as_deref() == Some(brand)));
                if let Some(brand) = brand.filter(|brand| format!(" {name} ").contains(&format!(" {} ", normal(brand)))) {
                    self.add(name, EntityKind::Brand, brand);
                }
            }
        }
    }

    /// Plurals and singulars of the names, and of the categories, that the files do not give themselves.
    fn add_inflected(&mut self, names: &BTreeMap<String, Vec<&Product>>) {
        let mut others: BTreeMap<String, Vec<&Product>> = BTreeMap::new();
        for (name, products) in names {
            for other in inflected(name).into_iter().filter(|other| !self.phrases.contains_key(other)) {
                let known = others.entry(other).or_default();
                known.extend(products.iter().filter(|product| !known.iter().any(|k| k.id == product.id)).copied().collect::<Vec<_>>());
            }
        }
        for (other, products) in &others {
            self.add_name(other, products);
        }
        let categories: Vec<(String, String)> = self.of_kind(EntityKind::Category);
        for (phrase, value) in categories {
            for other in inflected(&phrase).into_iter().filter(|other| !self.phrases.contains_key(other)).collect::<Vec<_>>() {
                self.add(&other, EntityKind::Category, &value);
            }
        }
    }

    fn of_kind(&self, kind: EntityKind) -> Vec<(String, String)> {
        let of = |(phrase, meanings): (&String, &Vec<(EntityKind, String)>)| {
            meanings.iter().find(|(k, _)| *k == kind).map(|(_, value)| (phrase.clone(), value.clone()))
        };
        let mut found: Vec<(String, String)> = self.phrases.iter().filter_map(of).collect();
        found.sort();
        found
    }

    fn add(&mut self, phrase: &str, kind: EntityKind, value: &str) {
        let phrase = normal(phrase);
        if phrase.is_empty() {
            return;
        }
        let meanings = self.phrases.entry(phrase).or_default();
        // A name of one product is more exact than a brand or category of the same words.
        if kind == EntityKind::Product {
            meanings.retain(|(k, _)| !matches!(k, EntityKind::Brand | EntityKind::Category));
        }
        if !meanings.iter().any(|(k, _)| *k == kind) {
            meanings.push((kind, value.to_owned()));
        }
    }

    /// All phrases, in an order that does not depend on chance.
    pub(super) fn phrases(&self) -> Vec<&str> {
        let mut phrases: Vec<&str> = self.phrases.keys().map(String::as_str).collect();
        phrases.sort_unstable();
        phrases
    }

    /// What a phrase means.
    pub(super) fn meanings(&self, phrase: &str) -> &[(EntityKind, String)] {
        self.phrases.get(phrase).map_or(&[], Vec::as_slice)
    }

    /// The longest phrase that begins here: what it means, and how many words it takes.
    pub(super) fn at<'a>(&'a self, words: &[&str]) -> Option<(&'a [(EntityKind, String)], usize)> {
        self.all_at(words).pop()
    }

    /// All phrases that begin here, the shortest first.
    fn all_at<'a>(&'a self, words: &[&str]) -> Vec<(&'a [(EntityKind, String)], usize)> {
        let mut found = Vec::new();
        if !words.first().is_some_and(|word| self.begins.contains(*word)) {
            return found;
        }
        let mut phrase = String::new();
        for (at, word) in words.iter().take(WORDS_MAX).enumerate() {
            if at > 0 {
                phrase.push(' ');
            }
            phrase.push_str(word);
            if let Some(meanings) = self.phrases.get(&phrase) {
                found.push((meanings.as_slice(), at + 1));
            }
        }
        found
    }

    /// Everything that the words name exactly.
    pub(super) fn readings(&self, words: &[&str]) -> Vec<Reading> {
        let at = |from: usize| self.all_at(&words[from..]).into_iter().map(move |(meanings, length)| (from, meanings, length));
        let reading = |(from, meanings, length): (usize, &[(EntityKind, String)], usize)| Reading {
            from,
            to: from + length,
            rank: Rank::Listed,
            meanings: meanings.to_vec(),
        };
        (0..words.len()).flat_map(at).map(reading).collect()
    }
}

/// Own names of all products: name, plural, synonyms.
fn names(catalog: &Catalog) -> BTreeMap<String, Vec<&Product>> {
    let mut names: BTreeMap<String, Vec<&Product>> = BTreeMap::new();
    for product in catalog.products() {
        for name in std::iter::once(&product.name).chain([&product.plural]).chain(&product.synonyms) {
            let products = names.entry(normal(name)).or_default();
            if !products.iter().any(|p| p.id == product.id) {
                products.push(product);
            }
        }
    }
    names
}

fn commonest_category<'a>(products: &[&'a Product]) -> &'a str {
    let count = |product: &Product| products.iter().filter(|p| p.category == product.category).count();
    // The first of the catalog among equals, so that the order of the file decides and not chance.
    products.iter().rev().max_by_key(|p| count(p)).map_or("", |p| p.category.as_str())
}
