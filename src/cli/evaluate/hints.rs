//! What people may say over a photo, made up with a fixed seed: a hint at the product that is right, wrong or absent.

use rand::Rng;
use rand::rngs::StdRng;

use crate::domain::{Catalog, Product};
use crate::vision::PhotoClass;

/// What a sentence says of the product, beside "this".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// A word that several products share: its category or a common name.
    Category,
    /// The data set's word for its kind.
    Coarse,
    /// Its brand.
    Brand,
    /// A word of its names: "green", "organic".
    Attribute,
    /// Nothing.
    Nothing,
}

impl Said {
    pub(super) const ALL: [Said; 5] = [Said::Category, Said::Coarse, Said::Brand, Said::Attribute, Said::Nothing];

    pub(super) fn name(self) -> &'static str {
        match self {
            Said::Category => "category",
            Said::Coarse => "coarse",
            Said::Brand => "brand",
            Said::Attribute => "attribute",
            Said::Nothing => "nothing",
        }
    }
}

/// Of a hundred sentences, how many say what; the rest say nothing of the product.
const SHARES: [(Said, u32); 4] = [(Said::Category, 25), (Said::Coarse, 20), (Said::Brand, 15), (Said::Attribute, 15)];
/// Of a hundred hints, how many are of another product: said wrong, or heard wrong.
const WRONG: u32 = 10;
const ASKED: [&str; 4] = ["how much is this {}", "where do I find the {}", "is there an offer on this {}", "tell me about the {} please"];

/// A sentence over a photo.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) said: Said,
    /// The hint is of another product.
    pub(super) is_wrong: bool,
    pub(super) text: String,
}

/// Makes up a sentence over a photo of a product. `classes` are those of the classifier.
pub(super) fn sentence(product: &Product, catalog: &Catalog, classes: &[PhotoClass], chance: &mut StdRng) -> Sentence {
    let drawn = chance.random_range(0..100);
    let mut upto = 0;
    let said = SHARES.iter().find(|(_, share)| {
        upto += share;
        drawn < upto
    });
    let said = said.map_or(Said::Nothing, |(said, _)| *said);
    let is_wrong = said != Said::Nothing && chance.random_range(0..100) < WRONG;
    let showable: Vec<&Product> = catalog.products().iter().filter(|p| p.photo_class.is_some()).collect();
    let of = if is_wrong { showable.get(chance.random_range(0..showable.len().max(1))).copied().unwrap_or(product) } else { product };
    let (said, hint) = match hint(said, of, catalog, classes, chance) {
        Some(hint) => (said, hint),
        // Without a brand a category is said; a word that is missing then too is not said.
        None if said == Said::Brand => (Said::Category, category(of, catalog, chance)),
        None => (Said::Nothing, "one".to_owned()),
    };
    let text = ASKED[chance.random_range(0..ASKED.len())].replace("{}", &hint);
    Sentence { said, is_wrong: is_wrong && of.id != product.id, text }
}

fn hint(said: Said, product: &Product, catalog: &Catalog, classes: &[PhotoClass], chance: &mut StdRng) -> Option<String> {
    match said {
        Said::Nothing => None,
        Said::Category => Some(category(product, catalog, chance)),
        Said::Coarse => {
            let class = classes.iter().find(|class| product.photo_class.as_ref() == Some(&class.name))?;
            Some(class.coarse.replace('-', " ").to_lowercase())
        }
        Said::Brand => product.brand.clone(),
        Said::Attribute => {
            let brand = product.brand.as_deref().unwrap_or_default().to_lowercase();
            let names = product.synonyms.iter().chain([&product.name]);
            // The last word of a name is mostly what the thing is; those before it say how it is.
            let words = names.flat_map(|name| {
                let lower = name.to_lowercase();
                let words: Vec<String> = lower.split([' ', '-']).map(str::to_owned).collect();
                words[..words.len() - 1].to_vec()
            });
            let telling: Vec<String> = words.filter(|word| word.len() > 2 && !brand.contains(word.as_str())).collect();
            let word = telling.get(chance.random_range(0..telling.len().max(1)))?;
            Some(format!("{word} one"))
        }
    }
}

/// A name that other products share, or the category.
fn category(product: &Product, catalog: &Catalog, chance: &mut StdRng) -> String {
    let is_shared = |name: &&String| catalog.products().iter().any(|other| other.id != product.id && other.synonyms.contains(name));
    let mut names: Vec<&String> = product.synonyms.iter().filter(is_shared).collect();
    names.push(&product.category);
    names[chance.random_range(0..names.len())].clone()
}
