use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::domain::{Catalog, Faq, ProductId, Recipe, Shop};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopFile {
    name: String,
    #[serde(rename = "currency")]
    _currency: String,
    currency_word: String,
    #[serde(default)]
    allergen_disclaimer: String,
    opening_hours: BTreeMap<String, String>,
    #[serde(default)]
    facts: BTreeMap<String, String>,
}

impl ShopFile {
    pub(super) fn build(self, path: &Path, faq: Vec<FaqEntry>, recipes: Vec<Recipe>, problems: &mut Vec<String>) -> Shop {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let opening_hours = days.map(|day| match self.opening_hours.get(day).map(String::as_str) {
            Some("closed") | None => None,
            Some(text) => hours(text).or_else(|| {
                problems.push(format!("{}: opening_hours.{day} is {text:?}; expected \"08:00-21:00\" or \"closed\"", path.display()));
                None
            }),
        });
        for day in self.opening_hours.keys().filter(|day| !days.contains(&day.as_str())) {
            problems.push(format!("{}: opening_hours has the key {day:?}; expected the days monday to sunday", path.display()));
        }
        let faq = faq.into_iter().map(|f| Faq { question: f.question, alternatives: f.alternatives, answer: f.answer }).collect();
        let Self { name, currency_word, allergen_disclaimer, facts, .. } = self;
        Shop { name, currency_word, allergen_disclaimer, opening_hours, facts, faq, recipes }
    }
}

/// "08:00-21:00" as minutes since midnight.
fn hours(text: &str) -> Option<(u16, u16)> {
    let minutes = |time: &str| {
        let (hour, minute) = time.trim().split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from < to).then_some((from, to))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaqFile {
    #[serde(default)]
    pub(super) faq: Vec<FaqEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaqEntry {
    question: String,
    #[serde(default)]
    alternatives: Vec<String>,
    answer: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeFile {
    #[serde(default)]
    recipe: Vec<RecipeEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeEntry {
    name: String,
    products: Vec<String>,
    text: String,
}

impl RecipeFile {
    pub(super) fn build(self, path: &Path, catalog: &Catalog, problems: &mut Vec<String>) -> Vec<Recipe> {
        let build = |entry: RecipeEntry| {
            let products: Vec<ProductId> = entry.products.into_iter().map(ProductId).collect();
            for product in products.iter().filter(|p| catalog.get(p).is_none()) {
                problems.push(format!("{}: {:?} needs {:?}, which is no product of the catalog", path.display(), entry.name, product.0));
            }
            Recipe { name: entry.name, products, text: entry.text }
        };
        self.recipe.into_iter().map(build).collect()
    }
}
