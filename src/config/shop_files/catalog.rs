use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::line_of;
use crate::domain::{Catalog, CatalogError, PriceCents, Product, ProductId};

/// A catalogue with more is refused: names are searched in memory.
const PRODUCTS_MAX: usize = 100_000;
/// A price above a million is a slip of the keyboard.
const PRICE_CENTS_MAX: i64 = 100_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFile {
    #[serde(default)]
    product: Vec<toml::Spanned<ProductEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductEntry {
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
    pub(super) fn build(self, path: &Path, problems: &mut Vec<String>) -> Catalog {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if self.product.len() > PRODUCTS_MAX {
            problems.push(format!("{}: {} products; at most {PRODUCTS_MAX} are held", path.display(), self.product.len()));
            return Catalog::default();
        }
        let mut seen = BTreeMap::new();
        let mut products = Vec::with_capacity(self.product.len());
        for entry in self.product {
            let line = line_of(&text, entry.span().start);
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
        let line_of_error = |error: &CatalogError| match error {
            CatalogError::UnknownCompanion { product, .. } => seen.get(product).map_or(String::new(), |line| format!(", line {line}")),
            _ => String::new(),
        };
        Catalog::new(products).unwrap_or_else(|errors| {
            problems.extend(errors.into_iter().map(|e| format!("{}{}: {e}", path.display(), line_of_error(&e))));
            Catalog::default()
        })
    }
}

impl ProductEntry {
    pub(super) fn build(self) -> Product {
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
