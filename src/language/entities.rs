use std::collections::{BTreeMap, HashMap};

use strsim::damerau_levenshtein;

use crate::domain::{Catalog, Entity, EntityKind, Product};

/// Longest name looked for, in words.
const WORDS_MAX: usize = 7;
/// A name is forgiven one wrong letter from this length on, and two from the second.
const FORGIVEN_ONE: usize = 5;
const FORGIVEN_TWO: usize = 9;
/// A card or order number has at least this many digits; fewer are a quantity.
const NUMBER_DIGITS_MIN: usize = 3;

const SMALL_NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];
const TIMES: [&str; 11] =
    ["today", "tomorrow", "tonight", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "weekend"];

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
}

/// Finds what a sentence names: products, categories and brands of the catalog, the shop's words, numbers and days.
///
/// A name that several products share ("milk") is a category; which of them is meant, the dialogue or the photo decides. The longest
/// name wins over those inside it, an exact one over one with a wrong letter.
pub struct EntityFinder {
    phrases: HashMap<String, Vec<(EntityKind, String)>>,
    /// Names of products by the number of their letters, for the search with a wrong letter.
    letters: HashMap<usize, Vec<(String, String)>>,
}

/// A word of the sentence: lower case, with its place in bytes.
struct Word {
    text: String,
    start: usize,
    end: usize,
}

impl EntityFinder {
    /// Indexes the catalog and the word lists.
    pub fn new(catalog: &Catalog, words: &WordLists) -> Self {
        let mut names: BTreeMap<String, Vec<&Product>> = BTreeMap::new();
        for product in catalog.products() {
            let own = std::iter::once(&product.name).chain([&product.plural]).chain(&product.synonyms);
            for name in own {
                let products = names.entry(normal(name)).or_default();
                if !products.iter().any(|p| p.id == product.id) {
                    products.push(product);
                }
            }
        }
        let mut finder = Self { phrases: HashMap::new(), letters: HashMap::new() };
        for product in catalog.products() {
            finder.add(&product.category, EntityKind::Category, &product.category);
            if let Some(brand) = &product.brand {
                finder.add(brand, EntityKind::Brand, brand);
            }
        }
        for (name, products) in names {
            match products[..] {
                [only] => finder.add(&name, EntityKind::Product, only.id.as_str()),
                _ => finder.add(&name, EntityKind::Category, commonest_category(&products)),
            }
            let joined = name.replace(' ', "");
            finder.letters.entry(joined.chars().count()).or_default().push((joined, name));
        }
        let lists = [
            (EntityKind::Allergen, &words.allergen),
            (EntityKind::Diet, &words.diet),
            (EntityKind::Size, &words.size),
            (EntityKind::Extra, &words.extra),
            (EntityKind::Wish, &words.wish),
        ];
        for (kind, list) in lists {
            for (value, said) in list {
                said.iter().for_each(|phrase| finder.add(phrase, kind, value));
            }
        }
        TIMES.iter().for_each(|word| finder.add(word, EntityKind::Time, word));
        finder
    }

    fn add(&mut self, phrase: &str, kind: EntityKind, value: &str) {
        let meanings = self.phrases.entry(normal(phrase)).or_default();
        // A name of one product is more exact than a brand or category of the same words.
        if kind == EntityKind::Product {
            meanings.retain(|(k, _)| !matches!(k, EntityKind::Brand | EntityKind::Category));
        }
        if !meanings.iter().any(|(k, _)| *k == kind) {
            meanings.push((kind, value.to_owned()));
        }
    }

    /// What the sentence names, in order of speech. Spans are bytes of `text`.
    pub fn find(&self, text: &str) -> Vec<Entity> {
        let words = words(text);
        let mut free = vec![true; words.len()];
        let mut found = Vec::new();
        // Longest first; exact names before those with a wrong letter, which only words still free may be.
        for exact in [true, false] {
            for length in (1..=WORDS_MAX.min(words.len())).rev() {
                for from in 0..=words.len() - length {
                    if free[from..from + length].iter().all(|&f| f) {
                        let meanings = self.meanings(&words[from..from + length], exact);
                        if !meanings.is_empty() {
                            free[from..from + length].fill(false);
                            found.extend(meanings.into_iter().map(|(kind, value)| entity(text, &words[from..from + length], kind, value)));
                        }
                    }
                }
            }
        }
        found.extend(numbers(text, &words, &free));
        found.sort_by_key(|e| (e.start, e.kind));
        found
    }

    fn meanings(&self, words: &[Word], exact: bool) -> Vec<(EntityKind, String)> {
        let phrase = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
        if exact {
            return self.phrases.get(&phrase).cloned().unwrap_or_default();
        }
        let joined = phrase.replace(' ', "");
        let length = joined.chars().count();
        let forgiven = if length >= FORGIVEN_TWO { 2 } else { usize::from(length >= FORGIVEN_ONE) };
        if forgiven == 0 {
            return Vec::new();
        }
        let near = (length - forgiven..=length + forgiven).filter_map(|n| self.letters.get(&n)).flatten();
        let closest =
            near.map(|(letters, name)| (damerau_levenshtein(letters, &joined), name)).filter(|(wrong, _)| *wrong <= forgiven).min();
        closest.and_then(|(_, name)| self.phrases.get(name)).cloned().unwrap_or_default()
    }
}

