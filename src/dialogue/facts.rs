//! What templates may name: the catalog, the shop, the moment, and what was understood.

use minijinja::{Value, context};

use super::wording;
use crate::domain::{Catalog, DialogueState, EntityKind, Moment, Product, ProductId, Recipe, Shop, Understanding};

/// Stands in a text where the shop's data did not have what was asked for; of no alphabet, so it is never said by anybody.
pub(super) const UNKNOWN: char = '\u{e000}';

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What an answer is about.
pub(super) struct About<'a> {
    pub product: Option<&'a ProductId>,
    /// Further products: those named for a comparison, or those recommended.
    pub others: &'a [ProductId],
    /// Those of the name that was said, where there are several.
    pub products: &'a [ProductId],
    /// That name.
    pub named: &'a str,
    pub text: Option<&'a str>,
    pub understanding: Option<&'a Understanding>,
}

/// All facts of a turn.
pub(super) fn of(about: &About<'_>, shop: &Shop, catalog: &Catalog, state: &DialogueState, moment: Moment) -> Value {
    let one = |id: &ProductId| catalog.get(id).map(|product| fact(product, shop));
    let product = about.product.and_then(|id| catalog.get(id));
    let mut products: Vec<&Product> = about.products.iter().filter_map(|id| catalog.get(id)).collect();
    products.sort_by_key(|p| !p.in_stock);
    let hours = shop.opening_hours[moment.weekday % 7];
    let asked_day = asked_day(about.text, moment);
    let tomorrow = shop.opening_hours[(moment.weekday + 1) % 7];
    let spoken = |hours: (u16, u16)| format!("{} to {}", spoken_time(hours.0), spoken_time(hours.1));
    context! {
        unknown => UNKNOWN.to_string(),
        product => about.product.and_then(one),
        others => about.others.iter().filter_map(one).collect::<Vec<_>>(),
        products => products.iter().map(|p| fact(p, shop)).collect::<Vec<_>>(),
        named => about.named,
        shop => context! { name => &shop.name, facts => &shop.facts, allergen_disclaimer => &shop.allergen_disclaimer },
        today => WEEKDAYS[moment.weekday % 7],
        hours_today => hours.map(spoken),
        hours_tomorrow => tomorrow.map(spoken),
        is_open => hours.is_some_and(|(from, to)| (from..to).contains(&moment.minutes)),
        closes => hours.map(|(_, to)| spoken_time(to)),
        week => WEEKDAYS.iter().zip(shop.opening_hours).map(|(day, hours)| context! { day => *day, hours => hours.map(spoken) }).collect::<Vec<_>>(),
        asked_day => asked_day.map(|day| WEEKDAYS[day]),
        hours_asked => asked_day.and_then(|day| shop.opening_hours[day]).map(spoken),
        asked => asked(about.understanding),
        offers => offers(catalog, about),
        recipe => recipe(&shop.recipes, product, state.turns).map(|r| recipe_fact(r, catalog)),
        last_answer => &state.last_answer,
    }
}

fn fact(product: &Product, shop: &Shop) -> Value {
    context! {
        sku => product.id.as_str(),
        name => &product.name,
        plural => &product.plural,
        category => &product.category,
        brand => &product.brand,
        price_cents => product.price.map(|price| price.0),
        price_spoken => product.price.map(|price| price.spoken(&shop.currency_word)),
        unit => &product.unit,
        size => &product.size,
        aisle => &product.aisle,
        shelf => &product.shelf,
        in_stock => product.in_stock,
        stock_count => product.stock_count,
        origin => &product.origin,
        ingredients => &product.ingredients,
        allergens => &product.allergens,
        diet => &product.diet,
        kcal_per_100g => product.kcal_per_100g,
        offer => &product.offer,
        description => &product.description,
        facts => &product.facts,
    }
}

/// The allergens and diets of the sentence, each once.
fn asked(understanding: Option<&Understanding>) -> Vec<String> {
    let Some(understanding) = understanding else { return Vec::new() };
    let mut asked: Vec<String> = Vec::new();
    for word in understanding.values(EntityKind::Allergen).chain(understanding.values(EntityKind::Diet)) {
        if !asked.iter().any(|known| known == word) {
            asked.push(word.to_owned());
        }
    }
    asked
}

