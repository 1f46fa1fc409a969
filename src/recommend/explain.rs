use crate::domain::{EvidenceKind, PriceCents, Product};

/// Why a product is worth offering. Gathered where the score is made; the weight is its part of the score.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence<'a> {
    /// The shop says that people take it with a product talked about.
    GoesWith(&'a Product),
    /// A product talked about is sold out, and this one is of the same category.
    Replaces(&'a Product),
    /// Of the same category as a product talked about, and cheaper.
    Cheaper {
        /// Than which.
        than: &'a Product,
        /// By how much, above 0.
        by: PriceCents,
        /// Whether both stand in one place.
        same_shelf: bool,
    },
    /// Of the same category as a product talked about.
    Alternative(&'a Product),
    /// Of a category that was named.
    Category(&'a str),
    /// Of a brand that was named.
    Brand(&'a str),
    /// On offer; the shop's words.
    Offer(&'a str),
    /// Its description means nearly what was said.
    Sentence,
    /// It looks nearly like what was shown.
    Photo,
    /// Counted: who took a product talked about took it too.
    TakenTogether {
        /// Which.
        with: &'a Product,
        /// Baskets with both.
        both: u32,
        /// Baskets with that product.
        of: u32,
    },
    /// People who take what this person takes tend to take it.
    Taste,
}

/// From this share on, people "often" take it too.
const OFTEN: f64 = 0.25;

impl Evidence<'_> {
    /// What kind it is.
    pub fn kind(&self) -> EvidenceKind {
        match self {
            Evidence::GoesWith(_) => EvidenceKind::GoesWith,
            Evidence::Replaces(_) => EvidenceKind::Replaces,
            Evidence::Cheaper { .. } => EvidenceKind::Cheaper,
            Evidence::Alternative(_) => EvidenceKind::Alternative,
            Evidence::Category(_) => EvidenceKind::Category,
            Evidence::Brand(_) => EvidenceKind::Brand,
            Evidence::Offer(_) => EvidenceKind::Offer,
            Evidence::Sentence => EvidenceKind::Sentence,
            Evidence::Photo => EvidenceKind::Photo,
            Evidence::TakenTogether { .. } => EvidenceKind::TakenTogether,
            Evidence::Taste => EvidenceKind::Taste,
        }
    }

    /// Whether it says that the product goes with another one.
    pub fn is_of_companion(&self) -> bool {
        matches!(self, Evidence::GoesWith(_) | Evidence::TakenTogether { .. })
    }

    /// A short sentence for the shopper. `currency_word` is the plural of the currency ("euros").
    pub fn sentence(&self, currency_word: &str) -> String {
        match self {
            Evidence::GoesWith(product) => format!("People often take it with {}.", product.plural),
            Evidence::Replaces(product) => format!("{} is sold out, and this is the nearest we have.", capitalised(&product.name)),
            Evidence::Cheaper { by, same_shelf: true, .. } => format!("Same shelf, {} cheaper.", by.spoken(currency_word)),
            Evidence::Cheaper { than, by, same_shelf: false } => {
                format!("Also {}, and {} cheaper than {}.", than.category, by.spoken(currency_word), than.name)
            }
            Evidence::Alternative(product) => format!("Another choice beside {}.", product.name),
            Evidence::Category(category) => format!("You asked for {category}."),
            Evidence::Brand(brand) => format!("It is made by {brand}."),
            Evidence::Offer(offer) => format!("On offer: {}.", offer.trim_end_matches('.')),
            Evidence::Sentence => "It fits what you asked for.".to_owned(),
            Evidence::Photo => "It looks like what you showed.".to_owned(),
            Evidence::TakenTogether { with, both, of } if f64::from(*both) >= OFTEN * f64::from(*of) => {
                format!("People who take {} often take it too.", with.plural)
            }
            Evidence::TakenTogether { with, both, of } => format!("{both} of {of} people who took {} took it too.", with.plural),
            Evidence::Taste => "People who choose as you do take it too.".to_owned(),
        }
    }
}

/// The first letter large, as at the beginning of a sentence.
fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::candidates::tests::product;
    use super::*;

    #[test]
    fn reasons_are_short_sentences_for_the_shopper() {
        let apple = Product { plural: "Granny Smith apples".to_owned(), ..product("granny smith apple") };
        let cheaper = |same_shelf| Evidence::Cheaper { than: &apple, by: PriceCents(40), same_shelf };
        for (evidence, expected) in [
            (Evidence::GoesWith(&apple), "People often take it with Granny Smith apples."),
            (Evidence::Replaces(&apple), "Granny smith apple is sold out, and this is the nearest we have."),
            (cheaper(true), "Same shelf, 40 cents cheaper."),
            (cheaper(false), "Also fruit, and 40 cents cheaper than granny smith apple."),
            (Evidence::Offer("3 for 2 euros"), "On offer: 3 for 2 euros."),
            (Evidence::Offer("half price."), "On offer: half price."),
            (Evidence::TakenTogether { with: &apple, both: 6, of: 20 }, "People who take Granny Smith apples often take it too."),
            (Evidence::TakenTogether { with: &apple, both: 6, of: 90 }, "6 of 90 people who took Granny Smith apples took it too."),
        ] {
            assert_eq!(evidence.sentence("euros"), expected);
        }
    }
}
