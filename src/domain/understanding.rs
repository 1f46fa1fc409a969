use super::{Probability, ProductId};

/// One intent with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentScore {
    /// The intent's name.
    pub intent: String,
    /// Calibrated probability.
    pub probability: Probability,
}

/// What was decided about the sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum IntentDecision {
    /// The first of the scores is meant.
    Clear,
    /// Two intents are so close that it is better to ask.
    Ambiguous,
    /// Nothing this desk is for.
    OutOfScope,
}

/// What a piece of the sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// A product of the catalog; the value is its SKU.
    Product,
    /// A category of products; the value is the catalog's word.
    Category,
    /// A brand.
    Brand,
    /// How many or how much; the value is a number, with its unit where one was said: "2", "0.5 lb", "3 carton".
    Quantity,
    /// A price or a limit of price; the value is in cents: "299", "<300", "200..300".
    Price,
    /// A cup or package size; the value is the catalog's word.
    Size,
    /// What goes with an order: shots, sugar, ice.
    Extra,
    /// An allergen (EU list); the value is the catalog's word.
    Allergen,
    /// A diet; the value is the catalog's word.
    Diet,
    /// What is wished of a product; the value is "cheaper".
    Wish,
    /// A day, a time of it, or both: "tomorrow 15:30"; a length of time: "in 10 minutes".
    Time,
    /// A number that was read out or printed, digits only; nobody said whose.
    Number,
    /// The number of an order: digits, or a code in lower case.
    OrderNumber,
    /// The number of a customer with the house (loyalty card, account, patient): digits, or a code in lower case.
    CustomerNumber,
    /// A place of the house; the value is the shop's word, with the number of one of several: "aisle 5".
    Place,
    /// A person asked for: the shop's word for the role, or the name as it was said, with the place after a comma.
    Person,
}

impl EntityKind {
    const ALL: [EntityKind; 11] = [
        EntityKind::Product,
        EntityKind::Category,
        EntityKind::Brand,
        EntityKind::Quantity,
        EntityKind::Size,
        EntityKind::Extra,
        EntityKind::Allergen,
        EntityKind::Diet,
        EntityKind::Wish,
        EntityKind::Time,
        EntityKind::Number,
    ];

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            EntityKind::Product => "product",
            EntityKind::Category => "category",
            EntityKind::Brand => "brand",
            EntityKind::Quantity => "quantity",
            EntityKind::Price => "price",
            EntityKind::Size => "size",
            EntityKind::Extra => "extra",
            EntityKind::Allergen => "allergen",
            EntityKind::Diet => "diet",
            EntityKind::Wish => "wish",
            EntityKind::Time => "time",
            EntityKind::Number => "number",
            EntityKind::OrderNumber => "order_number",
            EntityKind::CustomerNumber => "customer_number",
            EntityKind::Place => "place",
            EntityKind::Person => "person",
        }
    }
}

/// A piece of the sentence that names something.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// The words as they were said.
    pub text: String,
    /// The same in the shop's own terms.
    pub value: String,
    /// Bytes in the sentence, from.
    pub start: usize,
    /// Bytes in the sentence, up to and without.
    pub end: usize,
}

/// What a sentence means.
#[derive(Debug, Clone, PartialEq)]
pub struct Understanding {
    /// Clear, ambiguous or out of scope.
    pub decision: IntentDecision,
    /// The three most probable intents, best first; never empty.
    pub intents: Vec<IntentScore>,
    /// What the sentence names, in order.
    pub entities: Vec<Entity>,
    /// From -1 (angry) to 1 (happy); `None` without a trained head.
    pub sentiment: Option<f32>,
    /// `[384]`, L2 norm 1: the sentence for the behaviour model and the FAQ.
    pub embedding: Vec<f32>,
}

impl Understanding {
    /// The best intent with its probability.
    pub fn best(&self) -> &IntentScore {
        &self.intents[0]
    }

    /// Whether the sentence is for this desk.
    pub fn in_scope(&self) -> bool {
        self.decision != IntentDecision::OutOfScope
    }

    /// The first product named.
    pub fn product(&self) -> Option<ProductId> {
        self.values(EntityKind::Product).next().map(|value| ProductId(value.to_owned()))
    }

    /// The values of one kind, in order of speech.
    pub fn values(&self, kind: EntityKind) -> impl Iterator<Item = &str> {
        self.entities.iter().filter(move |e| e.kind == kind).map(|e| e.value.as_str())
    }
}
