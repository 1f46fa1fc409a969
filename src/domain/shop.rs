use std::collections::BTreeMap;

use super::ProductId;

/// When the shop is open on one weekday, as minutes since midnight; `None` when closed.
pub type OpeningHours = Option<(u16, u16)>;

/// The shop itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// The plural of its currency, as spoken.
    pub currency_word: String,
    /// Said after every answer about allergens; empty where there are no such answers.
    pub allergen_disclaimer: String,
    /// Monday first.
    pub opening_hours: [OpeningHours; 7],
    /// Other facts by name.
    pub facts: BTreeMap<String, String>,
    /// Questions with their answers.
    pub faq: Vec<Faq>,
    /// Ideas what to cook.
    pub recipes: Vec<Recipe>,
}

/// A question that is asked often.
#[derive(Debug, Clone, PartialEq)]
pub struct Faq {
    /// The question.
    pub question: String,
    /// Other ways to ask it.
    pub alternatives: Vec<String>,
    /// What to say.
    pub answer: String,
}

/// An idea what to cook.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// What goes in.
    pub products: Vec<ProductId>,
    /// How, in a sentence or two.
    pub text: String,
}
