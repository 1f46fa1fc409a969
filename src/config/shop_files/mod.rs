//! The shop's own files, read and checked all at once.

mod answers;
mod catalog;
mod intents;
mod order;
mod shop;
mod talk;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::dialogue::{Sayings, Talk};
use crate::domain::{Catalog, IntentDefinition, IntentManner, Menu, Shop};
use crate::language::WordLists;

/// All that a shop wrote about itself.
#[derive(Debug, Clone)]
pub struct ShopFiles {
    /// Name, hours, facts, FAQ, recipes.
    pub shop: Shop,
    /// What it sells.
    pub catalog: Catalog,
    /// What people may want.
    pub intents: Vec<IntentDefinition>,
    /// How intents are treated, by name.
    pub manners: BTreeMap<String, IntentManner>,
    /// How people say sizes, allergens and diets.
    pub words: WordLists,
    /// What can be ordered.
    pub menu: Menu,
    /// The grammars of what can be ordered and of replies, as text; empty where there are none.
    pub grammars: GrammarTexts,
    /// Words and rules by which conversations are led.
    pub talk: Talk,
    /// What is said that is no answer of an intent.
    pub sayings: Sayings,
}

/// Closed grammars as the shop wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrammarTexts {
    /// Orders.
    pub orders: Option<String>,
    /// Yes, no, that's all.
    pub replies: Option<String>,
}

impl ShopFiles {
    /// Reads `shop.toml`, `catalog.toml` and `intents/*.toml` of one folder, and where they are there `faq.toml`, `recipes.toml`,
    /// `words.toml`, `order.toml`, `talk.toml`, `rules.toml` and `answers/*.toml`; reports all that is wrong in all of them at once.
    pub fn read(folder: &Path) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let shop = file::<shop::ShopFile>(&folder.join("shop.toml"), &mut problems);
        let catalog = file::<catalog::CatalogFile>(&folder.join("catalog.toml"), &mut problems);
        let faq = optional_file::<shop::FaqFile>(&folder.join("faq.toml"), &mut problems).unwrap_or_default();
        let recipes = optional_file::<shop::RecipeFile>(&folder.join("recipes.toml"), &mut problems).unwrap_or_default();
        let words = optional_file::<words::WordsFile>(&folder.join("words.toml"), &mut problems).unwrap_or_default();
        let intents = intents::read(&folder.join("intents"), &mut problems);
        let (Some(shop), Some(catalog)) = (shop, catalog) else {
            return Err(problems);
        };
        let catalog = catalog.build(&folder.join("catalog.toml"), &mut problems);
        let recipes = recipes.build(&folder.join("recipes.toml"), &catalog, &mut problems);
        let shop = shop.build(&folder.join("shop.toml"), faq.faq, recipes, &mut problems);
        let (intents, manners) = intents::check(intents, &mut problems);
        words.check(&catalog, &folder.join("catalog.toml"), &mut problems);
        let (menu, grammars) = order::read(folder, &catalog, &intents, &mut problems);
        let mut sayings = answers::read(&folder.join("answers"), &mut problems);
        let talk = talk::read(folder, &intents, &mut sayings, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let words = words.build(&shop.currency_word);
        Ok(Self { shop, catalog, intents, manners, words, menu, grammars, talk, sayings })
    }
}

fn file<T: DeserializeOwned>(path: &Path, problems: &mut Vec<String>) -> Option<T> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string());
    match text.and_then(|text| toml::from_str(&text).map_err(|e| e.to_string().trim_end().to_owned())) {
        Ok(value) => Some(value),
        Err(reason) => {
            problems.push(format!("{}: {reason}", path.display()));
            None
        }
    }
}

/// The same of a file that may be absent.
fn optional_file<T: DeserializeOwned>(path: &Path, problems: &mut Vec<String>) -> Option<T> {
    if path.exists() { file(path, problems) } else { None }
}

/// The line, from 1, in which a byte of the text stands.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
