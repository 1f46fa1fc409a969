mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::{Catalog, Faq, IntentDefinition, IntentKind, Needs, PriceCents, Product, ProductId, Recipe, Shop};
use crate::language::WordLists;
use words::WordsFile;

/// A catalogue with more is refused: names are searched in memory.
const PRODUCTS_MAX: usize = 100_000;
/// A price above a million is a slip of the keyboard.
const PRICE_CENTS_MAX: i64 = 100_000_000;

/// All that a shop wrote about itself.
#[derive(Debug, Clone)]
pub struct ShopFiles {
    /// Name, hours, facts, FAQ, recipes.
    pub shop: Shop,
    /// What it sells.
    pub catalog: Catalog,
    /// What people may want.
    pub intents: Vec<IntentDefinition>,
    /// How people say sizes, allergens and diets.
    pub words: WordLists,
}

impl ShopFiles {
    /// Reads `shop.toml`, `catalog.toml` and `intents/*.toml` of one folder, and `faq.toml`, `recipes.toml` and `words.toml` where they
    /// are there; reports all that is wrong in all of them at once.
    pub fn read(folder: &Path) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let shop = file::<ShopFile>(&folder.join("shop.toml"), &mut problems);
        let catalog = file::<CatalogFile>(&folder.join("catalog.toml"), &mut problems);
        let faq = optional_file::<FaqFile>(&folder.join("faq.toml"), &mut problems);
        let recipes = optional_file::<RecipeFile>(&folder.join("recipes.toml"), &mut problems);
        let words = optional_file::<WordsFile>(&folder.join("words.toml"), &mut problems);
        let intents = intent_files(&folder.join("intents"), &mut problems);
        let (Some(shop), Some(catalog), Some(faq), Some(recipes), Some(words)) = (shop, catalog, faq, recipes, words) else {
            return Err(problems);
        };
        let catalog = catalog.build(&folder.join("catalog.toml"), &mut problems);
        let recipes = recipes.build(&folder.join("recipes.toml"), &catalog, &mut problems);
        let shop = shop.build(&folder.join("shop.toml"), faq.faq, recipes, &mut problems);
        check_examples(&intents, &mut problems);
        words.check(&catalog, &folder.join("catalog.toml"), &mut problems);
        if problems.is_empty() {
            let words = words.build(&shop.currency_word);
            Ok(Self { shop, catalog, intents, words })
        } else {
            Err(problems)
        }
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

/// A file that a shop may do without.
fn optional_file<T: DeserializeOwned + Default>(path: &Path, problems: &mut Vec<String>) -> Option<T> {
    if path.exists() { file(path, problems) } else { Some(T::default()) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopFile {
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
    fn build(self, path: &Path, faq: Vec<FaqEntry>, recipes: Vec<Recipe>, problems: &mut Vec<String>) -> Shop {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    #[serde(default)]
    product: Vec<toml::Spanned<ProductEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductEntry {
    sku: String,
    name: String,
    plural: Option<String>,
    photo_class: Option<String>,
    category: String,
    brand: Option<String>,
    price_cents: Option<i64>,
    #[serde(default)]
    unit: String,
    size: Option<String>,
    #[serde(default)]
    aisle: String,
    #[serde(default)]
    shelf: String,
    #[serde(default = "yes")]
    in_stock: bool,
    stock_count: Option<u32>,
    origin: Option<String>,
    ingredients: Option<String>,
    allergens: Option<Vec<String>>,
    #[serde(default)]
    diet: Vec<String>,
    kcal_per_100g: Option<u32>,
    #[serde(default)]
    synonyms: Vec<String>,
    #[serde(default)]
    goes_with: Vec<String>,
    offer: Option<String>,
    description: Option<String>,
    #[serde(default)]
    facts: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

impl CatalogFile {
    fn build(self, path: &Path, problems: &mut Vec<String>) -> Catalog {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if self.product.len() > PRODUCTS_MAX {
            problems.push(format!("{}: {} products; at most {PRODUCTS_MAX} are held", path.display(), self.product.len()));
            return Catalog::default();
        }
        let mut seen = BTreeMap::new();
        let mut products = Vec::with_capacity(self.product.len());
        for entry in self.product {
            let line = text[..entry.span().start.min(text.len())].matches('\n').count() + 1;
            let entry = entry.into_inner();
            let mut complain = |what: String| problems.push(format!("{}, line {line}: product {:?} {what}", path.display(), entry.sku));
            if entry.sku.is_empty() || entry.name.trim().is_empty() {
                complain("has an empty sku or name; both are needed".to_owned());
            }
            if let Some(cents) = entry.price_cents.filter(|cents| !(0..=PRICE_CENTS_MAX).contains(cents)) {
                complain(format!("has price_cents = {cents}; expected whole cents from 0 to {PRICE_CENTS_MAX}"));
            }
            if entry.price_cents.is_some() == entry.unit.is_empty() {
                complain("has one of price_cents and unit; both are needed for a price, and neither where there is none".to_owned());
            }
            if let Some(first) = seen.insert(entry.sku.clone(), line) {
                complain(format!("has the sku of the product in line {first}; every product needs its own"));
                continue;
            }
            products.push(entry.build());
        }
        Catalog::new(products).unwrap_or_else(|errors| {
            problems.extend(errors.into_iter().map(|e| format!("{}: {e}", path.display())));
            Catalog::default()
        })
    }
}

impl ProductEntry {
    fn build(self) -> Product {
        Product {
            id: ProductId(self.sku),
            plural: self.plural.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            photo_class: self.photo_class,
            category: self.category,
            brand: self.brand,
            price: self.price_cents.and_then(|cents| u32::try_from(cents).ok()).map(PriceCents),
            unit: self.unit,
            size: self.size,
            aisle: self.aisle,
            shelf: self.shelf,
            in_stock: self.in_stock,
            stock_count: self.stock_count,
            origin: self.origin,
            ingredients: self.ingredients,
            allergens: self.allergens,
            diet: self.diet,
            kcal_per_100g: self.kcal_per_100g,
            synonyms: self.synonyms,
            goes_with: self.goes_with.into_iter().map(ProductId).collect(),
            offer: self.offer,
            description: self.description,
            facts: self.facts,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaqFile {
    #[serde(default)]
    faq: Vec<FaqEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaqEntry {
    question: String,
    #[serde(default)]
    alternatives: Vec<String>,
    answer: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    #[serde(default)]
    recipe: Vec<RecipeEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeEntry {
    name: String,
    products: Vec<String>,
    text: String,
}

impl RecipeFile {
    fn build(self, path: &Path, catalog: &Catalog, problems: &mut Vec<String>) -> Vec<Recipe> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentFile {
    intent: String,
    #[serde(default)]
    title: String,
    kind: String,
    needs: String,
    examples: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
}

/// All intents of the folder, by file name, so that their order does not depend on the disk.
fn intent_files(folder: &Path, problems: &mut Vec<String>) -> Vec<IntentDefinition> {
    let listing = std::fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).map(|e| e.path()).collect::<Vec<PathBuf>>());
    let mut paths = listing.unwrap_or_else(|e| {
        problems.push(format!("{}: {e}; this folder holds a file for each intent", folder.display()));
        Vec::new()
    });
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    paths.iter().filter_map(|path| file::<IntentFile>(path, problems).and_then(|f| f.build(path, problems))).collect()
}

impl IntentFile {
    fn build(self, path: &Path, problems: &mut Vec<String>) -> Option<IntentDefinition> {
        let before = problems.len();
        let mut complain = |what: String| problems.push(format!("{}: {what}", path.display()));
        let kind = match self.kind.as_str() {
            "fact" => IntentKind::Fact,
            "faq" => IntentKind::Faq,
            "recommend" => IntentKind::Recommend,
            "handoff" => IntentKind::Handoff,
            "order" => IntentKind::Order,
            "smalltalk" => IntentKind::Smalltalk,
            "out_of_scope" => IntentKind::OutOfScope,
            other => {
                complain(format!("kind is {other:?}; expected fact, faq, recommend, handoff, order, smalltalk or out_of_scope"));
                IntentKind::Fact
            }
        };
        let needs = match self.needs.as_str() {
            "product" => Needs::Product,
            "nothing" => Needs::Nothing,
            other => {
                complain(format!("needs is {other:?}; expected \"product\" or \"nothing\""));
                Needs::Nothing
            }
        };
        if self.examples.len() < 2 {
            complain(format!("{} examples; at least two are needed, ten are good", self.examples.len()));
        }
        if self.answers.is_empty() {
            complain("no answers; at least one is needed".to_owned());
        }
        if needs == Needs::Product && self.missing.is_empty() {
            complain("needs a product, but `missing` does not say what to ask where none is known".to_owned());
        }
        let title = if self.title.is_empty() { self.intent.replace('_', " ") } else { self.title };
        let Self { intent: name, examples, answers, missing, .. } = self;
        (problems.len() == before).then_some(IntentDefinition { name, title, kind, needs, examples, answers, missing })
    }
}

/// The same sentence under two intents teaches nothing.
fn check_examples(intents: &[IntentDefinition], problems: &mut Vec<String>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for intent in intents {
        for example in &intent.examples {
            match seen.insert(example.to_lowercase(), &intent.name) {
                Some(other) if other != intent.name => {
                    problems.push(format!("the example {example:?} stands under {other:?} and under {:?}; keep one", intent.name));
                }
                _ => {}
            }
        }
    }
    for (at, intent) in intents.iter().enumerate() {
        if intents[..at].iter().any(|other| other.name == intent.name) {
            problems.push(format!("two files define the intent {:?}; keep one", intent.name));
        }
    }
}