fn commonest_category<'a>(products: &[&'a Product]) -> &'a str {
    let count = |product: &Product| products.iter().filter(|p| p.category == product.category).count();
    // The first of the catalog among equals, so that the order of the file decides and not chance.
    products.iter().rev().max_by_key(|p| count(p)).map_or("", |p| p.category.as_str())
}

fn entity(text: &str, words: &[Word], kind: EntityKind, value: String) -> Entity {
    let (start, end) = (words[0].start, words[words.len() - 1].end);
    Entity { kind, text: text[start..end].to_owned(), value, start, end }
}

/// Quantities and numbers among the words that name nothing else.
fn numbers(text: &str, words: &[Word], free: &[bool]) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let digits: String = words[at..].iter().zip(&free[at..]).map_while(|(w, f)| f.then(|| digits_of(&w.text)).flatten()).collect();
        let run = words[at..].iter().zip(&free[at..]).take_while(|(w, f)| **f && digits_of(&w.text).is_some()).count();
        if run > 0 {
            let kind = if digits.len() >= NUMBER_DIGITS_MIN { EntityKind::Number } else { EntityKind::Quantity };
            found.push(entity(text, &words[at..at + run], kind, digits));
        }
        at += run.max(1);
    }
    found
}

/// "four" is "4"; "417" is itself; other words are none.
fn digits_of(word: &str) -> Option<String> {
    let is_digits = !word.is_empty() && word.len() <= 20 && word.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| word.to_owned()).or_else(|| SMALL_NUMBERS.iter().position(|w| *w == word).map(|n| n.to_string()))
}

fn normal(phrase: &str) -> String {
    words(phrase).into_iter().map(|w| w.text).collect::<Vec<_>>().join(" ")
}

/// Words in lower case without accents of the possessive: "Arla's" is "arla". Hyphens part words.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_alphanumeric() || c == '\'' || c == '\u{2019}') {
            (None, true) if c.is_alphanumeric() => start = Some(at),
            (Some(from), false) => {
                let lower = text[from..at].to_lowercase();
                let bare = lower.trim_end_matches("'s").trim_end_matches("\u{2019}s").trim_matches(['\'', '\u{2019}']);
                words.push(Word { text: bare.to_owned(), start: from, end: at });
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PriceCents, ProductId};
    use proptest::prelude::*;

    fn product(id: &str, name: &str, category: &str, brand: Option<&str>, synonyms: &[&str]) -> Product {
        Product {
            id: ProductId(id.to_owned()),
            name: name.to_owned(),
            plural: format!("{name}s"),
            photo_class: None,
            category: category.to_owned(),
            brand: brand.map(str::to_owned),
            price: PriceCents(100),
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
        }
    }

    fn finder() -> EntityFinder {
        let catalog = Catalog::new(vec![
            product("granny", "Granny Smith apple", "apples", None, &["granny smith", "apple"]),
            product("gala", "Royal Gala apple", "apples", None, &["apple"]),
            product("oatly", "Oatly oat drink", "oat drinks", Some("Oatly"), &["oat milk", "oatly"]),
            product("milk", "standard milk", "milk", Some("Arla"), &["milk"]),
            product("medium-milk", "medium fat milk", "milk", Some("Arla"), &["milk"]),
            product("latte", "latte", "hot drinks", None, &["caffe latte"]),
        ])
        .expect("catalog");
        let list = |value: &str, said: &[&str]| BTreeMap::from([(value.to_owned(), said.iter().map(|s| (*s).to_owned()).collect())]);
        let words = WordLists {
            allergen: list("milk", &["milk", "dairy"]),
            diet: list("vegan", &["vegan"]),
            size: list("large", &["large", "big"]),
            extra: BTreeMap::new(),
            wish: BTreeMap::new(),
        };
        EntityFinder::new(&catalog, &words)
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
        check("where is the oat milk", &[(EntityKind::Product, "oat milk", "oatly")]);
        check("Oatly's price", &[(EntityKind::Product, "Oatly's", "oatly")]);
    }

    #[test]
    fn a_name_that_several_products_share_is_a_category() {
        check("an apple please", &[(EntityKind::Category, "apple", "apples")]);
        check("is there dairy in it", &[(EntityKind::Allergen, "dairy", "milk")]);
        check("any milk", &[(EntityKind::Category, "milk", "milk"), (EntityKind::Allergen, "milk", "milk")]);
    }

    #[test]
    fn a_wrong_letter_is_forgiven_where_a_name_is_long_enough() {
        check("grany smith", &[(EntityKind::Product, "grany smith", "granny")]);
        check("a lattee", &[(EntityKind::Product, "lattee", "latte")]);
        check("gaga", &[]);
    }

    #[test]
    fn quantities_sizes_numbers_and_days_are_told_apart() {
        check(
            "two large lattes",
            &[(EntityKind::Quantity, "two", "2"), (EntityKind::Size, "large", "large"), (EntityKind::Product, "lattes", "latte")],
        );
        check("order four one seven", &[(EntityKind::Number, "four one seven", "417")]);
        check("open on Sunday", &[(EntityKind::Time, "Sunday", "sunday")]);
    }

    proptest! {
        #[test]
        fn every_span_is_a_piece_of_the_sentence(text in "(?s).{0,80}") {
            for entity in finder().find(&text) {
                prop_assert_eq!(&text[entity.start..entity.end], entity.text.as_str());
            }
        }
    }
}
