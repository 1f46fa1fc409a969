use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::{PriceCents, ProductId};

/// What the shop knows of one product, or of a service that it offers. What its data do not say is `None` or empty, and is never guessed.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// The shop's key.
    pub id: ProductId,
    /// What it is called.
    pub name: String,
    /// What several are called.
    pub plural: String,
    /// The classifier's class that shows it.
    pub photo_class: Option<String>,
    /// What it is one of, in words.
    pub category: String,
    /// The maker.
    pub brand: Option<String>,
    /// What one unit costs; 0 is free.
    pub price: Option<PriceCents>,
    /// What is counted: "piece", "kilo", "month". Empty where there is no price.
    pub unit: String,
    /// Contents: "1 litre".
    pub size: Option<String>,
    /// The aisle. Empty where it has none.
    pub aisle: String,
    /// Where in the aisle. Empty where it has no place.
    pub shelf: String,
    /// Whether it can be bought now.
    pub in_stock: bool,
    /// How many are left.
    pub stock_count: Option<u32>,
    /// Where it was grown or made.
    pub origin: Option<String>,
    /// What it is made of.
    pub ingredients: Option<String>,
    /// Allergens (EU list); `Some([])` says that there are none, `None` that nobody has said.
    pub allergens: Option<Vec<String>>,
    /// Diets it suits.
    pub diet: Vec<String>,
    /// Energy in kcal for 100 g.
    pub kcal_per_100g: Option<u32>,
    /// Other ways to name it.
    pub synonyms: Vec<String>,
    /// What people take with it.
    pub goes_with: Vec<ProductId>,
    /// A current offer, in words.
    pub offer: Option<String>,
    /// A sentence for the curious.
    pub description: Option<String>,
    /// What only this shop knows of its products, by name: the room of an examination, the departure of a trip.
    pub facts: BTreeMap<String, String>,
}

/// A catalog that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogError {
    /// The same key twice.
    DuplicateSku(String),
    /// Two products claim one class of the classifier.
    DuplicatePhotoClass(String),
    /// A product goes with one that is not there.
    UnknownCompanion {
        /// Who says so.
        product: String,
        /// Who is missing.
        companion: String,
    },
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogError::DuplicateSku(sku) => write!(f, "two products have the sku {sku:?}; every product needs its own"),
            CatalogError::DuplicatePhotoClass(class) => {
                write!(f, "two products have the photo_class {class:?}; a photo can only show one of them")
            }
            CatalogError::UnknownCompanion { product, companion } => {
                write!(f, "{product:?} goes with {companion:?}, which is no product of the catalog; correct the sku or add it")
            }
        }
    }
}

impl std::error::Error for CatalogError {}

/// What the shop sells.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    products: Vec<Product>,
    by_id: HashMap<ProductId, usize>,
    by_photo_class: HashMap<String, usize>,
}

impl Catalog {
    /// Refuses duplicate keys and companions that do not exist; reports all of them.
    pub fn new(products: Vec<Product>) -> Result<Self, Vec<CatalogError>> {
        let mut errors = Vec::new();
        let (mut by_id, mut by_photo_class) = (HashMap::new(), HashMap::new());
        for (at, product) in products.iter().enumerate() {
            if by_id.insert(product.id.clone(), at).is_some() {
                errors.push(CatalogError::DuplicateSku(product.id.0.clone()));
            }
            if let Some(class) = &product.photo_class
                && by_photo_class.insert(class.clone(), at).is_some()
            {
                errors.push(CatalogError::DuplicatePhotoClass(class.clone()));
            }
        }
        for product in &products {
            for companion in product.goes_with.iter().filter(|c| !by_id.contains_key(*c)) {
                errors.push(CatalogError::UnknownCompanion { product: product.id.0.clone(), companion: companion.0.clone() });
            }
        }
        if errors.is_empty() { Ok(Self { products, by_id, by_photo_class }) } else { Err(errors) }
    }

    /// All products, in the order of the file.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product with this key.
    pub fn get(&self, id: &ProductId) -> Option<&Product> {
        self.by_id.get(id).map(|&at| &self.products[at])
    }

    /// The product that a class of the classifier shows.
    pub fn of_photo_class(&self, class: &str) -> Option<&Product> {
        self.by_photo_class.get(class).map(|&at| &self.products[at])
    }
}
