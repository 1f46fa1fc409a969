use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{EntityKind, Product, ProductId};

fn product(id: &str, name: &str, category: &str, brand: Option<&str>, synonyms: &[&str]) -> Product {
    Product {
        id: ProductId(id.to_owned()),
        name: name.to_owned(),
        plural: format!("{name}s"),
        photo_class: None,
        category: category.to_owned(),
        brand: brand.map(str::to_owned),
        price: None,
        unit: "piece".to_owned(),
        size: None,
        aisle: "1".to_owned(),
        shelf: "left".to_owned(),
        in_stock: true,
        stock_count: None,
        origin: None,
        ingredients: None,
        allergens: None,
        diet: vec![],
        kcal_per_100g: None,
        synonyms: synonyms.iter().map(|s| (*s).to_owned()).collect(),
        goes_with: vec![],
        offer: None,
        description: None,
        facts: BTreeMap::new(),
    }
}

/// A shop of six products whose currency is the pound, which is a weight too.
fn catalog() -> Catalog {
    Catalog::new(vec![
        product("granny", "Granny Smith apple", "apples", None, &["granny smith", "apple"]),
        product("gala", "Royal Gala apple", "apples", None, &["apple"]),
        product("oatly", "Oatly oat drink", "oat drinks", Some("Oatly"), &["oat milk", "oatly"]),
        product("milk", "standard milk", "milk", Some("Arla"), &["milk", "arla milk"]),
        product("medium-milk", "medium fat milk", "milk", Some("Arla"), &["milk", "arla milk"]),
        product("latte", "latte", "hot drinks", None, &["caffe latte"]),
    ])
    .expect("catalog")
}

fn finder() -> EntityFinder {
    let list = |value: &str, said: &[&str]| BTreeMap::from([(value.to_owned(), said.iter().map(|s| (*s).to_owned()).collect())]);
    let words = WordLists {
        allergen: list("milk", &["milk", "dairy"]),
        diet: list("vegan", &["vegan"]),
        size: list("large", &["large", "big"]),
        extra: list("double shot", &["double"]),
        place: list("gate", &["gate"]),
        order_number: vec!["order".to_owned()],
        currency: vec!["pounds".to_owned()],
        ..WordLists::default()
    };
    EntityFinder::new(&catalog(), &words)
}

#[track_caller]
fn check(text: &str, expected: &[(EntityKind, &str, &str)]) {
    let found = finder().find(text);
    let found: Vec<_> = found.iter().map(|e| (e.kind, e.text.as_str(), e.value.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn products_are_found_by_name_plural_and_synonym() {
    check("How much are the Granny Smith apples?", &[(EntityKind::Product, "Granny Smith apples", "granny")]);
    check("two granny smiths", &[(EntityKind::Quantity, "two", "2"), (EntityKind::Product, "granny smiths", "granny")]);
    check("where is the oat milk", &[(EntityKind::Product, "oat milk", "oatly")]);
    check("Oatly's price", &[(EntityKind::Product, "Oatly's", "oatly")]);
}

#[test]
fn a_name_that_several_products_share_is_a_category() {
    check("an apple please", &[(EntityKind::Category, "apple", "apples")]);
    check("is there dairy in it", &[(EntityKind::Allergen, "dairy", "milk")]);
    check("any milk", &[(EntityKind::Category, "milk", "milk"), (EntityKind::Allergen, "milk", "milk")]);
    check("arla milk", &[(EntityKind::Category, "arla milk", "milk"), (EntityKind::Brand, "arla milk", "Arla")]);
}

#[test]
fn a_wrong_letter_is_forgiven_where_a_name_is_long_enough() {
    check("grany smith", &[(EntityKind::Product, "grany smith", "granny")]);
    check("a lattee", &[(EntityKind::Product, "lattee", "latte")]);
    check("gaga", &[]);
}

#[test]
fn a_name_is_found_by_its_sound_across_the_gaps_between_words() {
    check("how much is the oat lee", &[(EntityKind::Product, "oat lee", "oatly")]);
    check("how much is that", &[]);
}

#[test]
fn quantities_sizes_numbers_and_days_are_told_apart() {
    check(
        "two large lattes",
        &[(EntityKind::Quantity, "two", "2"), (EntityKind::Size, "large", "large"), (EntityKind::Product, "lattes", "latte")],
    );
    check("four one seven", &[(EntityKind::Number, "four one seven", "417")]);
    check("order four one seven", &[(EntityKind::OrderNumber, "four one seven", "417")]);
    check("order double five", &[(EntityKind::OrderNumber, "double five", "55")]);
    check("open on Sunday", &[(EntityKind::Time, "Sunday", "sunday")]);
    check("gate twelve at nine", &[(EntityKind::Place, "gate twelve", "gate 12"), (EntityKind::Time, "nine", "09:00")]);
}

#[test]
fn a_pound_is_money_where_people_pay_with_it_and_a_weight_before_of() {
    check("that is two pounds", &[(EntityKind::Price, "two pounds", "200")]);
    check("two pounds of granny smith", &[(EntityKind::Quantity, "two pounds", "2 lb"), (EntityKind::Product, "granny smith", "granny")]);
}

#[track_caller]
fn fits(text: &str, expected: &[(HintKind, &[&str])]) {
    let catalog = catalog();
    let hints = ProductWords::new(&catalog).hints(text, &finder().find(text));
    let found: Vec<(HintKind, Vec<&str>)> = hints.iter().map(|h| (h.kind, h.fits.iter().map(ProductId::as_str).collect())).collect();
    let expected: Vec<(HintKind, Vec<&str>)> = expected.iter().map(|(kind, ids)| (*kind, ids.to_vec())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn words_fit_the_products_that_are_called_so() {
    fits("how much is this apple", &[(HintKind::Name, &["gala", "granny"])]);
    fits("how much is the arla milk", &[(HintKind::Name, &["medium-milk", "milk"]), (HintKind::Brand, &["medium-milk", "milk"])]);
    fits("the royal one", &[(HintKind::Attribute, &["gala"])]);
    fits("the medium one please", &[(HintKind::Attribute, &["medium-milk"])]);
    fits("not the royal one", &[]);
    fits("how much is this", &[]);
}

proptest! {
    #[test]
    fn every_span_is_a_piece_of_the_sentence(text in "(?s).{0,80}") {
        for entity in finder().find(&text) {
            prop_assert_eq!(text.get(entity.start..entity.end), Some(entity.text.as_str()));
        }
    }
}
