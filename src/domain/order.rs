use std::collections::BTreeMap;

use super::{Catalog, PriceCents, Probability, ProductId};

/// A sentence of a closed grammar that was heard, or typed.
#[derive(Debug, Clone, PartialEq)]
pub struct SpokenOrder {
    /// The sentence, as the grammar spells it.
    pub text: String,
    /// What the person wants.
    pub intent: String,
    /// The slots that were filled, with the grammar's own values.
    pub slots: BTreeMap<String, String>,
    /// How likely this is what was said, and not something else altogether.
    pub confidence: Probability,
}

impl SpokenOrder {
    /// Whether it is rather an order than something else.
    pub fn is_accepted(&self) -> bool {
        self.confidence.get() >= 0.5
    }
}

/// One thing that was ordered, as often as `quantity` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketLine {
    /// What.
    pub product: ProductId,
    /// How often; at least 1.
    pub quantity: u32,
    /// How it is wanted: the name of a part of the menu, and what was chosen of it.
    pub parts: BTreeMap<String, PartChoice>,
    /// What one costs as it is wanted.
    pub each: PriceCents,
}

/// What was chosen of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChoice {
    /// The menu's word: "oat milk".
    pub value: String,
    /// How much of it, where that was said: "a lot of".
    pub amount: Option<String>,
}

/// What a person has ordered so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basket {
    /// In the order of asking.
    pub lines: Vec<BasketLine>,
    /// Whether the person said that it is right as it stands.
    pub is_confirmed: bool,
}

impl Basket {
    /// What all of it costs; the largest price there is where it cannot be counted.
    pub fn total(&self) -> PriceCents {
        let prices = self.lines.iter().map(|line| line.each.0.saturating_mul(line.quantity));
        PriceCents(prices.fold(0, u32::saturating_add))
    }

    /// The products in it, each once a line.
    pub fn products(&self) -> impl Iterator<Item = &ProductId> {
        self.lines.iter().map(|line| &line.product)
    }
}

/// One way to have a part of a thing that can be ordered: oat milk, large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuChoice {
    /// The menu's word.
    pub value: String,
    /// How people say it, and how a grammar's slot does.
    pub said: Vec<String>,
    /// What it adds to the price, in cents; less than 0 where it makes the thing cheaper.
    pub price_cents: i32,
}

/// Something that can be chosen of what is ordered: the size, the milk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuPart {
    /// Its name in records.
    pub name: String,
    /// The grammar's slot that holds it.
    pub slot: Option<String>,
    /// Categories of the catalog whose products have it.
    pub categories: Vec<String>,
    /// Products of these categories that do not have it.
    pub except: Vec<ProductId>,
    /// Whether it is said before the name ("large latte") or after it ("latte with oat milk").
    pub stands_before: bool,
    /// What can be chosen.
    pub choices: Vec<MenuChoice>,
}

/// What can be ordered at this desk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Menu {
    /// The intent of the shop that an order is.
    pub intent: String,
    /// The intent of the grammar that an order is.
    pub grammar_intent: String,
    /// The grammar's slot that names the product.
    pub item_slot: String,
    /// Categories of the catalog that can be ordered.
    pub categories: Vec<String>,
    /// What can be chosen of them.
    pub parts: Vec<MenuPart>,
    /// Amounts: "a lot of".
    pub amounts: Vec<String>,
    /// Numbers as they are said.
    pub numbers: BTreeMap<String, u32>,
    /// Words by which an order is steered.
    pub said: OrderWords,
    /// What the intents of the grammar of replies mean.
    pub replies: BTreeMap<String, Reply>,
    /// Of one line at most so many.
    pub quantity_max: u32,
    /// Lines at most.
    pub lines_max: usize,
}

/// What a person says to a question of the desk, in a few fixed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It is right.
    Yes,
    /// It is not.
    No,
    /// There is nothing more.
    Done,
    /// It is to be forgotten.
    Cancel,
    /// It is to be said again.
    Repeat,
}

/// Words by which an order is steered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderWords {
    /// Something more: "another".
    pub add: Vec<String>,
    /// Something less: "remove".
    pub remove: Vec<String>,
    /// Something else: "no", "make it".
    pub change: Vec<String>,
    /// The next thing is what it was before: "instead of".
    pub old: Vec<String>,
    /// The next thing is not wanted: "without".
    pub without: Vec<String>,
    /// One thing ends and another begins: "and".
    pub join: Vec<String>,
    /// What says nothing about the order: "please".
    pub filler: Vec<String>,
}

impl Menu {
    /// Whether a product can be ordered.
    pub fn has(&self, product: &ProductId, catalog: &Catalog) -> bool {
        catalog.get(product).is_some_and(|p| self.categories.contains(&p.category))
    }

    /// Whether something can be chosen of a product.
    pub fn offers(&self, part: &MenuPart, product: &ProductId, catalog: &Catalog) -> bool {
        catalog.get(product).is_some_and(|p| part.categories.contains(&p.category)) && !part.except.contains(product)
    }

    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&MenuPart> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// What one product costs as it is wanted. A choice can make it free, but not less.
    pub fn price(&self, product: &ProductId, parts: &BTreeMap<String, PartChoice>, catalog: &Catalog) -> PriceCents {
        let base = catalog.get(product).and_then(|p| p.price).map_or(0, |price| i64::from(price.0));
        let added = parts.iter().filter_map(|(name, chosen)| {
            self.part(name)?.choices.iter().find(|choice| choice.value == chosen.value).map(|choice| i64::from(choice.price_cents))
        });
        PriceCents(u32::try_from((base + added.sum::<i64>()).max(0)).unwrap_or(u32::MAX))
    }
}