/// The weekday that was named, one or all of its kind: "sunday", "on sundays", "tomorrow".
fn asked_day(text: Option<&str>, moment: Moment) -> Option<usize> {
    let day = |word: &str| match word {
        "tomorrow" => Some((moment.weekday + 1) % 7),
        _ => WEEKDAYS.iter().position(|day| word.strip_prefix(day).is_some_and(|rest| ["", "s", "'s"].contains(&rest))),
    };
    wording::words(text?).iter().find_map(|word| day(&word.text))
}

/// What is on offer: of what was named, where something was; else all.
fn offers(catalog: &Catalog, about: &About<'_>) -> Vec<Value> {
    let category = about.understanding.and_then(|u| u.values(EntityKind::Category).next());
    let on_offer = || catalog.products().iter().filter(|p| p.in_stock && p.offer.is_some());
    let of_category: Vec<&Product> = on_offer().filter(|p| Some(p.category.as_str()) == category).collect();
    let chosen: Vec<&Product> = if of_category.is_empty() { on_offer().collect() } else { of_category };
    chosen.into_iter().map(|p| context! { name => &p.name, offer => &p.offer }).collect()
}

/// A recipe with the product; where several have it, they take turns.
fn recipe<'a>(recipes: &'a [Recipe], product: Option<&Product>, turns: u32) -> Option<&'a Recipe> {
    let fitting: Vec<&Recipe> = match product {
        Some(product) => recipes.iter().filter(|r| r.products.contains(&product.id)).collect(),
        None => recipes.iter().collect(),
    };
    fitting.get(turns as usize % fitting.len().max(1)).copied()
}

fn recipe_fact(recipe: &Recipe, catalog: &Catalog) -> Value {
    let products = recipe.products.iter().filter_map(|id| catalog.get(id));
    context! {
        name => &recipe.name,
        text => &recipe.text,
        products => products.map(|p| context! { name => &p.name, aisle => &p.aisle, in_stock => p.in_stock }).collect::<Vec<_>>(),
    }
}

/// "a, b and c": a filter, `{{ names | listed("and") }}`.
pub(super) fn listed(items: Vec<String>, last: Option<String>) -> String {
    match &items[..] {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {} {end}", first.join(", "), last.as_deref().unwrap_or("and")),
    }
}

/// At most so many characters: a filter, `{{ said | shortened(200) }}`.
pub(super) fn shortened(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// 480 is "8 in the morning".
fn spoken_time(minutes: u16) -> String {
    let (hour, minute) = (minutes / 60, minutes % 60);
    let part = match hour {
        0..12 => "in the morning",
        12..18 => "in the afternoon",
        _ => "in the evening",
    };
    let clock = if hour % 12 == 0 { 12 } else { hour % 12 };
    if minute == 0 { format!("{clock} {part}") } else { format!("{clock}:{minute:02} {part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_spoken() {
        assert_eq!(spoken_time(480), "8 in the morning");
        assert_eq!(spoken_time(1260), "9 in the evening");
        assert_eq!(spoken_time(750), "12:30 in the afternoon");
    }

    #[test]
    fn a_weekday_is_found_by_its_name() {
        let wednesday = Moment { weekday: 2, minutes: 615 };
        let asked = |text: &str| asked_day(Some(text), wednesday);
        assert_eq!((asked("and on Sundays?"), asked("until when on saturday"), asked("tomorrow?")), (Some(6), Some(5), Some(3)));
        assert_eq!((asked("how are you today"), asked("a sundae")), (None, None));
    }

    #[test]
    fn lists_are_spoken() {
        let list = |items: &[&str]| listed(items.iter().map(|i| (*i).to_owned()).collect(), None);
        assert_eq!((list(&[]), list(&["a"]), list(&["a", "b"])), (String::new(), "a".to_owned(), "a and b".to_owned()));
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
