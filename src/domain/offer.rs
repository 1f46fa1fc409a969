use super::{PriceCents, Probability, ProductId, SessionId};

/// What can speak for a product that is offered. The order is that of the learned weights and is only added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// The shop says that it goes with a product talked about.
    GoesWith,
    /// A product talked about is sold out, and this one is of the same category.
    Replaces,
    /// Of the same category as a product talked about, and cheaper.
    Cheaper,
    /// Of the same category as a product talked about.
    Alternative,
    /// Of a category that was named.
    Category,
    /// Of a brand that was named.
    Brand,
    /// On offer.
    Offer,
    /// Its description means nearly what was said.
    Sentence,
    /// It looks nearly like what was shown.
    Photo,
    /// Counted: who took a product talked about took it too, more often than others.
    TakenTogether,
    /// Counted: people who take what this one takes tend to take it.
    Taste,
}

impl EvidenceKind {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 11] = [
        Self::GoesWith,
        Self::Replaces,
        Self::Cheaper,
        Self::Alternative,
        Self::Category,
        Self::Brand,
        Self::Offer,
        Self::Sentence,
        Self::Photo,
        Self::TakenTogether,
        Self::Taste,
    ];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::GoesWith => "goes_with",
            Self::Replaces => "replaces",
            Self::Cheaper => "cheaper",
            Self::Alternative => "alternative",
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Offer => "offer",
            Self::Sentence => "sentence",
            Self::Photo => "photo",
            Self::TakenTogether => "taken_together",
            Self::Taste => "taste",
        }
    }

    /// The one that [`Self::name`] names; `None` for any other text.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What speaks for a product and how strongly, by the weights set by hand; each kind at most once.
pub type EvidenceStrengths = Vec<(EvidenceKind, f32)>;

/// A product offered beside the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Which.
    pub product: ProductId,
    /// Its name.
    pub name: String,
    /// Its price, where it has one.
    pub price: Option<PriceCents>,
    /// Higher is better; comparable within one turn only.
    pub score: f32,
    /// Why, in words for the person.
    pub reason: String,
    /// What spoke for it.
    pub evidence: EvidenceStrengths,
    /// How likely it was to be among the offers of this turn, before the draw; 1 where nothing was drawn.
    pub propensity: Probability,
}

/// A product that could have been offered and was not; kept so that another way to choose can be judged by the log.
#[derive(Debug, Clone, PartialEq)]
pub struct PassedOver {
    /// Which.
    pub product: ProductId,
    /// What spoke for it.
    pub evidence: EvidenceStrengths,
    /// How likely it was to be among the offers of this turn; 0 where nothing was drawn.
    pub propensity: Probability,
}

/// What was offered in a turn, as the log keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedTurn {
    /// The conversation.
    pub session: SessionId,
    /// Its number in the conversation, from 1.
    pub turn: u32,
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// Offered, best first; without names and prices, which the catalog has.
    pub offered: Vec<Recommendation>,
    /// What could have been offered and was not.
    pub passed_over: Vec<PassedOver>,
    /// What was in the basket after the turn, where the order was confirmed; else nothing.
    pub taken: Vec<ProductId>,
    /// Allergens that were asked about, in the catalog's words.
    pub allergens: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_evidence_stands_at_its_number_and_is_found_by_its_name() {
        for (at, kind) in EvidenceKind::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, EvidenceKind::of_name(kind.name())), (at, Some(kind)));
        }
        assert_eq!(EvidenceKind::of_name("no such"), None);
    }
}
