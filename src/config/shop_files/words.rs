use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::domain::Catalog;
use crate::language::WordLists;

/// `words.toml`: how people say what the catalog writes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WordsFile {
    #[serde(default)]
    allergen: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    diet: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    size: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    wish: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    unit: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    place: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    person: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    number: NumberWords,
    #[serde(default)]
    currency: Vec<String>,
}

/// What may stand before a number.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NumberWords {
    order: Vec<String>,
    customer: Vec<String>,
}

impl WordsFile {
    /// `currency_word` is the shop's own, which needs no list.
    pub(super) fn build(self, currency_word: &str) -> WordLists {
        let Self { allergen, diet, size, extra, wish, unit, place, person, number, mut currency } = self;
        currency.push(currency_word.to_owned());
        let (order_number, customer_number) = (number.order, number.customer);
        WordLists { allergen, diet, size, extra, wish, unit, place, person, order_number, customer_number, currency }
    }

    /// A misspelt allergen would be answered with "not listed": only words that this file knows are accepted in the catalog at `path`.
    pub(super) fn check(&self, catalog: &Catalog, path: &Path, problems: &mut Vec<String>) {
        for product in catalog.products() {
            let mut check = |what: &str, value: &String, known: &BTreeMap<String, Vec<String>>| {
                if !known.contains_key(value) {
                    let expected = known.keys().cloned().collect::<Vec<_>>().join(", ");
                    let sku = product.id.as_str();
                    problems.push(format!("{}: product {sku:?} has the {what} {value:?}; words.toml knows {expected}", path.display()));
                }
            };
            product.allergens.iter().flatten().for_each(|value| check("allergen", value, &self.allergen));
            product.diet.iter().for_each(|value| check("diet", value, &self.diet));
        }
    }
}
